"""What waits becomes a theme where enough people say it and no theme says it already."""

from __future__ import annotations

from datetime import date, timedelta

import numpy as np
import polars as pl

from analytics.insight.births import Births, find_births

N_DIMS = 12
LONG_AGO, TODAY = date(2026, 3, 1), date(2026, 5, 1)


def near(axis: int, n: int, seed: int, noise: float = 0.1) -> np.ndarray:
    """Unit rows near one axis."""
    rows = np.random.default_rng(seed).normal(scale=noise, size=(n, N_DIMS))
    rows[:, axis] += 1
    return (rows / np.linalg.norm(rows, axis=1, keepdims=True)).astype(np.float32)


def store(*parts: tuple[np.ndarray, str | None, range | list[int | None]]) -> tuple[pl.DataFrame, np.ndarray]:
    """Statements of parts: vectors, theme (None: waits), authors."""
    rows = []
    for nth, (vectors, theme, authors) in enumerate(parts):
        for n, (_, author) in enumerate(zip(vectors, authors, strict=True)):
            similarity = None if theme is None else round(0.99 - n / 1000, 6)
            day = TODAY if theme is None else LONG_AGO + timedelta(days=n)
            rows.append((f"{nth}-{n:03}", author, day, theme, similarity, False))
    schema = ("opinion_id", "author", "day", "theme_id", "similarity", "may_move")
    frame = pl.DataFrame(rows, schema=list(schema), orient="row")
    frame = frame.with_columns(pl.col("author").cast(pl.Int32), pl.col("theme_id").cast(pl.String))
    return frame, np.concatenate([vectors for vectors, _, _ in parts])


def births(statements: pl.DataFrame, vectors: np.ndarray, young: frozenset[str] = frozenset()) -> Births:
    return find_births(statements, vectors, young=young, min_opinions=10, min_authors=5, seed=1)


def born(statements: pl.DataFrame, vectors: np.ndarray) -> set[str]:
    rows = births(statements, vectors).born["row"].to_list()
    return set(statements["opinion_id"].gather(rows)) if rows else set()


KNOWN = [(near(axis, 60, axis), f"t{axis}", range(60 * axis, 60 * axis + 60)) for axis in range(3)]


def test_a_new_thing_that_many_say_is_born_and_nothing_else_is() -> None:
    statements, vectors = store(*KNOWN, (near(5, 30, 9), None, range(500, 530)))
    found = born(statements, vectors)
    assert len(found) >= 27
    assert all(opinion.startswith("3-") for opinion in found)
    assert births(statements, vectors).wider.is_empty()


def test_few_statements_or_few_authors_are_no_theme() -> None:
    for waiting in (
        (near(5, 9, 9), None, range(500, 509)),
        (near(5, 30, 9), None, [n % 4 for n in range(30)]),
        (near(5, 30, 9), None, [None] * 30),
    ):
        assert born(*store(*KNOWN, waiting)) == set()


def test_a_flood_of_one_author_among_few_others_counts_two_statements_of_his() -> None:
    flood = (near(5, 40, 9), None, [7] * 36 + [1, 2, 3, 4])
    assert born(*store(*KNOWN, flood)) == set()
    assert born(*store(*KNOWN, (near(5, 40, 9), None, [7] * 28 + list(range(600, 612))))) != set()


def test_a_known_theme_that_still_waits_is_said_in_new_words_and_not_born() -> None:
    both = near(0, 100, 4)
    known = (both[::2], "t0", range(50))
    statements, vectors = store(known, *KNOWN[1:], (both[1::2], None, range(500, 550)))
    found = births(statements, vectors)
    assert found.born.is_empty()
    assert set(found.wider["theme_id"]) <= {"t0"}


def test_members_at_the_core_never_move_and_the_order_of_rows_decides_nothing() -> None:
    statements, vectors = store(*KNOWN, (near(5, 30, 9), None, range(500, 530)))
    moving = statements.with_columns(may_move=pl.lit(True))
    found = births(moving, vectors)
    core = moving.with_row_index("row").filter(
        pl.col("similarity") >= pl.col("similarity").median().over("theme_id")
    )
    assert not set(found.born["row"]) & set(core["row"])
    order = np.random.default_rng(3).permutation(statements.height)
    assert born(statements[order], vectors[order]) == born(statements, vectors)


