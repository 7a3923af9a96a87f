"""The briefing of a night, put together from its tables."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import date

import polars as pl

from analytics.insight.briefing import Briefing, as_html, brief_night
from analytics.insight.wording import count, spell_day
from flows.changes import FALSE_ALARMS, counts_orders
from flows.compose import Insights
from flows.night import Night


def briefing_files(night: Night, insights: Insights, tables: Mapping[str, pl.DataFrame]) -> dict[str, str]:
    """The briefing as it lies beside the databases, in Markdown and in HTML."""
    run = tables["run"].filter(pl.col("run_id") == night.run_id).row(0, named=True)
    text = brief_night(
        Briefing(
            run=run,
            reasons=not_covered(insights.documents),
            on_hold=insights.sources.filter("is_held")["sentence"].to_list(),
            changes=tables["change"],
            decisions=tables["decision"],
            verdicts=tables["verdict"],
            tests=_tests(night, tables["quality"]),
            not_judged=list(_not_judged(night, insights, run)),
            ledger=tables["ledger"],
        )
    )
    return {"briefing.md": text, "briefing.html": as_html(text, f"Night of {spell_day(night.as_of)}")}


def not_covered(documents: pl.DataFrame) -> pl.DataFrame:
    """Why documents are not covered: reason, n_documents."""
    waits = pl.lit("waits for a later night")
    reason = pl.coalesce("not_analysed_reason", "not_counted_reason", waits)
    return documents.filter(~pl.col("is_covered")).group_by(reason.alias("reason")).agg(n_documents=pl.len())


def _tests(night: Night, quality: pl.DataFrame) -> str:
    n_tests = quality.filter(pl.col("metric") == "n_tests")["value"].sum()
    rate = 100 * night.settings.trends.false_discovery_rate
    alarms = quality.filter(metric=FALSE_ALARMS)
    told = f"{count(int(n_tests), 'test')} made tonight; of what is told at most {rate:.0f} % is chance."
    if alarms.height:
        share, n, day = alarms.select("value", "n", "about").row(0)
        told += (
            f" Of {n} nights made of this store's own weeks, shuffled, {round(share * n)} told of a change "
            f"({spell_day(date.fromisoformat(day))})."
        )
    return told


def _not_judged(night: Night, insights: Insights, run: Mapping[str, object]) -> Iterator[str]:
    for source in insights.held:
        yield f"Nothing of {source}: it is on hold, and no claim rests on it."
    unread = insights.documents.filter(~pl.col("is_analysed")).height
    if unread:
        yield f"{count(unread, 'text')} that no model here reads."
    waiting = insights.documents.filter("is_analysed", "is_counted", ~pl.col("is_covered")).height
    if waiting:
        yield f"{count(waiting, 'text')} that {'waits' if waiting == 1 else 'wait'} for a later night."
    if run["n_undated"]:
        yield f"When {run['n_undated']:,} texts were written: they have no date, and are in no trend."
    small = insights.themes.filter(~pl.col("is_shown"), status="active", level="theme").height
    if small:
        least = night.settings.store.min_authors
        yield f"{count(small, 'theme')} behind which fewer than {least} people stand."
    if not counts_orders(night):
        yield (
            "Rates by order, customers a month and money: no kind of interaction is named under "
            "order_kinds, so mentions are counted in people who write."
        )
