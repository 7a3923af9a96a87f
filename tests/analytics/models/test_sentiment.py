"""Sentiment: no rating trains the head that scores it, and a score depends on its own vector alone."""

import io

import numpy as np
import polars as pl
import pytest

from analytics.models import sentiment
from analytics.models.sentiment import (
    HEAD_VERSION,
    LEXICON_VERSION,
    SentimentHead,
    can_fit,
    fit_sentiment_head,
    head_recipe,
    lexicon_recipe,
    score_lexicon,
    sentiment_label,
)

N_FOLDS = 5


def rated(n_positive: int, n_negative: int, n_between: int = 0) -> pl.DataFrame:
    """Documents in turn in the folds 0 to 4."""
    shares = [1.0] * n_positive + [0.0] * n_negative + [0.5] * n_between
    return pl.DataFrame(
        {
            "document_id": [f"d{number:04d}" for number in range(len(shares))],
            "fold": pl.Series([number % N_FOLDS for number in range(len(shares))], dtype=pl.Int32),
            "rating_share": shares,
        }
    )


def vectors_for(documents: pl.DataFrame, *, n_dims: int = 8, signal: float = 2.0) -> np.ndarray:
    noise = np.random.default_rng(3).normal(size=(documents.height, n_dims))
    noise[:, 0] += signal * (2 * documents["rating_share"].to_numpy() - 1)
    return noise.astype(np.float32)


def test_a_ratings_own_fold_never_trains_the_head_that_scores_it() -> None:
    documents = rated(60, 60)
    vectors = vectors_for(documents)
    in_first = pl.col("fold") == 0
    turned = documents.with_columns(
        rating_share=pl.when(in_first).then(1 - pl.col("rating_share")).otherwise("rating_share")
    )
    head = fit_sentiment_head(documents, vectors, seed=1)
    other = fit_sentiment_head(turned, vectors, seed=1)
    assert np.array_equal(head.weights[0], other.weights[0])
    assert head.bias[0] == other.bias[0]
    assert not np.allclose(head.weights[1:], other.weights[1:], atol=1e-3)


def test_each_fold_is_scored_by_its_own_head() -> None:
    head = SentimentHead(np.array([[1.0, 0.0], [0.0, -3.0]]), np.array([0.0, 1.0]), {})
    # tanh(1/2); tanh((1 - 3)/2); a row of zeros is left to the bias: tanh(1/2).
    scores = head.score(np.array([[5.0, 0.0], [0.0, 0.1], [0.0, 0.0]]), [0, 1, 1])
    assert scores.tolist() == [0.462117, -0.761594, 0.462117]


def test_quality_is_measured_out_of_fold_beside_the_majority_class() -> None:
    documents = rated(60, 20, n_between=10)
    quality = fit_sentiment_head(documents, vectors_for(documents, signal=20.0), seed=1).quality
    assert quality == {"balanced_accuracy": 1.0, "macro_f1": 1.0, "majority_share": 0.75, "n": 80.0}
    # Many random dimensions can be learned by heart, and then tell nothing of the fold left out.
    by_chance = fit_sentiment_head(documents, vectors_for(documents, n_dims=100, signal=0.0), seed=1).quality
    assert by_chance["balanced_accuracy"] < 0.7


def test_neither_the_order_of_documents_nor_the_batch_shows() -> None:
    documents = rated(50, 50, n_between=20)
    vectors = vectors_for(documents)
    order = np.random.default_rng(0).permutation(documents.height)
    head = fit_sentiment_head(documents, vectors, seed=1)
    shuffled = fit_sentiment_head(documents[order], vectors[order], seed=1)
    assert np.array_equal(head.weights, shuffled.weights)
    assert head.quality == shuffled.quality
    folds = documents["fold"].to_numpy()
    together = head.score(vectors, folds)
    alone = [head.score(vectors[n : n + 1], folds[n : n + 1])[0] for n in range(len(folds))]
    assert together.tolist() == alone
    assert np.abs(together).max() <= 1


