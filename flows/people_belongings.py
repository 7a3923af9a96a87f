"""What belongs to a person: from their rows in the lake to every key that only their words need."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

import polars as pl

from analytics.identity import document_id, hash_of, lake_keys
from analytics.insight.sentences import opinions_of
from analytics.store.erase import MADE_OF_QUOTES, Belongings
from analytics.store.journal import Attempt
from analytics.store.layout import Store
from analytics.tables import UTC_TIME
from flows.gather import SPANS, readings_of
from flows.words import BLOCKS

_OF_ALL = {"key": pl.String, "source": pl.String, "author_key": pl.String}
_COLUMNS: dict[str, dict[str, pl.DataType | type[pl.DataType]]] = {
    "document": {
        **_OF_ALL,
        "source_id": pl.String,
        "created_at": UTC_TIME,
        "rating": pl.Float64,
        "fold": pl.Int32,
    },
    "user": {**_OF_ALL},
    "interaction": {**_OF_ALL, "created_at": UTC_TIME},
}
STATEMENT_STAGES = ("sentence", "extraction")
_TEXTS = {"key": pl.String, "text": pl.String, "text_hash": pl.String, "question": pl.String}


def source_rows(store: Store, stage: str) -> pl.DataFrame:
    """Every version of every row that sources ever said of a kind, with what tells whose it is; no texts."""
    columns = _COLUMNS[stage]
    found = [
        pl.scan_parquet(parts).select(*columns)
        for recipe in store.lake.recipes(stage)
        if (parts := store.lake.parts(stage, recipe))
    ]
    if not found:
        return pl.DataFrame(schema=columns)
    return pl.concat(found).unique("key", keep="first").sort("key").collect()


def with_document_ids(rows: pl.DataFrame) -> pl.DataFrame:
    """Rows of documents with their `document_id`."""
    ids = [
        document_id(source, source_id) if source_id else key
        for key, source, source_id in rows.select("key", "source", "source_id").iter_rows()
    ]
    return rows.with_columns(pl.Series("document_id", ids, pl.String))


@dataclass(frozen=True)
class Owned:
    """Versions of rows in the lake that are one person's, as `source_rows` has them."""

    documents: pl.DataFrame  # with document_id
    users: pl.DataFrame
    interactions: pl.DataFrame
    user_ids: frozenset[str] = frozenset()

    @property
    def is_rated(self) -> bool:
        """Whether a head can have learned from them."""
        return self.documents["rating"].count() > 0


def belongings_of(store: Store, owned: Owned, item_texts: Collection[str]) -> Belongings:
    """All that only these versions need, in every recipe and of every attempt, published or not.

    Args:
        store: The store.
        owned: Whose.
        item_texts: What is embedded for items, which stays where a customer wrote the same.
    """
    attempts = [Attempt(run, n) for run, n in store.journal.attempts().select("run_id", "attempt").rows()]
    arrivals = store.journal.read("arrival", attempts)
    replaced = _replaced(arrivals, "documents", owned.documents["key"], owned.documents["document_id"])
    readings = store.journal.read("reading", attempts).drop_nulls("clean_key")
    theirs, others = _split_readings(readings, set(owned.documents["document_id"]), replaced)
    clean_keys = frozenset(theirs["clean_key"])
    own_keys = clean_keys - set(others["clean_key"])
    texts = _texts_of(store, pl.col("key").is_in(list(clean_keys)))
    opinions, kept = _statements(store, theirs, texts), pl.DataFrame({"opinion_id": []})
    if replaced:
        now = others.filter(pl.col("document_id").is_in(list(replaced)))
        kept = _statements(store, now, _texts_of(store, pl.col("key").is_in(now["clean_key"].to_list())))
    interactions = _ids_of(arrivals, "interactions", owned.interactions["key"])
    return Belongings(
        user_ids=owned.user_ids,
        document_ids=frozenset(owned.documents["document_id"]) - replaced,
        replaced_ids=replaced,
        opinion_ids=frozenset(opinions["opinion_id"]) - set(kept["opinion_id"]),
        interaction_ids=interactions
        - _replaced(arrivals, "interactions", owned.interactions["key"], interactions),
        clean_keys=clean_keys,
        lake_keys={
            **_keys_of_statements(store, arrivals, owned, opinions, others, own_keys, item_texts),
            **_sentence_keys(store, texts.filter(pl.col("key").is_in(list(own_keys))), own_keys),
            "block": _block_keys(store, owned.documents["key"]),
            "clean": own_keys,
            "interaction": frozenset(owned.interactions["key"]),
            "user": frozenset(owned.users["key"]),
            "document": frozenset(owned.documents["key"]),
        },
    )


