"""What is said of a night's lists: figures, and sentences for the one who runs it."""

from __future__ import annotations

from typing import Any

from flows.night import Night
from recommender.guard import AHEAD, MIN_CUSTOMERS, NO_EVIDENCE, WORSE


def list_quality(night: Night, n_users: int) -> list[tuple[str, float | None, int, str]]:
    """How lists would have done on the days held out, and how many are new: (metric, value, n, about)."""
    check = _check_of(night)
    about = check["verdict"] + ("" if check["days"] is None else f"; last {check['days']:g} days held out")
    rows = [
        (f"recommendation_{name}", check[name], check["n_customers"], about)
        for name in ("ndcg", "popular_ndcg", "ahead", "low", "high", "rules_price")
    ]
    withheld = float(check["verdict"] == WORSE)
    switched = float(check["ranker_fitted_on"] == night.as_of)
    fitted = check["ranker_fitted_on"] or "never: too few customers came back"
    return [
        *rows,
        ("recommendation_withheld", withheld, n_users, f"made {check['made_on'] or 'never'}"),
        ("recommendation_churn", check["churn"], n_users, "customers with a list"),
        ("ranker_switched", switched, check["n_customers"], f"fitted {fitted}"),
    ]


def lists_sentence(night: Night, n_users: int) -> str:
    """How many have a list, and how sure it is that lists beat what is popular."""
    if not n_users:
        return "No lists: no source that grants recommending tells of customers and items."
    check = _check_of(night)
    many = f"Lists for {n_users:,} customers"
    if check["verdict"] == NO_EVIDENCE:
        return (
            f"{many}; not enough evidence whether they beat popular items: "
            f"{check['n_customers']:,} customers to foresee, {MIN_CUSTOMERS} needed."
        )
    if check["verdict"] == WORSE:
        return f"{many}, {_in_their_place(night, check)}: tonight's own are withheld."
    told = "not surely better or worse than popular items: NDCG@10 differs by"
    if check["verdict"] == AHEAD:
        told = "ahead of popular items in NDCG@10 by"
    interval = f"{check['ahead']:.4f} ({check['low']:.4f} to {check['high']:.4f})"
    return f"{many}, {told} {interval} on the last {check['days']:g} days."


def why_withheld(night: Night) -> list[str]:
    """Why tonight's lists are not published, and which are; empty where they are."""
    check = _check_of(night)
    if check["verdict"] != WORSE:
        return []
    return [
        f"lists are withheld, and in their place are {_in_their_place(night, check)}: on the last "
        f"{check['days']:g} days they lost to popular items by {-check['ahead']:.4f} NDCG@10 "
        f"({-check['high']:.4f} to {-check['low']:.4f}), {check['n_customers']:,} customers"
    ]


def _in_their_place(night: Night, check: dict[str, Any]) -> str:
    if check["made_on"] == night.as_of:
        return "popular items alone"
    return f"those of {check['made_on'] or 'an older version'}"


def _check_of(night: Night) -> dict[str, Any]:
    return night.store.journal.read("recommendation_check", [night.made_by]).row(0, named=True)
