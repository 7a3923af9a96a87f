"""What items lend each other, beside figures worked out otherwise."""

from __future__ import annotations

import os

os.environ.setdefault("OMP_NUM_THREADS", "1")  # tests run beside each other: threads of each would wait

import numpy as np
import pytest
import scipy.sparse as sp
from threadpoolctl import threadpool_limits

from recommender import lending
from recommender.events import Events


def events(histories: list[list[int]], n_items: int) -> Events:
    """Each customer's items in order, without times."""
    start = np.concatenate([[0], np.cumsum([len(one) for one in histories])]).astype(np.int64)
    column = np.array([item for one in histories for item in one], dtype=np.int32)
    return Events(
        [f"u{n}" for n in range(len(histories))],
        [f"i{n}" for n in range(n_items)],
        start,
        column,
        np.ones(len(column), np.float32),
        np.full(len(column), np.nan),
        np.ones(len(column), dtype=bool),
        np.ones(len(histories), dtype=bool),
    )


@pytest.fixture
def some() -> Events:
    draw = np.random.default_rng(5)
    return events([draw.choice(12, draw.integers(2, 7), replace=False).tolist() for _ in range(60)], 12)


def ease(history: np.ndarray, ridge: float) -> np.ndarray:
    """Steck 2019, by the inverse."""
    inverse = np.linalg.inv(history.T @ history + ridge * np.eye(history.shape[1]))
    weights = -inverse / np.diag(inverse)
    np.fill_diagonal(weights, 0)
    return weights


def test_without_texts_the_linear_model_is_ease(some: Events, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lending, "RIDGE", 5.0)
    history = some.matrix(np.ones(len(some.column))).toarray()
    expected = np.maximum(ease(history, 5.0), 0)
    assert lending.linear(some, None)[0].toarray() == pytest.approx(expected, abs=1e-4)


def test_with_texts_it_minimises_what_it_says(some: Events, monkeypatch: pytest.MonkeyPatch) -> None:
    """The gradient of its loss is zero off the diagonal."""
    monkeypatch.setattr(lending, "RIDGE", 5.0)
    monkeypatch.setattr(lending, "TEXT_TRUST", 3.0)
    monkeypatch.setattr(lending, "TEXT_POWER", 1)
    monkeypatch.setattr(lending, "LEAST_PRIOR", 0.0)
    draw = np.random.default_rng(1)
    prior = np.triu(draw.random((12, 12)), 1)
    prior += prior.T
    history = some.matrix(np.ones(len(some.column))).toarray()
    inverse = np.linalg.inv(history.T @ history + 8.0 * np.eye(12))
    free = inverse @ (history.T @ history + 3.0 * prior)
    weights = free - inverse * (np.diag(free) / np.diag(inverse))
    gradient = history.T @ (history @ weights - history) + 5.0 * weights + 3.0 * (weights - prior)
    np.fill_diagonal(gradient, 0)
    assert gradient == pytest.approx(np.zeros((12, 12)), abs=1e-8)
    found = lending.linear(some, sp.csr_matrix(prior.astype(np.float32)))[0].toarray()
    assert found == pytest.approx(np.maximum(weights, 0), abs=1e-4)


def test_an_inverse_in_blocks_is_the_inverse(monkeypatch: pytest.MonkeyPatch) -> None:
    draw = np.random.default_rng(2)
    half = draw.normal(size=(2_100, 40)).astype(np.float32)
    matrix = half @ half.T + 10 * np.eye(2_100, dtype=np.float32)
    monkeypatch.setattr(lending, "BLOCK_CELLS", 2_100 * 700)
    found = lending._inverse(matrix.copy())
    assert np.allclose(found, found.T, rtol=1e-6)
    assert np.allclose((found @ matrix)[:50], np.eye(2_100)[:50], atol=1e-3)


