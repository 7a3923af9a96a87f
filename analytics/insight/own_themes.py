"""People's own themes: a border drawn from a few words and no label."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy import sparse

from analytics.insight.anchors import unit
from analytics.insight.neighbours import nearest_neighbours, shared_neighbour_edges

MAX_BACKGROUND = 15_000
"""Statements that a border is drawn among, at most; of more, this many are drawn."""
MIN_BACKGROUND = 100
"""Among fewer statements no border shows, and a theme is what is like its words."""
USUAL_RADIUS = 0.6
"""Cosine from which a statement says the same as given words, where the store is too small to tell."""
# Chosen by benchmarks/own_themes.py --part dev.
_RESTART = 0.05
_STEPS = 60
_HELD_SHARE = 0.6
_REMOVED_SHARE = 0.25
_SPOKEN_OF, _ALIKE = 0.5, 0.75
_SPOKEN_WEIGHT = 5.0
_UNSEEN = (0.7, 0.5)
_SEEN = (0.6, 0.4)
_SAME = 0.9999
_ROWS = 256


@dataclass(frozen=True)
class Background:
    """The distinct statements of a store, or some of them, each linked with those that are like it."""

    vectors: np.ndarray
    """float32 (n, n_dims), unit rows in an order of their own, none twice."""
    links: sparse.csr_array
    """(n, n), symmetric: how many nearest neighbours two neighbours share; empty below MIN_BACKGROUND."""
    n_starts: int
    """How many statements nearest to a person's word stand for it."""
    floor: float
    """A word to which a statement has a lower cosine is one that the statement does not speak of."""
    radius: float
    """Cosine from which a statement says the same as words that nobody here speaks of yet."""


def link_background(vectors: np.ndarray, *, seed: int = 0) -> Background:
    """Link the statements of a store with their nearest neighbours; done once for any number of themes.

    Args:
        vectors: float32 (n_opinions, n_dims), unit rows, in any order; equal ones count once.
        seed: Decides the draw where there are more than MAX_BACKGROUND.
    """
    distinct = _distinct(vectors)
    if len(distinct) > MAX_BACKGROUND:
        drawn = np.random.default_rng(seed).permutation(len(distinct))[:MAX_BACKGROUND]
        distinct = distinct[np.sort(drawn)]
    n = len(distinct)
    if n < MIN_BACKGROUND:
        return Background(distinct, sparse.csr_array((n, n)), 1, USUAL_RADIUS, USUAL_RADIUS)
    # Few neighbours where there are few statements, or small themes would be linked with everything.
    n_neighbours = int(np.clip(round(n**0.7 / 16), 4, 25))
    left, right, weight = shared_neighbour_edges(nearest_neighbours(distinct, n_neighbours))
    ends = (left.astype(np.int32), right.astype(np.int32))
    one_way = sparse.coo_array((weight, ends), shape=(n, n)).tocsr()
    n_starts = max(1, round(n_neighbours / 5))
    any_two, nearest = _usual_cosines(distinct, n_starts)
    return Background(
        distinct,
        (one_way + one_way.T).tocsr(),
        n_starts,
        floor=any_two + _SPOKEN_OF * (nearest - any_two),
        radius=any_two + _ALIKE * (nearest - any_two),
    )


def _distinct(vectors: np.ndarray) -> np.ndarray:
    """Each vector once, in an order that does not depend on the order given."""
    rows = np.ascontiguousarray(vectors, dtype=np.float32)
    if not rows.size:
        return rows
    as_bytes = rows.view(np.dtype((np.void, rows.dtype.itemsize * rows.shape[1])))
    return rows[np.unique(as_bytes.ravel(), return_index=True)[1]]


def _usual_cosines(vectors: np.ndarray, n_nearest: int) -> tuple[float, float]:
    """The mean cosine of any two statements, and the median one of a statement and its nearest others."""
    some = np.linspace(0, len(vectors) - 1, min(len(vectors), 500)).astype(np.int64)
    cosines = vectors[some] @ vectors.T
    cosines[np.arange(len(some)), some] = -1.0
    nearest = -np.partition(-cosines, n_nearest - 1, axis=1)[:, :n_nearest]
    mean = vectors.mean(axis=0, dtype=np.float64)
    return float(mean @ mean), float(np.median(nearest.mean(axis=1)))


