"""From sources to the lake: which rows are live tonight, which came, changed, went or were turned away."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import date
from typing import Any

import polars as pl

from analytics import identity
from analytics.errors import SourceError
from analytics.identity import canonical_json
from analytics.intake.sources import read_blocks
from analytics.rows import ARRIVAL_ROWS
from analytics.settings import Kind, SourceSettings
from analytics.store.lake import Stage
from analytics.tables import TABLES
from flows.night import Handle, Night
from flows.people import is_expired

N_FOLDS = 5
"""Folds by author, for whatever is learned from documents."""

KINDS: tuple[Kind, ...] = ("documents", "items", "users", "interactions")

_VERSIONS = {"documents": 2, "items": 1, "users": 2, "interactions": 2}

SOURCE_STAGES: dict[str, Stage] = {
    kind: Stage(kind.removesuffix("s"), {"stage": kind.removesuffix("s"), "version": _VERSIONS[kind]})
    for kind in KINDS
}
"""What sources say is kept in the lake too: a source may vanish."""

_FIELDS: dict[str, tuple[str, ...]] = {
    "documents": (
        "source_id", "title", "text", "created_at", "item_id", "user_id", "rating", "language", "thread_id",
        "speaker", "channel", "question", "url", "segments",
    ),
    "items": ("source_id", "title", "text", "segments"),
    "users": ("source_id", "name", "segments"),
    "interactions": ("source_id", "user_id", "item_id", "kind", "created_at", "rating"),
}  # fmt: skip
"""Mapped fields of each kind: a change in any of them is a new version."""


@dataclass
class Arrivals:
    """What a night's reading found."""

    rows: list[pl.DataFrame] = field(default_factory=list)
    rejected: list[pl.DataFrame] = field(default_factory=list)
    n_waiting: int = 0
    n_erased: int = 0
    n_expired: int = 0


def read_sources(night: Night) -> Handle:
    """Read every source, keep what is new in the lake, and journal arrivals and rejected rows."""
    arrivals = Arrivals()
    for kind in KINDS:
        for source in night.settings.sources:
            if source.kind == kind:
                _read_source(night, source, arrivals)
    store = night.store
    rows = pl.concat([pl.DataFrame(schema=ARRIVAL_ROWS), *arrivals.rows])
    if night.limit is not None:
        rows = _limited(rows, night.limit)
    store.journal.write("arrival", night.made_by, rows)
    quarantine = pl.concat([TABLES["quarantine"].empty(), *arrivals.rejected])
    store.journal.write("quarantine", night.made_by, quarantine)
    stage = SOURCE_STAGES["documents"]
    n_live = store.journal.live("documents", night.counting).height
    if n_live == 0:
        raise SourceError(
            f"no source has a document up to {night.as_of} ({arrivals.n_waiting} rows are of later days); "
            "fill the sources, or pass a later day with --as-of"
        )
    facts = {
        "n_waiting": arrivals.n_waiting,
        "n_erased": arrivals.n_erased,
        "n_expired": arrivals.n_expired,
    }
    return Handle(stage.name, stage.recipe_id, canonical_json(stage.recipe), n_live, facts)


def _limited(rows: pl.DataFrame, limit: int) -> pl.DataFrame:
    """At most `limit` new documents, drawn by their id, which is a hash."""
    new = (pl.col("kind") == "documents") & (pl.col("change") != "gone")
    return pl.concat([rows.filter(~new), rows.filter(new).sort("id").head(limit)])


_SCANNED = {"file": pl.String, "position": pl.Int64, "id": pl.String, "key": pl.String}
"""What is remembered of each row until its source is read; `file` is null where a source is one file."""


def _read_source(night: Night, source: SourceSettings, arrivals: Arrivals) -> None:
    store = night.store
    stage = SOURCE_STAGES[source.kind]
    before = store.journal.live(source.kind, night.earlier).filter(pl.col("source") == source.name)
    known = before.select("key").unique()
    buried = store.state.buried()
    zone = night.settings.store.time_zone
    expired = is_expired(source, night.as_of, zone)
    seen = []
    for block in read_blocks(source, night.settings.path_of(source)):
        rows = identify_rows(block.rows, source, stage, store.key)
        rows, n_waiting, n_erased, n_expired = admit_rows(rows, night.as_of, zone, buried, expired)
        arrivals.n_waiting += n_waiting
        arrivals.n_erased += n_erased
        arrivals.n_expired += n_expired
        arrivals.rejected.append(_rejected(block.rejected, source.name))
        new = rows.join(known, on="key", how="anti")
        if new.height:
            store.lake.keep(stage, new.select(_LAKE_COLUMNS[source.kind]), night.run_id)
        seen.append(rows.select(pl.lit(block.file, pl.String).alias("file"), "position", "id", "key"))
    scan = pl.concat([pl.DataFrame(schema=_SCANNED), *seen]).with_row_index("nth")
    if source.columns.id is None or source.kind == "interactions":
        scan = number_rows(scan)
    last = scan.unique("id", keep="last", maintain_order=True)
    arrivals.rejected.append(_repeated(scan, last, source))
    arrivals.rows.append(_changes(before, last, source))


_LAKE_COLUMNS = {
    "documents": [
        "key", "source", "source_id", "title", "text", "created_at", "item_id", "author_key", "fold",
        "rating", "language", "thread_id", "speaker", "channel", "question", "url", "segments",
    ],
    "items": ["key", "source", "item_id", "title", "text", "segments"],
    "users": ["key", "source", "user_id", "author_key", "name", "segments"],
    "interactions": ["key", "source", "user_id", "author_key", "item_id", "kind", "created_at", "rating"],
}  # fmt: skip


