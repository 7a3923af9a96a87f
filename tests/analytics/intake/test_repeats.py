from __future__ import annotations

from datetime import date, datetime, timedelta
from typing import Any

import numpy as np
import polars as pl
import pytest

from analytics.identity import hash_of
from analytics.intake.repeats import mark_repeats

LONG = " ".join(f"word{n}" for n in range(60))
DAY = date(2024, 3, 1)


def frame(rows: list[dict[str, Any]]) -> pl.DataFrame:
    """Documents in order of arrival, ids "0", "1" … unless said otherwise."""
    start = datetime(2024, 3, 1)
    full = [
        {"document_id": str(nth), "source": "mail", "author": None, "text": "", "day": DAY,
         "created_at": start + timedelta(seconds=nth)} | row
        for nth, row in enumerate(rows)
    ]  # fmt: skip
    schema = {"document_id": pl.String, "source": pl.String, "author": pl.String, "text": pl.String,
              "day": pl.Date, "created_at": pl.Datetime}  # fmt: skip
    documents = pl.DataFrame(full, schema=schema)
    return documents.with_columns(text_hash=pl.col("text").map_elements(hash_of, return_dtype=pl.String))


def reasons(rows: list[dict[str, Any]], **settings: int) -> list[tuple[str | None, str | None]]:
    marked = mark_repeats(frame(rows), **settings)
    by_id = {row["document_id"]: row for row in marked.iter_rows(named=True)}
    return [
        (by_id[i]["not_counted_reason"], by_id[i]["repeat_of"])
        for i in (row.get("document_id", str(nth)) for nth, row in enumerate(rows))
    ]


def changed(n_words: int) -> str:
    """LONG with its first words replaced: each changed word at the edge costs a shingle."""
    return " ".join(f"other{n}" for n in range(n_words)) + " " + " ".join(LONG.split()[n_words:])


def test_an_authors_repeat_counts_once_across_sources() -> None:
    rows = [
        {"author": "a", "text": "It leaks!"},
        {"author": "a", "text": "it  LEAKS", "source": "review"},
        {"author": "b", "text": "It leaks!"},
        {"author": "a", "text": "It leaks, badly."},
    ]
    assert reasons(rows) == [(None, None), ("repeat of its author", "0"), (None, None), (None, None)]


def test_the_first_is_the_earliest_and_then_the_smallest_id() -> None:
    at = datetime(2024, 3, 1)
    rows = [
        {"document_id": "z", "author": "a", "text": "same", "created_at": at},
        {"document_id": "m", "author": "a", "text": "same", "created_at": at},
        {"document_id": "a", "author": "a", "text": "same", "created_at": None},
    ]
    assert reasons(rows) == [("repeat of its author", "m"), (None, None), ("repeat of its author", "m")]


def test_signs_alone_are_texts_of_their_own() -> None:
    assert reasons([{"author": "a", "text": "!!!"}, {"author": "a", "text": "???"}]) == [(None, None)] * 2
    assert reasons([{"author": "a", "text": "👍"}, {"author": "a", "text": "👎"}]) == [(None, None)] * 2


def test_short_texts_of_different_or_unknown_authors_all_count() -> None:
    rows = [
        {"author": "a", "text": "Great"},
        {"author": "b", "text": "Great"},
        {"text": "Great"},
        {"text": "Great"},
    ]
    assert reasons(rows) == [(None, None)] * 4


@pytest.mark.parametrize(("n_changed", "is_copy"), [(0, True), (3, True), (6, True), (7, False), (30, False)])
def test_near_copies_of_long_texts_count_once(n_changed: int, is_copy: bool) -> None:
    """Of 58 shingles n changed words leave 58 - n in common: (58 - n) / (58 + n) >= .8 to n = 6."""
    rows = [
        {"author": "a", "text": LONG},
        {"author": "b", "text": changed(n_changed)},
        {"text": LONG.upper()},
    ]
    copy = ("near copy", "0") if is_copy else (None, None)
    assert reasons(rows) == [(None, None), copy, ("near copy", "0")]


def test_thirty_words_are_long_and_twenty_nine_are_not() -> None:
    for n_words, expected in ((30, ("near copy", "0")), (29, (None, None))):
        text = " ".join(LONG.split()[:n_words])
        assert reasons([{"author": "a", "text": text}, {"author": "b", "text": text}])[1] == expected


def test_a_repeat_of_a_copy_points_to_the_one_that_counts() -> None:
    rows = [
        {"author": a, "text": t}
        for a, t in [("a", LONG), ("b", changed(2)), ("b", changed(2)), ("c", changed(2))]
    ]
    assert reasons(rows) == [
        (None, None), ("near copy", "0"), ("repeat of its author", "0"), ("near copy", "0")
    ]  # fmt: skip


