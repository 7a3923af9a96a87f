"""What holds of the statistics of every store: sums, order of rows, and silence where nothing can be told."""

from __future__ import annotations

from datetime import date, timedelta

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from analytics.insight.candidates import locate_changes, merge_alike
from analytics.insight.drivers import Effects, measure_effects
from analytics.insight.shares import document_days, trends
from analytics.insight.trends import CHANGE_ROWS, STEADY, find_changes
from analytics.settings import TrendSettings
from analytics.tables import SEGMENTS
from flows.changes import places_of

AS_OF = date(2026, 6, 30)
CHANNELS = ("web", "shop", "phone")
DOCUMENTS = {
    "document_id": pl.String,
    "author": pl.Int32,
    "day": pl.Date,
    "item_id": pl.String,
    "segments": SEGMENTS,
    "is_covered": pl.Boolean,
    "source": pl.String,
}


def documents_of(rows: list[tuple[int | None, str | None, str | None, str | None]]) -> pl.DataFrame:
    """Rows of: days before AS_OF, author, item, channel."""
    whole = [
        {
            "document_id": f"d{number}",
            "author": author,
            "day": None if ago is None else AS_OF - timedelta(days=ago),
            "item_id": item,
            "segments": [] if channel is None else [{"name": "channel", "value": channel}],
            "is_covered": True,
            "source": "reviews",
        }
        for number, (ago, author, item, channel) in enumerate(rows)
    ]
    return pl.DataFrame(whole, schema=DOCUMENTS)


def said_of(documents: pl.DataFrame, every: int) -> pl.DataFrame:
    """Mentions of theme a in every document, and of theme b in one of so many."""
    places = places_of(documents.drop_nulls("day"))
    number = pl.col("document_id").str.slice(1).cast(pl.Int64)
    rare = places.filter(number % every == 0).with_columns(theme_id=pl.lit("b"))
    return pl.concat([places.with_columns(theme_id=pl.lit("a")), rare])


def exposed(documents: pl.DataFrame) -> pl.DataFrame:
    places = places_of(documents.drop_nulls("day")).unique(["author", "day", "subject_kind", "subject"])
    return places.group_by("subject_kind", "subject", "day").agg(n=pl.len().cast(pl.Float64))


def night(mentions: pl.DataFrame, exposure: pl.DataFrame) -> pl.DataFrame:
    found = find_changes(mentions, exposure, TrendSettings(), as_of=AS_OF, min_authors=5)
    assert found.schema == pl.Schema(CHANGE_ROWS)
    return found


STORES = st.lists(
    st.tuples(
        st.integers(0, 40),
        st.sampled_from([1, 2, 3, 4, None]),
        st.sampled_from(["kettle", "lamp", None]),
        st.sampled_from(CHANNELS),
    ),
    min_size=1,
    max_size=40,
)


@given(STORES)
@settings(max_examples=10)
def test_documents_of_segments_that_exclude_each_other_add_up_to_all(rows: list) -> None:
    documents = documents_of(rows)
    days = document_days(documents).select("day", "segment_name", "n_documents", "n_covered")
    by_name = days.group_by("day", "segment_name").agg(pl.col("n_documents", "n_covered").sum())
    parts = by_name.pivot("segment_name", index="day", values=["n_documents", "n_covered"])
    assert (parts["n_documents_channel"] == parts["n_documents_all"]).all()
    assert (parts["n_covered_channel"] == parts["n_covered_all"]).all()
    opinions = documents.select("document_id", opinion_id="document_id")
    placed = documents.select(opinion_id="document_id", theme_id=pl.lit("a"))
    told = trends(opinions, placed, documents, AS_OF, min_authors=1).filter(source="all")
    sums = told.group_by("window_start", "window_end", "segment_name").agg(pl.col("n_documents").sum())
    windows = sums.pivot("segment_name", index=["window_start", "window_end"], values="n_documents")
    assert (windows["channel"].fill_null(0) == windows["all"]).all()


