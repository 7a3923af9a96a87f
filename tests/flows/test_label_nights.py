"""Labels: drawn with a probability, answered in a file or at a terminal, counted by the next night."""

from __future__ import annotations

import csv
import sqlite3
from datetime import timedelta

import pytest
from conftest import DAY, Shop

from analytics.errors import ActRefused
from analytics.settings import load_settings
from analytics.store.labels import read_labels
from analytics.store.read import open_published
from flows.label_commands import tell_asked, tell_draw, tell_read
from flows.people_commands import tell_erasure


def query(shop: Shop, sql: str):
    published = open_published(shop.data_dir)
    try:
        return published.query(sql)
    finally:
        published.close()


def answer(path, word) -> list[dict[str, str]]:
    """Fill the answers of a drawn file: `word` of the number of each row."""
    with path.open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    for number, row in enumerate(rows):
        row["says_it"] = word(number)
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, list(rows[0]))
        writer.writeheader()
        writer.writerows(rows)
    return rows


def test_without_labels_a_share_is_the_counted_one_and_says_so(shop: Shop) -> None:
    shares = query(shop, "SELECT * FROM share")
    assert shares.height
    assert set(shares["correction"]) == {"none"}
    assert shares["share"].equals(shares["share_raw"], check_names=False)
    assert set(shares["n_labels"]) == {0}
    assert query(
        shop, "SELECT * FROM share ANTI JOIN theme ON is_shown AND theme.theme_id = share.theme_id"
    ).is_empty()


def test_labels_go_from_a_draw_through_a_file_into_the_next_nights_shares(
    shop: Shop, run_night, tmp_path
) -> None:
    settings, file = load_settings(shop.config), tmp_path / "labels.csv"
    text, drawn = tell_draw(settings, 60, None, file)
    assert drawn["n_drawn"] == 60
    assert str(file) in text
    pairs = read_labels(shop.store.state)
    assert pairs["is_placed"].sum() == 30
    assert pairs["probability"].is_between(0, 1, closed="right").all()
    rows = answer(file, lambda number: ("YES", "n", "", "1")[number % 4])
    assert {row["text"] for row in rows} <= set(
        query(shop, "SELECT text FROM document WHERE may_quote")["text"]
    )
    text, read = tell_read(settings, file)
    assert read == {"n_labels": 45, "n_yes": 30, "n_blank": 15}
    assert "left out 15 empty rows" in text
    run_night(shop, DAY + timedelta(days=1))
    shares = query(shop, "SELECT * FROM share")
    assert set(shares["correction"]) <= {"labels", "pooled"}
    assert 0 < shares["n_labels"].sum() <= 45  # a document whose theme is shown no more has none here
    assert (shares["share_low"] <= shares["share"]).all()
    assert (shares["share"] <= shares["share_high"]).all()
    parts = query(shop, "SELECT DISTINCT c.correction FROM theme_cell AS c JOIN share USING (theme_id)")
    assert parts["correction"].to_list() == ["inherited"]


def test_the_state_holds_ids_and_probabilities_and_no_text(shop: Shop, tmp_path) -> None:
    tell_draw(load_settings(shop.config), 20, None, tmp_path / "labels.csv")
    with sqlite3.connect(shop.data_dir / "state.sqlite") as connection:
        contents = connection.execute("SELECT content FROM entry WHERE kind = 'label_drawn'").fetchall()
    assert len(contents) == 20
    texts = query(shop, "SELECT text FROM document")["text"].to_list()
    assert not any(text and text[:30] in content for (content,) in contents for text in texts)


def test_a_draw_leaves_out_what_was_drawn_before(shop: Shop) -> None:
    settings = load_settings(shop.config)
    theme = query(shop, "SELECT name FROM theme_board LIMIT 1")["name"].item()
    tell_draw(settings, 10, theme, None)
    tell_draw(settings, 10, theme, None)
    pairs = read_labels(shop.store.state)
    assert pairs["pair_id"].n_unique() == pairs.height == 20
    assert pairs["theme_id"].n_unique() == 1


def test_a_source_that_does_not_grant_quote_is_never_written_out(shop: Shop, run_night, tmp_path) -> None:
    config = shop.config.read_text()
    shop.config.write_text(config.replace('absent = "delete"', 'absent = "delete"\nuses = ["insight"]', 1))
    run_night(shop, DAY + timedelta(days=1))
    with pytest.raises(ActRefused, match=r'nothing can be drawn.*add "quote"'):
        tell_draw(load_settings(shop.config), 10, None, tmp_path / "labels.csv")
    assert not (tmp_path / "labels.csv").exists()


def test_a_bad_answer_is_one_line_with_file_and_row_and_records_nothing(shop: Shop, tmp_path) -> None:
    settings, file = load_settings(shop.config), tmp_path / "labels.csv"
    tell_draw(settings, 10, None, file)
    answer(file, lambda number: "perhaps" if number == 3 else "yes")
    with pytest.raises(ActRefused, match=r"labels\.csv, row 5: says_it is 'perhaps'.*write yes or no"):
        tell_read(settings, file)
    file.write_text("pair_id,says_it\nabc,yes\n")
    with pytest.raises(ActRefused, match=r"row 2: pair_id 'abc' was not drawn"):
        tell_read(settings, file)
    file.write_text("pair,answer\n")
    with pytest.raises(ActRefused, match="no column pair_id"):
        tell_read(settings, file)
    with pytest.raises(ActRefused, match=r"nowhere\.csv cannot be read"):
        tell_read(settings, tmp_path / "nowhere.csv")
    assert read_labels(shop.store.state)["says_it"].null_count() == 10


def test_at_a_terminal_one_after_the_other_is_asked_until_the_person_quits(shop: Shop) -> None:
    settings = load_settings(shop.config)
    tell_draw(settings, 6, None, None)
    words = iter(["y", "what?", "No", "skip", "q"])
    _, asked = tell_asked(settings, lambda question: next(words))
    assert asked == {"n_labels": 2, "n_skipped": 1, "n_waiting": 4}
    assert read_labels(shop.store.state)["says_it"].drop_nulls().sort().to_list() == [False, True]
    with pytest.raises(ActRefused, match="no terminal"):
        tell_asked(settings)


def test_labels_of_an_erased_document_go(shop: Shop) -> None:
    settings = load_settings(shop.config)
    tell_draw(settings, 20, None, None)
    document = read_labels(shop.store.state)["document_id"][0]
    tell_asked(settings, lambda question: "y")
    tell_erasure(settings, None, document)
    left = read_labels(shop.store.state)
    assert document not in left["document_id"].to_list()
    assert left.height < 20
    with sqlite3.connect(shop.data_dir / "state.sqlite") as connection:
        held = connection.execute("SELECT content FROM entry WHERE kind <> 'tombstone'").fetchall()
        n_answers = connection.execute("SELECT count(*) FROM entry WHERE kind = 'labelled'").fetchone()[0]
    assert not any(document in content for (content,) in held)
    assert n_answers == left.height
