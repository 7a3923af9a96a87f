"""Guesses from headers and values of many exports; the frames are typed here, the answers known by hand."""

from __future__ import annotations

from itertools import cycle, islice

import polars as pl
import pytest
from known_exports import DE, EN, EXPORTS, FR, JA, KO, RU, STARS, ZH, N, column, days, ids, keys, texts
from more_exports import MORE_EXPORTS

from analytics.intake.guess import guess_source
from analytics.intake.guess_join import join_guess


def mapping(guess):
    return {role: one.value for role, one in guess.columns.items() if role != "segments"}


ALL_EXPORTS = EXPORTS | MORE_EXPORTS


@pytest.mark.parametrize("export", ALL_EXPORTS)
def test_headers_of_well_known_exports_are_mapped(export):
    stem, columns, kind, expected = ALL_EXPORTS[export]
    guess = guess_source(stem, pl.DataFrame(columns))
    assert guess.kind.value == kind
    assert guess.kind.is_sure, guess.kind
    found = mapping(guess)
    assert {role: found.get(role) for role in expected} == expected
    # What else was mapped is said to be unsure.
    assert all(role in expected or not guess.columns[role].is_sure for role in found), guess.columns
    assert guess.problem is None
    unsure = {role for role in expected if not guess.columns[role].is_sure}
    assert not unsure, {role: guess.columns[role] for role in unsure}


# Intercom's writers stand in two columns, of which values alone tell the other.
_BARE = [name for name in ALL_EXPORTS if ALL_EXPORTS[name][2] == "documents" and name != "intercom"]


@pytest.mark.parametrize("export", _BARE)
def test_without_headers_nothing_wrong_is_sure(export):
    _, columns, _, expected = ALL_EXPORTS[export]
    names = {f"col{nth}": name for nth, name in enumerate(columns, 1)}
    bare = pl.DataFrame(dict(zip(names, columns.values(), strict=True)))
    guess = guess_source("export", bare)
    for role, one in guess.columns.items():
        if role != "segments" and one.is_sure:
            assert names[one.value] == expected.get(role), (role, names[one.value])
    assert names[guess.columns["text"].value] == expected["text"]


def bare_reviews(n_users=29):
    frame = {"c1": ids("r"), "c2": keys("x", n_users), "c3": keys("y", 19), "c4": texts(EN)}
    return pl.DataFrame(frame)


def test_ids_of_other_files_settle_who_and_what():
    frame = bare_reviews()
    known = {"item": {"goods": frozenset(keys("x", 29))}, "user": {"people": frozenset(keys("y", 19))}}
    joined = join_guess(guess_source("export", frame), frame, known)
    assert mapping(joined) == {"id": "c1", "text": "c4", "item": "c2", "user": "c3"}
    assert joined.columns["item"].is_sure
    assert joined.columns["user"].is_sure
    assert "100% of its values are ids of 'goods'" in joined.columns["item"].reason


def test_ids_that_stand_in_both_files_are_given_where_they_fit_best():
    # Users 000–018 and items 000–028: every user's id is an item's id too.
    frame = pl.DataFrame({"c1": ids("r"), "c2": keys("", 29), "c3": keys("", 19), "c4": texts(EN)})
    known = {"item": {"goods": frozenset(keys("", 29))}, "user": {"people": frozenset(keys("", 19))}}
    joined = join_guess(guess_source("export", frame), frame, known)
    assert (joined.columns["item"].value, joined.columns["user"].value) == ("c2", "c3")


def test_a_name_that_the_other_file_contradicts_becomes_unsure():
    frame = pl.DataFrame(
        {"id": ids("r"), "user_id": keys("u", 29), "product_id": keys("y", 19), "text": texts(EN)}
    )
    guess = guess_source("reviews", frame)
    assert guess.columns["item"].is_sure
    joined = join_guess(guess, frame, {"item": {"goods": frozenset(keys("sku-", 19))}})
    assert joined.columns["item"].value == "product_id"
    assert not joined.columns["item"].is_sure
    assert joined.columns["user"] == guess.columns["user"]


