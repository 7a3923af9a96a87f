"""Promises 1 and 3 on a small store: only new work costs, readers never see half a night."""

from __future__ import annotations

import json
import shutil
from datetime import date, timedelta

import polars as pl
import pytest

from analytics.errors import NotPublished, SettingsError
from analytics.settings import load_settings
from analytics.store.generation import digests, roll_back
from analytics.store.pointer import read_pointer
from analytics.store.read import open_published
from flows.publish import rebuild, restore

DAY = date(2026, 6, 30)


def query(shop, sql, database="insights"):
    published = open_published(shop.data_dir, database)
    try:
        return published.query(sql)
    finally:
        published.close()


def active(shop):
    return shop.data_dir / "published" / read_pointer(shop.data_dir / "published").active.generation


def same_but_for_the_run(shop, older, newer):
    """Tables of two generations that differ, leaving out those that tell about the run itself."""
    told = {"run", "ledger", "quality", "quarantine"}
    published = shop.data_dir / "published"
    one, two = digests(published / older), digests(published / newer)
    return {name for name in one if one[name] != two[name]} - told


def test_the_first_night_publishes_what_the_store_says(first_night):
    shop, said = first_night
    assert said["is_published"]
    assert said["n_documents"] == said["n_new"] == 160
    assert said["model_calls"] > 160
    assert said["degraded"] == []
    assert query(shop, "SELECT count(*) AS n FROM document")["n"].item() == 160
    assert query(shop, "SELECT count(*) AS n FROM theme WHERE is_shown")["n"].item() >= 3
    board = query(shop, "SELECT * FROM decision_board")
    assert board["rank"].to_list() == list(range(1, board.height + 1))
    assert board.height >= 1
    quotes = query(shop, "SELECT decision_id, count(*) AS n FROM decision_quote GROUP BY ALL")
    assert set(quotes["decision_id"]) == set(board["decision_id"])
    lists = query(
        shop,
        'SELECT user_id, count(*) AS n, max("rank") AS last FROM recommendation GROUP BY ALL',
        "customers",
    )
    assert (lists["n"] == lists["last"]).all()
    assert lists["n"].max() == 10


def test_every_row_says_which_recipe_made_it(first_night):
    shop, _ = first_night
    for table, column in (
        ("document", "clean_recipe"),
        ("opinion", "opinion_recipe"),
        ("opinion", "embedding_recipe"),
        ("opinion", "sentiment_recipe"),
        ("theme", "theme_recipe"),
    ):
        recipes = query(shop, f"SELECT DISTINCT {column} AS r FROM {table}")["r"].to_list()
        assert len(recipes) == 1, (table, column)
        assert len(recipes[0]) == 32


def test_a_night_with_nothing_new_makes_no_call_and_loads_no_model(shop, run_night, monkeypatch):
    def never(*_):
        raise AssertionError("a quiet night loaded a model")

    monkeypatch.setattr("flows.steps.load_embedder", never)
    monkeypatch.setattr("flows.steps.fit_sentiment_head", never)
    before = active(shop).name
    said = run_night(shop)
    assert (said["model_calls"], said["n_new"]) == (0, 0)
    assert active(shop).name == said["generation"] != before
    changed = same_but_for_the_run(shop, before, said["generation"])
    assert changed <= {"opinion_theme", "brief", "recommendation_check"}, "lists have a night before now"
    assert shop.store.lake.ledger(said["run_id"])["n_calls"].sum() == 0


