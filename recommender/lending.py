"""Item-to-item matrices: how much one item of a customer's history speaks for each other item.

Every generator is such a matrix and a way to weigh the history, so that a score is a sum over the history,
and what each of its items gave to it is known exactly. Rows keep their largest entries alone.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

import numpy as np
import scipy.sparse as sp
from scipy import linalg
from threadpoolctl import threadpool_limits

from recommender.events import Events, place_within, taste

N_KEPT = 200
"""Items that one item speaks for at most, by each matrix."""
BLOCK_CELLS = 8_000_000
"""Cells of a matrix looked at together."""
MAX_GAP, GAP_DECAY, BACKWARD = 8, 0.8, 0.3
"""Items so many steps apart count as following each other, each step less; the other way round, less too."""
DAMPING = 3.0
"""Customers added to those of each item, so that rare items do not outweigh all others."""
RIDGE, TEXT_TRUST, TEXT_POWER = 280.0, 20.0, 3
"""Penalty of the linear model's weights, and how much they are drawn to a power of how alike the texts are.

A power, as nearly the same text tells much and a somewhat similar one nothing."""
LEAST_PRIOR = 0.01
"""Less than so much of that power counts as nothing: most pairs, and most of the time."""
MAX_DENSE_ITEMS = 15_000
"""Of a larger catalogue no inverse is made."""
N_FACTORS, FACTOR_ROUNDS = 128, 12
N_OF_CATEGORY = 20
"""Items of a category that were taken in a window of which its popularity is told."""

one_thread = threadpool_limits.wrap(limits=1, user_api="blas")
"""Holds linear algebra to one thread: sums of several depend on how many, and lists would not repeat."""


def item_popularity(events: Events) -> np.ndarray:
    """Customers who took each item, float64 (n_items,)."""
    return np.bincount(events.column[_is_told(events)], minlength=events.n_items).astype(np.float64)


def follows(events: Events, *, half_life_days: float | None, now: float) -> sp.csr_matrix:
    """Items taken after an item, sooner counting more: time-decayed, directed transitions."""
    forward = _transitions(events, MAX_GAP, half_life_days, now)
    scale = sp.diags(1 / np.sqrt(item_popularity(events) + DAMPING))
    return keep_largest(scale @ (forward + BACKWARD * forward.T) @ scale)


def comes_next(events: Events, *, half_life_days: float | None, now: float) -> sp.csr_matrix:
    """Share of an item's customers who took another one right after it."""
    forward = _transitions(events, 1, half_life_days, now)
    return keep_largest(sp.diags(1 / (item_popularity(events) + DAMPING)) @ forward)


@one_thread
def linear(events: Events, texts_alike: sp.csr_matrix | None) -> tuple[sp.csr_matrix, sp.csr_matrix]:
    """Weights by which the items a customer has tell the others: a linear model with a text prior.

    The weights are those that reconstruct all histories best without any item telling itself (Steck 2019,
    EASE), drawn to how alike the texts are (Moon et al. 2025, L3AE); solved in closed form.

    Args:
        events: Entries.
        texts_alike: How alike the texts of items are, or None: no prior.

    Returns:
        Weights with the prior, and those of the same penalty without.
    """
    is_told = _is_told(events)
    history = events.where(is_told)
    taken = history.matrix(np.ones(len(history.column)))
    gram = (taken.T @ taken).toarray().astype(np.float32)
    trust = 0.0 if texts_alike is None else TEXT_TRUST
    penalty = RIDGE + trust
    gram[np.diag_indices_from(gram)] += penalty
    inverse = _inverse(gram)
    prior = sp.csr_matrix(inverse.shape, dtype=np.float32) if texts_alike is None else texts_alike.copy()
    prior.data **= TEXT_POWER
    prior.data[prior.data < LEAST_PRIOR] = 0.0
    prior.eliminate_zeros()
    diagonal = np.diag(inverse).copy()
    told = np.asarray(prior.T.multiply(inverse).sum(axis=1)).ravel()
    multiplier = (1 - penalty * diagonal + trust * told) / diagonal
    columns_prior = prior.T.tocsr()

    def rows(first: int, end: int) -> np.ndarray:
        part = -(penalty + multiplier) * inverse[first:end]
        if trust:
            part += trust * (columns_prior @ inverse[first:end].T).T
        part[np.arange(end - first), np.arange(first, end)] = 0.0
        return np.asarray(part)

    def rows_alone(first: int, end: int) -> np.ndarray:
        part = inverse[first:end] / -diagonal
        part[np.arange(end - first), np.arange(first, end)] = 0.0
        return np.asarray(part)

    alone = _largest_of_rows(rows_alone, events.n_items)
    return (_largest_of_rows(rows, events.n_items) if trust else alone), alone


