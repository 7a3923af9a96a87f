"""The birth test: what waits, or lies at the edge of a theme, becomes one where it is a group of its own."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import dataclass
from datetime import date

import numpy as np
import polars as pl

from analytics.insight.anchors import unit
from analytics.insight.grouping import cuts_of
from analytics.insight.mixing import mixing_share

CONTEXT_PER_THEME = 30
"""So many members of each theme show the search what is a theme already."""
MOST_CONTEXT = 10_000
MOST_CORE_SHARE = 0.3
"""A group with a larger share of those is that theme, and not a new one."""
MOST_MIXING = 0.25
"""Halves of one theme mix at .5; like themes that began at different times mostly mix less than this."""
MOST_MIXING_WITH_YOUNG = 0.15
"""A theme born of late still takes shape: what mixes with it is the rest of it."""
LATEST_RANK = 0.84
"""Mean rank of a group's days among those of all statements, 0 to 1, above which it is said of late."""
MOST_BUSIER = 0.25
"""Share of themes that were said as often as a group since its median day, up to which it is sudden."""
MOST_MIXING_APART, WAITING_APART = 0.08, 0.8
"""A group that waits, nearly whole, and hardly mixes is a theme however slowly it came together."""
MOST_BEFORE = 0.2
"""What came up all at once has at most so many like it, of those at its heart, among what was said before."""
MOST_OF_THEME = 0.5
"""A group that holds so much of a theme, and is held by it as much, is that theme."""
PER_AUTHOR = 2
"""So many statements of one author count towards a theme: who repeats himself is not many."""
MOST_POOLED = 10_000
"""Of what waits at most this much is searched in a night, the newest by the order given."""
_NEAREST = 3
_SCHEMA = {"row": pl.Int64, "group": pl.Int64}


@dataclass(frozen=True)
class Births:
    """What was found in what waits."""

    born: pl.DataFrame
    """Columns row, group: the founders of each new theme."""
    wider: pl.DataFrame
    """Columns row, group, theme_id: groups that are a known theme in new words."""


@dataclass(frozen=True)
class _Group:
    """A group that may be born."""

    rows: np.ndarray
    is_late: bool
    waiting: float
    """Share of it that waits."""
    theme: str | None
    """Of the nearest themes the one with which it mixes most."""
    mixing: float
    is_young: bool

    @property
    def is_theme(self) -> bool:
        most = MOST_MIXING_WITH_YOUNG if self.is_young else MOST_MIXING
        is_apart = self.waiting >= WAITING_APART and self.mixing <= MOST_MIXING_APART
        return is_apart or (self.is_late and self.mixing <= most)


def find_births(
    statements: pl.DataFrame,
    vectors: np.ndarray,
    *,
    young: Collection[str],
    min_opinions: int,
    min_authors: int,
    seed: int,
    is_first: bool = False,
) -> Births:
    """Search what waits for themes that do not exist yet.

    What waits and what may move is grouped together with some core members of every theme, from coarse to
    fine. A group of few core members and enough distinct authors is a theme of its own where it is said of
    late, more often than most themes since then, and mixes little with the themes nearest to it; or where
    it waits and hardly mixes at all. Of groups that overlap the one that mixes least is taken.

    Args:
        statements: Columns opinion_id, author (null: all such count as one author), day (null: long ago),
            theme_id (null: waits), similarity (to that theme), may_move (placed of late, and no founder);
            newest first.
        vectors: float32 (n_statements, n_dims), unit rows, aligned.
        young: Themes that were born of late.
        min_opinions: Fewest statements of a theme, of one author two at most.
        min_authors: Fewest distinct authors.
        seed: Decides the search's random choices.
        is_first: Themes were found tonight. All that was said in the last weeks is searched at once, also
            at the heart of themes, so that a group must be new among all statements and no theme already.
    """
    marked = _mark(statements, with_core=is_first)
    pool = marked.filter("is_pooled").head(MOST_POOLED)
    if pool["author"].n_unique() < min_authors or pool.height < min_opinions:
        return _as_births([], [])
    searched = pl.concat([pool, _context(marked)]).sort("opinion_id")
    themes = _Themes.of(marked, vectors)
    groups = []
    for rows in _large_groups(searched, vectors, min_opinions, min_authors, seed):
        waiting = float(marked["theme_id"].gather(rows).is_null().to_numpy().mean())
        is_late = _is_late(marked, rows)
        if is_first and (themes.hold(rows) or not (is_late and _is_new(marked, vectors, rows))):
            continue
        if is_late or waiting >= WAITING_APART:
            theme, mixing = themes.nearest(vectors, rows)
            groups.append(_Group(rows, is_late, waiting, theme, mixing, theme in young))
    groups.sort(key=lambda group: (group.mixing, -len(group.rows)))  # of equals the coarser comes first
    taken: set[int] = set()
    born = _apart([group for group in groups if group.is_theme], taken)
    wider = _apart([group for group in reversed(groups) if group.mixing > MOST_MIXING], taken)
    return _as_births(born, wider)


