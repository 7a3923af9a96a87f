"""Labels that people gave, such as help-desk tags, against themes: where they agree, in safe numbers."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import polars as pl

_LABEL, _THEME = "label", "theme"


@dataclass(frozen=True)
class CrossTable:
    """Documents by label and theme."""

    cells: pl.DataFrame
    """label, theme_id (null: under no theme), n_documents, share (of the label's documents): null where
    hidden. A pair that no document has is no row. Sorted."""
    labels: pl.DataFrame
    """label, n_documents (null where hidden), main_theme_id (that of most of its documents, among the shown
    cells), agreement (share of its documents under that theme). Sorted."""


def cross_table(
    labels: pl.DataFrame,
    opinion_theme: pl.DataFrame,
    opinions: pl.DataFrame,
    documents: pl.DataFrame,
    *,
    min_authors: int,
) -> CrossTable:
    """Count documents by label and theme; a document under two themes counts in both.

    A cell is hidden where fewer than `min_authors` distinct authors stand behind it, and so is a label. More
    cells are hidden until none of those follows from what is shown (complementary suppression, Cox 1980).
    What can be known besides the shown cells are the total of each label and, from elsewhere, that of each
    theme with enough authors. So in every line with a total, all cells of a label or of a theme,

    1. no cell is hidden, or two or more are, by at least `min_authors` distinct authors together;
    2. the documents in no shown cell are by nobody, or by at least `min_authors` distinct authors.

    Documents without a label count as a label that is never shown, and those under no theme as a theme. Where
    a line breaks a rule, its smallest shown cell is hidden, rather one whose other line has hidden ones too.
    A cell that is the only hidden one all the same, since its line has no other, follows, and counts
    as shown. Where a line that breaks a rule has no cell left to hide, the total of the label is hidden, or
    the totals by which cells of the theme follow.

    Args:
        labels: Columns document_id, label (null: none); a document may have several.
        opinion_theme: Columns opinion_id, theme_id.
        opinions: Columns opinion_id, document_id.
        documents: Columns document_id, author (null: all such count as one author).
        min_authors: Fewest distinct authors.
    """
    mentions = _mentions(labels, opinion_theme, opinions, documents)
    enough = (
        mentions.group_by("label").agg(pl.col("author").n_unique()).filter(pl.col("author") >= min_authors)
    )
    told = pl.col("label").is_in(enough["label"].to_list())
    # A label of a few people is not told apart from having none.
    mentions = mentions.with_columns(label=pl.when(told).then("label")).unique()
    cells = _hide(mentions, min_authors).filter(pl.col("label").is_not_null())
    totals = (
        mentions.drop_nulls("label").group_by("label").agg(n=pl.col("document_id").n_unique().cast(pl.Int64))
    )
    cells = (
        cells.join(totals, on="label")
        .with_columns(
            n_documents=pl.when("is_shown").then("n_documents"),
            n=pl.when("has_total").then("n"),
        )
        .with_columns(share=(pl.col("n_documents") / pl.col("n")).round(6))
        .sort("label", "theme_id", nulls_last=True)
    )
    return CrossTable(cells.select("label", "theme_id", "n_documents", "share"), _agreement(cells))


def _mentions(
    labels: pl.DataFrame, opinion_theme: pl.DataFrame, opinions: pl.DataFrame, documents: pl.DataFrame
) -> pl.DataFrame:
    """Each document once for every pair of its labels and themes: document_id, author, label, theme_id."""
    themes = opinion_theme.join(opinions, on="opinion_id").select("document_id", "theme_id").unique()
    given = labels.select("document_id", "label").drop_nulls().unique()
    return (
        documents.select("document_id", "author")
        .join(given, on="document_id", how="left")
        .join(themes, on="document_id", how="left")
    )


def _hide(mentions: pl.DataFrame, min_authors: int) -> pl.DataFrame:
    """Cells: label, theme_id, n_documents, is_shown, and has_total, whether the label's total is shown."""
    cells = (
        mentions.group_by("label", "theme_id")
        .agg(
            n_documents=pl.col("document_id").n_unique().cast(pl.Int64), n_authors=pl.col("author").n_unique()
        )
        .sort("n_authors", "label", "theme_id", descending=[True, False, False])
        .with_row_index("cell")
        .with_columns(
            label_line=pl.col("label").rank("dense").fill_null(0).cast(pl.Int64),
            theme_line=pl.col("theme_id").rank("dense").fill_null(0).cast(pl.Int64),
        )
    )
    of_cell = mentions.join(cells, on=["label", "theme_id"], nulls_equal=True)
    table = _Table(of_cell.select("cell", "document_id", "author"), cells, min_authors)
    shown = ((cells["n_authors"] >= min_authors) & cells["label"].is_not_null()).to_numpy().copy()
    has_total = {way: table.line_authors(way) >= min_authors for way in (_LABEL, _THEME)}
    # The total of what has no label is shown nowhere, and of what has no theme neither.
    for totals in has_total.values():
        totals[0] = False
    while table.hide_more(shown, has_total):
        pass
    return cells.with_columns(
        is_shown=pl.Series(shown), has_total=pl.Series(has_total[_LABEL][cells["label_line"].to_numpy()])
    )


class _Table:
    """Cells numbered by size, the largest first, and the documents in them."""

    def __init__(self, of_cell: pl.DataFrame, cells: pl.DataFrame, min_authors: int) -> None:
        self.of_cell = of_cell
        self.min_authors = min_authors
        self.n_authors = cells["n_authors"].to_numpy()
        self.line = {_LABEL: cells["label_line"].to_numpy(), _THEME: cells["theme_line"].to_numpy()}

    def line_authors(self, way: str) -> np.ndarray:
        """Distinct authors behind each line, int64 (n_lines,); line 0 is that of no label or no theme."""
        line = pl.Series(self.line[way], dtype=pl.Int64)[self.of_cell["cell"]]
        counted = self.of_cell.group_by(line=line).agg(pl.col("author").n_unique())
        authors = np.zeros(int(self.line[way].max(initial=0)) + 1, dtype=np.int64)
        authors[counted["line"].to_numpy()] = counted["author"].to_numpy()
        return authors

    def hide_more(self, shown: np.ndarray, has_total: dict[str, np.ndarray]) -> bool:
        """Hide a cell in every line that breaks a rule, or else totals of labels; False where nothing is."""
        known = self._known(shown, has_total)
        is_changed = False
        for way, across in ((_LABEL, _THEME), (_THEME, _LABEL)):
            for line in self._unsafe(shown, known, way, has_total[way]):
                mine = np.flatnonzero(self.line[way] == line)
                if shown[mine].any():
                    mine = mine[shown[mine]]
                    across_line = self.line[across][mine]
                    hidden = np.bincount(self.line[across][~shown], minlength=len(has_total[across]))
                    follows = (hidden[across_line] == 0) & has_total[across][across_line]
                    shown[mine[np.lexsort((-mine, follows))[0]]] = False
                    is_changed = True
                else:
                    labels = [line] if way == _LABEL else np.unique(self.line[across][mine[known[mine]]])
                    is_changed |= bool(has_total[_LABEL][labels].any())
                    has_total[_LABEL][labels] = False
        return is_changed

    def _known(self, shown: np.ndarray, has_total: dict[str, np.ndarray]) -> np.ndarray:
        """Cells that are shown, and large ones that follow from those and the totals, one after the other."""
        known = shown.copy()
        is_large = self.n_authors >= self.min_authors
        while True:
            before = known.sum()
            for way, total in has_total.items():
                line = self.line[way]
                alone = np.bincount(line[~known], minlength=len(total)) == 1
                known |= is_large & alone[line] & total[line]
            if known.sum() == before:
                return known

    def _unsafe(self, shown: np.ndarray, known: np.ndarray, way: str, total: np.ndarray) -> np.ndarray:
        """Numbers of the lines that break a rule."""
        line = self.line[way]
        rows = self.of_cell.with_columns(
            line=pl.Series(line)[self.of_cell["cell"]], is_known=pl.Series(known)[self.of_cell["cell"]]
        )
        rows = rows.with_columns(in_known=pl.col("is_known").any().over("line", "document_id"))
        unknown = pl.col("cell").filter(~pl.col("is_known")).n_unique()
        behind = pl.col("author").filter(~pl.col("is_known")).n_unique()
        rest = pl.col("author").filter(~pl.col("in_known")).n_unique()
        few = (
            rows.group_by("line")
            .agg(unknown=unknown, behind=behind, rest=rest)
            .filter(
                (pl.col("unknown") == 1)
                | ((pl.col("unknown") > 0) & (pl.col("behind") < self.min_authors))
                | pl.col("rest").is_between(1, self.min_authors - 1)
            )["line"]
        )
        is_unsafe = np.bincount(line[~shown], minlength=len(total)) == 1
        is_unsafe &= np.bincount(line[shown], minlength=len(total)) > 0
        is_unsafe[few.to_numpy()] = True
        return np.flatnonzero(is_unsafe & total)


def _agreement(cells: pl.DataFrame) -> pl.DataFrame:
    """For each label its total, its main theme, and the share of its documents there."""
    main = (
        cells.drop_nulls(["theme_id", "share"])
        .sort("n_documents", "theme_id", descending=[True, False])
        .unique("label", keep="first", maintain_order=True)
        .select("label", main_theme_id="theme_id", agreement="share")
    )
    totals = cells.select("label", n_documents="n").unique()
    return totals.join(main, on="label", how="left").sort("label")