@one_thread
def factors(events: Events, *, seed: int) -> sp.csr_matrix:
    """How alike items are by whom they were taken: implicit ALS (Hu et al. 2008), for large catalogues."""
    from implicit.als import AlternatingLeastSquares

    history = events.where(_is_told(events))
    model = AlternatingLeastSquares(
        factors=N_FACTORS, iterations=FACTOR_ROUNDS, random_state=seed, use_gpu=False, num_threads=1
    )
    model.fit(history.matrix(np.ones(len(history.column))), show_progress=False)
    return alike(unit_rows(np.asarray(model.item_factors)))


@one_thread
def alike(vectors: np.ndarray | sp.csr_matrix) -> sp.csr_matrix:
    """Cosines of items above 0, none with itself.

    Args:
        vectors: Unit rows (n_items, n_dims); zeros of an item of which nothing is known.
    """
    columns = vectors.T.tocsc() if isinstance(vectors, sp.csr_matrix) else vectors.T

    def rows(first: int, end: int) -> np.ndarray:
        product = vectors[first:end] @ columns
        part = product.toarray() if sp.issparse(product) else np.asarray(product)
        part[np.arange(end - first), np.arange(first, end)] = 0.0
        return np.asarray(part)

    return _largest_of_rows(rows, vectors.shape[0])


def popular_alike(categories: Sequence[str | None], popularity: np.ndarray) -> sp.csr_matrix:
    """How popular items are within the category of an item, beside the most popular one of it.

    Args:
        categories: Of each item; None: of none.
        popularity: Customers of each item by window, the shortest first, (n_windows, n_items); each category
            counts by the shortest one in which enough of its items were taken.
    """
    known: dict[str, list[int]] = {}
    for nth, category in enumerate(categories):
        if category:
            known.setdefault(category, []).append(nth)
    rows, columns, values = [], [], []
    for listed in known.values():
        members = np.array(listed)
        windows = popularity[:, members]
        enough = (windows > 0).sum(axis=1) >= min(N_OF_CATEGORY, len(members))
        counted = windows[int(np.argmax(enough))] if enough.any() else windows[-1]
        best = np.argsort(-counted, kind="stable")[:N_KEPT]
        best = best[counted[best] > 0]
        share = counted[best] / max(1.0, float(counted.max(initial=0)))
        rows.append(np.repeat(members, len(best)))
        columns.append(np.tile(members[best], len(members)))
        values.append(np.tile(share, len(members)))
    if not rows:
        return sp.csr_matrix((len(categories), len(categories)), dtype=np.float32)
    row, column, value = np.concatenate(rows), np.concatenate(columns), np.concatenate(values)
    is_other = row != column
    entries = value[is_other].astype(np.float32), (row[is_other], column[is_other])
    return sp.csr_matrix(entries, shape=(len(categories), len(categories)))


def word_vectors(texts: Sequence[str]) -> sp.csr_matrix:
    """Weighted words of item texts, float32 unit rows; zeros where there are none."""
    from sklearn.feature_extraction.text import TfidfVectorizer

    vectorizer = TfidfVectorizer(sublinear_tf=True, min_df=2, stop_words="english", dtype=np.float32)
    try:
        return vectorizer.fit_transform(texts).tocsr()
    except ValueError:  # no word is left that two texts share
        return sp.csr_matrix((len(texts), 1), dtype=np.float32)


def unit_rows(vectors: np.ndarray) -> np.ndarray:
    """Rows of length 1, float32; zeros stay."""
    lengths = np.linalg.norm(vectors, axis=1, keepdims=True)
    return np.divide(vectors, lengths, out=np.zeros(vectors.shape, np.float32), where=lengths > 1e-9)


def keep_largest(matrix: sp.spmatrix, n_kept: int = N_KEPT) -> sp.csr_matrix:
    """The largest entries above 0 of each row."""
    rows = matrix.tocsr()

    def part(first: int, end: int) -> np.ndarray:
        return np.asarray(rows[first:end].toarray())

    return _largest_of_rows(part, rows.shape[0], n_kept)


