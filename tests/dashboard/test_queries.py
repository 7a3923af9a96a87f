"""A rerun reads one generation, the published one, and nothing of an older one stays behind."""

import gc
import shutil
import weakref
from datetime import date
from pathlib import Path

import duckdb
import pytest
from small_store import SmallStore, sentences

from analytics.errors import NotPublished, StoreError
from analytics.store.read import Published
from dashboard import queries

FIRST, SECOND = date(2018, 5, 24), date(2018, 5, 25)


def test_nothing_published(store: SmallStore) -> None:
    with pytest.raises(NotPublished, match="nightloom run"):
        queries.pin_night(store.data_dir, 3)


def test_a_pinned_night_stays_and_the_next_pin_follows_the_pointer(store: SmallStore) -> None:
    store.publish(FIRST)
    before = queries.pin_night(store.data_dir, 3)
    store.publish(SECOND)
    after = queries.pin_night(store.data_dir, 3)
    assert queries.decisions(before)["sentence"].to_list() == sentences(FIRST)
    assert queries.decisions(after)["sentence"].to_list() == sentences(SECOND)
    assert (before.as_of, after.as_of) == (FIRST, SECOND)


def test_one_open_generation_is_shared_and_an_older_one_closes_with_its_last_reader(
    store: SmallStore,
) -> None:
    store.publish(FIRST)
    before = queries.pin_night(store.data_dir, 3)
    assert queries.pin_night(store.data_dir, 3).published is before.published
    opened = weakref.ref(before.published)
    store.publish(SECOND)
    queries.pin_night(store.data_dir, 3)
    assert opened() is not None
    del before
    gc.collect()
    assert opened() is None


