"""Changes of a night: from its documents, opinions and themes to what has changed where."""

from __future__ import annotations

from datetime import date, timedelta
from types import SimpleNamespace

import polars as pl

from analytics.settings import StoreSettings, TrendSettings
from analytics.tables import SEGMENTS
from flows.changes import changes_of

AS_OF = date(2026, 6, 30)


def insights_of(rows: list[tuple[int, str, str, bool]], held: tuple[str, ...] = ()) -> SimpleNamespace:
    """Rows of: days before AS_OF, source, channel, whether theme a is mentioned; each by another author."""
    columns = ["ago", "source", "channel", "is_said"]
    whole = pl.DataFrame(rows, schema=columns, orient="row").with_row_index("number")
    documents = whole.select(
        "source",
        pl.format("d{}", "number").alias("document_id"),
        pl.format("u{}", "number").alias("author"),
        (pl.lit(AS_OF) - pl.duration(days=pl.col("ago"))).alias("day"),
        pl.lit(None, pl.String).alias("item_id"),
        pl.concat_list(pl.struct(name=pl.lit("channel"), value="channel")).cast(SEGMENTS).alias("segments"),
        pl.lit(True).alias("is_covered"),
    )
    said = documents.filter(whole["is_said"])
    return SimpleNamespace(
        documents=documents,
        held=list(held),
        opinions=said.select("document_id", opinion_id="document_id"),
        opinion_themes=said.select(opinion_id="document_id", theme_id=pl.lit("a")),
    )


def rows_of(*, source: str, n_recent: int) -> list[tuple[int, str, str, bool]]:
    """Ten texts a day, one of which speaks of the theme, and in the last week so many of the web."""
    return [
        (
            ago,
            source,
            "web" if nth % 2 else "shop",
            nth < 1 or (ago < 7 and nth % 2 == 1 and nth < 2 * n_recent),
        )
        for ago in range(300)
        for nth in range(10)
    ]


NIGHT = SimpleNamespace(settings=SimpleNamespace(trends=TrendSettings(), store=StoreSettings()), as_of=AS_OF)


def test_a_rise_is_told_everywhere_and_in_its_segment() -> None:
    changes = changes_of(NIGHT, insights_of(rows_of(source="reviews", n_recent=4)))
    kinds = {row["subject"]: row["kind"] for row in changes.iter_rows(named=True)}
    assert kinds == {"all": "rising", "channel: web": "new", "channel: shop": "steady"}
    (web,) = changes.filter(subject="channel: web").iter_rows(named=True)
    assert web["since"] == AS_OF - timedelta(days=6)
    assert (web["n_after"], web["exposure_after"]) == (28, 35)


def test_a_source_that_is_held_tells_nothing() -> None:
    insights = insights_of(rows_of(source="reviews", n_recent=4), held=("reviews",))
    assert changes_of(NIGHT, insights).is_empty()


def test_documents_without_a_day_tell_nothing() -> None:
    insights = insights_of(rows_of(source="reviews", n_recent=4))
    insights.documents = insights.documents.with_columns(day=pl.lit(None, pl.Date))
    assert changes_of(NIGHT, insights).is_empty()
