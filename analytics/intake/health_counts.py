"""What each source delivered, day by day, as arrays that the detectors of source health read."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta

import numpy as np
import polars as pl

HISTORY_DAYS = 420
"""Days before a source's newest document that are read: the published half year and its baselines."""

MAX_LAG_DAYS = 35
_LAG_ROWS_NEEDED = 50
_MATURE_DAYS = 14
_MAX_VALUES = 120
_MAX_ITEMS = 200
_MAX_LANGUAGES = 8


@dataclass(frozen=True)
class SourceCounts:
    """Counts of one source; row 0 is `first`, the last row is the night's day.

    n_documents (n_days,), language (n_days, n_languages), rating (n_days, n_values), length (n_days, 2:
    short, long), item_high, item_rated (n_days, n_items: rated in the upper half, rated), arrived_share
    (n_days,).
    """

    source: str
    first: date
    first_day: date
    """Of its oldest document, which may lie before `first`."""
    last_day: date
    n_documents: np.ndarray
    languages: tuple[str, ...]
    language: np.ndarray
    values: np.ndarray
    is_outside: np.ndarray
    """(n_values,) True where the value is outside the scale that the settings declare."""
    rating: np.ndarray
    length: np.ndarray
    item_high: np.ndarray
    item_rated: np.ndarray
    lag_days: int
    """The newest days that this source usually has not begun to deliver yet."""
    arrived_share: np.ndarray
    """Share of a day's documents that has usually arrived by now."""

    @property
    def n_days(self) -> int:
        """Days from the first to the night's, both counted."""
        return int(self.n_documents.size)

    @property
    def presence(self) -> np.ndarray:
        """(n_days, 2) documents with and without a rating."""
        rated = self.rating.sum(axis=1)
        return np.stack([rated, self.n_documents - rated], axis=1)

    def day(self, index: int) -> date:
        """The date of a row."""
        return self.first + timedelta(days=index)


def count_sources(documents: pl.DataFrame, as_of: date) -> list[SourceCounts]:
    """Count what had arrived by the night of `as_of`, per source in order of name.

    Args:
        documents: As `assess_sources` takes them.
        as_of: Later days and later arrivals are left out.
    """
    arrived_on = pl.col("arrived_on")
    is_one_import = (arrived_on.min() == arrived_on.max()).over("source").fill_null(True)
    seen = documents.filter(pl.col("day") <= as_of).with_columns(
        pl.when(is_one_import).then(None).otherwise(arrived_on).alias("arrived_on"),
        pl.col("day").min().over("source").alias("first_day"),
    )
    seen = seen.filter(arrived_on.is_null() | (arrived_on <= as_of))
    newest = pl.col("day").max().over("source")
    seen = seen.filter(pl.col("day") > newest - pl.duration(days=HISTORY_DAYS))
    if seen.is_empty():
        return []
    parts = seen.partition_by("source", as_dict=True)
    return [_count(str(key[0]), parts[key], as_of) for key in sorted(parts, key=lambda key: str(key[0]))]


def _count(source: str, rows: pl.DataFrame, as_of: date) -> SourceCounts:
    days = rows["day"].cast(pl.Int32)
    first, last = int(days.min()), int(days.max())  # type: ignore[arg-type]
    n_days = (as_of - date(1970, 1, 1)).days - first + 1
    rows = rows.with_columns((days - first).alias("row"))
    languages, language = _by_level(rows, pl.col("language").fill_null("und"), n_days, _MAX_LANGUAGES)
    rated = rows.filter(pl.col("rating").is_not_null()).with_columns(_few_values(rows["rating"]))
    values, rating = _by_level(rated, pl.col("rating"), n_days, None)
    ratings = np.array(values, dtype=np.float64)
    item_high, item_rated = _by_item(rated, ratings, rating.sum(axis=0), n_days)
    lag_days, arrived_share = _arrival(rows, n_days)
    lag_days = min(lag_days, n_days)
    return SourceCounts(
        source=source,
        first=date(1970, 1, 1) + timedelta(days=first),
        first_day=rows["first_day"][0],
        last_day=date(1970, 1, 1) + timedelta(days=last),
        n_documents=np.bincount(rows["row"].to_numpy(), minlength=n_days),
        languages=tuple(str(name) for name in languages),
        language=language,
        values=ratings,
        is_outside=_outside(rated, ratings),
        rating=rating,
        length=_lengths(rows, n_days),
        item_high=item_high,
        item_rated=item_rated,
        lag_days=lag_days,
        arrived_share=arrived_share,
    )


