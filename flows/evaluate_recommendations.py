"""How well recommendations foresee what customers take, on files of one's own."""

from __future__ import annotations

import resource
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl

from analytics.errors import SourceError
from analytics.models.embedding import describe_model, load_embedder
from analytics.settings import Settings
from recommender.candidates import Catalogue, Written, written_of
from recommender.evaluation import evaluate_model
from recommender.events import Events, read_events
from recommender.guard import CUTOFF, MIN_CUSTOMERS
from recommender.model import Future, Model, cut, fit_model, without_last
from recommender.rules import Rules, variants_of

TEMPORAL, LEAVE_ONE_OUT = "temporal", "leave-one-out"
TEST_SHARE = 0.1
"""Of the events the last ones by time, which are to be foreseen."""


def evaluate_recommendations(
    settings: Settings,
    interactions: Path,
    items: Path | None = None,
    documents: Path | None = None,
    *,
    protocol: str = TEMPORAL,
    has_embedding: bool = True,
    seed: int | None = None,
) -> dict[str, Any]:
    """Fit on the earlier part of a file of interactions and foresee the later one; nothing is stored.

    Args:
        settings: The embedding model, the half-life of events and the seed.
        interactions: File with user_id, item_id, created_at or position, rating (optional).
        items: File with item_id and columns of text; title among them tells targets that repeat the history.
        documents: File with item_id, text, created_at: what was written before a cut is read as words of the
            items there.
        protocol: temporal (known: all before a day; to foresee: all after it) or leave-one-out (to foresee:
            each customer's last item).
        has_embedding: Whether the embedding model reads the texts of items.
        seed: Instead of the store's.

    Returns:
        metrics, slices, peers and more, as `evaluate_model` tells them, with protocol, n_events, n_users,
        n_items, n_with_text, seconds, peak_mb and enough_evidence.

    Raises:
        SourceError: a file cannot be read, or lacks a column or an order.
        ModelUnavailable: the embedding model is not there.
    """
    started = time.perf_counter()
    if documents is not None and protocol == LEAVE_ONE_OUT:
        raise SourceError(
            f"{documents}: with {LEAVE_ONE_OUT} texts may tell what is to be foreseen; leave it out, or use "
            f"--protocol {TEMPORAL}"
        )
    seed = settings.store.seed if seed is None else seed
    told = read_interactions(interactions)
    described = None if items is None else read_items(items)
    ids = [] if described is None else described["item_id"].to_list()
    events = read_events(told, ids)
    future = cut_events(events, protocol, interactions)
    texts, titles = texts_of(events.items, described)
    written = None if documents is None else read_documents(documents, events.items)
    vectors = embed_items(settings, texts) if has_embedding and any(texts) else None
    catalogue = Catalogue(texts, vectors, categories_of(events.items, described), written)
    has_time = bool(np.isfinite(events.time).any())

    def fit(known: Events) -> Model:
        half_life = settings.recommendations.half_life_days if has_time else None
        return fit_model(known, catalogue, half_life_days=half_life, now=future.now, seed=seed)

    rules = Rules(
        n_listed=CUTOFF,
        is_excluded=np.zeros(events.n_items, dtype=bool),
        variant=variants_of(titles or [""] * events.n_items),
        is_new=np.zeros(events.n_items, dtype=bool),
        diversity=settings.recommendations.diversity,
    )
    measured = evaluate_model(fit, future, rules, titles, seed=seed)
    return {
        "interactions": str(interactions),
        "items": None if items is None else str(items),
        "documents": None if documents is None else str(documents),
        "protocol": protocol,
        "seed": seed,
        "n_events": len(events.column),
        "n_users": events.n_users,
        "n_items": events.n_items,
        "n_with_text": sum(text != "" for text in texts),
        **measured,
        "enough_evidence": measured["n_customers"] >= MIN_CUSTOMERS,
        "seconds": round(time.perf_counter() - started, 1),
        "peak_mb": round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024),
    }