def test_a_head_learns_from_a_drawn_part_of_many_documents(monkeypatch: pytest.MonkeyPatch) -> None:
    documents = rated(60, 60)
    vectors = vectors_for(documents)
    whole = fit_sentiment_head(documents, vectors, seed=1)
    monkeypatch.setattr(sentiment, "MAX_DOCUMENTS_PER_CLASS", 30)
    drawn = fit_sentiment_head(documents, vectors, seed=1)
    assert not np.allclose(whole.weights, drawn.weights, atol=1e-3)
    assert np.array_equal(
        drawn.weights, fit_sentiment_head(documents.reverse(), vectors[::-1], seed=1).weights
    )
    assert drawn.quality["n"] == 120


def test_a_head_comes_back_from_parquet_unchanged() -> None:
    documents = rated(50, 50)
    head = fit_sentiment_head(documents, vectors_for(documents), seed=1)
    file = io.BytesIO()
    head.to_frame().reverse().write_parquet(file)
    file.seek(0)
    again = SentimentHead.from_frame(pl.read_parquet(file))
    assert again.weights.tolist() == head.weights.tolist()
    assert again.bias.tolist() == head.bias.tolist()
    assert again.quality == head.quality
    assert head.to_frame()["fold"].to_list() == [0, 1, 2, 3, 4]


@pytest.mark.parametrize(
    ("documents", "min_rated", "expected"),
    [
        (rated(100, 25), 125, True),  # 20 negatives remain without any one fold
        (rated(100, 25), 126, False),
        (rated(100, 24), 100, False),  # without a fold of five 19 remain
        (rated(25, 100), 100, True),
        (rated(100, 0), 50, False),
        (rated(100, 40).with_columns(fold=pl.lit(0)), 100, False),
        (rated(100, 20, n_between=40), 100, False),
        (rated(0, 0), 0, False),
    ],
)
def test_can_fit(documents: pl.DataFrame, min_rated: int, expected: bool) -> None:
    assert can_fit(documents, min_rated) is expected


def test_documents_without_a_rating_do_not_count() -> None:
    documents = rated(100, 40).with_columns(
        rating_share=pl.when(pl.col("rating_share") > 0.5).then("rating_share")
    )
    assert not can_fit(documents, 100)
    assert not can_fit(rated(100, 40).with_columns(rating_share=pl.lit(None, pl.Float64)), 20)


def test_labels_have_a_neutral_margin_and_nothing_stays_nothing() -> None:
    scores = pl.DataFrame({"score": [-1.0, -0.21, -0.2, 0.0, 0.2, 0.21, None]})
    labels = scores.select(sentiment_label(pl.col("score"))).to_series().to_list()
    assert labels == ["negative", "negative", "neutral", "neutral", "neutral", "positive", None]


def test_golden_output_of_the_lexicon_belongs_to_this_version() -> None:
    texts = ["I love this tablet!", "It broke after two days, terrible.", "It has a screen.", ""]
    assert LEXICON_VERSION == 1
    assert lexicon_recipe() == {"stage": "sentiment lexicon", "version": 1, "lexicon": "vaderSentiment 3.3.2"}
    assert score_lexicon(texts).tolist() == [0.6696, -0.7096, 0.0, 0.0]
    assert score_lexicon([]).shape == (0,)


def test_golden_output_of_the_head_belongs_to_this_version() -> None:
    documents = rated(40, 40)
    grid = np.arange(80 * 4, dtype=np.float64).reshape(80, 4)
    vectors = np.sin(grid * 1.7) + (documents["rating_share"].to_numpy() - 0.5)[:, None] * np.array(
        [1, 0, -1, 0]
    )
    head = fit_sentiment_head(documents, vectors, seed=7)
    scores = head.score(vectors[[0, 1, 42, 79]], documents["fold"].to_numpy()[[0, 1, 42, 79]])
    assert HEAD_VERSION == 1
    assert head_recipe()["version"] == 1
    assert scores.tolist() == pytest.approx([0.42537, 0.497456, -0.35006, -0.427432], abs=2e-6)
