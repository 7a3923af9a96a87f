"""Lists as people read them: titles in place of ids, and reasons in words."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import polars as pl

from analytics.store.read import open_published
from recommender.candidates import POPULAR

_POPULAR_ALONE = "popular with customers"
_EVIDENCE = """
    SELECT e.* FROM recommendation_evidence AS e
    WHERE user_id IN (SELECT unnest($users)) ORDER BY user_id, "rank", nth"""

_REASON = pl.Struct(
    {
        "item_id": pl.String,
        "title": pl.String,
        "interaction_id": pl.String,
        "given": pl.Float64,
        "theme_id": pl.String,
        "opinion_id": pl.String,
        "theme": pl.String,
    }
)


def in_words(lists: pl.DataFrame, data_dir: Path, generation: str) -> pl.DataFrame:
    """Lists with titles and reasons.

    Args:
        lists: Rows of table recommendation.
        data_dir: The store.
        generation: Whose lists they are.

    Returns:
        The rows and title (the id where there is none), because (a sentence; null where nothing is named) and
        evidence (what is named: item_id, title, interaction_id, given, theme_id, opinion_id, theme).
    """
    customers = open_published(data_dir, "customers", generation)
    insights = open_published(data_dir, "insights", generation)
    try:
        told = customers.query(_EVIDENCE, users=lists["user_id"].unique().to_list())
        titles = dict(insights.query("SELECT item_id, title FROM item WHERE title <> ''").iter_rows())
        themes = dict(insights.query("SELECT theme_id, name FROM theme WHERE is_shown").iter_rows())
    finally:
        customers.close()
        insights.close()
    reasons: dict[tuple[str, int], list[dict[str, Any]]] = {}
    for row in told.iter_rows(named=True):
        item = row["because_item_id"]
        reasons.setdefault((row["user_id"], row["rank"]), []).append(
            {
                "item_id": item,
                "title": titles.get(item, item),
                **{name: row[name] for name in ("interaction_id", "given", "theme_id", "opinion_id")},
                "theme": themes.get(row["theme_id"]),
            }
        )
    evidence = [reasons.get(place, []) for place in lists.select("user_id", "rank").iter_rows()]
    because = [sentence(of, method) for of, method in zip(evidence, lists["method"], strict=True)]
    return lists.with_columns(
        title=pl.Series([titles.get(item, item) for item in lists["item_id"]], dtype=pl.String),
        because=pl.Series(because, dtype=pl.String),
        evidence=pl.Series(evidence, dtype=pl.List(_REASON)),
    )


def sentence(evidence: Sequence[Mapping[str, Any]], method: str) -> str | None:
    """What one item is listed for; None where neither an item of the history nor popularity is named.

    Args:
        evidence: With title and theme (None: nothing is praised in both), what gave most first.
        method: Generator that gave most.
    """
    if not evidence:
        return _POPULAR_ALONE if method == POPULAR else None
    said = f"because of {' and '.join(str(reason['title']) for reason in evidence)}"
    praised: dict[str, list[str]] = {}
    for reason in evidence:
        if reason["theme"] is not None:
            praised.setdefault(reason["theme"], []).append(reason["title"])
    for theme, titles in praised.items():
        said += f"; reviewers praise “{theme}”, which this customer praised in {' and '.join(titles)}"
    return said


def as_lines(rows: pl.DataFrame) -> str:
    """Lists for a terminal, customer by customer."""
    lines = []
    for (user,), of_user in rows.group_by("user_id", maintain_order=True):
        lines.append(str(user))
        for row in of_user.iter_rows(named=True):
            item = row["item_id"]
            known_as = item if row["title"] == item else f"{row['title']} ({item})"
            why = "" if row["because"] is None else f" – {row['because']}"
            lines.append(f"{row['rank']:>3}. {row['score']:.3f}  {known_as}{why}")
    return "\n".join(lines)
