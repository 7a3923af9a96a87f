"""Briefs from night to night: what they rest on, when they are made anew, and what never enters them."""

from __future__ import annotations

import json
from datetime import timedelta
from types import SimpleNamespace

import duckdb
import numpy as np
import polars as pl
import pytest
from conftest import DAY

from analytics.insight.briefs import write_sentences
from analytics.models.llm.scripted import ScriptedModel
from analytics.settings import EmbeddingSettings, load_settings
from analytics.store.generation import digests
from analytics.store.lake import Stage
from analytics.store.pointer import read_pointer
from flows.language import ask_checked
from flows.people_erasing import erase
from flows.publish import rebuild
from flows.theme_commands import tell_rename


def query(shop, sql):
    active = read_pointer(shop.store.published).active
    file = shop.store.published / active.generation / "insights.duckdb"
    with duckdb.connect(str(file), read_only=True) as connection:
        return connection.sql(sql).pl()


def sentences(shop):
    return query(shop, "SELECT * FROM brief ORDER BY brief_id, nth")


def test_every_theme_and_item_that_is_shown_has_a_brief_of_at_most_five_sentences(shop):
    briefs = sentences(shop)
    kinds = dict(briefs.group_by("subject_kind").agg(pl.col("brief_id").n_unique()).iter_rows())
    shown = query(shop, "SELECT count(*) AS n FROM theme WHERE is_shown AND level = 'theme'")["n"][0]
    assert kinds["theme"] == shown > 3
    assert kinds["item"] > 3
    assert kinds["night"] == 1
    assert briefs.group_by("brief_id").len()["len"].max() <= 5
    cited = query(
        shop,
        """SELECT b.origin, b.text, o.quote, c."rank" FROM brief b JOIN brief_citation c USING (brief_id, nth)
        JOIN opinion o USING (opinion_id)""",
    )
    first = cited.filter(pl.col("rank") == 1)
    assert (first["text"] == first["quote"]).all()
    assert first.height == briefs.filter(pl.col("origin") != "figures").height


@pytest.mark.slow
def test_a_little_news_leaves_nearly_all_briefs_as_they_are(shop, run_night):
    before = sentences(shop)
    said = {"review_id": "new-1", "headline": "", "body": "The delivery was terribly slow."}
    shop.reviews = [*shop.reviews, {**shop.reviews[-1], **said}]
    run_night(shop)
    after = sentences(shop).filter(pl.col("subject_kind") != "night")
    old = before.filter(pl.col("subject_kind") != "night")
    made = after.filter(~pl.col("made_run").is_in(old["made_run"].implode()))["brief_id"].n_unique()
    assert made <= max(1, 0.05 * old["brief_id"].n_unique()) + 1
    kept = after.join(old, on=["brief_id", "nth", "made_run"], how="semi")
    same = kept.filter(pl.col("origin") == "quote").join(old, on=["brief_id", "nth", "text"], how="semi")
    assert same.height == kept.filter(pl.col("origin") == "quote").height


@pytest.mark.slow
def test_an_event_makes_a_theme_s_brief_anew_and_what_is_cited_and_gone_goes(shop, run_night):
    theme = query(shop, "SELECT theme_id FROM theme WHERE is_shown AND level = 'theme' ORDER BY 1 LIMIT 1")
    theme = theme["theme_id"][0]
    tell_rename(load_settings(shop.config), theme, "Another name", None)
    first = sentences(shop).filter(subject_id=theme)["made_run"][0]
    run_night(shop)
    assert sentences(shop).filter(subject_id=theme)["made_run"][0] != first
    other = query(
        shop,
        """SELECT c.document_id, c.brief_id FROM brief_citation c JOIN brief b USING (brief_id, nth)
        WHERE c."rank" = 1 AND subject_kind = 'item' ORDER BY n_opinions DESC, nth LIMIT 1""",
    )
    document = other["document_id"][0]
    erase(load_settings(shop.config), who="t", document_id=document)
    assert query(shop, f"SELECT * FROM brief_citation WHERE document_id = '{document}'").is_empty()
    run_night(shop)
    assert query(shop, f"SELECT * FROM brief_citation WHERE document_id = '{document}'").is_empty()
    assert other["brief_id"][0] in sentences(shop)["brief_id"].to_list()


