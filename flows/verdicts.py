"""Whether the decisions that people say are done have worked, as of a night."""

from __future__ import annotations

from typing import Any

import polars as pl

from analytics.insight.verdicts import TOO_EARLY, VERDICT_ROWS, measure_verdicts, verdict_sentence
from analytics.insight.windows import ITEM, SEGMENT
from analytics.store.decision_acts import DONE, STATUSES
from analytics.tables import TABLES
from flows.changes import said_of
from flows.compose import Insights, registry_of
from flows.decision_desk import decisions_listed, standings_of
from flows.gather import live_rows
from flows.interactions import interactions_of
from flows.night import Night

PROMOTE = "promote"
_RATIOS = ("ratio", "ratio_low", "ratio_high")
_DECIMALS = 2


def verdicts_of(night: Night, insights: Insights) -> pl.DataFrame:
    """Table verdict: a row for each decision that was done by the night, be it still listed or not.

    A ratio is told where at least `min_authors` distinct authors stand behind it, a count where they stand
    behind it alone, or nobody does. What was said of a theme which has lost its authors is not told.
    """
    done = _done(night, insights)
    if done.is_empty():
        return TABLES["verdict"].empty()
    measured = _measured(night, insights, done)
    told = _covered(measured, night.settings.store.min_authors).join(
        done.drop("done_on", "since"), on="decision_id"
    )
    titles = live_rows(night, "items")
    items = dict(titles.select("id", "title").drop_nulls().iter_rows()) if titles.height else {}
    sentences = [verdict_sentence(row, _what(row, items)) for row in told.iter_rows(named=True)]
    return TABLES["verdict"].conform(told.with_columns(pl.Series("sentence", sentences, pl.String)))


def _done(night: Night, insights: Insights) -> pl.DataFrame:
    """Decisions that are done, with the theme that stands for theirs today and its name."""
    done = standings_of(night).filter(pl.col("status") == STATUSES[DONE]).select("decision_id", "done_on")
    listed = decisions_listed(night).join(done, on="decision_id")
    is_item = pl.col("kind") == PROMOTE
    themes = insights.themes.filter(pl.col("n_authors") >= night.settings.store.min_authors)
    named = (
        listed.join(registry_of(night).survivors, on="theme_id", how="left")
        .with_columns(theme_id=pl.when(~is_item).then(pl.coalesce("survivor_id", "theme_id")))
        .join(themes.select("theme_id", "name"), on="theme_id", how="left")
    )
    return named.filter(is_item | pl.col("name").is_not_null()).drop("first_listed", "survivor_id")


def _measured(night: Night, insights: Insights, done: pl.DataFrame) -> pl.DataFrame:
    """The verdicts: of what is said of themes, and of how items are ordered."""
    is_item = pl.col("kind") == PROMOTE
    of_themes, of_items = done.filter(~is_item), done.filter(is_item)
    frames = [pl.DataFrame(schema=VERDICT_ROWS)]
    if of_themes.height:
        said, exposure = said_of(night)
        frames.append(measure_verdicts(of_themes, said, exposure, as_of=night.as_of))
    if of_items.height:
        frames.append(measure_verdicts(of_items, *_orders(night), as_of=night.as_of))
    return pl.concat(frames)


def _orders(night: Night) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Orders in the form of mentions without a theme; each item is exposed to all who order that day."""
    kinds = night.settings.trends.order_kinds
    orders = interactions_of(night, "insight").drop_nulls(["item_id", "day"])
    orders = orders.filter(pl.col("kind").is_in(kinds)) if kinds else orders
    bought = orders.select(
        pl.lit(None, pl.String).alias("theme_id"),
        pl.lit(ITEM).alias("subject_kind"),
        pl.col("item_id").alias("subject"),
        pl.col("author_key").fill_null("").alias("author"),
        "day",
    )
    days = bought.group_by("day").agg(n=pl.col("author").n_unique().cast(pl.Float64))
    exposure = bought.select("subject_kind", "subject").unique().join(days, how="cross")
    return bought, exposure.select("subject_kind", "subject", "day", "n")


def _covered(measured: pl.DataFrame, min_authors: int) -> pl.DataFrame:
    """Verdicts without the figures behind which too few authors stand."""
    before, after = pl.col("n_authors_before"), pl.col("n_authors_after")
    is_known = before + after >= min_authors
    return measured.with_columns(
        *[pl.when(is_known).then(pl.col(name).round(_DECIMALS)).alias(name) for name in _RATIOS],
        verdict=pl.when(is_known).then("verdict").otherwise(pl.lit(TOO_EARLY)),
        n_before=pl.when((before == 0) | (before >= min_authors)).then("n_before"),
        n_after=pl.when((after == 0) | (after >= min_authors)).then("n_after"),
    )


def _what(row: dict[str, Any], items: dict[str, str]) -> str:
    """What was counted, and where: mentions of “lid leaks” on Kettle."""
    item = items.get(row["subject"], row["subject"])
    if row["kind"] == PROMOTE:
        return f"orders of {item}"
    where = {ITEM: f" on {item}", SEGMENT: f" in {row['subject']}"}.get(row["subject_kind"], "")
    return f"mentions of “{row['name']}”{where}"