@pytest.mark.parametrize(
    ("values", "scale", "is_sure"),
    [
        (["1", "5", "3"], (1.0, 5.0), True),
        (["0.5", "5", "3.5"], (0.5, 5.0), True),
        (["0", "10", "7"], (0.0, 10.0), True),
        (["1", "10", "8"], (1.0, 10.0), True),
        (["0.1", "1", "0.5"], (0.0, 1.0), True),
        (["0", "100", "55"], (0.0, 100.0), True),
        (["-1", "1", "0"], (-1.0, 1.0), True),
        (["3", "4", "4"], (1.0, 5.0), False),
        (["0", "1", "1"], (0.0, 1.0), False),
        (["0", "5", "3"], (0.0, 5.0), False),
    ],
)
def test_the_scale_of_ratings_is_read_from_their_values(values, scale, is_sure):
    frame = pl.DataFrame({"id": ids("r"), "text": texts(EN), "rating": column(*values)})
    guess = guess_source("reviews", frame)
    assert guess.columns["rating"].value == "rating"
    assert guess.settings["rating_scale"].value == scale
    assert guess.settings["rating_scale"].is_sure is is_sure


def test_a_slip_among_many_ratings_does_not_stretch_their_scale():
    ratings = ["11", *islice(cycle(["1", "3", "5"]), 399)]
    frame = pl.DataFrame(
        {"id": [f"r{nth}" for nth in range(400)], "text": (texts(EN) * 10), "rating": ratings}
    )
    scale = guess_source("reviews", frame).settings["rating_scale"]
    assert scale.value == (1.0, 5.0)
    assert "some from 1 to 11" in scale.reason


@pytest.mark.parametrize(
    ("times", "others", "zone", "is_sure", "told"),
    [
        (days("{y}-{m:02d}-{d:02d}T09:00:01+02:00"), {}, "UTC", True, "its own offset"),
        ([str(1_700_000_000 + nth) for nth in range(N)], {}, "UTC", True, "since 1970"),
        (days("{y}-{m:02d}-{d:02d} 09:00:01"), {}, "UTC", False, "no zone; UTC assumed"),
        (days(), {}, "UTC", False, "no clock and no zone"),
        (
            days("{y}-{m:02d}-{d:02d} 09:00:01"),
            {"timezone": column("Europe/Berlin")},
            "Europe/Berlin",
            True,
            "every row",
        ),
        (
            days("{y}-{m:02d}-{d:02d} 09:00:01"),
            {"timezone": column("Asia/Tokyo", "UTC")},
            "Asia/Tokyo",
            False,
            "others",
        ),
    ],
)
def test_a_time_zone_is_sure_only_where_the_file_says_it(times, others, zone, is_sure, told):
    frame = pl.DataFrame({"id": ids("r"), "text": texts(EN), "created_at": times, **others})
    guess = guess_source("reviews", frame).settings["time_zone"]
    assert (guess.value, guess.is_sure) == (zone, is_sure)
    assert told in guess.reason


def test_days_and_months_that_cannot_be_told_apart_are_unsure():
    frame = {"id": ids("r"), "text": texts(EN)}
    known = pl.DataFrame({**frame, "date": days("{d:02d}/{m:02d}/{y}")})
    assert "day first" in guess_source("reviews", known).columns["created_at"].reason
    either = pl.DataFrame({**frame, "date": column("03/04/2024", "05/06/2024")})
    guess = guess_source("reviews", either).columns["created_at"]
    assert not guess.is_sure
    assert "which number is the day" in guess.reason


def test_a_language_is_read_from_the_texts():
    for base, language in (
        (EN, "en"),
        (DE, "de"),
        (FR, "fr"),
        (ZH, "zh"),
        (JA, "ja"),
        (KO, "ko"),
        (RU, "ru"),
    ):
        guess = guess_source("reviews", pl.DataFrame({"id": ids("r"), "text": texts(base)}))
        assert guess.settings["language"].value == language
    mixed = guess_source("reviews", pl.DataFrame({"id": ids("r"), "text": texts([*EN, *DE])}))
    assert "language" not in mixed.settings or not mixed.settings["language"].is_sure