def test_rows_are_read_once_and_forgotten_with_their_generation(
    store: SmallStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[str] = []
    query = Published.query

    def counted(self: Published, sql: str, **values: object) -> object:
        asked.append(self.generation)
        return query(self, sql, **values)

    monkeypatch.setattr(Published, "query", counted)
    first = store.publish(FIRST)
    for _ in range(3):
        queries.themes(queries.pin_night(store.data_dir, 3))
    assert asked == [first.generation]
    second = store.publish(SECOND)
    queries.themes(queries.pin_night(store.data_dir, 3))
    store.point_at(first)
    queries.themes(queries.pin_night(store.data_dir, 3))
    assert asked == [first.generation, second.generation, first.generation]


def test_a_store_made_anew_under_the_same_names_is_read_anew(
    store: SmallStore, tmp_path: Path, shelf: Path
) -> None:
    store.publish(FIRST)
    anew = SmallStore(tmp_path / "anew", shelf)
    anew.publish(FIRST, n_documents=80)
    assert queries.coverage(queries.pin_night(store.data_dir, 3))["n_documents"] == 60
    shutil.rmtree(store.data_dir)
    anew.data_dir.rename(store.data_dir)
    assert queries.coverage(queries.pin_night(store.data_dir, 3))["n_documents"] == 80


def test_a_damaged_generation_is_one_line(store: SmallStore) -> None:
    entry = store.publish(FIRST)
    with duckdb.connect(str(store.published / entry.generation / "insights.duckdb")) as connection:
        connection.execute("DROP VIEW decision_board")
    with pytest.raises(StoreError, match=r"cannot be read.*nightloom publish --rollback") as caught:
        queries.decisions(queries.pin_night(store.data_dir, 3))
    assert "\n" not in str(caught.value)


def test_what_too_few_authors_stand_behind_is_not_read(store: SmallStore) -> None:
    store.publish(FIRST)
    few, many = (queries.pin_night(store.data_dir, n) for n in (3, 18))
    assert (queries.decisions(few)["rank"].to_list(), queries.decisions(many)["rank"].to_list()) == (
        [1, 2, 3],
        [1, 2],
    )
    assert (queries.themes(few).height, queries.themes(many).height) == (6, 3)


def test_a_week_of_too_few_authors_shows_no_figure(store: SmallStore) -> None:
    store.publish(FIRST)
    night = queries.pin_night(store.data_dir, 3)
    battery = queries.decisions(night).row(0, named=True)["theme_id"]
    weeks = queries.weeks(night, battery)
    assert weeks.height == 12
    hidden = weeks.filter(weeks["share"].is_null())
    assert hidden["window_end"].to_list() == [date(2018, 4, 26)]
    assert hidden.select("n_documents", "share_low", "share_high").row(0) == (None, None, None)
    looser = queries.weeks(queries.pin_night(store.data_dir, 2), battery)
    assert looser["share"].null_count() == 0


def test_segments_and_their_weeks(store: SmallStore) -> None:
    store.publish(FIRST)
    night = queries.pin_night(store.data_dir, 3)
    assert queries.segments(night).rows() == [("channel", "shop"), ("channel", "web")]
    price = queries.themes(night).row(0, named=True)["theme_id"]
    assert queries.weeks(night, price, ("channel", "web"))["n_covered"].to_list() == [30] * 12
    assert queries.weeks(night, price, source="reviews")["n_covered"].to_list() == [60] * 12
    nowhere = queries.weeks(night, price, ("channel", "web"), "reviews")
    assert (nowhere.height, nowhere["n_covered"].null_count()) == (12, 12)


def test_cells_of_a_filter_and_what_they_hide(store: SmallStore) -> None:
    store.publish(FIRST)
    night = queries.pin_night(store.data_dir, 3)
    assert (queries.theme_sources(night), queries.window_lengths(night)) == (["reviews"], [1, 4])
    shop = queries.theme_cells(night, ("channel", "shop"), n_weeks=4)
    assert shop["name"].to_list() == queries.themes(night)["name"].to_list()
    hidden = shop.filter(shop["share"].is_null())
    assert hidden["name"].to_list() == ["delivery · late · week"]
    figures = ["n_documents_in", "n_covered", "share_low", "share_high", "typical_quote"]
    assert hidden.select(figures).row(0) == (None,) * 5
    shown = shop.drop_nulls("share")
    assert shown["n_covered"].to_list() == [80] * 5
    # Of the shop are documents 0, 3, 6 …; in its last four weeks those of themes 0, 1, 3 and 4 speak.
    assert shown.sort("n_documents")["typical_quote"].is_null().to_list() == [False, False, True, False, True]
    assert queries.theme_cells(night, ("channel", "fax"))["share"].null_count() == 6
    everything = queries.theme_cells(night)
    assert everything["typical_quote"].equals(queries.themes(night)["typical_quote"])
    assert queries.theme_cells(queries.pin_night(store.data_dir, 18))["share"].null_count() > 0


def test_what_the_figures_stand_on(store: SmallStore) -> None:
    """60 documents, every 20th not analysed, two statements in each other; 5 in each of 12 weeks."""
    store.publish(FIRST)
    night = queries.pin_night(store.data_dir, 3)
    assert queries.coverage(night) == {
        "n_documents": 60,
        "n_covered": 57,
        "n_not_analysed": 3,
        "n_not_counted": 0,
        "n_waiting_to_be_read": 0,
        "n_opinions": 114,
        "n_themes": 6,
        "n_themes_held_back": 0,
        "n_decisions": 3,
    }
    weeks = queries.activity(night)
    assert weeks["week_end"].to_list()[-1] == FIRST
    assert weeks["week_start"].to_list()[-1] == date(2018, 5, 18)
    assert weeks["n_documents"].to_list() == [0] + [5] * 12
    assert (weeks["n_covered"].sum(), weeks["n_opinions"].sum()) == (57, 114)
    runs = queries.runs(night)
    assert runs["as_of"].to_list() == [date(2018, 5, 17), FIRST]
    assert runs.select("n_new_covered", "n_new_opinions", "n_new_themes").rows() == [(0, 0, 0), (57, 114, 6)]


def test_quotes_stand_under_their_decision_with_the_document_they_were_cut_from(store: SmallStore) -> None:
    store.publish(FIRST)
    night = queries.pin_night(store.data_dir, 3)
    quotes = queries.quotes(night)
    assert quotes.height == 9
    assert quotes["may_quote"].value_counts().sort("may_quote").rows() == [(False, 2), (True, 7)]
    for row in quotes.iter_rows(named=True):
        if row["may_quote"]:
            assert row["text"][row["start"] : row["end"]] == row["quote"]
        else:
            assert row["text"] is row["quote"] is None
        assert (row["item_title"].startswith("Kettle"), row["rating"] in range(1, 6)) == (True, True)


def test_what_a_run_says_about_itself(store: SmallStore) -> None:
    store.publish(FIRST)
    night = queries.pin_night(store.data_dir, 3)
    assert queries.quality(night)["value"].to_list() == [857.0, 0.81, 0.79, 0.62]
    assert queries.ledger(night)["n_calls"].to_list() == [7]
    assert queries.quarantine(night).rows() == [("reviews", "no text", 2)]


def test_a_brief_has_its_sentences_and_what_they_rest_on(store: SmallStore) -> None:
    store.publish(FIRST)
    night = queries.pin_night(store.data_dir, 3)
    told = queries.brief(night, "night", "")
    assert told["voice"].to_list() == ["figures", "representative", "dissent"]
    rests = queries.brief_quotes(night, "night", "")
    assert rests["nth"].to_list() == [1, 2]
    assert all(row["text"][row["start"] : row["end"]] == row["quote"] for row in rests.iter_rows(named=True))
    assert queries.brief(night, "theme", "none").is_empty()