def identify_rows(rows: pl.DataFrame, source: SourceSettings, stage: Stage, secret: bytes) -> pl.DataFrame:
    """Rows with `id`, `key` (of all mapped fields), `source`, `author_key` and `fold`."""
    fields = _FIELDS[source.kind]
    recipe = stage.recipe_id
    keys = [identity.lake_key(recipe, [source.name, *row]) for row in rows.select(fields).iter_rows()]
    if source.kind == "items":
        rows = rows.with_columns(item_id=pl.col("source_id"))
    if source.kind == "users":
        rows = rows.with_columns(user_id=pl.col("source_id"))
    identify: Callable[[str], str] = {
        "documents": lambda source_id: identity.document_id(source.name, source_id),
        "items": lambda source_id: source_id,
        "users": lambda source_id: source_id,
        "interactions": lambda source_id: identity.document_id(source.name, source_id),
    }[source.kind]
    ids = [
        identify(source_id) if source_id else key
        for source_id, key in zip(rows["source_id"], keys, strict=True)
    ]
    users = rows["user_id"].to_list()
    return rows.with_columns(
        pl.Series("key", keys, pl.String),
        pl.Series("id", ids, pl.String),
        pl.lit(source.name).alias("source"),
        pl.Series("author_key", [user and identity.author_key(secret, user) for user in users], pl.String),
        pl.Series(
            "fold",
            [identity.fold_of(user or id_, N_FOLDS) for user, id_ in zip(users, ids, strict=True)],
            pl.Int32,
        ),
    )


def admit_rows(
    rows: pl.DataFrame,
    as_of: date,
    time_zone: str,
    buried: tuple[set[str], set[str]],
    expired: pl.Expr | None = None,
) -> tuple[pl.DataFrame, int, int, int]:
    """Rows that count tonight, and how many wait, belong to the erased, and are too old to be kept.

    Args:
        rows: As `identify_rows` gives them.
        as_of: The night; rows of later days wait.
        time_zone: In which a day ends.
        buried: Author keys and document ids of the erased.
        expired: Whether a row is too old; none is when left out.
    """
    authors, documents = buried
    erased = (
        pl.col("author_key").is_in(list(authors)).fill_null(False) | pl.col("id").is_in(list(documents))
        if authors or documents
        else pl.lit(False)
    )
    day = pl.col("created_at").dt.convert_time_zone(time_zone).dt.date()
    fate = (
        pl.when(erased)
        .then(pl.lit("erased"))
        .when(pl.lit(False) if expired is None else expired)
        .then(pl.lit("expired"))
        .when(day > as_of)
        .then(pl.lit("waits"))
        .otherwise(pl.lit("counts"))
    )
    marked = rows.with_columns(_fate=fate)
    n = dict(marked["_fate"].value_counts().iter_rows())
    left = marked.filter(pl.col("_fate") == "counts").drop("_fate")
    return left, n.get("waits", 0), n.get("erased", 0), n.get("expired", 0)


def number_rows(scan: pl.DataFrame) -> pl.DataFrame:
    """Rows told apart where the source gives no id: the nth time that the same was said or done."""
    nth = scan.select(pl.int_range(pl.len()).over("id")).to_series().to_list()
    ids = [
        id_ if id_ != key else identity.hash_of([key, n])
        for id_, key, n in zip(scan["id"], scan["key"], nth, strict=True)
    ]
    return scan.with_columns(pl.Series("id", ids, pl.String))


def _rejected(rejected: pl.DataFrame, source: str) -> pl.DataFrame:
    return rejected.with_columns(source=pl.lit(source)).select(*TABLES["quarantine"].columns)


def _repeated(scan: pl.DataFrame, last: pl.DataFrame, source: SourceSettings) -> pl.DataFrame:
    """Quarantine rows for ids that came again; an item or user repeated word for word is no conflict."""
    place = pl.concat_str("file", pl.col("position").cast(pl.String), separator=":", ignore_nulls=True)
    winners = last.select("id", winner="nth", winning_place=place, winning_key="key")
    losers = scan.join(winners, on="id").filter(pl.col("nth") != pl.col("winner"))
    if source.kind != "documents":
        losers = losers.filter(pl.col("key") != pl.col("winning_key"))
    again = pl.format("the same id comes again at {}, which counts", "winning_place")
    reason = pl.concat_str("file", again, separator=": ", ignore_nulls=True)
    rows = losers.select(source=pl.lit(source.name), position="position", reason=reason, row_hash="key")
    return rows.cast(pl.Schema(TABLES["quarantine"].columns))


def _changes(before: pl.DataFrame, now: pl.DataFrame, source: SourceSettings) -> pl.DataFrame:
    """Arrival rows: what is new, changed and, where absence deletes, gone."""
    joined = now.select("id", "key").join(before.select("id", old="key"), on="id", how="left")
    came = joined.filter(pl.col("old").is_null() | (pl.col("old") != pl.col("key"))).select(
        id="id",
        key="key",
        change=pl.when(pl.col("old").is_null()).then(pl.lit("new")).otherwise(pl.lit("changed")),
    )
    frames: list[pl.DataFrame] = [came]
    if source.absent == "delete":
        gone = before.join(now, on="id", how="anti")
        frames.append(gone.select(id="id", key=pl.lit(None, pl.String), change=pl.lit("gone")))
    changes: dict[str, Any] = {"kind": pl.lit(source.kind), "source": pl.lit(source.name)}
    return pl.concat(frames).with_columns(**changes).select(*ARRIVAL_ROWS).sort("id")
