"""Names that a language model proposes for new themes: asked for once, marked, and only where they stand."""

from __future__ import annotations

import json
from collections import Counter

import duckdb
import polars as pl
import pytest
from conftest import open_shop

from analytics.identity import hash_of
from analytics.models.checker import Sentence
from analytics.models.llm.scripted import ScriptedModel
from analytics.settings import load_settings
from analytics.store.generation import digests
from analytics.store.pointer import read_pointer
from flows.people_erasing import erase
from flows.publish import rebuild
from flows.theme_commands import tell_rename

CANARY = "zqcanary"


def insights(shop):
    active = read_pointer(shop.store.published).active
    return shop.store.published / active.generation / "insights.duckdb"


def themes(shop):
    with duckdb.connect(str(insights(shop)), read_only=True) as connection:
        return connection.sql("SELECT * FROM theme WHERE level = 'theme' ORDER BY theme_id").pl()


@pytest.fixture
def named(tmp_path, run_night, monkeypatch):
    """A shop after a first night in which a scripted model named the themes, truly or with a planted word."""
    shop = open_shop(tmp_path / "named")
    shop.config.write_text(shop.config.read_text().replace("[themes]", '[themes]\nnames = "model"'))
    shop.asked = []

    def script(prompt):
        shop.asked.append(prompt)
        words = Counter(word for piece in prompt.pieces for word, _ in {*Sentence(piece).words})
        common = [word for word, _ in words.most_common(3)]
        return json.dumps({"name": " ".join([*common[:2], CANARY] if len(shop.asked) % 3 == 0 else common)})

    monkeypatch.setattr("flows.language.load_language_model", lambda settings: ScriptedModel(script))
    shop.said = run_night(shop)
    return shop


def test_a_theme_is_named_once_by_words_that_enough_of_its_authors_use(named, run_night, tmp_path):
    found = themes(named)
    by_model = found.filter(name_origin="model")
    assert 0 < by_model.height < found.height
    assert found["name"].is_unique().all()
    assert not found["name"].str.contains(f"(?i){CANARY}").any()
    assert by_model["name"].str.contains("^[A-Z]").all()
    assert set(found.filter(pl.col("name_origin") != "model")["name_origin"]) == {"keywords"}
    rebuild(load_settings(named.config), named.said["generation"], tmp_path / "again")
    assert digests(tmp_path / "again") == digests(named.store.published / named.said["generation"])
    n_asked = len(named.asked)
    tell_rename(load_settings(named.config), by_model["theme_id"][0], "My own name", None)
    assert run_night(named)["model_calls"] == 0
    assert len(named.asked) == n_asked
    again = themes(named)
    assert again.filter(name="My own name")["name_origin"].to_list() == ["person"]
    assert again.filter(name_origin="model").height == by_model.height - 1


@pytest.mark.slow
def test_an_erasure_takes_along_what_a_model_made_of_the_erased_words(named):
    lake = named.store.lake
    (recipe,) = lake.recipes("theme_name")
    rows = lake.read("theme_name", recipe, lake.keys("theme_name", recipe), ["quotes"])
    key, made_of = rows.sort("key").row(0)
    with duckdb.connect(str(insights(named)), read_only=True) as connection:
        quotes = connection.sql("SELECT quote, document_id FROM opinion ORDER BY ALL").pl()
    document = next(document for quote, document in quotes.iter_rows() if hash_of(quote) in made_of)
    erased = erase(load_settings(named.config), who="t", document_id=document)
    assert erased.gone["lake/theme_name"] > 0
    assert key not in lake.keys("theme_name", recipe)["key"]
