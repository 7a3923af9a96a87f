"""Presidio as an optional extra, with a stand-in for its engine: it cannot be installed everywhere."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from importlib.machinery import ModuleSpec
from types import ModuleType, SimpleNamespace
from typing import Any

import pytest

from analytics.errors import ModelUnavailable
from analytics.intake import presidio
from analytics.intake.presidio import redact_entities
from analytics.intake.redaction import redact

ENTITIES = {"Anna": ("PERSON", 0.9), "Anna of Troy": ("PERSON", 0.8), "Berlin": ("LOCATION", 0.85)}
UNSURE = {"May": ("PERSON", 0.3), "phone": ("PERSON", 0.9), "Monday": ("DATE_TIME", 0.9)}


class StandIn:
    """Finds a few words, as Presidio's engine would."""

    def __init__(self, nlp_engine: Any, supported_languages: list[str]) -> None:
        self.nlp_engine, self.languages = nlp_engine, supported_languages

    def analyze(self, text: str, language: str, entities: list[str]) -> list[SimpleNamespace]:
        assert language in self.languages
        return [
            SimpleNamespace(
                entity_type=kind, start=text.index(word), end=text.index(word) + len(word), score=score
            )
            for word, (kind, score) in {**ENTITIES, **UNSURE}.items()
            if word in text
        ]


class Provider:
    def __init__(self, nlp_configuration: dict[str, Any]) -> None:
        self.configuration = nlp_configuration

    def create_engine(self) -> dict[str, Any]:
        return self.configuration


def module(name: str, **attributes: Any) -> ModuleType:
    made = ModuleType(name)
    made.__spec__ = ModuleSpec(name, None)
    vars(made).update(attributes)
    return made


@pytest.fixture
def installed(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    made = [
        module("presidio_analyzer", AnalyzerEngine=StandIn),
        module("presidio_analyzer.nlp_engine", NlpEngineProvider=Provider),
        module("en_core_web_sm"),
    ]
    for one in made:
        monkeypatch.setitem(sys.modules, one.__name__, one)
    presidio._analyzer.cache_clear()
    yield
    presidio._analyzer.cache_clear()


@pytest.mark.usefixtures("installed")
def test_people_and_places_are_replaced_after_what_has_a_form() -> None:
    texts = ["Anna lives in Berlin, +1 415 555 2671", "on Monday in May", ""]
    assert redact_entities(texts, "en") == [
        ("[name] lives in [address], [phone]", {"address": 1, "name": 1, "phone": 1}),
        ("on Monday in May", {}),
        ("", {}),
    ]


@pytest.mark.usefixtures("installed")
def test_of_two_spans_the_surer_one_stays() -> None:
    assert redact_entities(["Anna of Troy"], "en") == [("[name] of Troy", {"name": 1})]


@pytest.mark.usefixtures("installed")
def test_redacting_the_result_by_form_changes_nothing() -> None:
    ((text, _),) = redact_entities(["Anna, 555-1234 Berlin 10115-1234 a@b.co"], "en")
    assert redact(text) == (text, {})


@pytest.mark.usefixtures("installed")
def test_the_installed_model_of_the_language_is_used() -> None:
    models = presidio._analyzer("en").nlp_engine["models"]
    assert models == [{"lang_code": "en", "model_name": "en_core_web_sm"}]


@pytest.mark.usefixtures("installed")
def test_a_language_without_a_model_is_refused() -> None:
    with pytest.raises(ModelUnavailable, match=r'language "de": a spaCy model .* download de_core_news_lg'):
        redact_entities(["Anna"], "de")


def test_without_presidio_the_error_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(presidio.importlib.util, "find_spec", lambda name: None)
    presidio._analyzer.cache_clear()
    with pytest.raises(
        ModelUnavailable, match="presidio_analyzer is not installed; run pip install"
    ) as refused:
        redact_entities(["Anna"], "en")
    assert "\n" not in str(refused.value)
