"""Briefs beside summaries that people wrote of the same reviews, and plain ways to choose sentences."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import polars as pl

from analytics.insight.briefs import Passage, choose_passages, write_sentences
from analytics.insight.common_words import in_common_words
from analytics.insight.sentences import opinion_spans
from analytics.models.checker import Checker, Embed
from analytics.models.llm.protocol import LanguageModel
from analytics.models.sentiment import LABEL_MARGIN, score_lexicon

N_SENTENCES = 4
"""Of the plain ways, as many as a brief has voices."""
Redact = Callable[[list[str]], list[str]]


@dataclass(frozen=True)
class Subject:
    """What is written about one thing, taken apart."""

    quotes: list[str]
    authors: list[int]
    """Which review each is of."""
    vectors: np.ndarray
    labels: list[str | None]
    summaries: list[str]
    may_speak: list[bool] | None = None
    """Which quotes say it in words that others use too; None where it is not known."""

    @property
    def passages(self) -> list[Passage]:
        """Who speaks in its brief."""
        return choose_passages(self.vectors, self.quotes, self.authors, self.labels, may_speak=self.may_speak)


def read_subject(reviews: Sequence[str], summaries: Sequence[str], embed: Embed) -> Subject:
    """Cut reviews into statements, and read them."""
    rows = pl.DataFrame({"key": list(map(str, range(len(reviews)))), "text": list(reviews)})
    spans = opinion_spans(rows)
    quotes, authors = [], []
    for nth, (starts, ends) in enumerate(spans.select("starts", "ends").iter_rows()):
        for start, end in zip(starts, ends, strict=True):
            quotes.append(reviews[nth][start:end])
            authors.append(nth)
    tones = score_lexicon(quotes)
    labels = np.select(
        [tones >= LABEL_MARGIN, tones <= -LABEL_MARGIN], ["positive", "negative"], "neutral"
    ).tolist()
    return Subject(quotes, authors, embed(quotes), labels, list(summaries))


def with_common_words(subjects: Sequence[Subject]) -> list[Subject]:
    """Subjects with what may speak in the briefs, by the words of all of them together."""
    authors = [f"{nth}-{author}" for nth, one in enumerate(subjects) for author in one.authors]
    quotes = [quote for one in subjects for quote in one.quotes]
    said = pl.DataFrame(
        {"author": authors, "quote": quotes}, schema=dict.fromkeys(("author", "quote"), pl.String)
    )
    judged = iter(in_common_words(said, said["quote"]).to_list())
    return [replace(one, may_speak=[next(judged) for _ in one.quotes]) for one in subjects]


def by_lead(subject: Subject) -> list[str]:
    """The first three statements."""
    return subject.quotes[:3]


def by_centroid(subject: Subject) -> list[str]:
    """The statements nearest to the mean of all, the nearest first."""
    near = subject.vectors @ subject.vectors.mean(axis=0)
    return [subject.quotes[row] for row in np.argsort(-near, kind="stable")[:N_SENTENCES]]


def by_quotes(subject: Subject) -> list[str]:
    """A brief in the words of its voices."""
    return [subject.quotes[passage.rows[0]] for passage in subject.passages]


def by_model(
    subjects: Sequence[Subject], model: LanguageModel, checker: Checker, redact: Redact
) -> tuple[list[list[str]], list[list[str]], pl.DataFrame]:
    """Briefs as a model writes them, unchecked; the same where only what the checker lets stand does.

    Returns:
        Unchecked and checked sentences of each subject, and what `write_sentences` says of each passage.
    """
    of_each = [subject.passages for subject in subjects]
    evidence = [
        [subject.quotes[row] for row in passage.rows]
        for subject, passages in zip(subjects, of_each, strict=True)
        for passage in passages
    ]
    written = write_sentences(model, evidence, checker, redact)
    answers = iter(written.select("sentence", "is_supported").iter_rows())
    unchecked, checked = [], []
    for subject, passages in zip(subjects, of_each, strict=True):
        said = [(next(answers), subject.quotes[passage.rows[0]]) for passage in passages]
        unchecked.append([sentence or quote for (sentence, _), quote in said])
        checked.append([sentence if stands else quote for (sentence, stands), quote in said])
    return unchecked, checked, written


def measure_rouge(made: Sequence[Sequence[str]], subjects: Sequence[Subject]) -> dict[str, float]:
    """Mean ROUGE-1 and ROUGE-L F1 (Lin 2004) of briefs against every human summary, and their length."""
    from rouge_score.rouge_scorer import RougeScorer

    scorer = RougeScorer(["rouge1", "rougeL"], use_stemmer=True)
    scores: dict[str, list[float]] = {"rouge1": [], "rougeL": []}
    for sentences, subject in zip(made, subjects, strict=True):
        found = [scorer.score(summary, " ".join(sentences)) for summary in subject.summaries]
        for name, values in scores.items():
            values.append(float(np.mean([one[name].fmeasure for one in found])))
    n_words = np.mean([len(" ".join(sentences).split()) for sentences in made])
    return {
        "rouge_1": round(float(np.mean(scores["rouge1"])), 6),
        "rouge_l": round(float(np.mean(scores["rougeL"])), 6),
        "n_words": round(float(n_words), 3),
    }


def evaluate_briefs(
    subjects: Sequence[Subject], load_model: Callable[[], LanguageModel] | None, embed: Embed, redact: Redact
) -> dict[str, Any]:
    """Every way beside the human summaries.

    Args:
        subjects: What is written, and the summaries.
        load_model: The language model; None leaves its ways out.
        embed: The embedding model, which the checker compares by.
        redact: Takes personal data out of what a model writes.

    Returns:
        `ways`: for lead, centroid, quotes, model_unchecked and model_checked what `measure_rouge` returns; of
        the model n_sentences and rejected_share too.
    """
    ways: dict[str, dict[str, float]] = {
        name: measure_rouge([way(subject) for subject in subjects], subjects)
        for name, way in (("lead", by_lead), ("centroid", by_centroid), ("quotes", by_quotes))
    }
    if load_model is not None:
        unchecked, checked, written = by_model(subjects, load_model(), Checker(embed), redact)
        ways["model_unchecked"] = measure_rouge(unchecked, subjects)
        ways["model_checked"] = measure_rouge(checked, subjects)
        rejected = {
            "n_sentences": written.height,
            "rejected_share": round(1 - float(written["is_supported"].sum()) / max(1, written.height), 6),
        }
        ways["model_checked"] |= rejected
    return {"n_subjects": len(subjects), "ways": ways}
