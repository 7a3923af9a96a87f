"""Whose words a text holds: from live documents to the cleaned text of each one that a customer wrote.

Two things about a text are known to the whole store only: the people whom it names (from the users sources)
and the blocks that recur across conversations (macros). Both are looked up for all live documents each night
and stand in the key of a cleaned text, so that a new customer's name or a newly found macro makes just the
texts that hold it anew. Which text each document got is journaled.
"""

from __future__ import annotations

from functools import lru_cache

import polars as pl

from analytics.identity import lake_keys
from analytics.intake.cleaning import INPUTS, clean_recipe, clean_texts, readable
from analytics.intake.correspondence import CUT_VERSION, block_hashes
from analytics.intake.macros import customer_speech, find_recurring, likely_agents
from analytics.intake.redaction_names import NameIndex
from analytics.settings import SourceSettings
from analytics.store.lake import Engine, Stage
from flows.gather import last_reading, live_rows, raw_documents
from flows.night import Handle, Night, fill_stage

LETTERS = ("email", "e-mail", "mail", "ticket", "chat", "sms", "whatsapp", "messenger", "helpdesk")
"""Channels by which messages come; what comes by others is cleaned whole."""

_CODED = "[&<ÃÂâ]"
"""What stands in texts whose letters are not what they show: entities, tags, mistakes of encoding."""

BLOCKS = Stage("block", {"stage": "block", "version": 1, "cut": CUT_VERSION})
"""Hashes of the blocks of each message, so that recurring ones are found without reading texts again."""


def clean(night: Night) -> Handle:
    """Clean and redact what customers wrote, and journal which text each document got, agents' ones none."""
    stage = Stage("clean", clean_recipe(night.settings.cleaning, night.settings.redaction))
    is_agents = pl.col("said_by").eq_missing("agent")
    documents = messages(night).filter(~is_agents)
    documents = documents.with_columns(_names_within(night, documents), _macros_within(night, documents))
    keys = lake_keys(stage.recipe_id, documents.select(*INPUTS).iter_rows())
    documents = documents.with_columns(pl.Series("key", keys, pl.String))
    unread = messages(night).filter(is_agents).select("document_id", clean_key=pl.lit(None, pl.String))
    _note_reading(night, pl.concat([documents.select("document_id", clean_key="key"), unread]))
    settings = night.settings

    def answer(rows: pl.DataFrame) -> pl.DataFrame:
        return clean_texts(rows, settings.cleaning, settings.redaction)

    return fill_stage(night, stage, documents.select("key", "day", *INPUTS), lambda: Engine(answer))


@lru_cache(maxsize=1)
def messages(night: Night) -> pl.DataFrame:
    """Live documents with `is_correspondence` and `said_by` (customer | agent; null: nothing says)."""
    said_by = customer_speech(pl.col("speaker"))
    for source in night.settings.sources:
        said_by = pl.when(pl.col("source") == source.name).then(speech_in(source)).otherwise(said_by)
    raw = raw_documents(night).with_columns(said_by=said_by, is_correspondence=is_correspondence())
    unsaid = raw.filter("is_correspondence", pl.col("thread_id").is_not_null(), pl.col("said_by").is_null())
    agents = likely_agents(
        unsaid.select("created_at", thread=_thread(), author="author_key").drop_nulls("author")
    )
    is_agent = pl.col("said_by").is_null() & pl.col("is_correspondence") & pl.col("author_key").is_in(agents)
    return raw.with_columns(
        said_by=pl.when(is_agent.fill_null(False)).then(pl.lit("agent")).otherwise("said_by")
    )


def _thread() -> pl.Expr:
    """Threads of different sources are different threads; a message without one is one alone."""
    return pl.concat_str("source", pl.lit(":"), pl.coalesce("thread_id", "document_id"))


def is_correspondence() -> pl.Expr:
    """Whether a document is a message: it has a thread or a speaker, or came by a channel of messages."""
    is_letter = pl.col("channel").is_in(LETTERS).fill_null(False)
    return pl.col("thread_id").is_not_null() | pl.col("speaker").is_not_null() | is_letter


def speech_in(source: SourceSettings) -> pl.Expr:
    """Who a source's speaker column says wrote a message: customer, agent, or null where nothing says."""
    if not source.customer_speakers:
        return customer_speech(pl.col("speaker"))
    own = pl.col("speaker").str.to_lowercase().is_in([name.lower() for name in source.customer_speakers])
    return pl.when(own).then(pl.lit("customer")).when(own.not_()).then(pl.lit("agent"))


def _names_within(night: Night, documents: pl.DataFrame) -> pl.Series:
    users = live_rows(night, "users")
    known = users["name"].drop_nulls().unique().sort().to_list() if users.height else []
    if not known:
        return pl.Series("names", [[]] * documents.height, pl.List(pl.String))
    words = documents.select(
        pl.concat_str("title", "text", "question", separator="\n", ignore_nulls=True).fill_null("")
    ).to_series()
    is_coded = words.str.contains(_CODED)
    words = words.scatter(is_coded.arg_true(), [readable(text) for text in words.filter(is_coded)])
    return pl.Series("names", [list(found) for found in NameIndex(known).find(words)], pl.List(pl.String))


def _macros_within(night: Night, documents: pl.DataFrame) -> pl.Series:
    """The recurring blocks in each document, as hashes in rising order."""
    said = messages(night).filter("is_correspondence", pl.col("text").is_not_null())
    said = said.with_columns(pl.Series("key", lake_keys(BLOCKS.recipe_id, said["text"]), pl.String))

    def answer(rows: pl.DataFrame) -> pl.DataFrame:
        blocks = [block_hashes(readable(text)) for text in rows["text"]]
        return rows.select("key", pl.Series("blocks", blocks, pl.List(pl.UInt64)))

    if said.height:
        fill_stage(night, BLOCKS, said.select("key", "day", "text"), lambda: Engine(answer))
    found = night.store.lake.read(
        BLOCKS.name, BLOCKS.recipe_id, said.select("key"), schema={"blocks": pl.List(pl.UInt64)}
    )
    blocks = (
        said.select("key", "document_id", "created_at", thread=_thread(), speaker="said_by")
        .join(found, on="key")
        .drop("key")
        .explode("blocks", empty_as_null=False)
        .rename({"blocks": "block"})
    )
    held = find_recurring(blocks).group_by("document_id").agg(macros=pl.col("block").sort())
    joined = documents.select("document_id").join(held, on="document_id", how="left", maintain_order="left")
    return joined["macros"].fill_null(pl.Series([[]], dtype=pl.List(pl.UInt64)))


def _note_reading(night: Night, pairs: pl.DataFrame) -> None:
    """Journal the pairs that differ from the last ones of earlier nights."""
    known = last_reading(night, night.earlier)
    same = ["document_id", "clean_key"]
    new = pairs.join(known, on=same, how="anti", nulls_equal=True).sort("document_id")
    night.store.journal.write("reading", night.made_by, new)
