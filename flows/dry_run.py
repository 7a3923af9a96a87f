"""What a night would read and owe, without writing anything."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date

import polars as pl

from analytics.identity import hash_of, lake_keys
from analytics.insight.sentences import opinion_spans, opinions_of
from analytics.intake.cleaning import clean_texts
from analytics.intake.sources import read_blocks
from analytics.models.embedding import describe_model
from analytics.settings import Settings, SourceSettings
from analytics.store.journal import Journal
from analytics.store.lake import Lake
from analytics.store.pointer import read_pointer
from flows.gather import reads
from flows.ingest import SOURCE_STAGES, admit_rows, identify_rows
from flows.night import last_complete_day


def foresee(settings: Settings, as_of: date | None = None) -> Iterator[str]:
    """Say what each source holds, what is new in it, and how many model calls the night would owe."""
    day = as_of or last_complete_day(settings)
    yield f"a night up to {day} ({settings.store.time_zone}) on {settings.data_dir} would read:"
    owed: set[str] = set()
    for source in settings.sources:
        rows, n_rejected, n_waiting = _scan(settings, source, day)
        pointer = read_pointer(settings.data_dir / "published")
        attempts = [entry.made_by for entry in pointer.counting]
        live = Journal(settings.data_dir / "journal").live(source.kind, attempts)
        new = rows.join(live, on="key", how="anti")
        yield (
            f"  {source.name} ({source.kind}): {rows.height} rows, {new.height} new or changed, "
            f"{n_waiting} after that day, {n_rejected} rejected"
        )
        if source.kind == "documents":
            owed |= _owed_quotes(settings, new)
    yield f"and would ask the embedding model for {len(owed)} texts of documents, beside new items"


def _scan(settings: Settings, source: SourceSettings, day: date) -> tuple[pl.DataFrame, int, int]:
    kept, n_rejected, n_waiting = [], 0, 0
    for block in read_blocks(source, settings.path_of(source)):
        rows = identify_rows(block.rows, source, SOURCE_STAGES[source.kind], b"")
        rows, waiting, _ = admit_rows(rows, day, settings.store.time_zone, (set(), set()))
        kept.append(rows.select("id", "key", "title", "text", "language"))
        n_rejected += block.rejected.height
        n_waiting += waiting
    schema = dict.fromkeys(("id", "key", "title", "text", "language"), pl.String)
    scanned = pl.concat([pl.DataFrame(schema=schema), *kept])
    return scanned.unique("id", keep="last", maintain_order=True), n_rejected, n_waiting


def _owed_quotes(settings: Settings, documents: pl.DataFrame) -> set[str]:
    readable = documents.filter(reads(settings, pl.col("language")))
    if readable.is_empty():
        return set()
    texts = clean_texts(readable.select("key", "title", "text"), settings.cleaning)
    spans = opinion_spans(texts.select("key", "text")).join(texts.select("key", "text"), on="key")
    quotes = opinions_of(spans.rename({"key": "document_id"}))["quote"].unique()
    recipe = hash_of(describe_model(settings.embedding).recipe())
    wanted = pl.DataFrame({"key": lake_keys(recipe, quotes)}, schema={"key": pl.String})
    present = Lake(settings.data_dir / "lake").keys("embedding", recipe)
    return set(wanted.join(present, on="key", how="anti")["key"])
