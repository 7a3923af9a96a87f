"""Nights whose opinions a language model extracts: a scripted one, so that what it says is known."""

from __future__ import annotations

import json
import re
from datetime import timedelta

import duckdb
import polars as pl
import pytest
from conftest import DAY, plain_night

from analytics.errors import SERVER_GONE, ModelUnavailable, PlanNotAccepted
from analytics.models.llm.protocol import Answer
from analytics.models.llm.scripted import ScriptedModel
from analytics.settings import load_settings
from analytics.store.pointer import read_pointer
from flows.dry_run import foresee
from flows.people_erasing import erase

ASPECT = re.compile(r"\b(lid|kettle|lamp|parcel|delivery|handle|colour|quality|price|cable|battery)\b", re.I)


def script(prompt):
    """A statement for every sentence, about the first thing of a list that it names."""
    said = []
    for piece in prompt.pieces:
        number, _, sentence = piece.partition(". ")
        found = ASPECT.findall(sentence)[:2] or [""]
        said += [
            {
                "sentence": int(number),
                "aspect": one,
                "opinion": "",
                "sentiment": "negative",
                "kind": "problem",
            }
            for one in found
        ]
    return json.dumps({"statements": said[:12]})


@pytest.fixture
def extracting(shop, monkeypatch):
    """A shop whose reviews are extracted by a scripted model, and the prompts that it was given."""
    text = shop.config.read_text().replace('absent = "delete"', 'absent = "delete"\nextraction = "model"')
    shop.config.write_text(text)
    shop.prompts = []

    def seen(prompt):
        shop.prompts.append(prompt)
        return script(prompt)

    monkeypatch.setattr("flows.language.load_language_model", lambda settings: ScriptedModel(seen))
    return shop


def query(shop, sql):
    active = read_pointer(shop.store.published).active
    generation = shop.store.published / active.generation / "insights.duckdb"
    with duckdb.connect(str(generation), read_only=True) as connection:
        return connection.sql(sql).pl()


def run(shop, day=DAY, **options):
    return plain_night(shop.config, day, **options)


def test_a_model_s_statements_are_published_with_offsets_and_asked_for_once(extracting, run_night):
    said = run_night(extracting)
    assert len(extracting.prompts) == said["model_calls"] - embedded(extracting, said)
    rows = query(
        extracting,
        """
        SELECT o.*, substr(d.text, o.start + 1, o."end" - o.start) AS there
        FROM opinion o JOIN document d USING (document_id)
        """,
    )
    assert (rows["quote"] == rows["there"]).all()
    assert rows["aspect"].drop_nulls().len() > 20
    assert all(a in q for a, q in rows.select("aspect", "quote").drop_nulls().iter_rows())
    assert set(rows["kind"]) == {"problem"}
    assert set(rows["sentiment_label"]) == {"negative"}
    twice = rows.group_by("document_id", "start").len().filter(pl.col("len") > 1)
    assert twice.height, "some sentences speak of two things"
    again = run_night(extracting)
    assert again["model_calls"] == 0


def embedded(shop, said):
    ledger = shop.store.lake.ledger(said["run_id"]).filter(pl.col("stage") == "embedding")
    return int(ledger["n_calls"].sum())


@pytest.mark.slow
def test_at_a_cap_what_is_spent_stays_near_it_and_the_next_night_goes_on(extracting, run_night):
    cap = 3_000
    extracting.config.write_text(extracting.config.read_text() + f"\n[budget]\ntokens = {cap}\n")
    spent, waiting = [], []
    for _ in range(2):
        said = run_night(extracting)
        ledger = extracting.store.lake.ledger(said["run_id"]).filter(pl.col("stage") == "extraction")
        spent.append(
            int(ledger.select(pl.col("n_input_tokens", "n_output_tokens").sum()).sum_horizontal()[0])
        )
        waiting.append(said["n_waiting_to_be_read"])
    assert all(cap <= n <= 1.1 * cap for n in spent)
    assert waiting[0] > waiting[1] > 0
    days = query(extracting, "SELECT day, is_covered FROM document WHERE is_analysed AND is_counted")
    newest = (
        days.filter(pl.col("day") > DAY - timedelta(days=20)).group_by("day").agg(pl.col("is_covered").any())
    )
    assert newest["is_covered"].mean() > 0.9, "what is covered is spread over the days"


@pytest.mark.slow
def test_a_server_that_is_gone_costs_the_night_its_answers_and_no_more(extracting, run_night, monkeypatch):
    class Dying:
        engine, device, precision, load_seconds = "remote", "server", "unknown", 0.0

        def complete(self, prompts, **options):
            return [Answer("", "failed", failure=f"{SERVER_GONE}: refused") for _ in prompts]

    monkeypatch.setattr("flows.language.load_language_model", lambda settings: Dying())
    said = run_night(extracting)
    assert said["is_published"]
    assert any("got no answer" in one for one in said["degraded"])
    assert said["n_waiting_to_be_read"] == query(extracting, "SELECT count(*) AS n FROM document")["n"][0]

    def gone(settings):
        raise ModelUnavailable("no language model answers")

    remote = '\n[language_model]\nbackend = "remote"\nallow_remote = true\nurl = "http://x/v1"\nmodel = "m"\n'
    extracting.config.write_text(extracting.config.read_text() + remote)
    monkeypatch.setattr("flows.language.load_language_model", gone)
    said = run_night(extracting)
    assert said["is_published"]
    assert said["degraded"]


@pytest.mark.slow
def test_a_dear_change_of_model_waits_until_it_is_accepted(extracting, run_night):
    run_night(extracting)
    first = extracting.reviews
    for nth in range(2):
        new = {**first[-1], "review_id": f"new-{nth}", "body": f"The lid of number {nth} leaks."}
        extracting.reviews = [*extracting.reviews, new]
        run_night(extracting)
    date = "\n[language_model]\nmax_input_tokens = 900\n"
    extracting.config.write_text(extracting.config.read_text() + date)
    with pytest.raises(PlanNotAccepted, match=r"stage extraction .* --accept-plan"):
        run_night(extracting)
    before = len(extracting.prompts)
    assert run(extracting, accept_plan=True)["is_published"]
    assert len(extracting.prompts) - before > 100


@pytest.mark.slow
def test_an_erased_document_takes_its_extraction_along(extracting, run_night):
    run_night(extracting)
    document = query(extracting, "SELECT document_id FROM opinion LIMIT 1")["document_id"][0]
    n_before = sum(
        extracting.store.lake.keys("extraction", recipe).height
        for recipe in extracting.store.lake.recipes("extraction")
    )
    erased = erase(load_settings(extracting.config), who="t", document_id=document)
    assert erased.gone["lake/extraction"] == 1
    assert n_before - 1 == sum(
        extracting.store.lake.keys("extraction", recipe).height
        for recipe in extracting.store.lake.recipes("extraction")
    )


def test_a_dry_run_tells_calls_tokens_seconds_and_money_and_asks_nothing(extracting, run_night):
    prices = "\n[language_model]\nusd_per_million_output_tokens = 1000.0\n[budget]\ntokens = 9000\n"
    extracting.config.write_text(extracting.config.read_text() + prices)
    told = "\n".join(foresee(load_settings(extracting.config), DAY + timedelta(days=1)))
    line = next(line for line in told.splitlines() if "extraction:" in line)
    assert re.search(r"160 documents, 160 calls .* tokens, .* 32\.00 USD", line), line
    assert "stops asking at 9,000 tokens" in told
    assert extracting.prompts == []