def test_copies_are_of_a_text_that_counts_and_not_of_a_chain() -> None:
    """The third is near the second, which is near the first; it is not near the first."""
    rows = [{"author": str(n), "text": changed(5 * n)} for n in range(3)]
    assert reasons(rows) == [(None, None), ("near copy", "0"), (None, None)]


def test_chinese_characters_count_as_words() -> None:
    text = "这个水壶漏水我已经联系了客服但是他们一直没有回复我希望可以尽快退款谢谢你们的帮助"
    assert reasons([{"author": "a", "text": text}, {"author": "b", "text": text + "。"}])[1] == (
        "near copy",
        "0",
    )


def test_one_author_counts_up_to_a_cap_in_a_source_on_a_day() -> None:
    rows = [{"author": "a", "text": f"text {n}"} for n in range(5)]
    rows += [
        {"author": "a", "text": "elsewhere", "source": "review"},
        {"author": "a", "text": "undated", "day": None},
    ]
    assert [reason for reason, _ in reasons(rows, max_per_author_day=3)] == [None] * 3 + [
        "flood of one author"
    ] * 2 + [None] * 2


def daily(counts: dict[int, int]) -> list[dict[str, Any]]:
    """So many documents on each day from DAY, their ids hashes as in a store."""
    return [
        {"document_id": hash_of([day, n]), "text": f"{day} {n}", "day": DAY + timedelta(days=day)}
        for day, count in counts.items()
        for n in range(count)
    ]


def n_flooded(counts: dict[int, int]) -> dict[int, int]:
    rows = daily(counts)
    flooded = [
        row["day"]
        for row, (reason, _) in zip(rows, reasons(rows), strict=True)
        if reason == "flood of one day"
    ]
    return {day: n for day in counts if (n := flooded.count(DAY + timedelta(days=day)))}


@pytest.mark.parametrize(
    ("counts", "flooded"),
    [
        (dict.fromkeys(range(28), 5) | {28: 51}, {28: 36}),  # more than ten medians: three count
        (dict.fromkeys(range(28), 5) | {28: 50}, {}),  # ten medians are not more than ten
        (dict.fromkeys(range(27), 5) | {27: 90}, {}),  # a day short of a history
        (dict.fromkeys(range(28), 4) | {28: 49}, {}),  # fewer than fifty
        ({0: 1, 40: 60}, {40: 50}),  # a median of nought is one; ten count at least
        ({0: 500}, {}),  # a first import
        ({day: 60 for day in range(0, 70, 7)}, {}),  # weekly batches
        (dict.fromkeys(range(28), 5) | {28: 80, 29: 90}, {28: 65, 29: 75}),  # a flood of two days
    ],
)
def test_a_flooded_day_counts_up_to_three_medians(counts: dict[int, int], flooded: dict[int, int]) -> None:
    assert n_flooded(counts) == flooded


def test_the_order_of_rows_does_not_matter() -> None:
    rng = np.random.default_rng(0)
    rows = [
        {
            "author": rng.choice(["a", "b", None]),
            "text": changed(int(rng.integers(0, 20))) if n % 2 else f"short {n}",
        }
        for n in range(200)
    ]
    documents = frame(rows)
    marked = mark_repeats(documents, max_per_author_day=3)
    assert marked["not_counted_reason"].n_unique() == 4  # none, repeats, copies and the author's flood
    for seed in range(3):
        assert mark_repeats(
            documents.sample(fraction=1, shuffle=True, seed=seed), max_per_author_day=3
        ).equals(marked)


def test_an_empty_store() -> None:
    assert mark_repeats(frame([])).shape == (0, 3)


def test_near_copies_are_found_at_the_threshold() -> None:
    """Of 400 pairs at .80 to .85 at most two may be missed, and none below .8 is marked."""
    rng = np.random.default_rng(1)
    vocabulary = np.array([f"v{n}" for n in range(5000)])
    rows: list[dict[str, Any]] = []
    for _ in range(400):
        words = rng.choice(vocabulary, 80, replace=False)
        near = [*(f"x{n}" for n in range(8)), *words[8:]]
        far = [*words[:70], *(f"y{n}" for n in range(10))]
        rows += [
            {"author": f"{len(rows)}{at}", "text": " ".join(text)}
            for at, text in enumerate([words, near, far])
        ]
    found = [reason for reason, _ in reasons(rows)]
    assert found[1::3].count("near copy") >= 398
    assert found[2::3].count("near copy") == 0