def _ids_of(arrivals: pl.DataFrame, kind: str, keys: pl.Series) -> frozenset[str]:
    is_theirs = (pl.col("kind") == kind) & pl.col("key").is_in(keys.to_list())
    return frozenset(arrivals.filter(is_theirs)["id"])


def _replaced(
    arrivals: pl.DataFrame, kind: str, keys: pl.Series, ids: pl.Series | Collection[str]
) -> frozenset[str]:
    """Of these ids, those whose last version is there and not among the given keys."""
    about = arrivals.filter((pl.col("kind") == kind) & pl.col("id").is_in(list(ids)))
    last = about.unique("id", keep="last", maintain_order=True).drop_nulls("key")
    return frozenset(last.filter(~pl.col("key").is_in(keys.to_list()))["id"])


def _split_readings(
    readings: pl.DataFrame, ids: set[str], replaced: frozenset[str]
) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Pairs of document and text, theirs and others'; of a replaced document the last text is another's."""
    document = pl.col("document_id")
    last = readings.unique("document_id", keep="last").select("document_id", now="clean_key")
    is_now = document.is_in(list(replaced)) & (pl.col("clean_key") == pl.col("now"))
    marked = readings.join(last, on="document_id").with_columns(
        is_theirs=document.is_in(list(ids)) & is_now.not_()
    )
    pairs = marked.select("document_id", "clean_key", "is_theirs").unique()
    return pairs.filter("is_theirs"), pairs.filter(~pl.col("is_theirs"))


def _texts_of(store: Store, wanted: pl.Expr) -> pl.DataFrame:
    """Cleaned texts of all recipes that an expression picks: key, text, text_hash, question."""
    found = [pl.DataFrame(schema=_TEXTS)]
    for recipe in store.lake.recipes("clean"):
        if parts := store.lake.parts("clean", recipe):
            rows = pl.scan_parquet(parts).filter(wanted)
            if "question" not in rows.collect_schema():
                rows = rows.with_columns(question=pl.lit(None, pl.String))
            found.append(rows.select(*_TEXTS).collect())
    return pl.concat(found).unique("key", maintain_order=True)


def _statements(store: Store, pairs: pl.DataFrame, texts: pl.DataFrame) -> pl.DataFrame:
    """Statements of documents under every recipe: opinion_id, document_id, quote, question, reading."""
    said = pairs.select("document_id", "clean_key").join(texts, left_on="clean_key", right_on="key")
    asked = said.select("document_id", "question").unique()
    empty = opinions_of(said.head(0).with_columns(starts=None, ends=None)).join(asked, on="document_id")
    found = [empty.with_columns(reading=pl.lit(None, pl.String))]
    for stage in STATEMENT_STAGES:
        for recipe in store.lake.recipes(stage):
            keyed = said.with_columns(_sentence_key(said, recipe))
            spans = store.lake.read(stage, recipe, keyed.select(key="sentence_key"), schema=SPANS)
            cut = keyed.join(spans, left_on="sentence_key", right_on="key")
            stated = opinions_of(cut).join(asked, on="document_id")
            found.append(stated.with_columns(readings_of(stated)))
    return (
        pl.concat(found, how="diagonal")
        .select("opinion_id", "document_id", "quote", "question", "reading")
        .unique()
    )


def _sentence_key(texts: pl.DataFrame, recipe: str) -> pl.Series:
    asked = texts["question"].is_not_null()
    keys = lake_keys(recipe, zip(texts["text_hash"], asked, strict=True))
    return pl.Series("sentence_key", keys, pl.String)


def _keys_of_statements(
    store: Store,
    arrivals: pl.DataFrame,
    owned: Owned,
    opinions: pl.DataFrame,
    others: pl.DataFrame,
    own_keys: frozenset[str],
    item_texts: Collection[str],
) -> dict[str, frozenset[str]]:
    """Keys of the vectors and sentiments that no other document's statements need."""
    if opinions.is_empty():
        return {}
    quotes = opinions["quote"].unique().to_list()
    holds_one = pl.col("text").str.contains_any(quotes) & ~pl.col("key").is_in(list(own_keys))
    said_too = _statements(store, others, _texts_of(store, holds_one))
    said_too = said_too.filter(pl.col("quote").is_in(quotes))
    theirs = opinions.join(owned.documents.select("document_id", "fold").unique(), on="document_id")
    needed = said_too.join(_folds(store, arrivals, said_too["document_id"]), on="document_id")
    readings = sorted(set(opinions["reading"]) - set(said_too["reading"]) - set(item_texts))
    judged = sorted(
        set(theirs.select("reading", "fold").rows()) - set(needed.select("reading", "fold").rows())
    )
    asked = sorted(
        set(opinions.select("quote", "reading").rows()) - set(said_too.select("quote", "reading").rows())
    )
    return {
        "embedding": _keys_under(store, "embedding", readings),
        "aspect": _keys_under(store, "aspect", asked),
        **{stage: _made_of(store, stage, set(quotes)) for stage in MADE_OF_QUOTES},
        "sentiment": _keys_under(store, "sentiment", judged),
    }