def read_interactions(path: Path) -> pl.DataFrame:
    """Interactions as `read_events` takes them: the first one of a customer and an item counts.

    A rating is told as a share of what lies between the lowest and the highest one of the file; where all are
    the same it tells nothing.

    Raises:
        SourceError: the file cannot be read, or lacks a column or an order.
    """
    rows = _read(path, ("user_id", "item_id"))
    if "created_at" not in rows.columns and "position" not in rows.columns:
        raise SourceError(
            f"{path}: no column 'created_at' or 'position'; without an order nothing is foreseen"
        )
    time_of = _time(rows) if "created_at" in rows.columns else pl.lit(None, pl.Datetime("us", "UTC"))
    place = pl.col("position").cast(pl.Int64, strict=False) if "position" in rows.columns else pl.lit(0)
    rating = pl.lit(None, pl.Float64)
    if "rating" in rows.columns:
        number = pl.col("rating").cast(pl.Float64, strict=False)
        span = number.max() - number.min()
        rating = pl.when(span > 0).then((number - number.min()) / span)
    told = rows.select(
        pl.col("user_id", "item_id").cast(pl.String), created_at=time_of, position=place, rating_share=rating
    ).drop_nulls(["user_id", "item_id"])
    if told.is_empty():
        raise SourceError(f"{path}: holds no row with user_id and item_id; give a file with interactions")
    first = told.sort("created_at", "position", nulls_last=False)
    return first.unique(["user_id", "item_id"], keep="first", maintain_order=True)


def read_items(path: Path) -> pl.DataFrame:
    """Columns item_id, title (empty where there is none), text (all of text, the title first), category."""
    rows = _read(path, ("item_id",))
    names = [name for name, dtype in rows.schema.items() if dtype == pl.String and name != "item_id"]
    names.sort(key=lambda name: name != "title")
    title = pl.col("title").fill_null("") if "title" in names else pl.lit("")
    text = pl.concat_str(names, separator=". ", ignore_nulls=True) if names else pl.lit("")
    category = pl.col("category").cast(pl.String) if "category" in rows.columns else pl.lit(None, pl.String)
    told = rows.select(
        pl.col("item_id").cast(pl.String), title=title, text=text.fill_null(""), category=category
    )
    return told.drop_nulls("item_id").unique("item_id", keep="first", maintain_order=True)


def read_documents(path: Path, ids: Sequence[str]) -> Written:
    """What was written of the items of a catalogue; texts of unknown day are left out.

    Raises:
        SourceError: the file cannot be read, or lacks a column.
    """
    rows = _read(path, ("item_id", "text", "created_at"))
    told = rows.select(
        pl.col("item_id").cast(pl.String), pl.col("text").cast(pl.String), created_at=_time(rows)
    )
    return written_of(told, ids)


def embed_items(settings: Settings, texts: Sequence[str]) -> np.ndarray:
    """Vectors of texts, float32 unit rows (n_items, n_dims); zeros where there is no text."""
    embedder = load_embedder(describe_model(settings.embedding), settings.embedding)
    written = [row for row, text in enumerate(texts) if text]
    found = embedder.embed([texts[row] for row in written])
    vectors = np.zeros((len(texts), found.shape[1]), np.float32)
    vectors[written] = found
    return vectors


def as_lines(result: dict[str, Any]) -> list[str]:
    """What `evaluate_recommendations` found, for people."""
    metrics = result["metrics"]
    lines = [
        f"{result['interactions']}: {result['n_events']:,} events of {result['n_users']:,} customers, "
        f"{result['n_items']:,} items, {result['n_with_text']:,} with text; {result['protocol']}, "
        f"{result['n_customers']:,} customers to foresee; {result['seconds']:.0f} s, {result['peak_mb']} MB",
        f"  {'':<16}{'recall@10':>10}{'NDCG@10':>10}   ahead in NDCG@10 by",
        f"  {'nightloom':<16}{metrics['recall_at_10']:>10.4f}{metrics['ndcg_at_10']:>10.4f}",
    ]
    for name, peer in result["peers"].items():
        ahead = f"{peer['ahead_ndcg_at_10']:.4f} ({peer['ahead_low']:.4f} to {peer['ahead_high']:.4f})"
        lines.append(f"  {name:<16}{peer['recall_at_10']:>10.4f}{peer['ndcg_at_10']:>10.4f}   {ahead}")
    for name, part in result["slices"].items():
        lines.append(
            f"  {name + ' (' + format(part['n'], ',') + ')':<26}{part['recall_at_10']:>10.4f}"
            f"{part['ndcg_at_10']:>10.4f}"
        )
    lines.append(
        f"  rules (variants, diversity) cost {result['rules_price']:.4f} of NDCG@10, and raise diversity by "
        f"{result['rules_diversity']:.4f}"
    )
    reasons = result["reasons"]
    if reasons["n_lists"]:
        lines.append(
            f"  reasons: taking the items that are named lowers scores more than taking others in "
            f"{reasons['share']:.1%} of {reasons['n_lists']} lists, where items are drawn at random in "
            f"{reasons['share_at_random']:.1%}"
        )
    lines += [f"  leak: {leak}" for leak in result["leaks"]]
    if not result["enough_evidence"]:
        lines.append(f"  not enough evidence: fewer than {MIN_CUSTOMERS} customers to foresee")
    return [*lines, "next: --json for every figure"]


