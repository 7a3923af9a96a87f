"""Whatever filter a reader asks for, nobody is shown alone: not in a cell, and not by subtraction."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, timedelta
from functools import lru_cache
from itertools import product
from pathlib import Path

import numpy as np
import polars as pl
import pytest
from small_store import SmallStore

from analytics.insight import privacy
from analytics.insight.shares import trends
from analytics.store.generation import Content, check_generation, write_generation
from analytics.store.pointer import Entry
from analytics.tables import ALL, TABLES
from dashboard import queries

AS_OF = date(2026, 6, 28)
MIN_AUTHORS = 5
N_WEEKS = 26
CHANNELS = {
    "reviews": (["web", "app", "shop", ""], [0.6, 0.25, 0.1, 0.05]),
    "tickets": (["email", "chat", ""], [0.7, 0.25, 0.05]),
    "survey": ([""], [1.0]),
}
COUNTRIES = (["de", "at", "ch", "lu", ""], [0.62, 0.2, 0.1, 0.03, 0.05])
Place = tuple[tuple[str, str], str]
"""Segment and source."""
Cell = tuple[Place, int, int]
"""Place, first and last week ago."""
EVERYWHERE: Place = ((ALL, ALL), ALL)


@lru_cache(maxsize=1)
def crowd(seed: int, n_documents: int = 700, n_themes: int = 9) -> dict[str, pl.DataFrame]:
    """A made-up store: skewed segments, authors in several, some unknown, and themes of few authors."""
    random = np.random.default_rng(seed)
    documents, opinions, placed = [], [], []
    weights = 1 / np.arange(1, n_themes + 1) ** 1.3
    for n in range(n_documents):
        source = str(random.choice(list(CHANNELS), p=[0.6, 0.3, 0.1]))
        values = {"channel": random.choice(*CHANNELS[source][:1], p=CHANNELS[source][1]),
                  "country": random.choice(COUNTRIES[0], p=COUNTRIES[1])}  # fmt: skip
        documents.append(
            {"document_id": f"d{n:04}", "source": source, "text": f"Said {n}", "title": "",
             "author": None if random.random() < 0.08 else int(300 * random.random() ** 2),
             "day": None if random.random() < 0.02 else AS_OF - timedelta(days=int(random.integers(0, 200))),
             "segments": [{"name": name, "value": str(value)} for name, value in values.items() if value],
             "is_analysed": True, "is_counted": True, "is_covered": bool(random.random() < 0.95),
             "may_quote": source != "tickets"}
        )  # fmt: skip
        if not documents[-1]["is_covered"]:
            continue
        for theme in set(random.choice(n_themes, 2, p=weights / weights.sum())):
            opinion = f"o{n:04}-{theme}"
            opinions.append({"opinion_id": opinion, "document_id": f"d{n:04}", "quote": f"Said {n}",
                             "start": 0, "end": len(f"Said {n}"), "sentiment_label": "neutral"})  # fmt: skip
            placed.append({"opinion_id": opinion, "theme_id": f"t{theme}", "similarity": random.random()})
    given = {"document": documents, "opinion": opinions, "opinion_theme": placed}
    tables = {name: table.empty() for name, table in TABLES.items()}
    for name, rows in given.items():
        frame = pl.DataFrame(rows, schema={key: TABLES[name].columns[key] for key in rows[0]})
        tables[name] = pl.concat([tables[name], frame], how="diagonal")
    return tables | {"theme": themes_of(tables), "trend": trends_of(tables)}


def trends_of(tables: dict[str, pl.DataFrame]) -> pl.DataFrame:
    return trends(
        tables["opinion"], tables["opinion_theme"], tables["document"], AS_OF, min_authors=MIN_AUTHORS
    )


def themes_of(tables: dict[str, pl.DataFrame]) -> pl.DataFrame:
    counted = (
        said_of(tables)
        .group_by("theme_id")
        .agg(n_documents=pl.col("document_id").n_unique(), n_authors=pl.col("author").n_unique())
        .with_columns(
            name=pl.col("theme_id"),
            level=pl.lit("theme"),
            status=pl.lit("active"),
            is_shown=pl.col("n_authors") >= MIN_AUTHORS,
        )
    )
    return pl.concat([TABLES["theme"].empty(), counted], how="diagonal_relaxed")


def said_of(tables: dict[str, pl.DataFrame]) -> pl.DataFrame:
    """Each theme and document once, with what a filter asks of it."""
    return (
        tables["opinion_theme"]
        .join(tables["opinion"].select("opinion_id", "document_id"), on="opinion_id")
        .select("theme_id", "document_id")
        .unique()
        .join(tables["document"].filter("is_covered"), on="document_id")
        .select("theme_id", "document_id", "author", "source", "day", "segments", "may_quote", "text")
    )


class Reader:
    """Sees what the views show, and counts on the documents who stands behind it."""

    def __init__(self, night: queries.Night, tables: dict[str, pl.DataFrame]):
        self.night = night
        self.segments = queries.segments(night).rows()
        self.sources = queries.theme_sources(night)
        self.lengths = queries.window_lengths(night)
        self.documents = documents_of(tables, self.lengths)
        self.shown: dict[tuple[Place, int], set[str]] = defaultdict(set)
        self.weeks: dict[tuple[Place, str], set[int]] = defaultdict(set)
        figures = pl.any_horizontal(pl.col("share", "n_documents", "n_covered").is_not_null())
        for row in night.rows("SELECT * FROM theme_cell").filter(figures).iter_rows(named=True):
            place = ((row["segment_name"], row["segment_value"]), row["source"])
            week = (AS_OF - row["window_end"]).days // 7
            if week == 0:
                self.shown[place, row["n_weeks"]].add(row["theme_id"])
            if row["n_weeks"] == 1:
                self.weeks[place, row["theme_id"]].add(week)

    def ask(self, place: Place, n_weeks: int) -> dict[str, str | None]:
        """Theme to the quote beside it, of the themes that the page has a figure or a quote for."""
        rows = queries.theme_cells(self.night, *place, n_weeks).filter(
            pl.any_horizontal(pl.col("share", "n_documents_in", "n_covered", "typical_quote").is_not_null())
        )
        return dict(rows.select("theme_id", "typical_quote").iter_rows())

    def n_people(self, place: Place, theme: str, n_weeks: int, taken: Iterable[Cell]) -> int:
        """Distinct authors behind a cell, less those cells."""
        left = {
            document.author
            for document in self.documents[theme]
            if (place, 0, n_weeks - 1) in document.cells and document.cells.isdisjoint(taken)
        }
        return len(left)

    def inside(self, part: Place, theme: str, n_weeks: int) -> list[Cell]:
        """The shown cells of a part in windows no longer than a whole's."""
        lengths = [n for n in self.lengths if n <= n_weeks and theme in self.shown[part, n]]
        single = [week for week in self.weeks[part, theme] if week < n_weeks]
        return [(part, 0, n - 1) for n in lengths] + [(part, week, week) for week in single]


