"""Which cells of a table may be shown, so that neither they nor their differences tell of a few people."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import polars as pl

from analytics.insight.cells import Numbering

NONE = ""
"""Value of a segment for documents that have none; its cells count here, and are published nowhere."""

PLACE = ("segment_name", "segment_value", "source")
WINDOW = ("week", "n_weeks")
CELL = ("theme_id", *PLACE, *WINDOW)
"""What names a cell. Weeks count back from 0, the last one; a window of n_weeks above 1 ends with week 0."""

EVERYWHERE, OF_SEGMENT, OF_SOURCE, OF_BOTH = range(4)
"""How far a place is told apart."""
NOT_TOLD_APART = {
    EVERYWHERE: PLACE,
    OF_SEGMENT: ("source",),
    OF_SOURCE: ("segment_name", "segment_value"),
    OF_BOTH: (),
}
_DIVIDED_INTO: dict[int, dict[int, str]] = {
    EVERYWHERE: {OF_SEGMENT: "segment_value", OF_SOURCE: "source"},
    OF_SEGMENT: {OF_BOTH: "source"},
    OF_SOURCE: {OF_BOTH: "segment_value"},
    OF_BOTH: {},
}


def safe_cells(
    mentions: pl.DataFrame,
    cells: pl.DataFrame,
    *,
    windows: Sequence[int],
    min_authors: int,
    has_open_totals: bool,
) -> pl.Series:
    """Which cells to show so that no reader finds a few people in them, or by taking cells from each other.

    A cell is shown where

    1. at least `min_authors` distinct authors stand behind it;
    2. the wholes that it divides are shown: of a segment or of a source all documents of the same window, of
       both together each of the two;
    3. what it leaves hidden is safe. A whole is divided by the values of a segment (no value is a value), by
       source, or by time, into shorter windows and weeks. Take from it all the shown cells inside it that
       divide it in one of these ways: what is left holds nobody, or at least `min_authors` distinct authors
       in two parts or more. One part alone would be known by subtraction, and may be there to hide a smaller
       one elsewhere. Everything ever said of a theme is such a whole too, divided by time;
    4. differences are as safe. What a whole leaves when all its shown sources, or values of a segment, or
       one shorter window are taken from it is divided in the ways that remain, as far as each part's own
       difference is known: what is left holds nobody, or at least `min_authors` distinct authors.

    Where 3. or 4. fails, the smallest of the largest shown parts is hidden, or the whole where no part is
    shown, until both hold everywhere: the complementary suppression of Cox, Suppression methodology and
    statistical disclosure control, JASA 75 (1980), with distinct authors in place of sums. What follows only
    from more wholes than that, solved together as equations, is not looked for.

    Args:
        mentions: One row for each theme, document and segment name: theme_id, author (null: all such are one
            author), week (the number of weeks for older and undated documents), source, segment_name,
            segment_value (NONE where the document has no value).
        cells: Columns of CELL and n_authors. What is not told apart is ALL. Every cell that has a mention is
            a row, those of NONE and of older documents too.
        windows: Lengths of the windows above a week, each of which ends with week 0.
        min_authors: Fewest distinct authors.
        has_open_totals: Everything ever said of a theme is shown elsewhere.

    Returns:
        Boolean, in the order of `cells`.
    """
    ranked = cells.with_row_index("row").sort("n_authors", *CELL).with_row_index("cell")
    table = _Table.build(mentions, ranked, sorted(windows, reverse=True))
    enough = (ranked["n_authors"] >= min_authors).to_numpy()
    shown = np.append(enough, [False, has_open_totals])
    _hide_without_whole(shown, table)
    rules = list(_rules(table))
    is_changed = True
    while is_changed:
        is_changed = False
        for rule in rules:
            while len(hidden := rule.to_hide(shown, table, min_authors)):
                shown[hidden] = False
                _hide_without_whole(shown, table)
                is_changed = True
    return ranked.select("row", pl.Series("is_shown", shown[:-2])).sort("row")["is_shown"]


@dataclass(frozen=True)
class _Table:
    """Where each mention lies: cells are numbered by size, the smallest first, then NOWHERE and EVER."""

    at: dict[tuple[int, int], np.ndarray]
    """Place and length of a window to the cell of each mention, int32 (n_mentions,)."""
    wholes: list[np.ndarray]
    """Two arrays int32 (n_cells + 2,): the cells without which a cell is not shown; itself where none."""
    windows: list[int]
    """Lengths, the longest first."""
    codes: dict[str, np.ndarray]
    """Numbers from 0 for each mention's theme_id, segment_name, segment_value, source, week and author."""
    nowhere: int
    """Number of the cell of mentions outside a window, which is never shown; EVER is the next."""

    @classmethod
    def build(cls, mentions: pl.DataFrame, ranked: pl.DataFrame, windows: list[int]) -> _Table:
        numbering = Numbering.of(mentions, ranked)
        author = mentions["author"].rank("dense").fill_null(0).cast(pl.Int64).to_numpy()
        numbers = {**numbering.number(mentions), "author": author}
        whose = numbering.pack(numbers) * (1 + int(author.max(initial=0))) + author
        _, first = np.unique(whose, return_index=True)
        codes = {name: column[first] for name, column in numbers.items()}
        cells = numbering.number(ranked)
        at = {
            (place, n_weeks): _cell_at(
                numbering.pack(codes, not_told, n_weeks), numbering.pack(cells), ranked, n_weeks
            )
            for place, not_told in NOT_TOLD_APART.items()
            for n_weeks in [*windows, 1]
        }
        wholes = [
            _whole_of(numbering, cells, ranked, not_told)
            for not_told in (NOT_TOLD_APART[OF_SEGMENT], NOT_TOLD_APART[OF_SOURCE])
        ]
        return cls(at, wholes, windows, codes, ranked.height)


