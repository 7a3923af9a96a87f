"""Changes of a night: from its documents, opinions and themes to what has changed where."""

from __future__ import annotations

from datetime import date, timedelta
from types import SimpleNamespace

import polars as pl
import pytest

from analytics.settings import (
    CalendarSettings,
    DriverSettings,
    EventSettings,
    StoreSettings,
    TrendSettings,
)
from analytics.tables import SEGMENTS
from flows import changes as changing

AS_OF = date(2026, 6, 30)


def insights_of(
    rows: list[tuple[int, str, str, bool]], held: tuple[str, ...] = (), *, has_group: bool = False
) -> SimpleNamespace:
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
        opinions=said.select("document_id", opinion_id="document_id", sentiment_label=pl.lit("negative")),
        themes=pl.DataFrame(
            {
                "theme_id": ["a", "g"],
                "level": ["theme", "group"],
                "parent_id": ["g", None],
                "is_shown": [True, has_group],
            }
        ),
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


class Night(SimpleNamespace):
    """What is asked of a night; each is another one."""

    __hash__ = object.__hash__


def told(
    monkeypatch: pytest.MonkeyPatch,
    insights: SimpleNamespace,
    events: tuple[EventSettings, ...] = (),
    outcomes: tuple[str, ...] = (),
) -> pl.DataFrame:
    """What such a night tells of."""
    anew = {"theme_id": pl.String, "cause": pl.String, "as_of": pl.Date, "agreed_share": pl.Float64}
    monkeypatch.setattr(changing, "compose_insights", lambda _: insights)
    monkeypatch.setattr(changing, "theme_events_of", lambda _: pl.DataFrame(schema=anew))
    settings = SimpleNamespace(
        trends=TrendSettings(),
        drivers=DriverSettings(outcomes=outcomes),
        store=StoreSettings(),
        calendar=CalendarSettings(events=events),
    )
    return changing.changes_of(Night(settings=settings, as_of=AS_OF))  # type: ignore[arg-type]


def test_a_rise_is_told_everywhere_and_in_its_segment(monkeypatch: pytest.MonkeyPatch) -> None:
    changes = told(monkeypatch, insights_of(rows_of(source="reviews", n_recent=4)))
    kinds = {row["subject"]: row["kind"] for row in changes.iter_rows(named=True)}
    assert kinds == {"all": "rising", "channel: web": "new", "channel: shop": "steady"}
    (web,) = changes.filter(subject="channel: web").iter_rows(named=True)
    assert web["since"] == AS_OF - timedelta(days=6)
    assert (web["n_after"], web["exposure_after"]) == (28, 35)


def test_complaints_of_a_group_are_heard_in_the_whole_store(monkeypatch: pytest.MonkeyPatch) -> None:
    changes = told(monkeypatch, insights_of(rows_of(source="reviews", n_recent=4), has_group=True))
    assert changes.filter(theme_id="g").select("subject", "kind").rows() == [("all", "rising")]


def test_days_of_an_event_are_held_against_no_others(monkeypatch: pytest.MonkeyPatch) -> None:
    week = {"start": AS_OF - timedelta(days=6), "end": AS_OF}
    sale = EventSettings(name="sale", kind="promotion", **week)
    changes = told(monkeypatch, insights_of(rows_of(source="reviews", n_recent=4)), (sale,))
    assert set(changes["kind"]) <= {"steady"}


def test_a_source_that_is_held_tells_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    insights = insights_of(rows_of(source="reviews", n_recent=4), held=("reviews",))
    assert told(monkeypatch, insights).is_empty()


def test_documents_without_a_day_tell_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    insights = insights_of(rows_of(source="reviews", n_recent=4))
    insights.documents = insights.documents.with_columns(day=pl.lit(None, pl.Date))
    assert told(monkeypatch, insights).is_empty()


def test_an_outcome_is_no_place(monkeypatch: pytest.MonkeyPatch) -> None:
    rows = rows_of(source="reviews", n_recent=4)
    changes = told(monkeypatch, insights_of(rows), outcomes=("channel",))
    assert changes["subject"].to_list() == ["all"]


def test_orders_count_where_their_source_grants_insight(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[str] = []

    def orders(_: object, use: str) -> pl.DataFrame:
        asked.append(use)
        return pl.DataFrame({"kind": ["order"], "item_id": ["kettle"], "day": [AS_OF]})

    monkeypatch.setattr(changing, "interactions_of", orders)
    night = Night(settings=SimpleNamespace(trends=TrendSettings(order_kinds=("order",))))
    assert changing.counts_orders(night)  # type: ignore[arg-type]
    assert set(asked) == {"insight"}
