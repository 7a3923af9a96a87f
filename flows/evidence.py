"""The quotes under decisions: chosen for how much of what is said they cover, one of them dissenting."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import polars as pl

from analytics.insight.briefs import DISSENT, REPRESENTATIVE
from analytics.insight.common_words import in_common_words
from analytics.insight.decisions import FIX, KEEP, LOVED, PROMOTE
from analytics.insight.sentences import count_words
from analytics.insight.voices import choose_voices
from flows.compose import Insights
from flows.gather import opinions_in
from flows.loved import groups_of
from flows.night import Night, read_manifest_rows
from flows.steps import opinion_vectors

QUOTE_WORDS = (4, 40)
MAX_STATEMENTS = 2_000
"""Of a decision so many statements, the newest, stand for all."""
MIN_QUOTABLE = 3
"""Where fewer authors may be quoted, statements that may not be stand beside theirs."""
STEM = 6
"""So many letters of a word tell its forms."""
LOW_SHARE, HIGH_SHARE = 0.5, 0.75
"""A complaint is surer in a document rated at most the one, praise in one rated at least the other."""
_TONE = {FIX: "negative", KEEP: "positive", PROMOTE: "positive"}
_OPPOSITE = {"negative": "positive", "positive": "negative"}


def statements_of(insights: Insights, decision: Mapping[str, Any], documents: pl.DataFrame) -> pl.DataFrame:
    """What is said of a decision's theme, in its place and window, by sources that are not on hold.

    Args:
        insights: What is told of the night.
        decision: The decision.
        documents: As `placed_documents` finds them for it.

    Returns:
        Columns opinion_id, document_id, quote, sentiment_label, author, may_quote, day, rating_share; of an
        item that is loved everything that the group says of it.
    """
    columns = ("document_id", "author", "may_quote", "day", "rating_share")
    covered = documents.filter("is_covered").select(columns)
    said = insights.opinions.select("opinion_id", "document_id", "quote", "sentiment_label").join(
        covered, on="document_id"
    )
    if decision["basis"] == LOVED:
        return said
    told = [decision["theme_id"], *decision["other_themes"]]
    under = insights.opinion_themes.filter(pl.col("theme_id").is_in(told)).select("opinion_id")
    of_groups = insights.themes.filter(pl.col("parent_id").is_in(told)).select("theme_id")
    grouped = insights.opinion_themes.join(of_groups, on="theme_id", how="semi")
    complaints = said.filter(pl.col("sentiment_label") == "negative").join(
        grouped, on="opinion_id", how="semi"
    )
    return said.join(pl.concat([under, complaints.select("opinion_id")]), on="opinion_id", how="semi")


def placed_documents(night: Night, insights: Insights, decision: Mapping[str, Any]) -> pl.DataFrame:
    """Documents of a decision's place and window, read or not."""
    within = insights.documents.filter(
        pl.col("day").is_between(decision["window_start"], decision["window_end"]),
        ~pl.col("source").is_in(insights.held),
    )
    if decision["item_id"]:
        within = within.filter(pl.col("item_id") == decision["item_id"])
    if decision["segment"]:
        groups = groups_of(night, within).filter(pl.col("segment") == decision["segment"])
        within = within.join(groups, on="document_id", how="semi")
    return within


def choose_evidence(
    night: Night, insights: Insights, decisions: pl.DataFrame, statements: Sequence[pl.DataFrame]
) -> pl.DataFrame:
    """Table decision_evidence: of each decision representative quotes, then one dissenting, an author once.

    Quotes that stood there the night before stay while they cover nearly as much as others would.

    Args:
        night: The night.
        insights: What is told of it.
        decisions: Of tonight, with decision_id.
        statements: For each decision what `statements_of` returns.
    """
    if decisions.is_empty():
        return _frame([])
    fitting = _fitting(insights, pl.concat(statements).unique("opinion_id"))
    recipes = {stage: str(row["recipe"]) for stage, row in read_manifest_rows(night, night.made_by).items()}
    opinions = opinions_in(night, recipes["clean"], recipes["sentence"])
    opinions = opinions.join(fitting, on="opinion_id", how="semi")
    opinions, matrix = opinion_vectors(night, opinions, recipes["embedding"])
    place = {one: row for row, one in enumerate(opinions["opinion_id"])}
    before = night.store.journal.read("decision_evidence", night.earlier[-1:])
    by_rank = before.sort("decision_id", "rank").group_by("decision_id", maintain_order=True)
    stood = by_rank.agg("opinion_id").to_dict(as_series=False)
    kept = dict(zip(stood["decision_id"], stood["opinion_id"], strict=True))
    n_quotes = night.settings.decisions.max_quotes
    names = dict(insights.themes.select("theme_id", "name").iter_rows())
    rows: list[tuple[str, int, str, str, str]] = []
    for decision, said in zip(decisions.iter_rows(named=True), statements, strict=True):
        there = _quotable(said.filter(pl.col("opinion_id").is_in(list(place)))).sort(
            ["day", "opinion_id"], descending=[True, False]
        )
        there = there.unique("quote", keep="first", maintain_order=True).head(MAX_STATEMENTS)
        there = _in_its_words(there, names.get(decision["theme_id"]))
        vectors = matrix[[place[one] for one in there["opinion_id"]]]
        spoke = kept.get(decision["decision_id"], [])
        for rank, (voice, row) in enumerate(_voices(decision["kind"], there, vectors, spoke, n_quotes), 1):
            opinion, document = there.select("opinion_id", "document_id").row(row)
            rows.append((decision["decision_id"], rank, voice, opinion, document))
    return _frame(rows)