@dataclass(frozen=True)
class Document:
    """One that speaks of a theme."""

    author: int | None
    cells: frozenset[Cell]
    """Every cell that holds it."""
    quote: str | None


def documents_of(tables: dict[str, pl.DataFrame], lengths: list[int]) -> dict[str, list[Document]]:
    documents = defaultdict(list)
    for row in said_of(tables).iter_rows(named=True):
        segments = [(ALL, ALL), *((one["name"], one["value"]) for one in row["segments"])]
        week = 10**6 if row["day"] is None else (AS_OF - row["day"]).days // 7
        windows = [(week, week), *((0, n - 1) for n in lengths if n > max(1, week))]
        cells = ((place, *window) for place in product(segments, (ALL, row["source"])) for window in windows)
        quote = row["text"] if row["may_quote"] else None
        documents[row["theme_id"]].append(Document(row["author"], frozenset(cells), quote))
    return documents


def leaks(reader: Reader, place: Place, n_weeks: int) -> list[str]:
    """What a filter tells of too few people, in its cells or when its parts are taken from it."""
    segment, source = place
    ways: dict[str, list[Place]] = {"time": []}
    if segment == (ALL, ALL):
        for name in {name for name, _ in reader.segments}:
            ways[name] = [(one, source) for one in reader.segments if one[0] == name]
    if source == ALL:
        ways["source"] = [(segment, one) for one in reader.sources]
    found = []
    for theme in reader.shown[place, n_weeks]:
        if reader.n_people(place, theme, n_weeks, []) < MIN_AUTHORS:
            found.append(f"{theme} in {place}, {n_weeks} weeks")
        for way, parts in ways.items():
            taken = [cell for part in parts for cell in reader.inside(part, theme, n_weeks)]
            if way == "time":
                taken = [
                    cell for cell in reader.inside(place, theme, n_weeks) if cell[2] - cell[1] < n_weeks - 1
                ]
            for some in (taken, [cell for cell in taken if cell[1:] == (0, n_weeks - 1)]):
                if 0 < reader.n_people(place, theme, n_weeks, some) < MIN_AUTHORS:
                    found.append(f"{theme} in {place}, {n_weeks} weeks, less {way}")
    return found