def test_a_store_without_items_is_no_error_and_prints_nothing(capfd: pytest.CaptureFixture[str]) -> None:
    for lends in lending.linear(events([], 0), None):
        assert lends.shape == (0, 0)
    assert capfd.readouterr() == ("", "")


def test_matrices_do_not_depend_on_how_many_threads_there_are() -> None:
    draw = np.random.default_rng(5)
    histories = events([draw.choice(600, 9, replace=False).tolist() for _ in range(400)], 600)
    vectors = lending.unit_rows(draw.normal(size=(600, 48)).astype(np.float32))
    found = []
    for limit in (1, 2):
        with threadpool_limits(limit, "blas"):
            alike = lending.alike(vectors)
            found.append((*lending.linear(histories, alike), alike, lending.factors(histories, seed=1)))
    for one, other in zip(*found, strict=True):
        assert (one != other).nnz == 0


def test_what_follows_is_directed() -> None:
    lends = lending.follows(events([[0, 1]] * 20 + [[2, 3]] * 20, 4), half_life_days=None, now=0.0).toarray()
    assert lends[0, 1] > lends[1, 0] > 0
    assert lends[0, 2] == lends[0, 3] == 0
    following = lending.comes_next(events([[0, 1], [0, 1], [0, 2]], 3), half_life_days=None, now=0.0)
    assert following.toarray()[0].tolist() == pytest.approx([0, 2 / 6, 1 / 6])


def test_texts_that_share_words_are_alike() -> None:
    texts = ["steel kettle", "steel kettle", "warm tent", "warm tent for two", ""]
    cosines = lending.alike(lending.word_vectors(texts)).toarray()
    assert cosines[0, 1] == pytest.approx(1.0)
    assert cosines[2, 3] > 0.5
    assert cosines[0, 2] == cosines[4].sum() == cosines[0, 0] == 0.0
    assert lending.word_vectors(["", "alone"]).nnz == 0


def test_each_row_keeps_its_largest() -> None:
    matrix = sp.csr_matrix(np.array([[0.0, 3.0, 2.0], [0.0, 1.0, -1.0], [0.0, 0.0, 0.0]]))
    assert lending.keep_largest(matrix, 1).toarray().tolist() == [[0, 3, 0], [0, 1, 0], [0, 0, 0]]


def test_the_largest_of_a_row_depend_on_that_row_alone() -> None:
    """Beside a full sort, with many equal values and rows of every length."""
    draw = np.random.default_rng(3)
    dense = draw.integers(-2, 4, (90, 40)).astype(np.float32) * (draw.random((90, 40)) < draw.random((90, 1)))
    matrix = sp.csr_matrix(dense)
    row, column = lending.largest_of(matrix, 5)
    expected = [
        (one, place)
        for one in range(90)
        for place in sorted(np.argsort(-dense[one], kind="stable")[:5].tolist())
        if dense[one, place] > 0
    ]
    assert list(zip(row.tolist(), column.tolist(), strict=True)) == expected
    assert lending.largest_of(matrix[7:8], 5)[1].tolist() == column[row == 7].tolist()


def test_what_is_popular_in_a_category_is_told_beside_the_most_popular_of_it() -> None:
    popularity = np.array([[0, 0, 0, 0, 9], [8, 2, 0, 5, 9]], dtype=np.float32)
    lends = lending.popular_alike(["pan", "pan", "pan", None, "tent"], popularity).toarray()
    assert lends[2].tolist() == [1.0, 0.25, 0.0, 0.0, 0.0]
    assert lends[0].tolist() == [0.0, 0.25, 0.0, 0.0, 0.0]
    assert lends[3].sum() == lends[4].sum() == 0
    assert lending.popular_alike([None] * 5, popularity).nnz == 0


def test_factors_tell_items_of_the_same_customers_alike() -> None:
    histories = [[0, 1, 2]] * 40 + [[3, 4, 5]] * 40
    lends = lending.factors(events(histories, 6), seed=1).toarray()
    assert lends[0, 1] > 0.5 > lends[0, 4]