def _cell_at(wanted: np.ndarray, packed: np.ndarray, ranked: pl.DataFrame, n_weeks: int) -> np.ndarray:
    """The cell of a length of window that each packed one is; NOWHERE where there is none."""
    mine = np.flatnonzero(ranked["n_weeks"].to_numpy() == n_weeks)
    mine = mine[np.argsort(packed[mine])]
    cell = np.full(len(wanted), ranked.height, dtype=np.int32)
    if len(mine):
        near = np.minimum(np.searchsorted(packed[mine], wanted), len(mine) - 1)
        cell = np.where(packed[mine][near] == wanted, mine[near], cell).astype(np.int32)
    return cell


def _whole_of(
    numbering: Numbering, cells: dict[str, np.ndarray], ranked: pl.DataFrame, not_told: tuple[str, ...]
) -> np.ndarray:
    """For each cell the one of the same window that tells less apart; itself where it is that."""
    wider, packed = numbering.pack(cells, not_told), numbering.pack(cells)
    whole = np.arange(ranked.height + 2, dtype=np.int32)
    lengths = ranked["n_weeks"].to_numpy()
    for n_weeks in np.unique(lengths):
        mine = np.flatnonzero(lengths == n_weeks)
        whole[mine] = _cell_at(wider[mine], packed, ranked, n_weeks)
    return whole


def _hide_without_whole(shown: np.ndarray, table: _Table) -> None:
    # A cell of both has two wholes, and each of those all documents: the second round reaches these.
    for _ in range(2):
        for whole in table.wholes:
            shown &= shown[whole]


@dataclass(frozen=True)
class _Division:
    """Wholes divided in one way; arrays (n_mentions,)."""

    whole: np.ndarray
    """Cell that is divided."""
    line: np.ndarray
    """Which whole, and by which segment; mentions of a line are divided together."""
    part: np.ndarray
    inside: list[np.ndarray]
    """Cells that lie inside the whole, the largest first."""

    def to_hide(self, shown: np.ndarray, table: _Table, min_authors: int) -> np.ndarray:
        """One more cell to hide for each whole whose rest is not safe; empty when all are."""
        taken = np.full(len(self.whole), table.nowhere, dtype=np.int32)
        for cell in reversed(self.inside):
            taken = np.where(shown[cell], cell, taken)
        is_rest = shown[self.whole] & (taken == table.nowhere)
        unsafe = _unsafe_lines(self.line, self.part, table, is_rest, min_authors, min_parts=2)
        if unsafe.is_empty():
            return np.zeros(0, np.int32)
        # Cells are numbered by size, and NOWHERE comes after all: it is the least only where none is shown.
        found = (
            pl.DataFrame({"line": self.line, "part": taken, "whole": self.whole})
            .join(unsafe, on="line", how="semi")
            .group_by("line")
            .agg(pl.col("part").min(), pl.col("whole").first())
        )
        chosen = found.select(
            pl.when(pl.col("part") < table.nowhere).then("part").otherwise("whole")
        ).to_series()
        return chosen.filter(chosen <= table.nowhere).to_numpy()