def define_own_theme(
    words: np.ndarray,
    *,
    background: Background | np.ndarray,
    positives: np.ndarray | None = None,
    negatives: np.ndarray | None = None,
) -> list[tuple[np.ndarray, float]]:
    """Decide with no label which statements a person means: a direction, and how far along it they begin.

    Random walks start at the statements nearest to each word and return there now and then (Tong, Faloutsos
    and Pan 2006, equation 4): they stay among what is said alike. Statements are taken in the order in which
    the walks visit them, beyond what their number of links explains, and the cut is where the visits fall
    off and the fewest links lead out (the sweep of Andersen, Chung and Lang 2006). A logistic regression of
    what was taken against all else gives the direction. Where nobody speaks of the words yet, they are
    themselves the direction, so that the theme fills when somebody does.

    Args:
        words: (n_words, n_dims), unit rows: the name, the criterion and the examples, at least one.
        background: The store's statements, linked; or their vectors, which are then linked for this theme.
        positives: (n, n_dims), unit rows: statements that the person said belong.
        negatives: (n, n_dims), unit rows: statements that the person removed.

    Returns:
        Anchors: float32 (n_dims,), unit, and the lowest cosine to it that is within. Of several a statement
        needs to be within one.
    """
    store = background if isinstance(background, Background) else link_background(background)
    n_dims = words.shape[1]
    agreed = np.empty((0, n_dims), np.float32) if positives is None else positives
    removed = np.empty((0, n_dims), np.float32) if negatives is None else negatives
    members = _members(store, words, agreed, removed)
    if members is None:
        return [_around_words(store, np.vstack([words, agreed]), removed)]
    return [_fit_border(store.vectors, members, np.vstack([words, agreed]), removed)]


def redraw_own_theme(
    members: np.ndarray, *, background: Background | np.ndarray
) -> list[tuple[np.ndarray, float]]:
    """Draw a theme's border around the statements that are under it already, for another model's vectors.

    Args:
        members: (n_members, n_dims), unit rows: the statements under it, at least one.
        background: As for `define_own_theme`.

    Returns:
        Anchors, as `define_own_theme` does.
    """
    store = background if isinstance(background, Background) else link_background(background)
    mine = _distinct(members)
    none = np.empty((0, members.shape[1]), np.float32)
    others = np.delete(store.vectors, _rows_of(store.vectors, mine), axis=0)
    if len(mine) < 3 or not len(others):
        return [_around_words(store, mine, none)]
    is_mine = np.arange(len(mine) + len(others)) < len(mine)
    return [_fit_border(np.vstack([mine, others]), is_mine, none, none)]


