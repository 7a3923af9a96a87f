"""The cross table: counts by hand, and no hidden cell that follows from what is shown."""

import polars as pl
from hypothesis import given, settings
from hypothesis import strategies as st

from analytics.insight.cross_table import CrossTable, cross_table

Row = tuple[str | None, list[str], int | None]
"""Label, themes and author of a document."""


def table_of(rows: list[Row], min_authors: int) -> CrossTable:
    names = [f"d{nth:03}" for nth in range(len(rows))]
    pairs = [(name, theme) for name, (_, themes, _) in zip(names, rows, strict=True) for theme in themes]
    opinions = pl.DataFrame(
        {"opinion_id": [f"o{nth}" for nth in range(len(pairs))], "document_id": [name for name, _ in pairs]},
        schema={"opinion_id": pl.String, "document_id": pl.String},
    )
    return cross_table(
        pl.DataFrame(
            {"document_id": names, "label": [label for label, _, _ in rows]},
            schema={"document_id": pl.String, "label": pl.String},
        ),
        opinions.select("opinion_id", theme_id=pl.Series([theme for _, theme in pairs], dtype=pl.String)),
        opinions,
        pl.DataFrame(
            {"document_id": names, "author": [author for _, _, author in rows]},
            schema={"document_id": pl.String, "author": pl.Int64},
        ),
        min_authors=min_authors,
    )


def several(label: str | None, theme: str | None, authors: range) -> list[Row]:
    return [(label, [theme] if theme else [], author) for author in authors]


def test_counts_shares_and_agreement_by_hand() -> None:
    rows = [
        *several("billing", "refund", range(6)),
        *several("billing", "login", range(6, 10)),
        *several("tech", "login", range(10, 20)),
        ("tech", ["login", "refund"], 20),
        ("tech", ["refund"], 21),
        ("tech", [], 22),
        ("tech", [], 23),
    ]
    table = table_of(rows, 2)
    assert table.cells.rows() == [
        ("billing", "login", 4, 0.4),
        ("billing", "refund", 6, 0.6),
        ("tech", "login", 11, round(11 / 14, 6)),
        ("tech", "refund", 2, round(2 / 14, 6)),
        ("tech", None, 2, round(2 / 14, 6)),
    ]
    assert table.labels.rows() == [("billing", 10, "refund", 0.6), ("tech", 14, "login", round(11 / 14, 6))]


def test_two_statements_of_one_document_count_once() -> None:
    rows: list[Row] = [("a", ["t", "t"], 1), ("a", ["t"], 2)]
    assert table_of(rows, 2).cells.rows() == [("a", "t", 2, 1.0)]


def test_a_small_cell_takes_a_second_one_of_its_label_and_of_its_theme_along() -> None:
    rows = [
        *several("a", "t", range(2)),  # too few
        *several("a", "u", range(2, 8)),
        *several("a", "v", range(8, 28)),
        *several("b", "t", range(28, 35)),
        *several("b", "u", range(35, 43)),
        *several("b", "v", range(43, 73)),
        *several("c", "t", range(73, 93)),
        *several("c", "u", range(93, 113)),
    ]
    shown = {row[:2]: row[2] for row in table_of(rows, 5).cells.rows()}
    hidden = {("a", "t"), ("a", "u"), ("b", "t"), ("b", "u")}
    assert {cell for cell, count in shown.items() if count is None} == hidden
    assert table_of(rows, 5).labels["n_documents"].to_list() == [28, 45, 40]


def test_authors_count_not_documents_and_unknown_ones_are_one() -> None:
    rows: list[Row] = [("a", ["t"], None)] * 9 + [("a", ["t"], 1)] * 9 + several("a", "u", range(2, 8))
    cells = table_of(rows, 3).cells
    assert cells.filter(pl.col("theme_id") == "t")["n_documents"].to_list() == [None]


def test_a_label_of_few_people_is_not_there_and_nothing_is_no_table() -> None:
    table = table_of([*several("rare", "t", range(2)), *several("b", "t", range(2, 9))], 3)
    assert table.labels["label"].to_list() == ["b"]
    # Shown, it would tell what the total of the theme leaves: two people.
    assert table.cells["n_documents"].to_list() == [None]
    assert table_of([], 2).cells.is_empty()


def _followed(
    table: CrossTable, rows: list[Row], shown_themes: set[str | None]
) -> set[tuple[str | None, str | None]]:
    """Hidden cells that a reader finds by taking from totals what is known, again and again."""
    true = {(label, theme) for label, themes, _ in rows for theme in themes or [None]}
    totals = dict(table.labels.select("label", "n_documents").iter_rows())
    known = {row[:2] for row in table.cells.rows() if row[2] is not None}
    start = set(known)
    while True:
        found = set()
        for line in (0, 1):
            for name in {cell[line] for cell in true}:
                left = [cell for cell in true if cell[line] == name and cell not in known]
                has_total = name in shown_themes if line else totals.get(name) is not None
                if has_total and len(left) == 1:
                    found.add(left[0])
        if found <= known:
            return known - start
        known |= found


documents = st.tuples(
    st.sampled_from([None, "a", "b", "c"]), st.sampled_from([[], ["t"], ["u"], ["v"]]), st.integers(0, 12)
)


@settings(max_examples=150, deadline=None)
@given(st.lists(documents, max_size=60), st.integers(2, 4))
def test_no_cell_of_a_few_people_is_shown_or_follows(rows: list[Row], min_authors: int) -> None:
    table = table_of(rows, min_authors)
    authors: dict[tuple[str | None, str | None], set[int | None]] = {}
    for label, themes, author in rows:
        for theme in themes or [None]:
            authors.setdefault((label, theme), set()).add(author)
    for label, theme, count, _ in table.cells.rows():
        assert count is None or len(authors[label, theme]) >= min_authors
    of_label = {label: set().union(*(a for c, a in authors.items() if c[0] == label)) for label, _ in authors}
    of_theme = {theme: set().union(*(a for c, a in authors.items() if c[1] == theme)) for _, theme in authors}
    labelled = set(table.labels["label"])
    shown_themes = {theme for theme, who in of_theme.items() if theme and len(who) >= min_authors}
    folded: list[Row] = [(label if label in labelled else None, themes, a) for label, themes, a in rows]
    for label, theme in _followed(table, folded, shown_themes):
        if label is not None:
            assert len(authors[label, theme]) >= min_authors
    for label, total in table.labels.select("label", "n_documents").iter_rows():
        known = {row[1] for row in table.cells.rows() if row[0] == label and row[2] is not None}
        left = set().union(*(a for c, a in authors.items() if c[0] == label and c[1] not in known))
        assert total is None or not left or len(left) >= min_authors
        assert len(of_label[label]) >= min_authors