def test_what_is_no_source_is_said_to_be_none():
    judged = pl.DataFrame({"query_id": keys("q", 9), "doc_id": keys("d", 30), "relevance": column("0", "1")})
    assert guess_source("qrels", judged).kind.value is None
    lists = pl.DataFrame({"item_id": ids(), "reviews": [["one text", "another"]] * N})
    guess = guess_source("summaries", lists)
    assert guess.kind.value is None
    assert "'reviews' holds lists" in guess.problem


def test_a_first_line_of_values_is_told_from_one_of_names():
    values = pl.DataFrame({"1000": ids(), "It broke.": texts(EN), "5": STARS, "2024-01-05": days()})
    guess = guess_source("export", values)
    assert guess.kind.value is None
    assert "holds values, not names" in guess.problem
    counted = pl.DataFrame({"0": ids(), "1": texts(EN), "2": STARS})
    assert guess_source("export", counted).columns["text"].value == "1"


@pytest.mark.parametrize(
    ("others", "is_id"),
    [
        ({}, False),
        ({"seconds to write": [str(60 + nth * 13) for nth in range(N)]}, False),
        ({"sent in epoch": [str(1_704_103_651 + nth * 86_413) for nth in range(N)]}, False),
        ({"running": [str(nth) for nth in range(N)]}, True),
        ({"long": [str(9_804_411 + nth * 977) for nth in range(N)]}, True),
    ],
)
def test_texts_without_an_id_are_a_source_and_say_what_that_means(others, is_id):
    guess = guess_source("reviews", pl.DataFrame({"reviewText": texts(EN), "overall": STARS, **others}))
    assert guess.kind.value == "documents"
    assert guess.problem is None
    assert ("id" in guess.columns) is is_id
    assert any("a changed row counts as new" in note for note in guess.notes) is not is_id


BETTER, BEST = "What could we do better?", "What do you like best about our shop?"


def test_a_question_as_a_header_is_the_question_of_the_texts():
    frame = pl.DataFrame({"#": ids("q"), BETTER: texts(EN)})
    guess = guess_source("responses", frame)
    assert mapping(guess) == {"id": "#", "text": BETTER}
    assert (guess.settings["question"].value, guess.settings["question"].is_sure) == (BETTER, True)
    assert "named by the question" in guess.settings["question"].reason


def test_of_several_questions_the_fullest_is_mapped_and_the_others_are_named():
    seldom = [text if nth % 3 else None for nth, text in enumerate(texts(EN))]
    guess = guess_source("responses", pl.DataFrame({"#": ids("q"), BEST: seldom, BETTER: texts(EN)}))
    assert guess.columns["text"].value == BETTER
    assert not guess.columns["text"].is_sure
    assert f"it could as well be {BEST!r}" in guess.columns["text"].reason
    assert not guess.settings["question"].is_sure
    assert any(BEST in note and "holds text too" in note for note in guess.notes)


@pytest.mark.parametrize(
    ("asked", "values", "is_sure"),
    [
        ("How satisfied are you with us?", STARS, True),
        ("How satisfied are you with us?", column("40", "75", "90"), False),
        ("How many people work in your team?", STARS, None),
        ("How old are you?", STARS, None),
    ],
)
def test_an_answer_in_numbers_is_a_rating_unless_a_count_was_asked_for(asked, values, is_sure):
    guess = guess_source("responses", pl.DataFrame({"#": ids("q"), asked: values, BETTER: texts(EN)}))
    rating = guess.columns.get("rating")
    assert (rating and rating.is_sure) is is_sure


def test_notes_beside_orders_do_not_make_them_texts():
    columns = MORE_EXPORTS["shopify"][1]
    notes = [f"Please leave it at number {nth}, and do ring twice, thank you." for nth in range(N)]
    guess = guess_source("sales", pl.DataFrame({**columns, "Notes": notes}))
    assert not guess.kind.is_sure
