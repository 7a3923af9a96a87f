"""Placing: within the radius of the nearest theme, in any order the same."""

from __future__ import annotations

import numpy as np
import polars as pl
import pytest

from analytics.insight.placement import make_anchors, narrowed, place_opinions

SCHEMA = {"theme_id": pl.String, "centroid": pl.List(pl.Float32), "radius": pl.Float64}


def anchors(*rows: tuple[str, list[float], float]) -> pl.DataFrame:
    return pl.DataFrame(rows, schema=SCHEMA, orient="row")


UP, RIGHT = [0.0, 1.0], [1.0, 0.0]
TWO = anchors(("up", UP, 0.8), ("right", RIGHT, 0.8))


def at(*degrees: float) -> np.ndarray:
    """Unit rows in the plane, by their angle from RIGHT."""
    turned = np.radians(degrees)
    return np.column_stack([np.cos(turned), np.sin(turned)]).astype(np.float32)


def cloud(n: int, seed: int = 1) -> np.ndarray:
    rows = np.random.default_rng(seed).normal(scale=0.2, size=(n, 12))
    rows[:, 0] += 1
    return (rows / np.linalg.norm(rows, axis=1, keepdims=True)).astype(np.float32)


def test_a_statement_goes_to_its_nearest_theme_or_to_none() -> None:
    placed = place_opinions(["a", "b", "c"], at(10, 80, 45), TWO)
    assert placed.select("opinion_id", "theme_id").rows() == [("a", "right"), ("b", "up")]
    assert placed["similarity"].to_list() == pytest.approx([np.cos(np.radians(10))] * 2, abs=1e-6)


def test_one_anchor_of_several_is_enough() -> None:
    merged = anchors(("one", UP, 0.95), ("one", RIGHT, 0.95))
    assert place_opinions(["a", "b", "c"], at(5, 85, 45), merged)["opinion_id"].to_list() == ["a", "b"]


def test_what_a_person_keeps_apart_is_placed_elsewhere_or_nowhere() -> None:
    apart = pl.DataFrame({"opinion_id": ["a"], "theme_id": ["right"]})
    assert place_opinions(["a"], at(10), TWO, apart=apart).is_empty()
    wide = anchors(("up", UP, 0.1), ("right", RIGHT, 0.8))
    assert place_opinions(["a"], at(10), wide, apart=apart)["theme_id"].to_list() == ["up"]


def test_no_row_depends_on_which_others_are_given() -> None:
    vectors, ids = at(*range(0, 91, 3)), [f"o{n:02}" for n in range(31)]
    placed = place_opinions(ids, vectors, TWO)
    assert 0 < placed.height < 31
    order = np.random.default_rng(5).permutation(31)
    assert placed.equals(place_opinions([ids[n] for n in order], vectors[order], TWO.reverse()))
    alone = [place_opinions([ids[n]], vectors[n : n + 1], TWO) for n in range(31)]
    assert placed.equals(pl.concat(alone).sort("opinion_id"))


def test_nothing_to_place_or_nowhere_to_place_it() -> None:
    assert place_opinions([], at()[:0].reshape(0, 2), TWO).is_empty()
    assert place_opinions(["a"], at(10), TWO.head(0)).is_empty()


def test_anchors_hold_their_members_but_for_a_few_and_do_not_depend_on_their_order() -> None:
    members = cloud(80)
    made = make_anchors(members)
    rows = [("t", centroid.tolist(), radius) for centroid, radius in made]
    placed = place_opinions([str(n) for n in range(80)], members, anchors(*rows))
    assert placed.height >= 0.9 * 80
    again = make_anchors(members[np.random.default_rng(3).permutation(80)])
    assert np.allclose([c for c, _ in made], [c for c, _ in again], atol=1e-6)
    assert [radius for _, radius in made] == pytest.approx([radius for _, radius in again], abs=1e-6)


def test_one_member_makes_an_anchor_and_a_usual_radius_steadies_few() -> None:
    (centroid, radius), *_ = make_anchors(cloud(1))
    assert np.linalg.norm(centroid) == pytest.approx(1, abs=1e-6)
    few = cloud(5)
    own, steadied = make_anchors(few)[0][1], make_anchors(few, usual_radius=0.5)[0][1]
    assert steadied == pytest.approx(max(0.3, (own + 0.5) / 2), abs=1e-5)
    assert 0 < radius <= 1


def test_narrowed_anchors_take_in_only_what_lies_beyond_doubt() -> None:
    assert place_opinions(["a", "b"], at(0, 90), narrowed(TWO))["opinion_id"].to_list() == ["a", "b"]
    border = TWO.with_columns(radius=pl.lit(0.98))
    assert place_opinions(["a"], at(11), border).height == 1
    assert place_opinions(["a"], at(11), narrowed(border)).is_empty()