def cut_events(events: Events, protocol: str, path: Path) -> Future:
    """What is known, and what is to be foreseen.

    Raises:
        SourceError: the protocol needs times, and there are none.
    """
    if protocol == LEAVE_ONE_OUT:
        return without_last(events)
    times = events.time[np.isfinite(events.time)]
    if not len(times):
        raise SourceError(
            f"{path}: no time in column 'created_at'; --protocol {LEAVE_ONE_OUT} needs an order alone"
        )
    return cut(events, float(np.quantile(times, 1 - TEST_SHARE)))


def texts_of(ids: Sequence[str], described: pl.DataFrame | None) -> tuple[list[str], list[str] | None]:
    """Text of each item, empty where there is none, and its title where any has one."""
    if described is None:
        return [""] * len(ids), None
    aligned = pl.DataFrame({"item_id": ids}).join(described, on="item_id", how="left", maintain_order="left")
    titles = aligned["title"].fill_null("").to_list()
    return aligned["text"].fill_null("").to_list(), titles if any(titles) else None


def categories_of(ids: Sequence[str], described: pl.DataFrame | None) -> list[str | None] | None:
    """Category of each item; None where none is known, or of any."""
    if described is None:
        return None
    aligned = pl.DataFrame({"item_id": ids}).join(described, on="item_id", how="left", maintain_order="left")
    return aligned["category"].to_list()


def _time(rows: pl.DataFrame) -> pl.Expr:
    """Column created_at in UTC; null where it is no time."""
    dtype = rows.schema["created_at"]
    column = pl.col("created_at")
    if dtype == pl.String:
        column = column.str.to_datetime(strict=False, time_unit="us")
    elif dtype.is_numeric():
        column = pl.from_epoch(column.cast(pl.Int64), time_unit="s")
    else:
        column = column.cast(pl.Datetime("us", dtype.time_zone if isinstance(dtype, pl.Datetime) else None))
    has_zone = isinstance(dtype, pl.Datetime) and dtype.time_zone is not None
    return column.dt.convert_time_zone("UTC") if has_zone else column.dt.replace_time_zone("UTC")


def _read(path: Path, needed: Sequence[str]) -> pl.DataFrame:
    """All rows of a Parquet, CSV or JSON Lines file.

    Raises:
        SourceError: it cannot be read, or lacks a column.
    """
    path = path.expanduser()
    readers: dict[str, Callable[[Path], pl.DataFrame]] = {
        ".parquet": pl.read_parquet,
        ".csv": pl.read_csv,
        ".jsonl": pl.read_ndjson,
        ".ndjson": pl.read_ndjson,
    }
    reader = readers.get(path.suffix.lower())
    if reader is None:
        raise SourceError(
            f"{path}: neither Parquet (.parquet), CSV (.csv) nor JSON Lines (.jsonl); convert it"
        )
    try:
        rows = reader(path)
    except FileNotFoundError as error:
        raise SourceError(f"{path}: no such file; check the path") from error
    except (pl.exceptions.PolarsError, OSError) as error:
        raise SourceError(f"{path}: cannot be read: {' '.join(str(error).split())[:200]}") from error
    missing = [name for name in needed if name not in rows.columns]
    if missing:
        raise SourceError(
            f"{path}: no column {missing[0]!r}; it has: {', '.join(rows.columns[:12])}; rename one of these"
        )
    return rows