def test_a_few_new_documents_cost_what_they_hold_and_old_opinions_keep_their_themes(shop, run_night):
    before = query(shop, "SELECT opinion_id, theme_id FROM opinion_theme ORDER BY ALL")
    themes = query(shop, "SELECT theme_id, name FROM theme ORDER BY ALL")
    new = {
        **shop.reviews[-1],
        "review_id": "new-1",
        "headline": "",
        "body": "The lid of this kettle leaks badly. Xyz qrs tuv.",
    }
    shop.reviews = [*shop.reviews, new]
    said = run_night(shop)
    assert (said["n_documents"], said["n_new"], said["model_calls"]) == (161, 1, 2)
    after = query(shop, "SELECT opinion_id, theme_id FROM opinion_theme ORDER BY ALL")
    assert before.join(after, on=["opinion_id", "theme_id"], how="anti").is_empty()
    assert query(shop, "SELECT theme_id, name FROM theme ORDER BY ALL").equals(themes)


def test_a_changed_rating_is_a_new_version_and_costs_no_call(shop, run_night):
    first, *rest = shop.reviews
    shop.reviews = [{**first, "stars": 6 - first["stars"] if first["stars"] != 3 else 4}, *rest]
    said = run_night(shop)
    run = query(shop, f"SELECT * FROM run WHERE run_id = '{said['run_id']}'").row(0, named=True)
    assert (run["n_new"], run["n_changed"], run["model_calls"]) == (0, 1, 0)


def test_identical_texts_are_embedded_once(shop, run_night):
    bodies = [f"A wholly new sentence number {n // 3} about nothing much" for n in range(30)]
    extra = [
        {**shop.reviews[-1], "review_id": f"x{n}", "headline": "", "body": body}
        for n, body in enumerate(bodies)
    ]
    shop.reviews = [*shop.reviews, *extra]
    said = run_night(shop)
    assert (said["n_new"], said["model_calls"]) == (30, 10)


def test_a_row_that_is_gone_is_deleted_where_the_source_says_so(shop, run_night):
    gone, *left = shop.reviews
    shop.reviews = left
    said = run_night(shop)
    assert said["n_documents"] == 159
    ids = query(shop, "SELECT source_id FROM document")["source_id"]
    assert gone["review_id"] not in ids.to_list()


def test_an_id_twice_in_one_scan_last_wins_and_the_other_is_quarantined(shop, run_night):
    twice = {**shop.reviews[0], "body": "The second telling of the same review counts."}
    shop.reviews = [*shop.reviews, twice]
    said = run_night(shop)
    assert (said["n_documents"], said["n_quarantined"]) == (160, 1)
    row = query(shop, "SELECT * FROM quarantine").row(0, named=True)
    assert (row["position"], row["source"]) == (1, "reviews")
    assert "comes again at 161" in row["reason"]
    text = query(shop, f"SELECT text FROM document WHERE source_id = '{twice['review_id']}'")["text"].item()
    assert "second telling" in text


def test_days_end_in_the_store_s_time_zone_and_the_future_waits(shop, run_night):
    late = [
        {**shop.reviews[-1], "review_id": "before-midnight", "written_at": "2026-06-30T23:59:00"},
        {**shop.reviews[-1], "review_id": "after-midnight", "written_at": "2026-07-01T00:01:00"},
        {**shop.reviews[-1], "review_id": "in-utc", "written_at": "2026-06-30T22:30:00Z"},
        {**shop.reviews[-1], "review_id": "no-date", "written_at": None},
    ]
    shop.reviews = [*shop.reviews, *late]
    said = run_night(shop)
    ids = query(shop, "SELECT source_id, day FROM document WHERE source_id LIKE '%-%'")
    days = dict(ids.rows())
    assert days["before-midnight"] == DAY
    assert days["no-date"] is None
    assert not {"after-midnight", "in-utc"} & set(days)
    run = query(shop, f"SELECT * FROM run WHERE run_id = '{said['run_id']}'").row(0, named=True)
    assert (run["n_waiting"], run["n_undated"]) == (2, 1)
    assert run_night(shop, DAY + timedelta(days=1))["n_new"] == 2


