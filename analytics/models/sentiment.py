"""Sentiment from -1 to 1: a head on vectors fitted on the store's ratings, or by a lexicon without."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from importlib.metadata import version
from typing import Any

import numpy as np
import polars as pl

from analytics.identity import hash_of

HEAD_VERSION = 1
LEXICON_VERSION = 1
LEXICON_LANGUAGES = ("en",)
"""What the lexicon reads; statements in other languages get no sentiment from it."""
POSITIVE_RATING = 0.7
"""Ratings of at least this share of their scale teach what positive is."""
NEGATIVE_RATING = 0.3
"""Ratings of at most this share of their scale teach what negative is."""
LABEL_MARGIN = 0.2
"""Scores no further than this from zero are neutral."""
MAX_DOCUMENTS_PER_CLASS = 10_000
"""A head learns from at most this many documents of either class, drawn by hash."""
MIN_DOCUMENTS_PER_CLASS = 20
"""Whichever fold is left out, this many documents of either class must remain."""
_REGULARISATION = 1.0
_BLOCK = 8_192


def head_recipe() -> dict[str, Any]:
    """What decides a head's scores, apart from the documents that it learns from."""
    return {
        "stage": "sentiment head",
        "version": HEAD_VERSION,
        "positive_rating": POSITIVE_RATING,
        "negative_rating": NEGATIVE_RATING,
        "max_documents_per_class": MAX_DOCUMENTS_PER_CLASS,
        "regularisation": _REGULARISATION,
    }


def lexicon_recipe() -> dict[str, Any]:
    """What decides the lexicon's scores."""
    return {
        "stage": "sentiment lexicon",
        "version": LEXICON_VERSION,
        "lexicon": f"vaderSentiment {version('vaderSentiment')}",
    }


def sentiment_label(score: pl.Expr) -> pl.Expr:
    """negative, neutral or positive for a score from -1 to 1; null stays null."""
    return (
        pl.when(score.is_null() | score.is_nan())
        .then(None)
        .when(score < -LABEL_MARGIN)
        .then(pl.lit("negative"))
        .when(score > LABEL_MARGIN)
        .then(pl.lit("positive"))
        .otherwise(pl.lit("neutral"))
    )


@cache
def _vader() -> Any:
    from vaderSentiment.vaderSentiment import SentimentIntensityAnalyzer

    return SentimentIntensityAnalyzer()


def score_lexicon(texts: Sequence[str]) -> np.ndarray:
    """VADER's compound score (Hutto and Gilbert 2014) of each text; English.

    Returns:
        float64 array (n_texts,) from -1 to 1.
    """
    analyser = _vader()
    return np.array([analyser.polarity_scores(text)["compound"] for text in texts], dtype=np.float64)


@cache
def lexicon_words() -> frozenset[str]:
    """Single words that the lexicon knows as judging, in lower case."""
    return frozenset(word for word in _vader().lexicon if word.isalpha())


@dataclass(frozen=True, eq=False)
class SentimentHead:
    """Logistic regressions on unit vectors, one per fold of authors, each fitted without its own fold."""

    weights: np.ndarray  # float64 (n_folds, n_dims)
    bias: np.ndarray  # float64 (n_folds,)
    quality: dict[str, float]

    def score(self, vectors: np.ndarray, folds: Sequence[int] | np.ndarray) -> np.ndarray:
        """Scores by the head that never saw the fold's authors.

        Args:
            vectors: (n, n_dims), of any length; a row of zeros is scored by the bias alone.
            folds: Fold of each row's author.

        Returns:
            float64 array (n,) from -1 to 1, rounded to 6 decimals.
        """
        folds = np.asarray(folds, dtype=np.int64)
        scores = np.empty(len(folds), dtype=np.float64)
        for start in range(0, len(folds), _BLOCK):
            block = slice(start, start + _BLOCK)
            rows = _unit_rows(vectors[block])
            # einsum sums each row by itself, so neighbours in the block do not show in the last digit.
            logits = np.einsum("ij,ij->i", rows, self.weights[folds[block]]) + self.bias[folds[block]]
            scores[block] = np.tanh(logits / 2)  # 2p - 1
        return np.round(scores, 6) + 0.0

    def to_frame(self) -> pl.DataFrame:
        """One row per fold: fold, weights, bias and, the same in every row, the quality."""
        return pl.DataFrame(
            {
                "fold": pl.Series(range(len(self.bias)), dtype=pl.Int32),
                "weights": pl.Series(self.weights.tolist(), dtype=pl.List(pl.Float64)),
                "bias": pl.Series(self.bias, dtype=pl.Float64),
            }
        ).with_columns(pl.lit(value, pl.Float64).alias(name) for name, value in self.quality.items())

    @classmethod
    def from_frame(cls, frame: pl.DataFrame) -> SentimentHead:
        """The head that `to_frame` wrote."""
        frame = frame.sort("fold")
        names = [name for name in frame.columns if name not in {"fold", "weights", "bias"}]
        return cls(
            weights=np.array(frame["weights"].to_list(), dtype=np.float64),
            bias=frame["bias"].to_numpy(),
            quality={name: frame[name][0] for name in names},
        )


