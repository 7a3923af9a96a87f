"""What reviewers praise in an item, and the customer in another one: reasons that are published insights."""

from __future__ import annotations

from dataclasses import dataclass

import polars as pl

from flows.compose import compose_insights
from flows.gather import documents_of
from flows.night import Night, read_manifest_rows
from flows.people import without_objecting

MIN_PRAISE_SHARE = 0.6
"""A theme is praised in an item where so large a share of what is said of it there is praise."""

_BY_ITEM = {"item_id": pl.String, "theme_id": pl.String, "n_authors": pl.UInt32}
_OWN = {"author_key": pl.String, "item_id": pl.String, "theme_id": pl.String, "opinion_id": pl.String}


@dataclass(frozen=True)
class Praise:
    """Themes that are praised in items."""

    by_item: pl.DataFrame
    """item_id, theme_id, n_authors: by at least `min_authors` distinct authors, and mostly."""
    own: pl.DataFrame
    """author_key, item_id, theme_id, opinion_id: by one customer, in words that may be quoted back."""

    @classmethod
    def none(cls) -> Praise:
        """Nothing is praised."""
        return cls(pl.DataFrame(schema=_BY_ITEM), pl.DataFrame(schema=_OWN))


def praise_of(night: Night) -> Praise:
    """What the night's opinions praise, under themes that are shown.

    Only sources that grant recommending speak to a customer, and only those that grant quoting are quoted
    back; sources on hold say nothing.
    """
    insights = compose_insights(night)
    granting = [
        source.name
        for source in night.settings.sources
        if "recommend" in source.granted and source.name not in insights.held
    ]
    shown = insights.themes.filter("is_shown").select("theme_id")
    documents = insights.documents.filter("is_covered", pl.col("source").is_in(granting)).drop_nulls(
        "item_id"
    )
    said = (
        insights.opinion_themes.join(shown, on="theme_id", how="semi")
        .join(insights.opinions.select("opinion_id", "document_id", "sentiment_label"), on="opinion_id")
        .join(documents.select("document_id", "item_id", "author", "may_quote"), on="document_id")
        .with_columns(is_praise=pl.col("sentiment_label") == "positive")
    )
    by_item = (
        said.group_by("item_id", "theme_id")
        .agg(
            n_authors=pl.col("author").filter("is_praise").fill_null(-1).n_unique(),
            share=pl.col("is_praise").mean(),
        )
        .filter(pl.col("n_authors") >= night.settings.store.min_authors, pl.col("share") >= MIN_PRAISE_SHARE)
    )
    recipe = str(read_manifest_rows(night, night.made_by)["clean"]["recipe"])
    authors = documents_of(night, recipe).select("document_id", "author_key").drop_nulls()
    own = (
        said.filter("is_praise", "may_quote")
        .join(without_objecting(night, authors), on="document_id")
        .group_by("author_key", "item_id", "theme_id")
        .agg(pl.col("opinion_id").min())
    )
    return Praise(by_item.select(*_BY_ITEM), own.select(*_OWN))


def with_praise(
    evidence: pl.DataFrame, listed: pl.DataFrame, interactions: pl.DataFrame, praise: Praise
) -> pl.DataFrame:
    """Evidence with theme_id and opinion_id: what is praised in the item and, by the customer, in the other.

    Of several themes the one that most authors praise. Null where nothing is.

    Args:
        evidence: Columns user_id, rank, nth, because_item_id.
        listed: Table recommendation.
        interactions: With user_id and author_key.
        praise: What is praised.
    """
    key = ["user_id", "rank", "nth"]
    authors = interactions.select("user_id", "author_key").drop_nulls().unique("user_id")
    found = (
        evidence.select(*key, "because_item_id")
        .join(listed.select("user_id", "rank", "item_id"), on=["user_id", "rank"])
        .join(authors, on="user_id")
        .join(praise.by_item, on="item_id")
        .join(
            praise.own,
            left_on=["author_key", "because_item_id", "theme_id"],
            right_on=["author_key", "item_id", "theme_id"],
        )
        .sort("n_authors", "theme_id", descending=[True, False])
        .unique(key, keep="first", maintain_order=True)
        .select(*key, "theme_id", "opinion_id")
    )
    return evidence.join(found, on=key, how="left", maintain_order="left")
