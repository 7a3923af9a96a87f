"""People's own themes: the border is found from a few words, and what people say of it is followed."""

import numpy as np
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from analytics.insight import own_themes
from analytics.insight.own_matching import EDGE, NEAREST, match_own_themes, preview_matches
from analytics.insight.own_themes import (
    USUAL_RADIUS,
    define_own_theme,
    link_background,
    redraw_own_theme,
)

N_DIMS, N_GROUPS, N_EACH = 24, 10, 40
ANCHORS = {"theme_id": pl.String, "centroid": pl.List(pl.Float32), "radius": pl.Float64}


def unit(rows: np.ndarray) -> np.ndarray:
    return (rows / np.linalg.norm(rows, axis=-1, keepdims=True)).astype(np.float32)


def around(centre: np.ndarray, n: int, rng: np.random.Generator, spread: float = 0.13) -> np.ndarray:
    """Unit rows about a unit centre; at the usual spread two of them have a cosine of about .7."""
    return unit(centre + spread * rng.normal(size=(n, N_DIMS)))


RNG = np.random.default_rng(3)
CENTRES = unit(RNG.normal(size=(N_GROUPS, N_DIMS)))
STORE = np.vstack([around(centre, N_EACH, RNG) for centre in CENTRES])
GROUP = np.repeat(np.arange(N_GROUPS), N_EACH)
WORDS = around(CENTRES[0], 4, RNG)
BACKGROUND = link_background(STORE)


def frame(**anchors: list[tuple[np.ndarray, float]]) -> pl.DataFrame:
    rows = [(theme, c.tolist(), radius) for theme, mine in anchors.items() for c, radius in mine]
    return pl.DataFrame(rows, schema=ANCHORS, orient="row")


def within(
    anchors: list[tuple[np.ndarray, float]], vectors: np.ndarray = STORE, removed: np.ndarray | None = None
) -> np.ndarray:
    """Which rows match, boolean (n,)."""
    gone = None if removed is None else pl.DataFrame({"theme_id": "t", "vector": removed.tolist()})
    found = match_own_themes([str(n) for n in range(len(vectors))], vectors, frame(t=anchors), removed=gone)
    mask = np.zeros(len(vectors), dtype=bool)
    mask[found["opinion_id"].cast(pl.Int64).to_numpy()] = True
    return mask


def test_a_few_words_find_what_is_said_alike_and_nothing_else() -> None:
    found = within(define_own_theme(WORDS, background=BACKGROUND))
    assert found[GROUP == 0].mean() >= 0.9
    assert found[GROUP != 0].sum() == 0


def test_the_border_depends_neither_on_the_order_nor_on_repeated_statements() -> None:
    shuffled = np.vstack([STORE, STORE[:30]])[np.random.default_rng(1).permutation(len(STORE) + 30)]
    (centroid, radius), *more = define_own_theme(WORDS, background=shuffled)
    (same, same_radius), *_ = define_own_theme(WORDS, background=BACKGROUND)
    assert not more
    assert np.array_equal(centroid, same)
    assert radius == same_radius


