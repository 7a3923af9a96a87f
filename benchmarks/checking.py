"""The checker of claims on true and corrupted pairs.

A true pair is a human summary's sentence with all reviews of its product, or a review's sentence with its own
review. A corrupted one is such a pair with one thing wrong: the evidence is another product's (`citation`),
the sentence denies what it said (`negated`), a number (`number`) or the subject (`subject`) is another.
Weights are fitted on the train and val splits; the test split is for reporting.

    python benchmarks/checking.py [--fit] [--data FILE] [--json]
"""

from __future__ import annotations

import argparse
import json
import random
import re
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl

from analytics.insight.sentences import split_sentences
from analytics.models.checker import SIGNS, THRESHOLD, Checker, Sentence, support_of
from analytics.models.embedding import describe_model, load_embedder
from analytics.settings import EmbeddingSettings

DATA = Path(__file__).resolve().parents[2] / "shared" / "data"


@dataclass(frozen=True)
class Pair:
    """A sentence, the sentences of its evidence, and what is wrong with it: `true` where nothing is."""

    kind: str
    source: str
    said: str
    evidence: tuple[str, ...]
    product: str


def sentences(text: str) -> list[str]:
    """Sentences of a text that have a word or two to check."""
    return [text[a:b] for a, b in split_sentences(text) if len(Sentence(text[a:b]).words) >= 2]


_AUXILIARY = re.compile(
    r"\b(is|are|was|were|has been|have been|can|could|will|would|should|does|do|did)\b(?! not|n't)",
    re.IGNORECASE,
)
_DENIED = re.compile(r"\b(\w+)n['’]t\b|\s\b(?:not|never)\b", re.IGNORECASE)
_VERB = re.compile(
    r"\b(offers?|fits?|works?|makes?|looks?|serves?|provides?|holds?|keeps?|feels?|tastes?|comes?|has|have|love|like|"
    r"recommend|bought|worked|arrived|fit|looked|enjoyed|loved|liked)\b",
    re.IGNORECASE,
)


def negate(text: str) -> str | None:
    """The opposite of a sentence, by one word; None where no verb that can be denied is known."""
    if _DENIED.search(text):
        whole = {"wo": "will", "ca": "can"}
        return _DENIED.sub(
            lambda found: whole.get(found[1].lower(), found[1]) if found[1] else "", text, count=1
        )
    if _AUXILIARY.search(text):
        return _AUXILIARY.sub(lambda found: f"{found[0]} not", text, count=1)
    if _VERB.search(text):
        return _VERB.sub(lambda found: f"never {found[0]}", text, count=1)
    return None


_WORDS = "two three four five six seven eight nine ten twelve".split()
_NUMBER = re.compile(r"\b(\d+(?:\.\d+)?|" + "|".join(_WORDS) + r")\b", re.IGNORECASE)


def change_number(text: str, rng: random.Random) -> str | None:
    """The sentence with another number; None where it has none."""
    found = _NUMBER.search(text)
    if not found:
        return None
    was = found[1].lower()
    if was in _WORDS:
        other = rng.choice([word for word in _WORDS if word != was])
    else:
        other = str(int(float(was)) + rng.randint(1, 9))
    return text[: found.start()] + other + text[found.end() :]


def change_subject(text: str, others: list[str], rng: random.Random) -> str | None:
    """The sentence about something else: its first content word is one that begins others' sentences."""
    words = [word for word, _ in Sentence(text).words]
    choices = [word for word in others if word not in words]
    place = re.search(rf"\b{re.escape(words[0])}\b", text, re.IGNORECASE) if words else None
    if not place or not choices:
        return None
    return text[: place.start()] + rng.choice(choices) + text[place.end() :]


def pairs(split: list[str], seed: int, file: Path = DATA / "summ_fewsum.parquet") -> Iterator[Pair]:
    """True and corrupted pairs of some splits; each true one is corrupted in every way that is possible."""
    rows = pl.read_parquet(file).filter(pl.col("split").is_in(split)).sort("doc_id").to_dicts()
    rng = random.Random(seed)
    first = {
        row["doc_id"]: [Sentence(one).words[0][0] for text in row["summaries"] for one in sentences(text)]
        for row in rows
    }
    for row in rows:
        other = rng.choice([one for one in rows if one["doc_id"] != row["doc_id"]])
        elsewhere = [word for doc, some in first.items() if doc != row["doc_id"] for word in some]
        drawn = list(_true_pairs(row, other, rng))
        for said, evidence, wrong, source in drawn:
            changed = {
                "true": said,
                "negated": negate(said),
                "number": change_number(said, rng),
                "subject": change_subject(said, elsewhere, rng),
            }
            for kind, text in changed.items():
                if text is not None and (text != said or kind == "true"):
                    yield Pair(kind, source, text, evidence, row["doc_id"])
            yield Pair("citation", source, said, wrong, row["doc_id"])