def _as_births(born: list[_Group], wider: list[_Group]) -> Births:
    of_born = [pl.DataFrame({"row": g.rows, "group": n}, schema=_SCHEMA) for n, g in enumerate(born)]
    of_wider = [
        pl.DataFrame({"row": g.rows, "group": n}, schema=_SCHEMA).with_columns(theme_id=pl.lit(g.theme))
        for n, g in enumerate(wider)
    ]
    return Births(
        pl.concat([pl.DataFrame(schema=_SCHEMA), *of_born]),
        pl.concat([pl.DataFrame(schema={**_SCHEMA, "theme_id": pl.String}), *of_wider]),
    )


def _apart(groups: list[_Group], taken: set[int]) -> list[_Group]:
    """Those of the groups, in their order, that share no row with one before; `taken` grows by theirs."""
    kept = []
    for group in groups:
        if taken.isdisjoint(group.rows.tolist()):
            taken.update(group.rows.tolist())
            kept.append(group)
    return kept


def _mark(statements: pl.DataFrame, *, with_core: bool) -> pl.DataFrame:
    """Which statements are pooled, and which stand for their theme; `late` is the rank of their day.

    What may move is pooled where it lies at the edge of its theme, or anywhere `with_core`.
    """
    core = pl.col("similarity").median().over("theme_id")
    at_edge = pl.lit(True) if with_core else pl.col("similarity") < core
    is_pooled = pl.col("theme_id").is_null() | (pl.col("may_move") & at_edge)
    day = pl.col("day").fill_null(date.min)
    marked = statements.with_row_index("row").with_columns(
        pl.col("row").cast(pl.Int64),
        day,
        is_pooled=is_pooled,
        is_core=~is_pooled & (pl.col("similarity") >= core),
        late=(day.rank("average") - 0.5) / pl.len(),
    )
    nth = pl.col("opinion_id").rank("ordinal").over("theme_id", "is_core")
    return marked.with_columns(nth_core=pl.when("is_core").then(nth))


