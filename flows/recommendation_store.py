"""What a night knows of customers and items when it recommends."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, time, timedelta
from functools import partial
from zoneinfo import ZoneInfo

import numpy as np
import polars as pl

from flows.gather import documents_of, item_words, live_rows, not_granting
from flows.generation import item_vectors
from flows.interactions import interactions_of
from flows.night import Night, read_manifest_rows
from flows.people import without_objecting
from recommender.candidates import Catalogue, Written, written_of
from recommender.events import SECONDS_OF_DAY, Events, read_events
from recommender.model import CutAt, cut_interactions
from recommender.rules import variants_of


@dataclass(frozen=True, eq=False)
class Known:
    """Customers who may be recommended something, what they did, and what is known of the items."""

    interactions: pl.DataFrame
    """As `interactions_of` has them, of people who do not object and of kinds that show a liking."""
    events: Events
    cut_at: CutAt
    catalogue: Catalogue
    variant: np.ndarray
    """int64 (n_items,): items of the same number are one product."""
    is_excluded: np.ndarray
    """bool (n_items,): by the settings, or gone from its source."""
    arrived: np.ndarray
    """float64 (n_items,): when a night first saw the item, in days; NaN where nobody knows."""
    now: float
    """The end of the night's last local day."""


def known_of(night: Night) -> Known:
    """What the sources that grant recommending tell, without people who object."""
    settings = night.settings.recommendations
    interactions = without_objecting(night, interactions_of(night, "recommend"))
    if settings.kinds:
        interactions = interactions.filter(pl.col("kind").is_in(settings.kinds))
    users = without_objecting(night, live_rows(night, "users", use="recommend"))
    items = live_rows(night, "items", use="recommend")
    ids = items["id"].to_list() if items.height else []
    read = partial(
        read_events,
        kind_weights={one.kind: one.weight for one in settings.weights},
        passing_kinds=[one.kind for one in settings.weights if not one.is_had],
    )
    events = read(interactions, ids, users["id"].to_list() if users.height else [])
    read_again = partial(read, items=events.items, users=events.users)
    n_more = events.n_items - len(ids)
    texts = [*(_told_of(items) if items.height else []), *[""] * n_more]
    titles = [*(items["title"].fill_null("") if items.height else []), *[""] * n_more]
    return Known(
        interactions,
        events,
        partial(cut_interactions, interactions, read_again),
        Catalogue(
            texts,
            _vectors(night, events.items),
            _categories(items, settings.category, n_more),
            _written(night, events.items),
        ),
        variants_of(titles),
        np.isin(np.array(events.items, dtype=object), [*settings.exclude, *_gone(night)]),
        _arrived(night, items, n_more),
        _end_of(night),
    )


def new_items(known: Known, events: Events, now: float, new_days: int) -> np.ndarray:
    """Items that came, or were first taken, within so many days, bool (n_items,).

    An item that nobody took and that was there on the store's first night is not new.

    Args:
        known: What tonight knows.
        events: What was known then.
        now: Then.
        new_days: So many days before.
    """
    first = np.full(events.n_items, np.nan)
    order = np.argsort(-np.nan_to_num(events.time, nan=np.inf), kind="stable")
    first[events.column[order]] = events.time[order]  # the earliest is written last
    since = np.where(np.isnan(first), known.arrived, first)
    return np.asarray((since > now - new_days) & (since <= now))


def _end_of(night: Night) -> float:
    zone = ZoneInfo(night.settings.store.time_zone)
    return datetime.combine(night.as_of + timedelta(days=1), time.min, zone).timestamp() / SECONDS_OF_DAY


def _vectors(night: Night, ids: list[str]) -> np.ndarray | None:
    """Unit vectors in the order of `ids`, zero for items without words: float32 (n_items, n_dims)."""
    vectors = item_vectors(night)
    if vectors.is_empty():
        return None
    matrix = vectors["vector"].to_numpy().astype(np.float32)
    matrix /= np.maximum(np.linalg.norm(matrix, axis=1, keepdims=True), 1e-12)
    place = pl.DataFrame({"item_id": ids}).join(
        vectors.select("item_id").with_row_index("row"), on="item_id", how="left", maintain_order="left"
    )["row"]
    has_one = place.is_not_null().to_numpy()
    aligned = np.zeros((len(ids), matrix.shape[1]), np.float32)
    aligned[has_one] = matrix[place.drop_nulls().to_numpy()]
    return aligned


def _told_of(items: pl.DataFrame) -> list[str]:
    """Title, description and attributes of each item."""
    values = pl.col("segments").list.eval(pl.element().struct.field("value")).list.join(" ")
    attributes = items.select(values.fill_null("")).to_series()
    return [f"{words} {more}".strip() for words, more in zip(item_words(items), attributes, strict=True)]


def _written(night: Night, ids: list[str]) -> Written:
    """What customers wrote of items, as it was read, by sources that grant recommending."""
    recipe = str(read_manifest_rows(night, night.made_by)["clean"]["recipe"])
    documents = documents_of(night, recipe).filter("is_covered")
    withheld = not_granting(night.settings, documents["source"], "recommend")
    return written_of(documents.filter(~pl.col("source").is_in(withheld)), ids)


def _categories(items: pl.DataFrame, name: str, n_more: int) -> list[str | None] | None:
    if items.is_empty():
        return None
    named = pl.element().filter(pl.element().struct.field("name") == name).struct.field("value").first()
    found = items.select(pl.col("segments").list.eval(named).list.first()).to_series().to_list()
    return [*found, *[None] * n_more]


def _gone(night: Night) -> list[str]:
    """Items that a source has dropped."""
    arrivals = night.store.journal.read("arrival", night.counting).filter(pl.col("kind") == "items")
    last = arrivals.unique("id", keep="last", maintain_order=True)
    return last.filter(pl.col("change") == "gone")["id"].to_list()


def _arrived(night: Night, items: pl.DataFrame, n_more: int) -> np.ndarray:
    if items.is_empty():
        return np.full(n_more, np.nan)
    nights = night.store.journal.attempts().unique("run_id", keep="first", maintain_order=True)
    first_night = nights.join(
        pl.DataFrame({"run_id": [made_by.run_id for made_by in night.counting]}), on="run_id"
    )["as_of"].min()
    seen = items.select(run_id="first_seen_run").join(
        nights.select("run_id", "as_of"), on="run_id", how="left", maintain_order="left"
    )["as_of"]
    days = seen.to_frame().select(pl.when(pl.col("as_of") > first_night).then(pl.col("as_of").dt.epoch("d")))
    return np.concatenate([days.to_series().cast(pl.Float64).fill_null(np.nan).to_numpy(), [np.nan] * n_more])
