"""Erasing a person or a document from everything that is kept, and what is older than it may be kept.

The tombstone comes first, so that no night brings back what a sweep has taken. A sweep that was killed is run
again: what is left is found as the whole was, since arrivals and rows of sources go last.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import Any

import polars as pl

from analytics.errors import StoreError
from analytics.identity import HASH_HEX, author_key, hash_of, lake_keys, stage_seed
from analytics.intake.redaction_names import NameIndex, name_pattern
from analytics.models.sentiment import can_fit, fit_sentiment_head
from analytics.settings import Kind, Settings
from analytics.store.erase import (
    Belongings,
    change_in_lake,
    drop_from_generations,
    replace_in_lake,
    sweep,
)
from analytics.store.files import sweep_unfinished
from analytics.store.layout import Store
from analytics.store.lock import hold
from analytics.store.pointer import read_pointer
from flows import gather
from flows.ingest import N_FOLDS
from flows.night import Handle, Night, past_night, read_manifest_rows
from flows.people import is_expired
from flows.people_belongings import Owned, belongings_of, source_rows, with_document_ids
from flows.recommendations import RANKER
from flows.steps import item_texts, rated_documents

HEADS = "sentiment_head"


@dataclass(frozen=True)
class Erased:
    """What an erasure took away."""

    subject: str
    n_documents: int
    n_users: int
    n_interactions: int
    n_opinions: int
    gone: dict[str, int]
    """Part of the store to how many rows went."""

    manifests: dict[str, str]
    """Rewritten generation to the sha256 of its manifest."""


def erase(
    settings: Settings, *, who: str, user_id: str | None = None, document_id: str | None = None
) -> Erased:
    """Erase one person or one document; running it again finishes what was killed half-way.

    Args:
        settings: Today's settings.
        who: Who asked for it, for the log.
        user_id: As the sources name the person; or
        document_id: as the published tables name the document.

    Raises:
        StoreError: the store is busy, empty or without its key, or the id is none of a document.
    """
    if not (settings.data_dir / "lake").exists():
        raise StoreError(
            f"nothing was ever read into {settings.data_dir}; check --config and data_dir under [store]"
        )
    with hold(settings.data_dir):
        store = Store(settings.data_dir)
        try:
            sweep_unfinished(store.data_dir)
            who_or_what = _bury(store, who, user_id, document_id)
            owned = _owned_by(store, user_id, **who_or_what)
            return _sweep_all(settings, store, owned, who, **who_or_what)
        finally:
            store.state.close()


def _bury(store: Store, who: str, user_id: str | None, document_id: str | None) -> dict[str, str]:
    """Write the tombstone, once; returns the author key or the document id that it names."""
    authors, documents = store.state.buried()
    if user_id is not None:
        if not (store.data_dir / "key").exists():
            raise StoreError(
                f"{store.data_dir / 'key'} is missing, and without it no user can be told; restore it from a "
                "backup"
            )
        key = author_key(store.key, user_id)
        if key not in authors:
            store.state.bury(who=who, author_key=key)
        return {"author_key": key}
    if document_id is None or len(document_id) != HASH_HEX or not set(document_id) <= set("0123456789abcdef"):
        raise StoreError(
            f"{document_id!r} is no document id; pass the {HASH_HEX} hex characters that table document of "
            "insights.duckdb has"
        )
    if document_id not in documents:
        store.state.bury(who=who, document_id=document_id)
    return {"document_id": document_id}


def _owned_by(
    store: Store, user_id: str | None, author_key: str | None = None, document_id: str | None = None
) -> Owned:
    documents = source_rows(store, "document")
    users, interactions = source_rows(store, "user"), source_rows(store, "interaction")
    if author_key is None:
        theirs = with_document_ids(documents).filter(pl.col("document_id") == document_id)
        return Owned(theirs, users.head(0), interactions.head(0))
    is_theirs = pl.col("author_key") == author_key
    return Owned(
        with_document_ids(documents.filter(is_theirs)),
        users.filter(is_theirs),
        interactions.filter(is_theirs),
        frozenset() if user_id is None else frozenset({user_id}),
    )


def _sweep_all(settings: Settings, store: Store, owned: Owned, who: str, **subject: str) -> Erased:
    pointer = read_pointer(store.published)
    active = past_night(settings, pointer.active.generation) if pointer.active else None
    items = item_texts(active)["text"].to_list() if active else []
    belongings = belongings_of(store, owned, items)
    names = drop_from_generations(store, belongings)
    for recipe in store.lake.recipes("vocabulary"):
        replace_in_lake(store, "vocabulary", recipe, pl.DataFrame())  # the next night learns another
    if owned.interactions.height:
        for recipe in store.lake.recipes(RANKER):
            replace_in_lake(store, RANKER, recipe, pl.DataFrame())  # so it does here
    if owned.is_rated:
        _refit_heads(settings, store, belongings)
    _redact_name(store, owned.users["key"].to_list())
    gone = sweep(store, belongings)
    manifests = {name: _manifest_digest(store, name) for name in sorted(names.values())}
    store.state.record_erased(who=who, gone=gone, manifests=manifests, **subject)
    ((kind, id_),) = subject.items()
    return Erased(
        f"{kind.removesuffix('_key').removesuffix('_id')}:{id_}",
        len(belongings.document_ids),
        owned.users.height,
        owned.interactions.height,
        len(belongings.opinion_ids),
        gone,
        manifests,
    )


def _manifest_digest(store: Store, generation: str) -> str:
    return hashlib.sha256((store.published / generation / "manifest.json").read_bytes()).hexdigest()


def _redact_name(store: Store, user_keys: list[str]) -> None:
    """Take the person's name out of what others wrote.

    Every night redacts the names that the users sources know, and of this one they will not know any more.
    """
    names = {name for row in _rows_of_users(store, user_keys) if (name := row.get("name"))}
    index = NameIndex(names)

    def redacted(texts: pl.Series) -> pl.Series:
        found = index.find(texts)
        new = [
            pattern.sub("[name]", text) if named and (pattern := name_pattern(named)) else text
            for text, named in zip(texts, found, strict=True)
        ]
        return pl.Series(texts.name, new, pl.String)

    def without_name(rows: pl.DataFrame) -> pl.DataFrame:
        held = [name for name in ("title", "text", "question") if name in rows.columns]
        return rows.with_columns(redacted(rows[name]) for name in held)

    if names:
        change_in_lake(store, "document", without_name)


def _rows_of_users(store: Store, keys: list[str]) -> list[dict[str, Any]]:
    wanted = pl.DataFrame({"key": keys}, schema={"key": pl.String})
    recipes = store.lake.recipes("user")
    return [row for recipe in recipes for row in store.lake.read("user", recipe, wanted).to_dicts()]


def _refit_heads(settings: Settings, store: Store, belongings: Belongings) -> None:
    """Fit the heads of kept nights anew, each as on the night that fitted it, without these documents.

    A head keeps its recipe, and the sentiments that it gave to others' statements stay. Heads that no kept
    night uses are removed.
    """
    pointer = read_pointer(store.published)
    night_of = {e.run_id: past_night(settings, e.generation) for e in pointer.counting}
    kept = [e.run_id for e in pointer.counting if (store.published / e.generation / "manifest.json").exists()]
    used: dict[str, dict[str, Any]] = {}
    for run in kept:
        content = dict(read_manifest_rows(night_of[run], night_of[run].made_by).get("sentiment", {}))
        content.pop("recipe", None)
        if content.get("kind") == "head":
            used[hash_of(content)] = content
    for recipe in store.lake.recipes(HEADS):
        fitted_by = night_of.get(used.get(recipe, {}).get("fitted_by", ""))
        rows = pl.DataFrame() if fitted_by is None else _fit_without(fitted_by, recipe, belongings)
        replace_in_lake(store, HEADS, recipe, rows)


def _fit_without(night: Night, recipe: str, belongings: Belongings) -> pl.DataFrame:
    """Rows of a head fitted on what a night knew, without some documents; none where too few are left."""
    recipes = {stage: str(row["recipe"]) for stage, row in read_manifest_rows(night, night.made_by).items()}
    handles = [Handle(stage, recipes[stage], "", 0) for stage in ("clean", "sentence", "embedding")]
    documents, means = rated_documents(night, *handles)
    for cached in (gather.raw_documents, gather.documents_of, gather.opinions_in):
        cached.cache_clear()  # they hold what is about to go
    stays = ~documents["document_id"].is_in(list(belongings.document_ids | belongings.replaced_ids))
    documents, means = documents.filter(stays), means[stays.to_numpy()]
    if not can_fit(documents, 0):
        return pl.DataFrame()
    head = fit_sentiment_head(
        documents, means, n_folds=N_FOLDS, seed=stage_seed(night.settings.store.seed, "sentiment")
    )
    rows = head.to_frame()
    return rows.with_columns(pl.Series("key", lake_keys(recipe, rows["fold"])))


def expire(night: Night) -> int:
    """Erase what is older than its source may be kept; returns how many documents and interactions went.

    They go from lake, journal, placement and state as in an erasure. There is no tombstone: `admit_rows`
    turns them away by their date. Generations are not rewritten: those kept still hold such rows and go when
    they are pruned; and a sentiment head that learned from them goes with its next fit.
    """
    if all(source.retention_days is None for source in night.settings.sources):
        return 0
    store = night.store
    owned = Owned(
        documents=with_document_ids(_expired(night, "documents", source_rows(store, "document"))),
        users=source_rows(store, "user").head(0),
        interactions=_expired(night, "interactions", source_rows(store, "interaction")),
    )
    n_expired = owned.documents.height + owned.interactions.height
    if n_expired:
        sweep(store, belongings_of(store, owned, item_texts(night)["text"].to_list()))
    return n_expired


def _expired(night: Night, kind: Kind, rows: pl.DataFrame) -> pl.DataFrame:
    is_old = pl.lit(False)
    for source in night.settings.sources:
        if source.kind == kind:
            age = is_expired(source, night.as_of, night.settings.store.time_zone)
            is_old |= (pl.col("source") == source.name) & age
    return rows.filter(is_old)