def a_changing_store(seed: int) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Themes of which some rise everywhere, some in one item, and some fall."""
    rng = np.random.default_rng(seed)
    rows = []
    for theme, item, before, since in (
        ("a", "kettle", 2, 8),
        ("b", "kettle", 2, 8),
        ("c", "lamp", 3, 3),
        ("d", "lamp", 5, 1),
        ("e", "lamp", 1, 9),
    ):
        for ago in range(182):
            authors = rng.integers(0, 3_000, rng.poisson(since if ago < 14 else before))
            rows += [(theme, item, f"u{author}", AS_OF - timedelta(days=ago)) for author in authors]
    columns = {"theme_id": pl.String, "item": pl.String, "author": pl.String, "day": pl.Date}
    said = pl.DataFrame(rows, schema=columns, orient="row")
    everywhere = said.with_columns(subject_kind=pl.lit("all"), subject=pl.lit("all"))
    of_items = said.with_columns(subject_kind=pl.lit("item"), subject="item")
    places = pl.DataFrame({"subject_kind": ["all", "item", "item"], "subject": ["all", "kettle", "lamp"]})
    days = pl.DataFrame({"day": [AS_OF - timedelta(days=ago) for ago in range(182)]})
    return pl.concat([everywhere, of_items]).drop("item"), places.join(days, how="cross").with_columns(n=50.0)


def spoken(mentions: pl.DataFrame) -> pl.DataFrame:
    """Who speaks of what, of what rises and of what falls."""
    sides = [mentions.select("theme_id", "author", direction=pl.lit(side)) for side in ("up", "down")]
    return pl.concat(sides)


@pytest.mark.parametrize("seed", range(4))
def test_the_order_of_rows_changes_nothing(seed: int) -> None:
    mentions, exposure = a_changing_store(seed)
    found = night(mentions, exposure)
    located = locate_changes(found)
    merged = merge_alike(located, spoken(mentions))
    assert found.filter(pl.col("kind") != STEADY).height >= 4
    assert merged.height >= 2
    mixed = mentions.sample(fraction=1.0, shuffle=True, seed=seed + 1)
    assert night(mixed, exposure.sample(fraction=1.0, shuffle=True, seed=seed)).equals(found)
    assert locate_changes(found.sample(fraction=1.0, shuffle=True, seed=seed)).equals(located)
    assert merge_alike(located.reverse(), spoken(mixed)).equals(merged)


@given(st.integers(0, 2**32 - 1))
@settings(max_examples=20)
def test_the_order_of_documents_changes_no_effect(seed: int) -> None:
    rng = np.random.default_rng(seed)
    presence, outcome = rng.random((80, 3)) < 0.3, rng.normal(0, 1, 80)
    item, author = rng.integers(0, 8, 80), rng.integers(0, 30, 80)
    order = rng.permutation(80)
    one = measure_effects(presence, outcome, item=item, author=author)
    other = measure_effects(presence[order], outcome[order], item=7 - item[order], author=29 - author[order])
    for name in Effects.__dataclass_fields__:
        assert getattr(other, name) == pytest.approx(getattr(one, name), rel=1e-7, abs=1e-10, nan_ok=True)


POOR_STORES = {
    "empty": [],
    "one document": [(3, 1, "kettle", "web")],
    "one author": [(ago, 1, "kettle", "web") for ago in range(60) for _ in range(1 + 9 * (ago < 7))],
    "nobody signs": [(ago, None, "kettle", "web") for ago in range(60) for _ in range(1 + 9 * (ago < 7))],
    "no dates": [(None, number, "kettle", "web") for number in range(50)],
    "one day": [(0, number, "kettle", None) for number in range(50)],
    "a month alone": [(ago, 100 * ago + nth, None, "web") for ago in range(7) for nth in range(9)],
}


@pytest.mark.parametrize("rows", POOR_STORES.values(), ids=POOR_STORES)
def test_nothing_is_claimed_of_a_store_that_tells_too_little(rows: list) -> None:
    documents = documents_of(rows)
    mentions = said_of(documents, 3)
    found = night(mentions, exposed(documents))
    assert (found["kind"] == STEADY).all()
    assert not any(found[name].is_nan().any() for name in found.columns if found.schema[name] == pl.Float64)
    assert locate_changes(found).is_empty()
    assert merge_alike(locate_changes(found), spoken(mentions)).is_empty()


def test_a_store_without_exposure_tells_nothing() -> None:
    documents = documents_of([(ago, 100 * ago + nth, None, "web") for ago in range(90) for nth in range(3)])
    assert night(said_of(documents, 3), exposed(documents).clear()).is_empty()


@pytest.mark.parametrize("n", [0, 1, 30])
@pytest.mark.parametrize("n_authors", [1, 30])
def test_no_effect_is_claimed_of_constant_ratings_few_documents_or_one_author(n: int, n_authors: int) -> None:
    rng = np.random.default_rng(n)
    varied = n_authors == 1
    outcome = rng.normal(3, 1, n) if varied else np.full(n, 4.0)
    presence = rng.random((n, 2)) < 0.4
    author = np.arange(n) % n_authors
    found = measure_effects(presence, outcome, item=np.zeros(n, dtype=np.int64), author=author)
    assert np.isnan([found.low, found.high, found.p_value]).all()