def _unit_rows(vectors: np.ndarray) -> np.ndarray:
    rows = np.asarray(vectors, dtype=np.float64)
    lengths = np.sqrt(np.einsum("ij,ij->i", rows, rows))
    return rows / np.where(lengths > 0, lengths, 1.0)[:, None]


def _taught(documents: pl.DataFrame) -> pl.DataFrame:
    """Documents whose rating is clear, with `is_positive` and their row in the given frame, sorted by id."""
    rating = pl.col("rating_share")
    return (
        documents.with_row_index("row")
        .filter((rating >= POSITIVE_RATING) | (rating <= NEGATIVE_RATING))
        .select("row", "document_id", "fold", is_positive=rating >= POSITIVE_RATING)
        .sort("document_id")
    )


def can_fit(documents: pl.DataFrame, min_rated: int) -> bool:
    """Whether there are enough ratings, of both classes, to fit a head without any one fold.

    Args:
        documents: Columns fold, rating_share (0 to 1, null: not rated), document_id.
        min_rated: Fewest rated documents.
    """
    if documents["rating_share"].count() < min_rated:
        return False
    taught = _taught(documents)
    for is_positive in (True, False):
        folds = taught.filter(pl.col("is_positive") == is_positive)["fold"]
        if any((folds != fold).sum() < MIN_DOCUMENTS_PER_CLASS for fold in [-1, *folds.unique()]):
            return False
    return True


def fit_sentiment_head(
    documents: pl.DataFrame, vectors: np.ndarray, *, n_folds: int = 5, seed: int
) -> SentimentHead:
    """Fit one logistic regression per fold of authors, without that fold, and measure it on that fold.

    Args:
        documents: Columns document_id, fold (0 to n_folds - 1, the same for all documents of an author) and
            rating_share; `can_fit` says whether they are enough.
        vectors: (n_documents, n_dims), aligned: mean of the vectors of the document's sentences.
        n_folds: How many folds there are.
        seed: Decides which documents are drawn where there are too many.

    Returns:
        The head; `quality` holds balanced_accuracy, macro_f1 and majority_share (the share of the larger
        class) over n documents, each scored by the head that did not see its fold.
    """
    taught = _taught(documents)
    rows = _unit_rows(vectors[taught["row"].to_numpy()])
    folds = taught["fold"].to_numpy()
    is_positive = taught["is_positive"].to_numpy()
    drawn = _draw(taught, seed)
    weights = np.zeros((n_folds, rows.shape[1]))
    bias = np.zeros(n_folds)
    for fold in range(n_folds):
        learns = drawn & (folds != fold)
        weights[fold], bias[fold] = _fit(rows[learns], is_positive[learns])
    head = SentimentHead(weights, bias, {})
    return SentimentHead(weights, bias, _quality(head.score(rows, folds) > 0, is_positive))


def _draw(taught: pl.DataFrame, seed: int) -> np.ndarray:
    """Mask of the documents to learn from: of each class the first by hash."""
    draw = pl.Series("draw", [hash_of([seed, "sentiment", name]) for name in taught["document_id"]])
    place = pl.col("draw").rank().over("is_positive")
    return taught.with_columns(draw).select(place <= MAX_DOCUMENTS_PER_CLASS).to_series().to_numpy()


def _fit(rows: np.ndarray, is_positive: np.ndarray) -> tuple[np.ndarray, float]:
    from sklearn.linear_model import LogisticRegression

    # Newton steps reach the optimum itself: rounding then leaves nothing of the path or the number of cores.
    model = LogisticRegression(
        C=_REGULARISATION, class_weight="balanced", solver="newton-cholesky", tol=1e-8, max_iter=100
    )
    model.fit(rows, is_positive)
    return np.round(model.coef_[0], 6) + 0.0, round(float(model.intercept_[0]), 6) + 0.0


def _quality(answers: np.ndarray, is_positive: np.ndarray) -> dict[str, float]:
    from sklearn.metrics import balanced_accuracy_score, f1_score

    positive_share = float(is_positive.mean())
    return {
        "balanced_accuracy": round(float(balanced_accuracy_score(is_positive, answers)), 6),
        "macro_f1": round(float(f1_score(is_positive, answers, average="macro")), 6),
        "majority_share": round(max(positive_share, 1 - positive_share), 6),
        "n": float(len(is_positive)),
    }
