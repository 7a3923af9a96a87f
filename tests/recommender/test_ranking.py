from datetime import UTC, date, datetime

import numpy as np
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st
from polars.testing import assert_frame_equal

from analytics.identity import frame_digest
from analytics.settings import RecommendationSettings
from analytics.tables import TABLES
from recommender import ranking
from recommender.ranking import Lists, recommend, recommend_recipe

LAST = date(2026, 6, 30)
ITEMS = ["camp stove", "kettle", "mystery box", "pan", "rain jacket", "tent"]
VECTORS = np.array(
    [[0.6, 0.8, 0.0], [1.0, 0.0, 0.0], [0.0, 0.0, 0.0], [0.96, 0.28, 0.0], [0.0, 0.6, 0.8], [0.0, 1.0, 0.0]],
    dtype=np.float32,
)
SCHEMA = {
    "user_id": pl.String,
    "item_id": pl.String,
    "created_at": pl.Datetime("us", "UTC"),
    "rating_share": pl.Float64,
}
Row = tuple[str, str, datetime | None, float | None]


def on(day: int, month: int = 6) -> datetime:
    return datetime(2026, month, day, 12, tzinfo=UTC)


ROWS: list[Row] = [
    ("ann", "kettle", on(1), 1.0),
    ("ann", "tent", on(2), 0.25),
    ("bob", "tent", on(3), None),
    ("bob", "rain jacket", on(4), 0.75),
    ("cem", "mystery box", on(5), None),
    ("dia", "gift card", on(6), None),
    ("eve", "gift card", on(7), None),
    ("eve", "mystery box", on(8), 0.0),
    ("old", "pan", on(1, month=1), None),
]


def lists(
    rows: list[Row],
    users: list[str],
    *,
    items: list[str] = ITEMS,
    vectors: np.ndarray = VECTORS,
    list_length: int = 4,
    as_of: date = LAST,
) -> Lists:
    return recommend(
        pl.DataFrame(rows, schema=SCHEMA, orient="row"),
        users,
        pl.DataFrame({"item_id": items}, schema={"item_id": pl.String}),
        vectors,
        RecommendationSettings(list_length=list_length, popular_days=90),
        as_of=as_of,
        time_zone="Europe/Berlin",
    )


def test_golden_lists() -> None:
    """Worked out by hand; when this changes, `ranking.VERSION` must rise."""
    made = lists(ROWS, ["ann", "bob", "cem", "new"])
    assert made.recommendation.rows() == [
        # Liked the kettle, not the tent: what is like a kettle, then what others took.
        ("ann", 1, "pan", 0.96, "text_profile"),
        ("ann", 2, "camp stove", 0.6, "text_profile"),
        ("ann", 3, "gift card", 0.285714, "popular"),
        ("ann", 4, "mystery box", 0.285714, "popular"),
        # Taste: tent + rain jacket = (0, 1.6, 0.8) of length 1.788854.
        ("bob", 1, "camp stove", 0.715542, "text_profile"),
        ("bob", 2, "pan", 0.25044, "text_profile"),
        ("bob", 3, "gift card", 0.285714, "popular"),
        ("bob", 4, "mystery box", 0.285714, "popular"),
        # Only an item without text: no taste.
        ("cem", 1, "gift card", 0.285714, "popular"),
        ("cem", 2, "tent", 0.285714, "popular"),
        ("cem", 3, "kettle", 0.142857, "popular"),
        ("cem", 4, "rain jacket", 0.142857, "popular"),
        ("new", 1, "gift card", 0.285714, "popular"),
        ("new", 2, "mystery box", 0.285714, "popular"),
        ("new", 3, "tent", 0.285714, "popular"),
        ("new", 4, "kettle", 0.142857, "popular"),
    ]
    assert made.recommendation_evidence.rows() == [
        ("ann", 1, 1, "kettle", 0.96),
        ("ann", 2, 1, "kettle", 0.6),
        ("bob", 1, 1, "tent", 0.8),
        ("bob", 1, 2, "rain jacket", 0.48),
        ("bob", 2, 1, "tent", 0.28),
        ("bob", 2, 2, "rain jacket", 0.168),
    ]
    assert ranking.VERSION == 1


def test_the_columns_are_those_of_the_published_tables() -> None:
    for made in (lists(ROWS, ["ann"]), lists([], []), lists([], ["ann"], items=[], vectors=np.empty((0, 3)))):
        with_recipe = made.recommendation.with_columns(recipe=pl.lit("r"))
        assert with_recipe.schema == TABLES["recommendation"].empty().schema
        assert made.recommendation_evidence.schema == TABLES["recommendation_evidence"].empty().schema