def _by_level(
    rows: pl.DataFrame, level: pl.Expr, n_days: int, most: int | None
) -> tuple[list[object], np.ndarray]:
    """Levels in order and counts (n_days, n_levels); beyond the `most` frequent ones they count as other."""
    counts = rows.group_by(pl.col("row"), level.alias("level")).len()
    totals = counts.group_by("level").agg(pl.col("len").sum()).sort("len", "level", descending=[True, False])
    kept = sorted(totals["level"].head(most).to_list() if most else totals["level"].to_list())
    position = {value: index for index, value in enumerate(kept)}
    other = totals.height > len(kept)
    table = np.zeros((n_days, len(kept) + other), dtype=np.int64)
    columns = np.array(
        [position.get(value, len(kept)) for value in counts["level"].to_list()], dtype=np.int64
    )
    np.add.at(table, (counts["row"].to_numpy(), columns), counts["len"].to_numpy())
    return [*kept, *(["other"] if other else [])], table


def _few_values(ratings: pl.Series) -> pl.Expr:
    """Ratings, rounded to about a hundredth of their span where they take very many values."""
    rating = pl.col("rating")
    if ratings.n_unique() <= _MAX_VALUES:
        return rating
    span = float(ratings.max()) - float(ratings.min())  # type: ignore[arg-type]
    step = 10.0 ** np.ceil(np.log10(span / _MAX_VALUES))
    return ((rating / step).round() * step).alias("rating")


def _outside(rated: pl.DataFrame, values: np.ndarray) -> np.ndarray:
    """Which values the declared scale has no place for; none where no rating has a share."""
    if rated["rating_share"].null_count() == rated.height:
        return np.zeros(values.size, dtype=bool)
    share = pl.col("rating_share")
    outside = rated.filter(share.is_null() | (share < 0) | (share > 1))["rating"].unique().to_numpy()
    return np.isin(values, outside)


def _by_item(
    rated: pl.DataFrame, values: np.ndarray, totals: np.ndarray, n_days: int
) -> tuple[np.ndarray, np.ndarray]:
    usual = values[totals >= max(2.0, 0.005 * totals.sum())] if values.size else values
    named = rated.filter(pl.col("item_id").is_not_null())
    if usual.size < 2 or named.is_empty():
        empty = np.zeros((n_days, 0), dtype=np.int64)
        return empty, empty
    items = (
        named["item_id"].value_counts().sort("count", "item_id", descending=[True, False]).head(_MAX_ITEMS)
    )
    named = named.join(items.select("item_id").with_row_index("column"), on="item_id")
    middle = (usual[0] + usual[-1]) / 2
    counts = named.group_by("row", "column").agg(pl.len(), (pl.col("rating") > middle).sum().alias("high"))
    tables = []
    for name in ("high", "len"):
        table = np.zeros((n_days, items.height), dtype=np.int64)
        np.add.at(table, (counts["row"].to_numpy(), counts["column"].to_numpy()), counts[name].to_numpy())
        tables.append(table)
    return tables[0], tables[1]


def _lengths(rows: pl.DataFrame, n_days: int) -> np.ndarray:
    lengths = np.zeros((n_days, 2), dtype=np.int64)
    if "n_words" not in rows.columns:
        return lengths
    known = rows.filter(pl.col("n_words").is_not_null())
    if known.is_empty():
        return lengths
    is_long = (known["n_words"] > known["n_words"].quantile(0.25)).cast(pl.Int64)
    np.add.at(lengths, (known["row"].to_numpy(), is_long.to_numpy()), 1)
    return lengths


def _arrival(rows: pl.DataFrame, n_days: int) -> tuple[int, np.ndarray]:
    """Learn how late a source's days begin and fill up, from rows that came after its first import."""
    everything = np.ones(n_days)
    arrived = rows.filter(pl.col("arrived_on").is_not_null())
    if arrived.is_empty():
        return 0, everything
    lag = (pl.col("arrived_on") - pl.col("day")).dt.total_days()
    import_night = arrived["arrived_on"].min()
    later = arrived.filter(pl.col("arrived_on") > import_night).with_columns(lag=lag)
    later = later.filter(pl.col("lag").is_between(0, MAX_LAG_DAYS) & (pl.col("row") >= n_days - 84))
    if later.is_empty():
        return 0, everything
    imported = arrived.filter(pl.col("arrived_on") == import_night)
    mature = later.filter(pl.col("row") < n_days - _MATURE_DAYS)
    if mature.height < _LAG_ROWS_NEEDED:
        # How its days fill up is not known yet: wait for nearly all that came late, then and at the import.
        newest = min(int(imported.select(lag.min()).item()), _MATURE_DAYS)
        return max(newest, int(later["lag"].quantile(0.95, interpolation="higher") or 0)), everything
    begun = later.filter(~pl.col("row").is_in(imported["row"].unique().implode()))
    begun = begun.group_by("row").agg(pl.col("lag").min())
    by_lag = np.bincount(mature["lag"].to_numpy(), minlength=MAX_LAG_DAYS + 1)
    filled = np.cumsum(by_lag) / by_lag.sum()
    reach = min(n_days, filled.size)
    everything[n_days - reach :] = filled[:reach][::-1]
    return int(begun["lag"].quantile(0.95, interpolation="higher") or 0), everything
