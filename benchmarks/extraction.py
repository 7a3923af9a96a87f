"""Aspect terms beside marked sentences: fitting the weights, and measuring every path.

`--fit` prints the weights for analytics/insight/aspects.py, fitted on the English train and dev parts without
sentences that occur in any test part, one vocabulary for the laptops and one for the restaurants.
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path

import numpy as np
import polars as pl

from analytics.insight.aspects import aspect_signs, find_terms, learn_vocabulary
from analytics.insight.extraction_evaluation import MIN_TOKEN_F1, token_f1
from analytics.models.embedding import describe_model, load_embedder
from analytics.settings import EmbeddingSettings, load_settings
from flows.evaluate_extraction import evaluate_extraction_of

DATA = Path("../shared/data/absa_quads.parquet")


def train_rows(data: Path) -> pl.DataFrame:
    plain = pl.col("text").str.to_lowercase().str.replace_all(r"\s+", " ")
    rows = pl.read_parquet(data).with_columns(plain=plain)
    test = rows.filter(pl.col("split") == "test").select("plain")
    english = rows.filter(pl.col("language") == "en", pl.col("split") != "test")
    return english.join(test, on="plain", how="anti").sort("doc_id")


def fit(data: Path) -> None:
    from sklearn.linear_model import LogisticRegression

    embedder = load_embedder(describe_model(EmbeddingSettings()), EmbeddingSettings())
    rows = train_rows(data)
    signs, is_aspect = [], []
    is_laptop = pl.col("dataset") == "acos_laptop"
    for part in (rows.filter(is_laptop), rows.filter(~is_laptop)):
        texts = part["text"].to_list()
        vectors = embedder.embed(texts)
        terms = find_terms(texts)
        vocabulary = learn_vocabulary(terms, vectors, None, 2)
        signs.append(aspect_signs(terms, vectors, vocabulary, is_learned=True))
        marks = [
            [mark["aspect"].lower() for mark in marks if mark["aspect"]] for marks in part["labels"].to_list()
        ]
        is_aspect += [
            any(token_f1(term, mark) >= MIN_TOKEN_F1 for mark in marks[row])
            for row, term in terms.select("row", "term").iter_rows()
        ]
    rows_of_signs, targets = np.vstack(signs), np.array(is_aspect)
    scale = rows_of_signs.std(axis=0) + 1e-9
    model = LogisticRegression(max_iter=5_000, C=0.3).fit(rows_of_signs / scale, targets)
    print("_WEIGHTS =", [round(float(weight), 4) for weight in model.coef_[0] / scale])
    print("_INTERCEPT =", round(float(model.intercept_[0]), 4))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, default=DATA)
    parser.add_argument("--fit", action="store_true", help="print weights instead of measuring")
    parser.add_argument("--json", action="store_true")
    arguments = parser.parse_args()
    if arguments.fit:
        fit(arguments.data)
        return
    result = evaluate_extraction_of(load_settings(Path("nightloom.toml")), arguments.data)
    if arguments.json:
        print(json.dumps(result))
        return
    for name, path in result["paths"].items():
        print(f"{name:10}", " ".join(f"{key} {value:.3f}" for key, value in path.items()))


if __name__ == "__main__":
    main()
