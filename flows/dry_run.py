"""What a night would read and owe, without writing anything."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import date, timedelta

import polars as pl

from analytics.identity import hash_of, lake_key, lake_keys
from analytics.insight.sentences import opinion_spans, opinions_of, read_with_question
from analytics.intake.cleaning import clean_texts
from analytics.intake.languages import settle_languages
from analytics.intake.sources import read_blocks
from analytics.intake.survey import drawn_order
from analytics.intake.suspicion import speaks_to_a_model
from analytics.models.embedding import describe_model
from analytics.settings import Settings, SourceSettings
from analytics.store.journal import Journal
from analytics.store.lake import Lake
from analytics.store.pointer import read_pointer
from flows.gather import item_words, reads
from flows.ingest import SOURCE_STAGES, admit_rows, identify_rows, number_rows
from flows.night import last_complete_day
from flows.people import is_expired
from flows.plan import Asked
from flows.words import is_correspondence, speech_in

N_EXAMPLES = 256
_CLEANED_AT_ONCE = 20_000


@dataclass
class Owed:
    """What the new documents of some sources would ask of the embedding model."""

    newest: set[str] = field(default_factory=set)
    """Lake keys of texts of the newest days, which are taken first."""
    older: set[str] = field(default_factory=set)
    n_documents: int = 0
    """New documents that were read for this."""
    n_statements: int = 0
    examples: list[str] = field(default_factory=list)
    """Some of the texts."""

    @property
    def keys(self) -> set[str]:
        """Lake keys of all texts."""
        return self.newest | self.older


@dataclass(frozen=True)
class Scan:
    """The rows of a source that a night would take."""

    rows: pl.DataFrame
    """nth (counted from 0 over all files) and id of each."""
    new: pl.DataFrame
    """nth and id of those that are new to the store, or changed."""
    n_rejected: int
    n_waiting: int


def foresee(settings: Settings, as_of: date | None = None) -> Iterator[str]:
    """Say what each source holds, what is new in it, and how many model calls the night would owe."""
    day = as_of or last_complete_day(settings)
    yield f"a night up to {day} ({settings.store.time_zone}) on {settings.data_dir} would read:"
    owed, asked = Owed(), Asked(settings)
    for source in settings.sources:
        scan = scan_source(settings, source, day)
        yield (
            f"  {source.name} ({source.kind}): {scan.rows.height} rows, {scan.new.height} new or changed, "
            f"{scan.n_waiting} after that day, {scan.n_rejected} rejected"
        )
        if source.kind == "documents" and "insight" in source.granted:
            for cleaned in clean_rows(settings, source, scan.new):
                note_owed(settings, cleaned, day, owed)
            # What a language model has not answered may be old: the settings may have changed since.
            if source.extraction == "model":
                for cleaned in clean_rows(settings, source, scan.rows):
                    asked.note(cleaned)
    yield f"and would ask the embedding model for {len(owed.keys)} texts of documents, beside new items"
    yield from asked.lines()


def scan_source(
    settings: Settings,
    source: SourceSettings,
    day: date,
    advance: Callable[[int], object] = lambda n_rows: None,
) -> Scan:
    """Read a source once: which rows a night up to a day would take, and which of them are new."""
    kept, n_rows, n_rejected, n_waiting = [], 0, 0, 0
    zone = settings.store.time_zone
    for block in read_blocks(source, settings.path_of(source)):
        rows = identify_rows(
            block.rows.with_row_index("nth", n_rows), source, SOURCE_STAGES[source.kind], b""
        )
        n_rows += block.rows.height
        rows, waiting, _, _ = admit_rows(rows, day, zone, (set(), set()), is_expired(source, day, zone))
        kept.append(rows.select("nth", "id", "key"))
        n_rejected += block.rejected.height
        n_waiting += waiting
        advance(block.rows.height)
    schema = {"nth": pl.UInt32, "id": pl.String, "key": pl.String}
    scanned = pl.concat([pl.DataFrame(schema=schema), *kept])
    if source.columns.id is None or source.kind == "interactions":
        scanned = number_rows(scanned)
    scanned = scanned.unique("id", keep="last", maintain_order=True)
    pointer = read_pointer(settings.data_dir / "published")
    attempts = [entry.made_by for entry in pointer.counting]
    live = Journal(settings.data_dir / "journal").live(source.kind, attempts)
    live = live.filter(pl.col("source") == source.name)
    new = scanned.join(live, on=["id", "key"], how="anti", maintain_order="left")
    return Scan(scanned.drop("key"), new.select("nth", "id"), n_rejected, n_waiting)


def clean_rows(
    settings: Settings,
    source: SourceSettings,
    taken: pl.DataFrame,
    at_most: int | None = None,
    advance: Callable[[int], object] = lambda n_documents: None,
) -> Iterator[pl.DataFrame]:
    """Documents of a source as a night would clean them, some thousands at once.

    Known names and macros, which only the whole store tells, are left where they are: counts of texts stay
    close to a night's.

    Args:
        settings: All settings.
        source: A source of documents.
        taken: nth and id of the rows to clean.
        at_most: Clean only this many, drawn by chance.
        advance: Called with the number of documents just done.

    Returns:
        Frames of CLEAN_ROWS with document_id, source, language (settled), created_at and user_id.
    """
    taken = drawn(taken, at_most)
    n_rows = 0
    for block in read_blocks(source, settings.path_of(source), block_rows=_CLEANED_AT_ONCE):
        numbered = block.rows.with_row_index("nth", n_rows)
        n_rows += block.rows.height
        rows = numbered.join(taken, on="nth", maintain_order="left").rename({"id": "document_id"})
        rows = rows.with_columns(key=pl.col("document_id"), is_correspondence=is_correspondence())
        rows = rows.filter(speech_in(source).ne_missing("agent"))
        if rows.is_empty():
            continue
        cleaned = clean_texts(
            rows.select("key", "title", "text", "question", "is_correspondence"),
            settings.cleaning,
            settings.redaction,
        )
        about = rows.select("document_id", "created_at", "user_id", "language", source=pl.lit(source.name))
        cleaned = pl.concat([about, cleaned], how="horizontal")
        default = {source.name: source.language.lower()} if source.language else {}
        advance(rows.height)
        yield cleaned.with_columns(settle_languages(cleaned, default))


def owed_items(settings: Settings, source: SourceSettings, new: pl.DataFrame) -> set[str]:
    """Lake keys of the texts that the new items of a source would ask of the embedding model."""
    recipe = hash_of(describe_model(settings.embedding).recipe())
    keys: set[str] = set()
    n_rows = 0
    for block in read_blocks(source, settings.path_of(source)):
        rows = block.rows.with_row_index("nth", n_rows).join(new, on="nth", how="semi")
        n_rows += block.rows.height
        keys |= set(lake_keys(recipe, item_words(rows)))
    present = Lake(settings.data_dir / "lake").keys("embedding", recipe)
    return keys - {lake_key(recipe, "")} - set(present["key"])


def drawn(rows: pl.DataFrame, at_most: int | None) -> pl.DataFrame:
    """All rows, or so many of them drawn by chance."""
    if at_most is None or rows.height <= at_most:
        return rows
    return rows.sort(drawn_order(pl.col("nth")), "nth").head(at_most)


def note_owed(settings: Settings, cleaned: pl.DataFrame, day: date, owed: Owed) -> None:
    """Add the texts that cleaned documents would ask of the embedding model and that the lake lacks."""
    owed.n_documents += cleaned.height
    readable = cleaned.filter(
        pl.col("text") != "", ~speaks_to_a_model("text"), reads(settings, pl.col("language"))
    )
    if readable.is_empty():
        return
    spans = opinion_spans(readable.select("key", "text", is_answer=pl.col("question").is_not_null()))
    local = pl.col("created_at").dt.convert_time_zone(settings.store.time_zone).dt.date()
    about = readable.select("key", "text", "question", day=local)
    statements = opinions_of(spans.join(about, on="key").rename({"key": "document_id"}))
    statements = statements.join(
        about.rename({"key": "document_id"}), on="document_id", maintain_order="left"
    )
    texts = read_with_question(statements["quote"].to_list(), statements["question"].to_list())
    owed.n_statements += len(texts)
    owed.examples += texts[: N_EXAMPLES - len(owed.examples)]
    recipe = hash_of(describe_model(settings.embedding).recipe())
    newest = day - timedelta(days=settings.schedule.newest_days)
    wanted = pl.DataFrame({"key": lake_keys(recipe, texts)}, schema={"key": pl.String})
    wanted = wanted.with_columns(is_new=(statements["day"] > newest).fill_null(False))
    present = Lake(settings.data_dir / "lake").keys("embedding", recipe)
    missing = wanted.join(present, on="key", how="anti")
    owed.newest |= set(missing.filter("is_new")["key"])
    owed.older |= set(missing.filter(~pl.col("is_new"))["key"])
    owed.older -= owed.newest