def _quotable(said: pl.DataFrame) -> pl.DataFrame:
    """What may be quoted, where that is enough to choose from; else everything."""
    shown = said.filter("may_quote")
    return shown if shown["author"].n_unique() >= MIN_QUOTABLE else said


def _in_its_words(said: pl.DataFrame, name: str | None) -> pl.DataFrame:
    """Statements that hold a word of their theme's name, where enough authors of each tone do; else all.

    A reader sees of those at once why they stand under it.
    """
    stems = [re.escape(word[:STEM]) for word in re.findall(r"\w{3,}", (name or "").lower())]
    if not stems:
        return said
    has_word = pl.col("quote").str.to_lowercase().str.contains(rf"\b(?:{'|'.join(stems)})")
    n_before, n_left = (_authors_by_tone(rows) for rows in (said, said.filter(has_word)))
    is_enough = all(n_left.get(tone, 0) >= min(n, MIN_QUOTABLE) for tone, n in n_before.items())
    return said.filter(has_word) if is_enough else said


def _authors_by_tone(said: pl.DataFrame) -> dict[str, int]:
    toned = said.filter(pl.col("sentiment_label").is_in(list(_OPPOSITE)))
    return dict(toned.group_by("sentiment_label").agg(pl.col("author").n_unique()).iter_rows())


def _fitting(insights: Insights, said: pl.DataFrame) -> pl.DataFrame:
    """Statements of a length that can stand for others, in words that others use too: opinion_id."""
    n_words = pl.Series("n_words", [count_words(quote) for quote in said["quote"]], dtype=pl.Int64)
    of_length = said.filter(n_words.is_between(*QUOTE_WORDS))
    authors = insights.documents.select("document_id", "author")
    everything = insights.opinions.select("document_id", "quote").join(authors, on="document_id")
    return of_length.filter(in_common_words(everything, of_length["quote"])).select("opinion_id")


def _voices(
    kind: str, said: pl.DataFrame, vectors: np.ndarray, spoke: Sequence[str], n_quotes: int
) -> list[tuple[str, int]]:
    """Voice and row of each quote: those of the decision's own tone, then one of the opposite tone."""
    labels, authors = said["sentiment_label"].to_list(), said["author"].to_list()
    tone = _TONE.get(kind) or max(_OPPOSITE, key=lambda label: (labels.count(label), label))
    place = {one: row for row, one in enumerate(said["opinion_id"])}
    stay = [place[one] for one in spoke if one in place]
    ratings = said["rating_share"].to_list()
    own = _surest([row for row, label in enumerate(labels) if label == tone], ratings, authors, tone)
    own = own or [row for row, label in enumerate(labels) if label != _OPPOSITE[tone]]
    against = [row for row, label in enumerate(labels) if label == _OPPOSITE[tone]]
    against = [row for row in against if not _agrees(ratings[row], tone)]
    n_own = max(1, n_quotes - bool(against))
    chosen = choose_voices(vectors, own, authors, n_own, [row for row in stay if row in own])
    heard = {authors[row] for row in chosen if authors[row] is not None}
    others = [row for row in against if authors[row] not in heard]
    dissent = choose_voices(vectors, others, authors, 1, [row for row in stay if row in others])
    return [(REPRESENTATIVE, row) for row in chosen] + [
        (DISSENT, row) for row in dissent if len(chosen) < n_quotes
    ]


def _surest(rows: list[int], ratings: Sequence[float | None], authors: Sequence[Any], tone: str) -> list[int]:
    """Those whose documents are rated as their tone says, where enough authors wrote such; else all.

    What is said well of a thing may be read as said ill of it; that both are wrong is rarer.
    """
    sure = [row for row in rows if _agrees(ratings[row], tone)]
    return sure if len({authors[row] for row in sure}) >= MIN_QUOTABLE else rows


def _agrees(rating: float | None, tone: str) -> bool:
    """Whether a document is rated as a statement of this tone would have it."""
    if rating is None:
        return False
    return rating <= LOW_SHARE if tone == "negative" else rating >= HIGH_SHARE


def _frame(rows: list[tuple[str, int, str, str, str]]) -> pl.DataFrame:
    schema = {
        "decision_id": pl.String,
        "rank": pl.Int32,
        "voice": pl.String,
        "opinion_id": pl.String,
        "document_id": pl.String,
    }
    return pl.DataFrame(rows, schema=schema, orient="row").sort("decision_id", "rank")