def _true_pairs(
    row: dict[str, Any], other: dict[str, Any], rng: random.Random
) -> Iterator[tuple[str, tuple[str, ...], tuple[str, ...], str]]:
    """Each true sentence of a product: with its evidence, with as much of another's, and where it is from."""
    reviews, elsewhere = ([tuple(sentences(text)) for text in one["reviews"]] for one in (row, other))
    all_reviews, all_elsewhere = (
        tuple(one for some in texts for one in some) for texts in (reviews, elsewhere)
    )
    for text in row["summaries"]:
        for one in sentences(text):
            yield one, all_reviews, all_elsewhere, "summary"
    for nth, some in enumerate(reviews):
        for one in rng.sample(some, min(2, len(some))):
            yield one, some, elsewhere[nth % len(elsewhere)], "review"


FITTED_ON, REPORTED_ON = ["train", "val"], ["test"]


def measure_signs(found: list[Pair]) -> np.ndarray:
    """Signs of pairs by the embedded embedding model: float64 (n, n_signs)."""
    settings = EmbeddingSettings()
    checker = Checker(load_embedder(describe_model(settings), settings).embed)
    return checker.signs([one.said for one in found], [one.evidence for one in found])


def fit(found: list[Pair], signs: np.ndarray) -> tuple[list[float], float]:
    """Weights of a logistic regression on the signs as they are, and its intercept."""
    from sklearn.linear_model import LogisticRegression
    from sklearn.preprocessing import StandardScaler

    is_true = np.array([one.kind == "true" for one in found])
    scaler = StandardScaler().fit(signs)
    fitted = LogisticRegression(C=1.0, class_weight="balanced", max_iter=2_000).fit(
        scaler.transform(signs), is_true
    )
    weights = fitted.coef_[0] / scaler.scale_
    return weights.round(4).tolist(), round(float(fitted.intercept_[0] - weights @ scaler.mean_), 4)


def report(found: list[Pair], support: np.ndarray) -> dict[str, Any]:
    """Shares kept and caught at the threshold, by where the true sentence comes from and what is wrong."""
    told: dict[str, Any] = {"n_pairs": len(found), "threshold": THRESHOLD}
    for source in ("summary", "review", None):
        of_source = np.array([source in (None, one.source) for one in found])
        is_true = np.array([one.kind == "true" for one in found])
        passes = support >= THRESHOLD
        kinds = {}
        for kind in ("citation", "negated", "number", "subject"):
            chosen = of_source & np.array([one.kind == kind for one in found])
            kinds[kind] = {"n": int(chosen.sum()), "caught": round(float(1 - passes[chosen].mean()), 3)}
        told[source or "all"] = {
            "n_true": int((of_source & is_true).sum()),
            "kept": round(float(passes[of_source & is_true].mean()), 3),
            "caught": round(float(1 - passes[of_source & ~is_true].mean()), 3),
            "by_kind": kinds,
        }
    return told


def main(arguments: Sequence[str] | None = None) -> int:
    """Report on the test split, or fit on the others and print the weights."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--data", type=Path, default=DATA / "summ_fewsum.parquet")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument(
        "--fit", action="store_true", help="fit on the train and val splits; print the weights"
    )
    parser.add_argument("--json", action="store_true")
    given = parser.parse_args(arguments)
    if not given.data.exists():
        print(f"no reviews with summaries at {given.data}; name the file with --data", file=sys.stderr)
        return 1
    found = list(pairs(FITTED_ON if given.fit else REPORTED_ON, given.seed, given.data))
    signs = measure_signs(found)
    if given.fit:
        weights, intercept = fit(found, signs)
        print(
            json.dumps({"weights": dict(zip(SIGNS, weights, strict=True)), "intercept": intercept}, indent=1)
        )
        return 0
    told = report(found, support_of(signs))
    if given.json:
        print(json.dumps(told))
        return 0
    print(f"{told['n_pairs']:,} pairs, threshold {THRESHOLD}")
    for source in ("summary", "review", "all"):
        row = told[source]
        kinds = ", ".join(f"{kind} {one['caught']:.3f} of {one['n']}" for kind, one in row["by_kind"].items())
        print(f"  {source:8} kept {row['kept']:.3f} of {row['n_true']}, caught {row['caught']:.3f} ({kinds})")
    return 0


if __name__ == "__main__":
    sys.exit(main())