def test_a_document_in_a_language_no_model_reads_is_counted_as_not_analysed(shop, run_night):
    config = shop.config.read_text().replace('rating = "stars"', 'rating = "stars"\nlanguage = "language"')
    shop.config.write_text(config)
    german = {
        **shop.reviews[-1],
        "review_id": "de-1",
        "language": "de-AT",
        "body": "Der Deckel ist leider undicht.",
    }
    shop.reviews = [{**review, "language": None} for review in shop.reviews] + [german]
    said = run_night(shop)
    assert (said["n_documents"], said["n_not_analysed"], said["model_calls"]) == (161, 1, 0)
    row = query(shop, "SELECT * FROM document WHERE source_id = 'de-1'").row(0, named=True)
    assert (row["is_analysed"], row["not_analysed_reason"]) == (False, "language de")
    assert (
        query(shop, "SELECT sum(n_covered) AS n FROM document_day WHERE segment_name = 'all'")["n"].item()
        == 160
    )


def test_a_store_that_no_model_reads_is_published_with_nothing_analysed(tmp_path, first_night, run_night):
    shop = first_night[0].copy(tmp_path / "foreign")
    shutil.rmtree(shop.data_dir)
    shop.reviews = [
        {**review, "headline": None, "body": f"이 주전자의 뚜껑에서 물이 새고 손잡이도 너무 뜨거워요. {n}"}
        for n, review in enumerate(shop.reviews)
    ]
    said = run_night(shop)
    assert (said["n_documents"], said["n_not_analysed"]) == (160, 160)
    assert said["model_calls"] == 41, "the items alone"
    assert said["degraded"] == [
        "no theme is made: 100 % of the documents are in language ko, which the embedding model does not "
        "read; set model under [embedding] to one that does"
    ]
    assert query(shop, "SELECT count(*) AS n FROM opinion")["n"].item() == 0
    assert query(shop, "SELECT count(*) AS n FROM decision")["n"].item() == 0


def test_nights_never_go_backwards(shop, run_night):
    with pytest.raises(SettingsError, match=r"2026-06-29 is before 2026-06-30.*never go backwards"):
        run_night(shop, DAY - timedelta(days=1))


def test_a_limited_run_takes_so_many_documents_and_never_moves_the_pointer(tmp_path, run_night, first_night):
    shop = first_night[0].copy(tmp_path / "limited")
    shutil.rmtree(shop.data_dir)
    said = run_night(shop, limit=20)
    assert not said["is_published"]
    assert said["n_documents"] == 20
    assert said["held_sources"] == [], "a draw of documents says nothing of what arrives"
    assert read_pointer(shop.data_dir / "published").active is None
    whole = run_night(shop)
    assert whole["n_documents"] == 160
    assert whole["model_calls"] < first_night[1]["model_calls"]


def test_rollback_goes_back_and_voids_what_the_night_did_to_the_registry(tmp_path, run_night, first_night):
    shop = first_night[0].copy(tmp_path / "rolled")
    shutil.rmtree(shop.data_dir)
    everything = shop.reviews
    shop.reviews = everything[:3]
    assert run_night(shop)["n_documents"] == 3
    assert query(shop, "SELECT count(*) AS n FROM theme")["n"].item() == 0
    quiet = active(shop).name
    shop.reviews = everything
    run_night(shop, DAY + timedelta(days=1))
    born = set(query(shop, "SELECT theme_id FROM theme_event WHERE kind = 'born'")["theme_id"])
    assert born
    roll_back(shop.data_dir / "published")
    assert active(shop).name == quiet
    assert query(shop, "SELECT count(*) AS n FROM theme_event")["n"].item() == 0
    said = run_night(shop, DAY + timedelta(days=1))
    assert (said["n_new"], said["model_calls"]) == (157, 0)
    again = set(query(shop, "SELECT theme_id FROM theme_event WHERE kind = 'born'")["theme_id"])
    assert again
    assert not again & born