def _made_of(store: Store, stage: str, quotes: set[str]) -> frozenset[str]:
    """Keys of what a language model made of any of these quotes, whoever else wrote the same."""
    hashes = sorted(map(hash_of, quotes))
    holds_one = pl.col("quotes").list.eval(pl.element().is_in(hashes)).list.any()
    found = [
        pl.scan_parquet(parts).filter(holds_one).select("key").collect()
        for recipe in store.lake.recipes(stage)
        if (parts := store.lake.parts(stage, recipe))
    ]
    return frozenset(pl.concat(found)["key"]) if found else frozenset()


def _keys_under(store: Store, stage: str, inputs: Collection[object]) -> frozenset[str]:
    return frozenset(key for recipe in store.lake.recipes(stage) for key in lake_keys(recipe, inputs))


def _folds(store: Store, arrivals: pl.DataFrame, documents: pl.Series) -> pl.DataFrame:
    """Folds that documents were ever judged in: document_id, fold."""
    arrived = arrivals.filter(pl.col("kind") == "documents", pl.col("id").is_in(documents.unique().to_list()))
    versions = arrived.select("key", document_id="id").drop_nulls().unique()
    return versions.join(source_rows(store, "document"), on="key").select("document_id", "fold").unique()


def _sentence_keys(store: Store, texts: pl.DataFrame, own_keys: frozenset[str]) -> dict[str, frozenset[str]]:
    """Keys of the statements of texts that no other cleaned text equals."""
    same = ["text_hash", "question"]
    is_other = pl.col("text_hash").is_in(texts["text_hash"].to_list()) & ~pl.col("key").is_in(list(own_keys))
    asked = pl.col("question").is_not_null()
    mine = texts.select(*same).with_columns(asked).unique()
    elsewhere = _texts_of(store, is_other).select(*same).with_columns(asked).unique()
    left = mine.join(elsewhere, on=same, how="anti")
    return {stage: _keys_under(store, stage, left.rows()) for stage in STATEMENT_STAGES}


def _block_keys(store: Store, keys: pl.Series) -> frozenset[str]:
    """Keys of the blocks of raw texts that no other document has."""
    is_theirs = pl.col("key").is_in(keys.to_list())
    scans = [
        pl.scan_parquet(parts).select("key", "text")
        for recipe in store.lake.recipes("document")
        if (parts := store.lake.parts("document", recipe))
    ]
    if not scans or not store.lake.recipes(BLOCKS.name):
        return frozenset()
    rows = pl.concat(scans)
    texts = rows.filter(is_theirs).select("text").drop_nulls().unique().collect()
    elsewhere = rows.filter(~is_theirs).join(texts.lazy(), on="text", how="semi").select("text").collect()
    left = texts.join(elsewhere, on="text", how="anti")
    return _keys_under(store, BLOCKS.name, left["text"].to_list())
