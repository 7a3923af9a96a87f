"""What a list may hold: from each customer's best candidates to the items that are shown, with what went."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import scipy.sparse as sp

from recommender.events import place_within
from recommender.lending import entries_of
from recommender.model import Listed

EXCLUDED, VARIANT, DIVERSITY, NEW_ITEMS = "excluded", "variant", "diversity", "new_items"
"""Rules, in the order in which they are applied."""
_SIZE = re.compile(
    r"\b\d+([.,]\d+)?\s*(ml|cl|l|oz|fl|g|kg|mg|lb|lbs|cm|mm|m|inch|in|ft|gb|tb|mah|w|v|pack|pcs|pc|count|ct)\b"
)
_VARYING = frozenset(
    "black white red blue green yellow orange purple pink brown grey gray silver gold beige navy ivory "
    "small medium large xs s m l xl xxl xxxl "
    "schwarz weiß rot blau grün gelb braun grau silber klein mittel groß".split()
)
"""Words of a title that tell variants of one product apart."""


@dataclass(frozen=True)
class Rules:
    """What is held against candidates, by column of the item."""

    n_listed: int
    is_excluded: np.ndarray
    """bool (n_items,): on no list."""
    variant: np.ndarray
    """int64 (n_items,): items of the same number are one product."""
    is_new: np.ndarray
    """bool (n_items,)."""
    n_new: int = 0
    """So many places go to new items, where candidates are new."""
    diversity: float = 0.0
    """What being the same as an item of the list costs, in shares of a customer's best score; 0: nothing."""
    alike: sp.csr_matrix | None = None
    """How alike items are, 0 to 1."""


@dataclass(frozen=True)
class Removed:
    """What would have been on a list without a rule; one entry each, by customer and rank."""

    row: np.ndarray
    """Of the customer, int64 (n,)."""
    column: np.ndarray
    """Of the item, int64 (n,)."""
    rank: np.ndarray
    """That it would have had, int64 (n,)."""
    rule: list[str]


def no_rules(n_items: int, n_listed: int) -> Rules:
    """Rules that leave the best items on each list."""
    nothing = np.zeros(n_items, dtype=bool)
    return Rules(n_listed, nothing, np.arange(n_items), nothing)


def variants_of(titles: Sequence[str]) -> np.ndarray:
    """Number of the product of each item, int64 (n_items,): titles that differ by size and colour are one."""
    found: dict[str, int] = {}
    numbers = np.zeros(len(titles), dtype=np.int64)
    for column, title in enumerate(titles):
        words = re.findall(r"\w+", _SIZE.sub(" ", title.lower()))
        told = " ".join(word for word in words if word not in _VARYING)
        numbers[column] = found.setdefault(told or f"\0{column}", column)
    return numbers


def apply_rules(kept: Listed, rules: Rules) -> tuple[Listed, Removed]:
    """Lists of `n_listed` items from each customer's best candidates, in the order of these.

    Excluded items and later variants of a product go. Of what is left items are chosen one by one, by their
    score less what being like an item that is chosen costs (maximal marginal relevance, Carbonell and
    Goldstein 1998); where fewer than `n_new` are new, the best new candidates take the places of the last
    ones. What is chosen stands in the order of candidates. A list depends on its customer alone.

    Args:
        kept: Candidates as `recommend_items` lists them.
        rules: What holds.
    """
    n_users, width = int(kept.row.max(initial=-1)) + 1, int(kept.rank.max(initial=0))
    if not n_users:
        return kept, Removed(kept.row, kept.column, kept.rank, [])
    entry = np.full((n_users, width), -1)
    entry[kept.row, kept.rank - 1] = np.arange(len(kept.row))
    is_there = entry >= 0
    column = np.where(is_there, kept.column[entry], -1)
    is_excluded = is_there & rules.is_excluded[column]
    is_variant = _later_variants(np.where(is_there & ~is_excluded, rules.variant[column], -1))
    is_free = is_there & ~is_excluded & ~is_variant
    score = np.where(is_there, kept.score[entry], 0.0)
    is_chosen = _choose(column, score, is_free, rules)
    is_swapped = _make_room(is_chosen, is_free, is_there & rules.is_new[column], rules.n_new)
    would = is_there & (np.cumsum(is_there, axis=1) <= rules.n_listed) & ~is_chosen
    why = np.select([is_excluded, is_variant, is_swapped], [EXCLUDED, VARIANT, NEW_ITEMS], DIVERSITY)
    row, place = np.nonzero(would)
    removed = Removed(row, column[row, place], place + 1, why[row, place].tolist())
    chosen = entry[is_chosen]  # by customer, in the order of candidates
    listed = Listed(
        kept.row[chosen],
        place_within(kept.row[chosen]) + 1,
        kept.column[chosen],
        kept.score[chosen],
        kept.features[chosen],
    )
    return listed, removed


def _later_variants(variant: np.ndarray) -> np.ndarray:
    """Whether an earlier candidate of the row is of the same product, bool (n_users, width); -1: of none."""
    order = np.argsort(variant, axis=1, kind="stable")
    arranged = np.take_along_axis(variant, order, axis=1)
    repeats = np.zeros(variant.shape, dtype=bool)
    repeats[:, 1:] = (arranged[:, 1:] == arranged[:, :-1]) & (arranged[:, 1:] >= 0)
    later = np.zeros(variant.shape, dtype=bool)
    np.put_along_axis(later, order, repeats, axis=1)
    return later


def _choose(column: np.ndarray, score: np.ndarray, is_free: np.ndarray, rules: Rules) -> np.ndarray:
    """Which candidates are listed, bool (n_users, width)."""
    if rules.alike is None or rules.diversity == 0:
        return is_free & (np.cumsum(is_free, axis=1) <= rules.n_listed)
    worth = score / np.maximum(score.max(axis=1, keepdims=True), 1e-12)
    closest = np.zeros_like(worth)
    is_chosen = np.zeros(is_free.shape, dtype=bool)
    rows = np.arange(len(column))
    width = column.shape[1]
    for _ in range(min(rules.n_listed, width)):
        value = np.where(is_free & ~is_chosen, worth - rules.diversity * closest, -np.inf)
        best = value.argmax(axis=1)
        has_one = np.isfinite(value[rows, best])
        is_chosen[rows[has_one], best[has_one]] = True
        others = np.repeat(column[rows, best], width)
        near = entries_of(rules.alike, np.maximum(column.ravel(), 0), np.maximum(others, 0))
        closest = np.maximum(closest, near.reshape(column.shape) * has_one[:, None])
    return is_chosen


def _make_room(is_chosen: np.ndarray, is_free: np.ndarray, is_new: np.ndarray, n_new: int) -> np.ndarray:
    """Give new candidates their places in `is_chosen`; returns which candidates lost theirs, of its shape."""
    lacking = np.maximum(n_new - (is_chosen & is_new).sum(axis=1), 0)[:, None]
    waiting = is_free & is_new & ~is_chosen
    enters = waiting & (np.cumsum(waiting, axis=1) <= lacking)
    others = is_chosen & ~is_new
    from_last = np.cumsum(others[:, ::-1], axis=1)[:, ::-1]
    leaves = others & (from_last <= enters.sum(axis=1, keepdims=True))
    is_chosen |= enters
    is_chosen &= ~leaves
    return leaves