def open_reader(store: SmallStore, tables: dict[str, pl.DataFrame], name: str = "crowd") -> Reader:
    folder = store.published / name
    check_generation(folder, write_generation(folder, Content(tables, {}), {}))
    store.point_at(Entry(name, "r", 1, AS_OF))
    return Reader(queries.pin_night(store.data_dir, MIN_AUTHORS), tables)


def draw_filters(reader: Reader, n: int, seed: int) -> list[tuple[Place, int]]:
    """One segment value, one source and whole weeks each, or none of them."""
    random = np.random.default_rng(seed)
    segments, sources = [(ALL, ALL), *reader.segments], [ALL, *reader.sources]
    return [
        (
            (segments[random.integers(len(segments))], sources[random.integers(len(sources))]),
            reader.lengths[random.integers(len(reader.lengths))],
        )
        for _ in range(n)
    ]


def test_filters_show_and_leave_no_few_people(store: SmallStore) -> None:
    reader = open_reader(store, crowd(0))
    filters = draw_filters(reader, 100, seed=0)
    assert [leak for place, n_weeks in filters for leak in leaks(reader, place, n_weeks)] == []
    assert sum(len(reader.shown[one]) for one in set(filters)) > 50


@pytest.mark.slow
def test_five_hundred_filters_show_and_leave_no_few_people(store: SmallStore) -> None:
    for seed in range(5):
        reader = open_reader(store, crowd(seed, n_documents=600 * (seed + 1)), f"crowd-{seed}")
        filters = draw_filters(reader, 100, seed)
        assert [leak for place, n_weeks in filters for leak in leaks(reader, place, n_weeks)] == []


def test_without_complementary_suppression_filters_would_tell(
    store: SmallStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(privacy, "_rules", lambda table: iter(()))
    tables = crowd(0)
    reader = open_reader(store, tables | {"trend": trends_of(tables)})
    filters = draw_filters(reader, 10, seed=0)
    assert any(leaks(reader, place, n_weeks) for place, n_weeks in filters)


def test_a_quote_of_a_filter_stands_under_a_shown_cell_and_comes_from_its_documents(
    store: SmallStore,
) -> None:
    reader = open_reader(store, crowd(0))
    n_quotes = 0
    for place, n_weeks in draw_filters(reader, 30, seed=1):
        if place == EVERYWHERE:  # there the quote is the theme's own
            continue
        asked = reader.ask(place, n_weeks)
        assert set(asked) == reader.shown[place, n_weeks]
        for theme, quote in asked.items():
            inside = [one for one in reader.documents[theme] if (place, 0, n_weeks - 1) in one.cells]
            sayings = {one.quote for one in inside if one.quote is not None}
            assert (quote in sayings) if sayings else quote is None
            n_quotes += bool(sayings)
    assert n_quotes > 10


def test_no_view_reads_the_tables_of_days() -> None:
    """Their cells are below the rule of trend: they are for charts that ask is_shown."""
    views = Path(queries.__file__).parents[1] / "analytics" / "store" / "views"
    texts = [file.read_text() for file in views.glob("*.sql")]
    assert texts
    assert not any("theme_day" in text or "document_day" in text for text in texts)