def _context(marked: pl.DataFrame) -> pl.DataFrame:
    """Some core members of every theme."""
    per_theme = min(CONTEXT_PER_THEME, MOST_CONTEXT // max(1, marked["theme_id"].n_unique()))
    return marked.filter(pl.col("nth_core") <= max(1, per_theme))


def _large_groups(
    searched: pl.DataFrame, vectors: np.ndarray, min_opinions: int, min_authors: int, seed: int
) -> Iterator[np.ndarray]:
    """Rows of groups that may be born, in the order of `searched`, each once, from coarse to fine."""
    seen: set[bytes] = set()
    row = searched["row"].to_numpy()
    searched = searched.with_row_index("at")
    for cut in cuts_of(vectors[row], fewest=min_opinions, seed=seed):
        grouped = searched.with_columns(group=pl.Series(cut))
        pooled = grouped.filter("is_pooled", pl.col("group") >= 0)
        of_author = pooled.group_by("group", "author").agg(n=pl.len(), at="at")
        spoken = of_author.group_by("group").agg(
            n=pl.col("n").clip(upper_bound=PER_AUTHOR).sum(),
            n_authors=pl.len(),
            at=pl.col("at").list.explode(keep_nulls=False, empty_as_null=False),
        )
        whole = grouped.group_by("group").agg(core_share=1 - pl.col("is_pooled").mean())
        large = spoken.join(whole, on="group").filter(
            pl.col("n") >= min_opinions,
            pl.col("n_authors") >= min_authors,
            pl.col("core_share") <= MOST_CORE_SHARE,
        )
        for at in large.sort("group")["at"].to_list():
            found = np.sort(np.array(at, dtype=np.int64))
            if found.tobytes() not in seen:
                seen.add(found.tobytes())
                yield row[found]


def _is_late(marked: pl.DataFrame, rows: np.ndarray) -> bool:
    """Whether a group is said of late, and since its median day more often than most themes."""
    mine = marked[rows]
    if mine["late"].to_numpy().mean() < LATEST_RANK:
        return False
    middle = mine["day"].sort()[(len(rows) - 1) // 2]
    n_mine = mine.filter(pl.col("day") >= middle).height
    others = marked.filter(pl.col("theme_id").is_not_null(), ~pl.col("row").is_in(mine["row"].implode()))
    counts = others.group_by("theme_id").agg(n=(pl.col("day") >= middle).sum())
    return counts.filter(pl.col("n") >= n_mine).height <= MOST_BUSIER * counts.height


def _is_new(marked: pl.DataFrame, vectors: np.ndarray, rows: np.ndarray) -> bool:
    """Whether hardly anything like the heart of a group was said before it."""
    cosines = vectors @ unit(vectors[rows].mean(axis=0, dtype=np.float64)).astype(np.float32)
    heart = float(np.median(cosines[rows]))
    first = marked[rows]["day"].sort()[len(rows) // 10]
    is_before = (marked["day"] < first).to_numpy()
    return int((is_before & (cosines >= heart)).sum()) <= MOST_BEFORE * len(rows) / 2


@dataclass(frozen=True)
class _Themes:
    """The members of each theme, in an order that says nothing of them."""

    names: list[str]
    members: list[np.ndarray]
    nth: np.ndarray
    """Which theme each statement is a member of, int64 (n_statements,); -1: of none."""
    means: np.ndarray
    """float64 (n_themes, n_dims), unit rows."""

    @classmethod
    def of(cls, marked: pl.DataFrame, vectors: np.ndarray) -> _Themes:
        placed = marked.filter(pl.col("theme_id").is_not_null()).sort("theme_id", "opinion_id")
        groups = placed.group_by("theme_id", maintain_order=True)
        members = {str(theme): of_theme["row"].to_numpy() for (theme,), of_theme in groups}
        means = [unit(vectors[rows].mean(axis=0, dtype=np.float64)) for rows in members.values()]
        nth = np.full(marked.height, -1)
        for theme, rows in enumerate(members.values()):
            nth[rows] = theme
        return cls(list(members), list(members.values()), nth, np.array(means))

    def hold(self, rows: np.ndarray) -> bool:
        """Whether a group is most of a theme, and the theme most of the group."""
        nth = self.nth[rows]
        n_mine = np.bincount(nth[nth >= 0], minlength=len(self.members))
        n_all = np.array([max(len(members), len(rows)) for members in self.members])
        return bool((n_mine >= MOST_OF_THEME * n_all).any())

    def nearest(self, vectors: np.ndarray, rows: np.ndarray) -> tuple[str | None, float]:
        """Of the nearest themes the one with which a group mixes most, and how much; None where none is."""
        if not self.names:
            return None, 0.0
        cosines = np.round(self.means @ vectors[rows].mean(axis=0, dtype=np.float64), 6)
        share, theme = max(
            (mixing_share(vectors[rows], vectors[_but(self.members[n], rows)]), self.names[n])
            for n in np.argsort(-cosines, kind="stable")[:_NEAREST]
        )
        return theme, share


def _but(rows: np.ndarray, left_out: np.ndarray) -> np.ndarray:
    return rows[~np.isin(rows, left_out)]
