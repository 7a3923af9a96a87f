"""Items that one group of customers loves and hardly anybody sees."""

from __future__ import annotations

import numpy as np
import polars as pl
from scipy import stats

from analytics.insight.rates import CONFIDENCE, benjamini_hochberg

RARE_SHARE = 0.5
"""An item is rarely seen where people deal with it at most so often as with the median one."""
MIN_LEAD = 0.1
"""An item is loved where a group surely rates it by so much of the scale above the others that it rates."""
MIN_OTHERS = 30
"""A group with fewer ratings of other items tells nothing."""

LOVED_ROWS: dict[str, pl.DataType | type[pl.DataType]] = {
    "item_id": pl.String,
    "segment": pl.String,  # name: value
    "n_authors": pl.Int64,  # of the group, who rated it
    "rating_share": pl.Float64,  # their mean, 0 to 1
    "lead": pl.Float64,  # above what the group gives to other items
    "lead_low": pl.Float64,
    "lead_high": pl.Float64,
    "seen_share": pl.Float64,  # of all that people did with items
    "p_value": pl.Float64,
    "q_value": pl.Float64,
}


def find_loved(
    rated: pl.DataFrame, seen: pl.DataFrame, *, min_authors: int, false_discovery_rate: float
) -> pl.DataFrame:
    """Rarely seen items that a group rates higher than others, each told of the group it is loved by most.

    One author's ratings of an item count as their mean. They are held against a lead of MIN_LEAD by a t test
    with the spread of all of the group's ratings, so that five equal ratings do not pass for certainty; all
    items and groups tested are corrected for being many.

    Args:
        rated: Columns item_id, author, segment (name: value), rating_share; a row for every segment of the
            author or the document.
        seen: Columns item_id, n: how often people dealt with each item lately; 0 where never.
        min_authors: A pair of item and group with fewer authors is not tested.
        false_discovery_rate: Of the items told at most so many are chance.
    """
    rare = _rarely_seen(seen)
    voices = rated.group_by("segment", "item_id", "author").agg(rating=pl.col("rating_share").mean())
    of_group = voices.group_by("segment").agg(
        n_group=pl.len(), sum_group=pl.col("rating").sum(), squares=(pl.col("rating") ** 2).sum()
    )
    tested = (
        voices.group_by("segment", "item_id")
        .agg(n_authors=pl.len(), rating_share=pl.col("rating").mean())
        .join(rare, on="item_id")
        .filter(pl.col("n_authors") >= min_authors)
        .join(of_group, on="segment")
        .with_columns(n_others=pl.col("n_group") - pl.col("n_authors"))
        .filter(pl.col("n_others") >= MIN_OTHERS)
        .sort("item_id", "segment")
    )
    if tested.is_empty():
        return pl.DataFrame(schema=LOVED_ROWS)
    tested = _with_leads(tested)
    sure = tested.filter(pl.col("q_value") <= false_discovery_rate)
    n_raters = voices.select("item_id", "author").unique().group_by("item_id").agg(n_raters=pl.len())
    n_all = max(1, voices["author"].n_unique())
    n_members = voices.group_by("segment").agg(n_members=pl.col("author").n_unique())
    concentrated = pl.col("n_authors") / pl.col("n_raters") - pl.col("n_members") / n_all
    return (
        sure.join(n_raters, on="item_id")
        .join(n_members, on="segment")
        .sort(concentrated, "segment", descending=[True, False])
        .unique("item_id", keep="first", maintain_order=True)
        .sort("item_id")
        .select(pl.col(name).cast(dtype) for name, dtype in LOVED_ROWS.items())
    )


def _rarely_seen(seen: pl.DataFrame) -> pl.DataFrame:
    middle = seen["n"].median() or 0.0
    total = max(1, int(seen["n"].sum()))
    rare = seen.filter(pl.col("n") <= RARE_SHARE * pl.lit(middle))
    return rare.select("item_id", seen_share=pl.col("n") / total)


def _with_leads(tested: pl.DataFrame) -> pl.DataFrame:
    n, others, group = (tested[name].to_numpy() for name in ("n_authors", "n_others", "n_group"))
    mean, total = tested["rating_share"].to_numpy(), tested["sum_group"].to_numpy()
    spread = np.maximum(tested["squares"].to_numpy() - total**2 / group, 1e-12) / (group - 1)
    lead = mean - (total - n * mean) / others
    error = np.sqrt(spread * (1 / n + 1 / others))
    reach = stats.t.ppf((1 + CONFIDENCE) / 2, group - 2) * error
    p_value = stats.t.sf((lead - MIN_LEAD) / error, group - 2)
    return tested.with_columns(
        lead=pl.Series(lead).round(6),
        lead_low=pl.Series(lead - reach).round(6),
        lead_high=pl.Series(lead + reach).round(6),
        p_value=pl.Series(p_value),
        q_value=pl.Series(benjamini_hochberg(p_value)),
    )
