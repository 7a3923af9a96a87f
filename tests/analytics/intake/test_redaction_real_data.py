"""Recall and precision on labelled texts hold what is promised."""

from __future__ import annotations

from typing import Any

import pytest

from benchmarks.redaction import DATA, LABELLED, measure


@pytest.fixture(scope="module")
def measured() -> dict[str, dict[str, dict[str, Any]]]:
    if not (DATA / LABELLED).exists():
        pytest.skip("the labelled texts are not beside this repository")
    return measure(DATA / LABELLED)


@pytest.mark.parametrize(
    ("name", "recall"),
    [
        ("email", 0.99),
        ("card, all", 0.99),
        ("card, passes Luhn", 0.99),
        ("iban", 0.99),
        ("ip 4", 0.99),
        ("ip 6", 0.99),
        ("phone, 9 digits or more", 0.95),
        ("US social security", 0.99),
        ("name, two words or more", 0.95),
    ],
)
@pytest.mark.parametrize("part", ["held out", "all"])
def test_recall(measured: dict[str, Any], part: str, name: str, recall: float) -> None:
    assert measured[part]["recall"][name]["share"] >= recall


@pytest.mark.parametrize(
    ("kind", "precision"),
    [
        ("email", 0.99),
        ("card", 0.99),
        ("iban", 0.99),
        ("ip", 0.99),
        ("phone", 0.95),
        ("national-id", 0.9),
        ("name", 0.95),
        ("address", 0.97),
    ],
)
@pytest.mark.parametrize("part", ["held out", "all"])
def test_precision(measured: dict[str, Any], part: str, kind: str, precision: float) -> None:
    assert measured[part]["precision"][kind]["share"] >= precision