def test_a_pruned_generation_is_built_again_with_the_same_digest(shop, run_night):
    old = active(shop).name
    shop.reviews = [
        *shop.reviews,
        {**shop.reviews[-1], "review_id": "n1", "body": "One more about the tent."},
    ]
    run_night(shop, DAY + timedelta(days=1))
    published = shop.data_dir / "published"
    before = digests(published / old)
    shutil.rmtree(published / old)
    settings = load_settings(shop.config)
    rebuild(settings, old, published / "again")
    assert digests(published / "again") == before
    # Settings of that night count, not today's.
    shop.config.write_text(shop.config.read_text().replace("min_authors = 3", "min_authors = 30"))
    rebuild(load_settings(shop.config), old, published / "later")
    assert digests(published / "later") == before
    name = restore(load_settings(shop.config), old)
    assert read_pointer(published).earlier[0].generation == name
    assert digests(published / name) == before
    with pytest.raises(NotPublished):
        restore(settings, "never-there")


@pytest.mark.slow
def test_the_same_store_elsewhere_gives_the_same_digest_whatever_its_key(first_night, tmp_path, run_night):
    shop, said = first_night
    twin = shop.copy(tmp_path / "twin")
    shutil.rmtree(twin.data_dir)
    reviews = twin.reviews
    again = run_night(twin)
    assert twin.store.key != shop.store.key
    assert reviews == twin.reviews
    assert again["run_id"] == said["run_id"]
    assert digests(active(twin)) == digests(active(shop))


def test_the_erased_do_not_come_back(shop, run_night):
    review = next(review for review in shop.reviews if review["user_id"])
    store = shop.store
    gone = query(shop, f"SELECT document_id FROM document WHERE source_id = '{review['review_id']}'")[
        "document_id"
    ].item()
    store.state.bury(who="privacy officer", document_id=gone)
    store.state.close()
    said = run_night(shop)
    assert said["n_documents"] == 159
    erased = query(shop, "SELECT value FROM quality WHERE metric = 'n_erased'")["value"].to_list()
    assert erased == [1.0]


def test_what_is_journaled_holds_no_text_of_documents(first_night):
    shop, _ = first_night
    words = [review["body"] for review in shop.reviews if len(review["body"]) > 40]
    for path in [
        *(shop.data_dir / "journal").rglob("*.parquet"),
        *(shop.data_dir / "placement").rglob("*.parquet"),
    ]:
        content = pl.read_parquet(path).write_json()
        assert not [body for body in words if json.dumps(body)[1:-1][:40] in content], path
    state = (shop.data_dir / "state.sqlite").read_bytes()
    assert not [body for body in words if body[:40].encode() in state]


def test_stages_are_timed_and_the_briefing_is_left_as_artifacts(shop, prefect_server):
    from prefect.artifacts import Artifact

    from flows.nightly import nightly

    assert nightly(shop.config, DAY)["is_published"]
    briefing = Artifact.get("briefing")
    assert "# Night of 30 Jun 2026" in str(briefing.data)
    timings = json.loads(str(Artifact.get("stage-timings").data))
    stages = [row["stage"] for row in timings]
    assert stages == [
        "document",
        "clean",
        "sentence",
        "embedding",
        "sentiment",
        "aspect",
        "theme",
        "decision",
        "brief",
        "recommendation",
    ]
    assert all(row["seconds"] >= 0 for row in timings)


@pytest.mark.slow
def test_as_of_of_an_unfinished_run_is_kept_by_a_resume(tmp_path, first_night, run_night, monkeypatch):
    shop = first_night[0].copy(tmp_path / "unfinished")
    shutil.rmtree(shop.data_dir)

    def fail(*_):
        raise NotPublished("the lights went out")

    with monkeypatch.context() as broken:
        broken.setattr("flows.publish.write_generation", fail)
        with pytest.raises(NotPublished, match="lights"):
            run_night(shop, date(2026, 6, 29))
    said = run_night(shop, None)
    assert said["as_of"] == date(2026, 6, 29)
    assert query(shop, "SELECT attempt FROM run")["attempt"].to_list() == [2]
    assert run_night(shop, date(2026, 6, 29))["run_id"] != said["run_id"]