@pytest.fixture
def prosaic(shop, monkeypatch):
    """A shop whose briefs a scripted model words: truly, or with what nobody wrote."""
    shop.config.write_text(shop.config.read_text() + '\n[briefs]\nprose = "model"\n')
    shop.asked = []

    def script(prompt):
        shop.asked.append(prompt)
        if len(shop.asked) % 3 == 0:
            return json.dumps({"sentence": "CANARY-77 says that everything is free of charge today."})
        return json.dumps({"sentence": prompt.pieces[0]})

    monkeypatch.setattr("flows.language.load_language_model", lambda settings: ScriptedModel(script))
    return shop


@pytest.mark.slow
def test_a_model_s_sentence_stands_only_where_the_checker_lets_it(prosaic, run_night):
    said = run_night(prosaic)
    briefs = sentences(prosaic)
    assert briefs.filter(pl.col("origin") == "model").height > 5
    assert not briefs["text"].str.contains("CANARY").any()
    quality = query(prosaic, f"SELECT metric, value FROM quality WHERE run_id = '{said['run_id']}'")
    values = dict(quality.iter_rows())
    assert values["n_rejected"] >= len(prosaic.asked) // 3
    asked = len(prosaic.asked)
    assert run_night(prosaic)["model_calls"] == 0
    assert len(prosaic.asked) == asked


@pytest.mark.slow
def test_a_generation_with_a_model_s_sentences_is_rebuilt_with_the_same_digests(prosaic, run_night, tmp_path):
    said = run_night(prosaic)
    published = prosaic.store.published / said["generation"]
    rebuild(load_settings(prosaic.config), said["generation"], tmp_path / "again")
    assert digests(tmp_path / "again") == digests(published)
    json.dumps(digests(published))


def test_a_part_costs_the_same_whether_or_not_another_was_answered_before_it(monkeypatch):
    class Embedder:
        def embed(self, texts):
            return np.eye(len(texts), 64, dtype=np.float32)

    asking = []
    monkeypatch.setattr("flows.language.load_embedder", lambda *_: Embedder())
    monkeypatch.setattr(
        "flows.language.ask_stage", lambda night, stage, wanted, ask, what: asking.append(ask)
    )
    night = SimpleNamespace(as_of=DAY, settings=SimpleNamespace(embedding=EmbeddingSettings()))
    evidence = [["The lid leaks badly."], ["The lid leaks on the table."]]
    stage = Stage("brief_sentence", {}, calls_model=True)
    ask_checked(night, stage, evidence, write_sentences, "sentences")
    rows = pl.DataFrame({"key": ["a", "b"], "evidence": evidence})
    model = ScriptedModel(lambda prompt: json.dumps({"sentence": prompt.pieces[0]}))

    def calls(part):
        return asking[-1](model, part, lambda n: None)["n_calls"].sum()

    calls(rows.head(1))
    behind_another = calls(rows.tail(1))
    ask_checked(night, stage, evidence, write_sentences, "sentences")
    assert calls(rows.tail(1)) == behind_another > 1


@pytest.mark.slow
def test_a_word_of_the_erased_leaves_what_a_model_made_of_it(prosaic, run_night):
    run_night(prosaic)
    row = query(
        prosaic,
        """SELECT b.sentence_key, c.document_id FROM brief b JOIN brief_citation c USING (brief_id, nth)
        WHERE b.origin = 'model' ORDER BY ALL LIMIT 1""",
    ).row(0, named=True)
    erase(load_settings(prosaic.config), who="t", document_id=row["document_id"])
    lake = prosaic.store.lake
    for recipe in lake.recipes("brief_sentence"):
        assert row["sentence_key"] not in lake.keys("brief_sentence", recipe)["key"]
    assert query(prosaic, f"SELECT * FROM brief WHERE sentence_key = '{row['sentence_key']}'").is_empty()
    assert run_night(prosaic, DAY + timedelta(days=1))["is_published"]