@dataclass(frozen=True)
class _Difference:
    """What wholes leave when other cells are taken from them, divided in one way; arrays (n_mentions,)."""

    whole: np.ndarray
    line: np.ndarray
    part: np.ndarray
    taken: np.ndarray
    """Cell inside the whole that is taken from it."""
    of_part: np.ndarray
    """Cell of the part inside the whole."""
    taken_of_part: np.ndarray
    """Cell of the part inside what is taken."""

    def to_hide(self, shown: np.ndarray, table: _Table, min_authors: int) -> np.ndarray:
        """One more cell to hide for each difference whose rest is not safe; empty when all are."""
        is_known, is_taken = shown[self.whole], shown[self.whole] & shown[self.taken]
        line_part = self.line * (int(self.part.max(initial=0)) + 1) + self.part
        unknown = np.unique(line_part[is_taken & ~shown[self.taken_of_part]])
        is_divided = is_known & shown[self.of_part] & ~np.isin(line_part, unknown)
        unsafe = _unsafe_lines(
            self.line, self.part, table, is_known & ~is_taken & ~is_divided, min_authors, min_parts=1
        )
        if unsafe.is_empty():
            return np.zeros(0, np.int32)
        smallest = np.where(is_taken, np.minimum(self.taken_of_part, self.of_part), self.of_part)
        found = (
            pl.DataFrame({"line": self.line[is_divided], "cell": smallest[is_divided]})
            .join(unsafe, on="line", how="semi")
            .group_by("line")
            .agg(pl.col("cell").min())
        )
        return found["cell"].to_numpy()


def _unsafe_lines(
    line: np.ndarray, part: np.ndarray, table: _Table, is_rest: np.ndarray, min_authors: int, min_parts: int
) -> pl.DataFrame:
    """Column line: those whose rest has somebody in it, and too few authors or parts."""
    rest = pl.DataFrame(
        {"line": line[is_rest], "part": part[is_rest], "author": table.codes["author"][is_rest]}
    )
    counted = rest.group_by("line").agg(pl.col("author").n_unique(), pl.col("part").n_unique())
    few = (pl.col("author") < min_authors) | (pl.col("part") < min_parts)
    return counted.filter(few).select("line")


def _rules(table: _Table) -> Iterator[_Division | _Difference]:
    codes, lengths = table.codes, [*table.windows, 1]
    ever = np.full(len(codes["week"]), table.nowhere + 1, dtype=np.int32)
    by_time = [table.at[EVERYWHERE, n_weeks] for n_weeks in lengths]
    yield _Division(ever, codes["theme_id"], codes["week"], by_time)
    for nth, n_weeks in enumerate(lengths):
        for place in NOT_TOLD_APART:
            whole, shorter = table.at[place, n_weeks], lengths[nth + 1 :]
            if shorter:
                inside = [table.at[place, length] for length in shorter]
                yield _Division(whole, whole, codes["week"], inside)
            yield from _rules_in_place(table, place, n_weeks, shorter)


def _rules_in_place(
    table: _Table, place: int, n_weeks: int, shorter: list[int]
) -> Iterator[_Division | _Difference]:
    """How the cells of a place and a length of window are divided by segment and by source."""
    at, codes = table.at, table.codes
    whole = at[place, n_weeks]
    line = whole.astype(np.int64) * (int(codes["segment_name"].max(initial=0)) + 1) + codes["segment_name"]
    for into, name in _DIVIDED_INTO[place].items():
        inside = [at[p, n] for n in (n_weeks, *shorter) for p in dict.fromkeys((into, OF_BOTH))]
        yield _Division(whole, line, codes[name], inside)
        for length in shorter[:-1]:  # a week leaves nearly all of a longer window
            yield _Difference(
                whole, line, codes[name], at[place, length], at[into, n_weeks], at[into, length]
            )
    if place == EVERYWHERE:
        value, source, both = (at[p, n_weeks] for p in (OF_SEGMENT, OF_SOURCE, OF_BOTH))
        yield _Difference(whole, line, codes["segment_value"], source, value, both)
        yield _Difference(whole, line, codes["source"], value, source, both)