def _members(
    store: Background, words: np.ndarray, agreed: np.ndarray, removed: np.ndarray
) -> np.ndarray | None:
    """Which statements of the store a person means, boolean (n,); None where it cannot be said."""
    if not store.links.nnz:
        return None
    starts = _starts(store, np.vstack([words, agreed])) - _REMOVED_SHARE * _starts(store, removed)
    if np.count_nonzero(starts > 0) < 2:
        return None
    visits = _walk(store, starts)
    order = np.argsort(-visits, kind="stable")[: len(visits) // 2]
    order = order[visits[order] > 0]
    fewest = max(4, store.n_starts)
    if len(order) < fewest + 2:
        return None
    is_seen = bool(len(agreed) or len(removed))
    last = _cut(visits[order], _leaving(store, order), fewest, *(_SEEN if is_seen else _UNSEEN))
    agreed_rows, removed_rows = _rows_of(store.vectors, agreed), _rows_of(store.vectors, removed)
    if len(agreed_rows):
        last = _cut_by_hand(order, agreed_rows, removed_rows, last)
    taken = np.zeros(len(visits), dtype=bool)
    taken[order[: last + 1]] = True
    degrees = store.links.sum(axis=1)
    # What is linked mostly with what was not taken lies beyond the border, or in a hole within.
    members = (store.links @ taken.astype(np.float64)) / np.maximum(degrees, 1e-9) >= _HELD_SHARE
    members[agreed_rows] = True
    members[removed_rows] = False
    return members if members.sum() > 2 else None


def _starts(store: Background, rows: np.ndarray) -> np.ndarray:
    """How often a walk starts at each statement: (n,), the cosine to each word that it stands for."""
    starts = np.zeros(len(store.vectors))
    for first in range(0, len(rows), _ROWS):
        cosines = rows[first : first + _ROWS].astype(np.float32) @ store.vectors.T
        nearest = np.argpartition(-cosines, store.n_starts - 1, axis=1)[:, : store.n_starts]
        near = np.take_along_axis(cosines, nearest, axis=1).astype(np.float64)
        np.add.at(starts, nearest, np.where(near >= store.floor, near, 0.0))
    return starts


def _walk(store: Background, starts: np.ndarray) -> np.ndarray:
    """Visits of walks from `starts` (n,), beyond those that the number of links explains: (n,)."""
    root = np.sqrt(np.maximum(store.links.sum(axis=1), 1e-9))
    step = sparse.diags_array(1 / root) @ store.links @ sparse.diags_array(1 / root)
    visits = starts.copy()
    for _ in range(_STEPS):
        visits = (1 - _RESTART) * (step @ visits) + _RESTART * starts
    # The returns themselves say where the walks start, not where they lead.
    return (visits - _RESTART * starts) / root


def _leaving(store: Background, order: np.ndarray) -> np.ndarray:
    """Conductance of the first 1, 2, … statements of an order: which share of their links leads out."""
    nth = np.full(len(store.vectors), len(store.vectors))
    nth[order] = np.arange(len(order))
    links = store.links[order].tocoo()
    is_inner = nth[links.col] < links.row
    inner = np.bincount(links.row[is_inner], weights=links.data[is_inner], minlength=len(order))
    degrees = store.links.sum(axis=1)
    volume = np.cumsum(degrees[order])
    other = np.maximum(degrees.sum() - volume, 1e-9)
    return (volume - 2 * np.cumsum(inner)) / np.minimum(np.maximum(volume, 1e-9), other)


def _cut(visits: np.ndarray, leaving: np.ndarray, fewest: int, high: float, low: float) -> int:
    """Last place that is taken: of those where the visits fall off, the one where the fewest links leave.

    Visits fall off between the places where they are `high` and `low` times what they were at a quarter of
    the way there.
    """
    fallen = visits / visits[np.arange(len(visits)) // 4]

    def last_above(share: float) -> int:
        below = np.flatnonzero(fallen[fewest:] < share)
        return fewest + int(below[0]) - 1 if len(below) else len(visits) - 1

    first, last = last_above(high), last_above(low)
    return first + int(leaving[first : last + 1].argmin())


def _cut_by_hand(order: np.ndarray, agreed: np.ndarray, removed: np.ndarray, last: int) -> int:
    """Last place that is taken: the nearest to `last` at which the fewest of a person's answers are wrong."""
    is_agreed, is_removed = np.isin(order, agreed), np.isin(order, removed)
    wrong: np.ndarray = np.cumsum(is_removed) - np.cumsum(is_agreed)
    best = np.flatnonzero(wrong == wrong.min())
    return int(best[np.abs(np.log((best + 1) / (last + 1))).argmin()])


def _rows_of(vectors: np.ndarray, rows: np.ndarray) -> np.ndarray:
    """Numbers of the statements that are the given ones, where they are among them."""
    found = [np.empty(0, dtype=np.int64)]
    for first in range(0, len(rows), _ROWS):
        cosines = rows[first : first + _ROWS].astype(np.float32) @ vectors.T
        nearest = cosines.argmax(axis=1)
        found.append(nearest[cosines[np.arange(len(nearest)), nearest] > _SAME])
    return np.unique(np.concatenate(found))


def _fit_border(
    vectors: np.ndarray, members: np.ndarray, spoken: np.ndarray, removed: np.ndarray
) -> tuple[np.ndarray, float]:
    """Direction that tells the members from the rest, and the cosine that gives the best F1 on them."""
    from sklearn.linear_model import LogisticRegression

    rows = np.vstack([vectors, spoken, removed]).astype(np.float32)
    belongs = np.concatenate([members, np.ones(len(spoken), bool), np.zeros(len(removed), bool)])
    weights = np.ones(len(rows))
    weights[len(members) :] = _SPOKEN_WEIGHT
    fitted = LogisticRegression(C=1.0, max_iter=300).fit(rows, belongs, sample_weight=weights)
    direction = unit(fitted.coef_[0]).astype(np.float32)
    cosines = np.round(vectors.astype(np.float64) @ direction.astype(np.float64), 6)
    order = np.argsort(-cosines, kind="stable")
    n_right = np.cumsum(members[order])
    best = int((n_right / (np.arange(1, len(order) + 1) + members.sum())).argmax())
    following = cosines[order[min(best + 1, len(order) - 1)]]
    return direction, round(float(cosines[order[best]] + following) / 2, 6)


def _around_words(store: Background, spoken: np.ndarray, removed: np.ndarray) -> tuple[np.ndarray, float]:
    """The words' own middle, with a radius that leaves out what was removed."""
    middle = unit(spoken.sum(axis=0, dtype=np.float64)).astype(np.float32)
    nearest_removed = float((removed @ middle).max()) if len(removed) else -1.0
    return middle, round(max(store.radius, (1 + nearest_removed) / 2), 6)
