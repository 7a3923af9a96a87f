"""What sentences are about, night by night."""

from __future__ import annotations

from datetime import timedelta

import duckdb
import pytest
from conftest import DAY

from analytics.settings import load_settings
from analytics.store.pointer import read_pointer
from flows.aspects import RELEARN_DAYS
from flows.people_erasing import erase


def aspects(shop):
    active = read_pointer(shop.store.published).active
    file = shop.store.published / active.generation / "insights.duckdb"
    with duckdb.connect(str(file), read_only=True) as connection:
        return connection.sql("SELECT opinion_id, document_id, aspect, quote FROM opinion ORDER BY ALL").pl()


def test_sentences_name_what_they_are_about_in_their_own_words(shop):
    named = aspects(shop).drop_nulls("aspect")
    assert named.height > 100
    assert all(aspect in quote for aspect, quote in named.select("aspect", "quote").iter_rows())


@pytest.mark.slow
def test_a_statement_keeps_its_aspect_until_the_vocabulary_is_learned_anew(shop, run_night):
    before = aspects(shop)
    said = {"review_id": "new-1", "headline": "", "body": "The delivery was terribly slow."}
    shop.reviews = [*shop.reviews, {**shop.reviews[-1], **said}]
    run_night(shop)
    after = aspects(shop)
    kept = after.join(before, on=["opinion_id", "aspect"], how="semi", nulls_equal=True)
    assert kept.height == before.height
    assert after.filter(quote=said["body"])["aspect"].to_list() == ["delivery"]
    assert len(shop.store.lake.recipes("vocabulary")) == 1
    run_night(shop, DAY + timedelta(days=RELEARN_DAYS))
    assert len(shop.store.lake.recipes("vocabulary")) == 2


@pytest.mark.slow
def test_an_erasure_takes_the_vocabulary_along_and_the_next_night_learns_another(shop, run_night):
    document = aspects(shop)["document_id"][0]
    erased = erase(load_settings(shop.config), who="t", document_id=document)
    assert erased.gone["lake/aspect"] > 0
    assert not any(shop.store.lake.parts("vocabulary", r) for r in shop.store.lake.recipes("vocabulary"))
    assert run_night(shop)["model_calls"] == 0
    assert aspects(shop)["aspect"].drop_nulls().len() > 100
