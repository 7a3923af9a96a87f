"""Design effects as done by hand, and what they are at the ends."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from analytics.insight.clustering import Clusters, author_quantile, design_effect


def clusters_of(*shares: list[tuple[int, int]]) -> Clusters:
    """Of each share the documents of its authors that speak of a theme, and all of them."""
    sums = [
        [sum(values) for values in zip(*((k, n, 1, k * k, k * n, n * n) for k, n in authors), strict=True)]
        for authors in shares
    ]
    return Clusters(*np.array(sums, dtype=np.float64).T)


def test_a_design_effect_by_hand() -> None:
    # Shares .75; squares (1 - .75)² + .75² + (2 - 1.5)² = .875, times 3 / 2, by 4 · .75 · .25.
    assert design_effect(clusters_of([(1, 1), (0, 1), (2, 2)])) == pytest.approx(1.75)


def test_documents_of_authors_of_their_own_count_whole_but_for_a_bit() -> None:
    alone = [(1, 1)] * 20 + [(0, 1)] * 80
    assert design_effect(clusters_of(alone)) == pytest.approx(100 / 99)


def test_an_author_who_varies_as_chance_does_makes_no_share_surer() -> None:
    assert design_effect(clusters_of([(1, 2)] * 50)) == 1.0


def test_where_none_or_all_speak_each_author_counts_once_and_one_author_is_one_document() -> None:
    assert design_effect(clusters_of([(0, 3), (0, 1)], [(3, 3), (1, 1)], [(2, 8)])).tolist() == [2, 2, 8]


def test_few_authors_have_a_wide_quantile() -> None:
    many, few, one = author_quantile(np.array([1e6, 10.0, 5.0]), np.array([1e6, 10.0, 25.0]))
    assert many == pytest.approx(1.959966, abs=1e-5)
    assert few == pytest.approx(2.2622, abs=1e-4)  # t with 9 degrees of freedom
    assert one == pytest.approx(12.7062, abs=1e-4)  # with 1, the least there is


@given(st.lists(st.integers(1, 9).flatmap(lambda n: st.tuples(st.integers(0, n), st.just(n))), min_size=1))
def test_no_share_is_surer_than_of_independent_documents(
    authors: list[tuple[int, int]],
) -> None:
    clusters = clusters_of(authors)
    (effect,) = design_effect(clusters)
    assert effect >= 1.0
    assert np.isfinite(effect)