def test_what_happens_after_the_night_changes_nothing() -> None:
    later: list[Row] = [
        ("ann", "pan", datetime(2026, 6, 30, 22, 0, tzinfo=UTC), 1.0),  # midnight in Berlin
        ("bob", "kettle", on(1, month=8), 1.0),
        ("zoe", "brand new", on(2, month=7), 1.0),
    ]
    users = ["ann", "bob", "cem", "new", "zoe"]
    before, after = lists(ROWS, users), lists([*ROWS, *later], users)
    assert_frame_equal(before.recommendation, after.recommendation)
    assert_frame_equal(before.recommendation_evidence, after.recommendation_evidence)
    # The same rows count from their own day on.
    assert lists([*ROWS, *later], users, as_of=date(2026, 7, 1)).recommendation.row(0) != (
        before.recommendation.row(0)
    )


def test_an_item_had_since_nobody_knows_when_is_not_recommended() -> None:
    made = lists([*ROWS, ("ann", "pan", None, None)], ["ann"])
    assert "pan" not in made.recommendation["item_id"].to_list()


def test_small_blocks_give_the_same_lists(monkeypatch: pytest.MonkeyPatch) -> None:
    users = sorted({row[0] for row in ROWS} | {"new"})
    whole = lists(ROWS, users)
    monkeypatch.setattr(ranking, "BLOCK_CELLS", 2)
    cut = lists(ROWS, users)
    assert_frame_equal(whole.recommendation, cut.recommendation)
    assert_frame_equal(whole.recommendation_evidence, cut.recommendation_evidence)


def test_a_recipe_differs_when_a_list_would() -> None:
    settings = RecommendationSettings()
    recipe = recommend_recipe(settings, "minilm")
    assert recipe["version"] == ranking.VERSION
    others = [
        recommend_recipe(settings, "another"),
        recommend_recipe(RecommendationSettings(list_length=3), "minilm"),
        recommend_recipe(RecommendationSettings(popular_days=3), "minilm"),
    ]
    assert all(other != recipe for other in others)


USERS = ["u1", "u2", "u3", "u4"]
KNOWN = ["a", "b", "c", "d", "e", "f"]
ANGLES = np.array([0.1, 0.4, 0.4, 0.9, 1.3])
SPREAD = np.vstack([np.column_stack([np.cos(ANGLES), np.sin(ANGLES)]), [[0.0, 0.0]]])
some_rows = st.lists(
    st.tuples(
        st.sampled_from(USERS),
        st.sampled_from([*KNOWN, "unknown 1", "unknown 2"]),
        st.one_of(st.none(), st.integers(1, 28).map(on), st.integers(1, 28).map(lambda day: on(day, 2))),
        st.sampled_from([None, 0.0, 0.25, 0.5, 1.0]),
    ),
    max_size=20,
)


@given(some_rows, st.integers(1, 6))
def test_laws_of_a_list(rows: list[Row], list_length: int) -> None:
    made = lists(rows, USERS, items=KNOWN, vectors=SPREAD, list_length=list_length)
    listed = made.recommendation
    had = {(user, item) for user, item, _, _ in rows}
    for (user,), one in listed.group_by("user_id"):
        ranks = one["rank"].to_list()
        assert ranks == list(range(1, len(ranks) + 1))
        assert len(ranks) <= list_length
        assert one["item_id"].is_unique().all()
        assert not {(user, item) for item in one["item_id"]} & had
        # All that is alike stands before all that is popular, and each falls with the rank.
        assert one["method"].to_list() == sorted(one["method"], reverse=True)
        for _, part in one.group_by("method"):
            assert part["score"].is_sorted(descending=True)
    assert listed["score"].is_between(0, 1).all()

    reasons = made.recommendation_evidence
    alike = listed.filter(method="text_profile").select("user_id", "rank")
    assert_frame_equal(reasons.filter(nth=1).select("user_id", "rank"), alike)
    assert all((user, item) in had for user, item in reasons.select("user_id", "because_item_id").iter_rows())


@given(some_rows, st.randoms(use_true_random=False))
def test_the_order_of_what_comes_in_changes_nothing(rows: list[Row], random) -> None:
    digests = set()
    for _ in range(2):
        order = random.sample(range(len(KNOWN)), len(KNOWN))
        made = lists(
            random.sample(rows, len(rows)),
            [*random.sample(USERS, len(USERS)), random.choice(USERS)],  # one asked for twice
            items=[KNOWN[index] for index in order],
            vectors=SPREAD[order],
        )
        digests.add(
            (
                frame_digest(made.recommendation, key=("user_id", "rank")),
                frame_digest(made.recommendation_evidence, key=("user_id", "rank", "nth")),
            )
        )
    assert len(digests) == 1