def largest_of(matrix: sp.csr_matrix, n: int) -> tuple[np.ndarray, np.ndarray]:
    """Rows and columns of the `n` largest entries above 0 of each row; of equal ones the first columns.

    Which entries those are depends on the row alone.

    Args:
        matrix: With sorted indices.
        n: At least 1.
    """
    lengths = np.diff(matrix.indptr)
    row = np.repeat(np.arange(matrix.shape[0]), lengths)
    least = np.zeros(matrix.shape[0], matrix.dtype)
    longer = np.flatnonzero(lengths > n)
    longer = longer[np.argsort(lengths[longer], kind="stable")]  # so that little is padded
    for some in np.array_split(longer, 1 + len(longer) // 64):
        places = np.arange(lengths[some].max(initial=0))
        is_there = places < lengths[some, None]
        padded = np.full(is_there.shape, -np.inf, matrix.dtype)
        padded[is_there] = matrix.data[(matrix.indptr[some, None] + places)[is_there]]
        if len(some):
            least[some] = np.partition(padded, -n, axis=1)[:, -n]
    is_more = (matrix.data > least[row]) & (matrix.data > 0)
    is_equal = (matrix.data == least[row]) & (matrix.data > 0)
    n_left = n - np.bincount(row[is_more], minlength=matrix.shape[0])
    equal = np.flatnonzero(is_equal)
    equal = equal[place_within(row[equal]) < n_left[row[equal]]]
    kept = np.sort(np.concatenate([np.flatnonzero(is_more), equal]))
    return row[kept], matrix.indices[kept]


def entries_of(matrix: sp.csr_matrix, row: np.ndarray, column: np.ndarray) -> np.ndarray:
    """Entries of a matrix at some places, (n,)."""
    return np.asarray(matrix[row, column]).ravel() if len(row) else np.zeros(0, matrix.dtype)


def _largest_of_rows(
    rows: Callable[[int, int], np.ndarray], n_items: int, n_kept: int = N_KEPT
) -> sp.csr_matrix:
    """Put blocks of dense rows together, each row's largest entries above 0."""
    parts = []
    for first, end in blocks(n_items, n_items):
        part = rows(first, end)
        n = min(n_kept, n_items)
        columns = np.argpartition(-part, n - 1, axis=1)[:, :n]
        values = np.take_along_axis(part, columns, axis=1)
        row, place = np.nonzero(values > 0)
        kept = values[row, place].astype(np.float32), (row, columns[row, place])
        parts.append(sp.csr_matrix(kept, shape=(end - first, n_items)))
    return sp.vstack(parts).tocsr() if parts else sp.csr_matrix((0, 0), dtype=np.float32)


def blocks(n_rows: int, n_columns: int) -> Iterator[tuple[int, int]]:
    """First and end of blocks of rows that hold at most BLOCK_CELLS."""
    step = max(1, BLOCK_CELLS // max(1, n_columns))
    for first in range(0, n_rows, step):
        yield first, min(first + step, n_rows)


def _is_told(events: Events) -> np.ndarray:
    """Entries of people, that are no dislike."""
    return np.asarray(events.is_learned[events.user] & (events.weight > 0))


def _transitions(events: Events, max_gap: int, half_life_days: float | None, now: float) -> sp.csr_matrix:
    told = events.where(_is_told(events))
    decay = np.abs(taste(told, recency=1.0, half_life_days=half_life_days, now=now))
    user = told.user
    shape = (events.n_items, events.n_items)
    total = sp.csr_matrix(shape, dtype=np.float32)
    for gap in range(1, max_gap + 1):
        is_pair = user[:-gap] == user[gap:]
        pairs = told.column[:-gap][is_pair], told.column[gap:][is_pair]
        weights = (decay[gap:][is_pair] * GAP_DECAY ** (gap - 1)).astype(np.float32)
        total = total + sp.csr_matrix((weights, pairs), shape=shape)
    return total


def _inverse(matrix: np.ndarray) -> np.ndarray:
    """Inverse of a symmetric positive definite matrix, in its own memory."""
    if not len(matrix):
        return matrix  # LAPACK would complain to standard output
    factor, info = linalg.lapack.spotrf(matrix, lower=False, overwrite_a=True)
    if info:
        raise np.linalg.LinAlgError("the matrix of items is not positive definite")
    inverse, _ = linalg.lapack.spotri(factor, lower=False, overwrite_c=True)
    for first, end in blocks(len(inverse), len(inverse)):
        inverse[first:end, :first] = inverse[:first, first:end].T
        corner = inverse[first:end, first:end]
        inverse[first:end, first:end] = np.triu(corner) + np.triu(corner, 1).T
    return np.ascontiguousarray(inverse)