def test_of_many_statements_a_draw_suffices(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(own_themes, "MAX_BACKGROUND", 200)
    drawn = link_background(STORE, seed=5)
    assert len(drawn.vectors) == 200
    assert np.array_equal(drawn.vectors, link_background(STORE[::-1], seed=5).vectors)
    found = within(define_own_theme(WORDS, background=drawn))
    assert found[GROUP == 0].mean() >= 0.8
    assert found[GROUP != 0].mean() <= 0.02


def test_what_nobody_speaks_of_matches_nothing_until_somebody_does() -> None:
    basis = np.linalg.svd(CENTRES)[2]
    words = around(basis[-1].astype(np.float32), 3, np.random.default_rng(2), 0.05)
    anchors = define_own_theme(words, background=BACKGROUND)
    assert not within(anchors).any()
    assert within(anchors, words).all()


def test_a_theme_of_a_small_store_is_what_is_like_its_words() -> None:
    ((centroid, radius),) = define_own_theme(WORDS, background=STORE[:50])
    assert radius == USUAL_RADIUS
    assert centroid == pytest.approx(unit(WORDS.sum(axis=0)), abs=1e-6)
    assert define_own_theme(WORDS, background=STORE[:0])[0][1] == USUAL_RADIUS


def two_humps() -> tuple[np.ndarray, np.ndarray]:
    """A store in which the first group lies near another one, and the number of each row's group."""
    rng = np.random.default_rng(8)
    near = unit(CENTRES[0] + 0.75 * unit(rng.normal(size=N_DIMS)))
    return np.vstack([STORE, around(near, N_EACH, rng)]), np.append(GROUP, np.full(N_EACH, N_GROUPS))


def test_what_a_person_removes_moves_the_border_and_takes_its_near_copies_along() -> None:
    store, group = two_humps()
    background = link_background(store)
    words = np.vstack([WORDS, store[group == N_GROUPS][:1]])
    before = within(define_own_theme(words, background=background), store)
    assert before[group == N_GROUPS].mean() >= 0.4
    removed = store[group == N_GROUPS][2:8]
    anchors = define_own_theme(words, background=background, negatives=removed)
    after = within(anchors, store, removed)
    assert after[group == N_GROUPS].mean() < before[group == N_GROUPS].mean() / 2
    assert after[group == 0].mean() >= 0.7
    copies = around(removed[0], 5, np.random.default_rng(4), 0.01)
    assert not within(anchors, np.vstack([removed, copies]), removed).any()


def test_what_a_person_confirms_comes_in_with_what_is_like_it() -> None:
    store, group = two_humps()
    background = link_background(store)
    before = within(define_own_theme(WORDS, background=background), store)
    confirmed = store[group == N_GROUPS][:6]
    after = within(define_own_theme(WORDS, background=background, positives=confirmed), store)
    assert before[group == N_GROUPS].mean() < 0.5
    assert after[group == N_GROUPS].mean() > 0.8
    assert after[group == 0].mean() >= 0.9
    assert after[(group > 0) & (group < N_GROUPS)].sum() == 0


def test_a_border_is_redrawn_around_what_is_under_a_theme() -> None:
    turned = np.linalg.qr(np.random.default_rng(6).normal(size=(N_DIMS, N_DIMS)))[0].astype(np.float32)
    members = GROUP == 2
    found = within(redraw_own_theme(STORE[members] @ turned, background=STORE @ turned), STORE @ turned)
    assert (found == members).mean() >= 0.98
    assert within(redraw_own_theme(STORE[:1], background=BACKGROUND))[0]


PLANE = np.array([[1, 0], [0.8, 0.6], [0.6, 0.8], [0, 1], [-1, 0]], dtype=np.float32)


def test_matches_by_hand() -> None:
    east, north = np.array([1, 0], np.float32), np.array([0, 1], np.float32)
    anchors = frame(a=[(east, 0.8)], b=[(north, 0.6), (-east, 0.9)])
    found = match_own_themes(["o0", "o1", "o2", "o3", "o4"], PLANE, anchors)
    assert found.rows() == [
        ("o0", "a", 1.0),
        ("o1", "a", 0.8),
        ("o1", "b", 0.6),
        ("o2", "b", 0.8),
        ("o3", "b", 1.0),
        ("o4", "b", 1.0),
    ]
    gone = pl.DataFrame({"theme_id": ["b"], "vector": [[0.6, 0.8]]})
    left = match_own_themes(["o0", "o1", "o2", "o3", "o4"], PLANE, anchors, removed=gone)
    assert left["opinion_id"].to_list() == ["o0", "o1", "o3", "o4"]  # o1 stays in a, at .96 of what left b
    assert match_own_themes([], PLANE[:0], anchors).is_empty()
    assert match_own_themes(["o0"], PLANE[:1], anchors.clear()).is_empty()


@given(st.sets(st.integers(0, len(STORE) - 1), min_size=1, max_size=20))
def test_a_match_does_not_depend_on_the_others(chosen: set[int]) -> None:
    anchors = frame(a=[(WORDS[0], 0.4)], b=[(CENTRES[1], 0.5), (CENTRES[2], 0.6)])
    rows = sorted(chosen)
    ids = [f"{row:03}" for row in range(len(STORE))]
    everything = match_own_themes(ids, STORE, anchors)
    some = match_own_themes([ids[row] for row in rows], STORE[rows], anchors)
    wanted = everything.filter(pl.col("opinion_id").is_in([ids[row] for row in rows]))
    assert some.equals(wanted)


def line_of(n: int) -> tuple[pl.DataFrame, np.ndarray, pl.DataFrame]:
    """Statements ever further from an anchor, which takes in the nearer half, each by another author."""
    angles = np.linspace(0.1, 1.4, n)
    # No two are near copies: every second one lies on another side.
    third = np.where(np.arange(n) % 2, 1.0, -1.0)
    vectors = unit(np.column_stack([np.cos(angles), np.sin(angles) * third, np.sin(angles) * third[::-1]]))
    vectors = unit(np.hstack([vectors, 0.5 * np.eye(n)]))
    anchor = np.zeros(3 + n, dtype=np.float32)
    anchor[0] = 1.0
    opinions = pl.DataFrame(
        {
            "opinion_id": [f"{nth:03}" for nth in range(n)],
            "author": list(range(n)),
            "quote": [f"Quote {nth}." for nth in range(n)],
            "may_quote": True,
        }
    )
    nearest_half = float(np.sort(vectors[:, 0])[-n // 2])
    return opinions, vectors, frame(t=[(anchor, nearest_half - 1e-4)])


def test_a_preview_shows_the_nearest_some_between_and_some_beyond_the_edge() -> None:
    opinions, vectors, anchors = line_of(80)
    seen = preview_matches(opinions, vectors, anchors, min_authors=5)
    assert seen.height == 20
    assert seen["opinion_id"].head(4).to_list() == ["000", "001", "002", "003"]
    assert (seen["part"].head(4) == NEAREST).all()
    assert seen["part"].value_counts().sort("part")["count"].to_list() == [8, 8, 4]
    assert seen["similarity"].is_sorted(descending=True)
    beyond = seen.filter(~pl.col("is_match"))
    assert beyond["opinion_id"].to_list()[0] == "040"
    assert (beyond["part"] == EDGE).all()
    assert beyond.height == 5
    assert int(beyond["opinion_id"].to_list()[-1]) <= 55


def test_a_preview_shows_only_what_may_be_shown_and_nothing_twice() -> None:
    opinions, vectors, anchors = line_of(80)
    changed = opinions.with_columns(
        author=pl.when(pl.col("opinion_id") == "001").then(0).otherwise("author"),
        quote=pl.when(pl.col("opinion_id") == "002").then(pl.lit("quote 0")).otherwise("quote"),
        may_quote=pl.col("opinion_id") != "003",
    )
    seen = preview_matches(changed, vectors, anchors, min_authors=5, answered=["004"])
    assert seen["opinion_id"][:2].to_list() == ["000", "005"]
    assert not set(seen["opinion_id"]) & {"001", "002", "003", "004"}


def test_near_copies_are_not_previewed_beside_each_other() -> None:
    opinions, vectors, anchors = line_of(80)
    vectors[1] = vectors[0]
    assert "001" not in preview_matches(opinions, vectors, anchors, min_authors=5)["opinion_id"].to_list()


def test_a_theme_of_few_people_is_not_previewed() -> None:
    opinions, vectors, anchors = line_of(80)
    few = opinions.with_columns(author=pl.when(pl.col("opinion_id") < "003").then("author"))
    assert preview_matches(few, vectors, anchors, min_authors=5).is_empty()
    assert preview_matches(few, vectors, anchors, min_authors=4).height > 4
