"""What exports under names of their own taught: scales in headers, private letters, counts, goods."""

from __future__ import annotations

import polars as pl
import pytest
from known_exports import EN, N, column, days, ids, keys, texts

from analytics.intake.guess import guess_source
from analytics.intake.guess_join import join_guess


def answers(header, values):
    return pl.DataFrame({"answer_id": ids("s"), "answer": texts(EN), header: column(*values)})


@pytest.mark.parametrize(
    ("header", "values", "scale"),
    [
        ("Weiterempfehlung (0-10)", "1 4 7 10", (0.0, 10.0)),
        ("How likely are you to recommend us?", "3 6 8 9", (0.0, 10.0)),
        ("Score (1 to 10)", "2 4 5 3", (1.0, 10.0)),
        ("Score", "1 2 4 5", (1.0, 5.0)),
    ],
)
def test_a_scale_in_the_header_holds_though_its_ends_were_not_seen(header, values, scale):
    guess = guess_source("umfrage", answers(header, values.split()))
    assert guess.columns["rating"].value == header
    assert guess.settings["rating_scale"].value == scale
    assert guess.settings["rating_scale"].is_sure


def test_numbers_outside_the_scale_in_the_header_are_not_called_sure_by_it():
    guess = guess_source("umfrage", answers("Score (1-5)", "1 4 8 10".split()))
    assert guess.settings["rating_scale"].value == (1.0, 10.0)
    assert "so says its name" not in guess.settings["rating_scale"].reason


def requests(**more):
    frame = {"Nachrichten-ID": ids("m"), "Nachricht": texts(EN), "Gesendet am": days(), **more}
    return pl.DataFrame(frame)


def test_requests_in_german_are_private_letters_of_threads():
    guess = guess_source("Export", requests(**{"Vorgangsnummer": keys("t", 11)}))
    assert guess.columns["thread"].value == "Vorgangsnummer"
    assert guess.columns["id"].value == "Nachrichten-ID"
    assert guess.settings["uses"].value == ("insight",)
    assert guess_source("Anfragen", requests()).settings["uses"].value == ("insight",)


def test_what_came_by_email_is_private_whatever_the_file_is_called():
    frame = {"id": ids("m"), "text": texts(EN), "channel": column("email", "email", "web")}
    mail = guess_source("export", pl.DataFrame(frame)).settings["uses"]
    assert mail.value == ("insight",)
    assert not mail.is_sure
    web = guess_source("export", pl.DataFrame(frame | {"channel": column("web", "web", "email")}))
    assert "uses" not in web.settings


def test_a_survey_that_asks_for_an_address_is_no_letter():
    people = column(*(f"p{nth}@example.org" for nth in range(9)))
    guess = guess_source("poll", pl.DataFrame({"answer": texts(EN), "Email": people}))
    assert guess.columns["user"].value == "Email"
    assert "uses" not in guess.settings


def test_a_count_is_no_item_though_its_numbers_are_ids_of_another_file():
    frame = pl.DataFrame({"id": ids("r"), "text": texts(EN), "num_helpful": column(*map(str, range(12)))})
    known = {"item": {"films": frozenset(map(str, range(50)))}}
    assert "item" not in join_guess(guess_source("reviews", frame), frame, known).columns


def test_goods_without_a_title_or_words_are_told():
    described = pl.DataFrame({"sku": ids("p"), "Blurb": texts(EN)})
    guess = guess_source("stock", described)
    assert guess.columns["text"].value == "Blurb"
    assert guess.notes == ("no column is a title: lists show the ids",)
    worded = pl.DataFrame({"sku": ids("p"), "Zeile": [f"Red kettle {nth % 3}" for nth in range(N)]})
    bare = guess_source("stock", worded)
    assert {"title", "text"}.isdisjoint(bare.columns)
    assert bare.notes == ("no column is named as its title or text; if 'Zeile' should be, map by hand",)
