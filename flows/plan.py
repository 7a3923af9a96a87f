"""What the language model would cost in the next night: calls, tokens, seconds and money, stage by stage."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cached_property

import polars as pl

from analytics.identity import hash_of
from analytics.insight.briefs import MAX_CITED, N_VOICES
from analytics.insight.extraction import MAX_NEW_TOKENS, PROMPT, extraction_recipe
from analytics.models.llm.loading import describe_language_model
from analytics.models.llm.prompting import read_prompt
from analytics.settings import Settings
from analytics.store.lake import Lake
from analytics.store.layout import Store
from analytics.store.pointer import read_pointer
from flows.gather import is_extracted, sentence_keys
from flows.language import seconds_per_call

CHARACTERS_PER_TOKEN = 4
_SENTENCE_TOKENS = 320
"""Read and written for a sentence of a brief: what customers wrote on six lines, and the answer."""


@dataclass
class Asked:
    """What extraction would ask of the documents of a store."""

    settings: Settings
    n_documents: int = 0
    n_characters: int = 0
    keys: set[str] = field(default_factory=set)

    def note(self, cleaned: pl.DataFrame) -> None:
        """Add cleaned documents of a source: those that are asked about, and not yet answered."""
        if all(source.extraction == "sentences" for source in self.settings.sources):
            return
        asked = cleaned.filter(is_extracted(self.settings), pl.col("text") != "")
        recipe = self._recipe
        keyed = asked.with_columns(sentence_keys(asked, recipe).alias("lake_key")).unique("lake_key")
        present = Lake(self.settings.data_dir / "lake").keys("extraction", recipe)
        new = keyed.join(present, left_on="lake_key", right_on="key", how="anti")
        new = new.filter(~pl.col("lake_key").is_in(list(self.keys)))
        self.keys |= set(new["lake_key"])
        self.n_documents += new.height
        self.n_characters += int(new["text"].str.len_chars().sum())

    @cached_property
    def _recipe(self) -> str:
        return hash_of(extraction_recipe(describe_language_model(self.settings.language_model)))

    def lines(self) -> Iterator[str]:
        """The plan in words; none where the language model is asked nothing."""
        if self.n_documents:
            fixed = len(read_prompt(PROMPT)) // CHARACTERS_PER_TOKEN
            n_input = self.n_documents * fixed + self.n_characters // CHARACTERS_PER_TOKEN
            n_output = self.n_documents * MAX_NEW_TOKENS // 2
            yield self._line(
                "extraction", f"{self.n_documents:,} documents", self.n_documents, n_input, n_output
            )
        if self.settings.briefs.prose == "model":
            n = self._most_sentences()
            n_input = n * _SENTENCE_TOKENS * MAX_CITED // (MAX_CITED + 1)
            yield self._line("brief_sentence", f"at most {n:,} sentences", n, n_input, n * 45)
        if self.settings.themes.names == "model":
            yield "  theme name: one call of the language model for each theme that is born"
        told = [
            f"{value:,g} {name}"
            for name, value in self.settings.budget.model_dump().items()
            if value is not None
        ]
        if told and (self.n_documents or self.settings.briefs.prose == "model"):
            yield f"  the night stops asking at {' or '.join(told)} ([budget]); the rest waits"

    def _line(self, stage: str, what: str, n_calls: int, n_input: int, n_output: int) -> str:
        usd = self.settings.language_model.usd(n_input, n_output)
        pointer = read_pointer(self.settings.data_dir / "published")
        lake = Lake(self.settings.data_dir / "lake")
        speed = seconds_per_call(lake, [entry.run_id for entry in pointer.counting], stage)
        seconds = f"{n_calls * speed:,.0f} s" if speed else "seconds not known before a first night"
        return (
            f"  {stage.replace('_', ' ')}: {what}, {n_calls:,} calls of the language model, about "
            f"{n_input + n_output:,} tokens, {seconds}, {usd:,.2f} USD"
        )

    def _most_sentences(self) -> int:
        """Sentences, were every brief made anew."""
        n_themes = 0
        store = Store(self.settings.data_dir) if (self.settings.data_dir / "published").exists() else None
        if store is not None:
            pointer = read_pointer(store.published)
            briefs = store.journal.read("brief", [entry.made_by for entry in pointer.counting[-1:]])
            n_themes = briefs.filter(subject_kind="theme")["brief_id"].n_unique()
            store.state.close()
        return N_VOICES * (n_themes + self.settings.briefs.max_items)
