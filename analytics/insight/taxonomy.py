"""A taxonomy that a person brings along: themes by name, criterion and examples, every cell checked."""

from __future__ import annotations

import csv
import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import polars as pl

from analytics.errors import ActRefused

COLUMNS = ("name", "criterion", "examples", "parent")
LONGEST_NAME = 80
LONGEST_CRITERION = 300
LONGEST_EXAMPLE = 1_000
MOST_EXAMPLES = 50

_TAXONOMY: dict[str, pl.DataType | type[pl.DataType]] = {
    "name": pl.String,
    "criterion": pl.String,
    "examples": pl.List(pl.String),
    "parent": pl.String,
}
_BETWEEN_EXAMPLES = re.compile(r"\s*\|\s*")


def read_taxonomy(path: Path) -> pl.DataFrame:
    """Read themes from a CSV file with a header; separated by comma, semicolon or tab.

    Args:
        path: Columns name, and where wanted criterion, examples (separated by "|" or by line breaks, or a
            JSON list) and parent (name of the group that the theme belongs to).

    Returns:
        Columns name, criterion, examples (list, perhaps empty), parent, in file order; a missing criterion
        or parent is null.

    Raises:
        ActRefused: the file cannot be read, or cells are wrong; one line for each of them.
    """
    try:
        text = path.read_text("utf-8-sig")
    except FileNotFoundError as error:
        raise ActRefused(f"{path}: there is no such file; name a CSV file with a column name") from error
    except UnicodeDecodeError as error:
        raise ActRefused(f"{path}: is not UTF-8 text; save it as CSV in UTF-8") from error
    except OSError as error:
        raise ActRefused(f"{path}: cannot be read ({error.strerror}); check that it is a file") from error
    header = text.lstrip().partition("\n")[0]
    separator = max(",;\t", key=header.count)
    try:
        rows = [row for row in csv.reader(text.splitlines(keepends=True), delimiter=separator, strict=True)]
    except csv.Error as error:
        raise ActRefused(f"{path}: is not CSV ({error}); close every quotation mark") from error
    rows = [[cell.strip() for cell in row] for row in rows if any(cell.strip() for cell in row)]
    themes, problems = check_taxonomy(rows)
    if problems:
        raise ActRefused("\n".join(f"{path}: {problem}" for problem in problems))
    return themes


def check_taxonomy(rows: list[list[str]]) -> tuple[pl.DataFrame, list[str]]:
    """Check a table cell by cell.

    Args:
        rows: The header, then the rows; cells without space around them.

    Returns:
        The rows that are right, as `read_taxonomy` gives them; and what is wrong, one line each. Rows are
        counted from 1 below the header.
    """
    columns = [name.lower() for name in rows[0]] if rows else []
    problems = list(_wrong_columns(columns))
    if problems:
        return pl.DataFrame(schema=_TAXONOMY), problems
    themes: list[dict[str, Any]] = []
    named: dict[str, int] = {}
    for nth, cells in enumerate(rows[1:], start=1):
        if len(cells) > len(columns):
            problems.append(
                f"row {nth}: has {len(cells)} cells under {len(columns)} columns; put quotation marks around "
                "a text that holds the separator"
            )
            continue
        theme = dict(zip(columns, cells, strict=False))
        wrong = [f"row {nth}: {problem}" for problem in _wrong_cells(theme, named)]
        named.setdefault(_alike(theme.get("name", "")), nth)
        problems += wrong
        if not wrong:
            themes.append(_row_of(theme))
    if len(rows) < 2:
        problems.append("has no rows; write one theme in each row below the header")
    problems += _wrong_parents(themes, named)
    return pl.DataFrame(themes, schema=_TAXONOMY, orient="row"), problems


def split_examples(cell: str) -> list[str]:
    """The examples in a cell: a JSON list, else separated by line breaks or "|"; none twice, none empty.

    Raises:
        ValueError: the cell begins like a JSON list of texts and is none.
    """
    found: list[Any] = [part for line in cell.splitlines() for part in _BETWEEN_EXAMPLES.split(line)]
    if re.match(r'\[\s*["\]]', cell):
        found = json.loads(cell)
        if not all(isinstance(example, str) for example in found):
            raise ValueError("not all of the list are texts")
    return list(dict.fromkeys(text for example in found if (text := _one_line(example))))


def _wrong_columns(columns: list[str]) -> Iterator[str]:
    wanted = ", ".join(COLUMNS)
    if not columns:
        yield f"is empty; write a header with the columns {wanted} and one theme in each row"
        return
    if "name" not in columns:
        yield f"has no column name; its first row must name the columns: {wanted}"
        return
    for column in dict.fromkeys(columns):
        if column and column not in COLUMNS:
            yield f"column {column!r} is not known; rename it to one of {wanted}, or remove it"
        elif not column:
            yield "a column has no name in the first row; name it or remove it"
        elif columns.count(column) > 1:
            yield f"column {column!r} is there {columns.count(column)} times; keep one"


def _wrong_cells(theme: dict[str, str], named: dict[str, int]) -> Iterator[str]:
    name = _one_line(theme.get("name", ""))
    if not name:
        yield "name is empty; write what the theme is called"
    elif len(name) > LONGEST_NAME:
        yield f"name has {len(name)} characters and may have {LONGEST_NAME}; shorten {name[:30]!r}…"
    elif _alike(name) in named:
        yield f"{name!r} is the name of row {named[_alike(name)]} too; themes have distinct names"
    for column, longest in (("criterion", LONGEST_CRITERION), ("parent", LONGEST_NAME)):
        length = len(_one_line(theme.get(column, "")))
        if length > longest:
            yield f"{column} has {length:,} characters and may have {longest}; shorten it"
    try:
        examples = split_examples(theme.get("examples", ""))
    except ValueError:
        yield "examples begin like a JSON list of texts and are none; separate them by | instead"
        return
    if len(examples) > MOST_EXAMPLES:
        yield f"has {len(examples)} examples and may have {MOST_EXAMPLES}; keep those that differ most"
    for example in examples:
        if len(example) > LONGEST_EXAMPLE:
            yield f"an example has {len(example):,} characters and may have {LONGEST_EXAMPLE:,}; shorten it"


def _wrong_parents(themes: list[dict[str, Any]], named: dict[str, int]) -> Iterator[str]:
    for theme in themes:
        parent = theme["parent"]
        if parent and _alike(parent) in named:
            yield (
                f"row {named[_alike(theme['name'])]}: parent {parent!r} is the name of row "
                f"{named[_alike(parent)]}; a group of themes needs a name of its own"
            )


def _row_of(theme: dict[str, str]) -> dict[str, Any]:
    return {
        "name": _one_line(theme["name"]),
        "criterion": _one_line(theme.get("criterion", "")) or None,
        "examples": split_examples(theme.get("examples", "")),
        "parent": _one_line(theme.get("parent", "")) or None,
    }


def _one_line(text: str) -> str:
    return " ".join(text.split())


def _alike(name: str) -> str:
    return _one_line(name).casefold()