def test_what_was_placed_is_born_only_where_it_is_said_of_late() -> None:
    """A part of a theme that was always said stays in it, however well it could be told apart."""
    spread = [LONG_AGO + timedelta(days=2 * n) for n in range(30)]
    for days, is_born in (([TODAY] * 30, True), (spread, False)):
        statements, vectors = store(*KNOWN, (near(5, 30, 9), "t0", range(500, 530)))
        is_last = pl.col("opinion_id").str.starts_with("3-")
        statements = statements.with_columns(
            pl.Series("day", [*statements["day"][:-30], *days]),
            pl.when(is_last).then(0.5).otherwise("similarity").alias("similarity"),
            may_move=is_last,
        )
        assert bool(born(statements, vectors)) == is_born


def test_what_waits_far_from_everything_is_born_however_slowly_it_came() -> None:
    statements, vectors = store(*KNOWN, (near(5, 30, 9), None, range(500, 530)))
    slowly = [*statements["day"][:-30], *(LONG_AGO + timedelta(days=2 * n) for n in range(30))]
    assert len(born(statements.with_columns(pl.Series("day", slowly)), vectors)) >= 27
    never_dated = statements.with_columns(day=pl.lit(None, pl.Date))
    assert len(born(never_dated, vectors)) >= 27


def test_what_mixes_a_little_is_a_theme_beside_an_old_one_and_the_rest_of_a_young_one() -> None:
    shifted = near(0, 30, 9)
    shifted[:, 5] += 0.3
    shifted /= np.linalg.norm(shifted, axis=1, keepdims=True)
    statements, vectors = store(*KNOWN, (shifted, None, range(500, 530)))
    assert births(statements, vectors).born.height >= 20
    assert births(statements, vectors, young=frozenset({"t0"})).born.is_empty()


# ---- the night that first finds themes


def swallowed(n_before: int) -> tuple[pl.DataFrame, np.ndarray]:
    """A theme that also holds thirty late statements of another thing, said before or not."""
    mixed = np.concatenate([near(0, 60, 3), near(5, n_before, 8), near(5, 30, 9)])
    rest = [(near(axis, 60, axis), f"t{axis}", range(60 * axis, 60 * axis + 60)) for axis in (1, 2)]
    statements, vectors = store((mixed, "t0", range(1000, 1090 + n_before)), *rest)
    day = pl.col("opinion_id").str.slice(2).cast(pl.Int64)
    is_mine = pl.col("theme_id") == "t0"
    is_late = is_mine & (day >= 60 + n_before)
    return (
        statements.with_columns(
            day=pl.when(is_late).then(pl.lit(TODAY)).otherwise(pl.lit(LONG_AGO) + pl.duration(days=day % 50)),
            may_move=is_late,
        ),
        vectors,
    )


def first_night(statements: pl.DataFrame, vectors: np.ndarray) -> set[str]:
    found = find_births(
        statements, vectors, young=frozenset(), min_opinions=10, min_authors=5, seed=1, is_first=True
    )
    return set(statements["opinion_id"].gather(found.born["row"].to_list())) if found.born.height else set()


def test_what_came_up_of_late_is_born_out_of_the_heart_of_a_theme() -> None:
    found = first_night(*swallowed(0))
    assert len(found) >= 27
    assert all(int(opinion[2:]) >= 60 for opinion in found)


def test_what_was_said_before_as_well_is_not_born_for_being_searched_late() -> None:
    assert first_night(*swallowed(60)) == set()


def test_a_theme_of_late_is_not_born_again() -> None:
    statements, vectors = store(*KNOWN, (near(5, 30, 9), "t5", range(500, 530)))
    is_late = pl.col("theme_id") == "t5"
    late = statements.with_columns(
        day=pl.when(is_late).then(pl.lit(TODAY)).otherwise("day"), may_move=is_late
    )
    assert first_night(late, vectors) == set()
