"""What the lake, the journal and the placement log hold for one night, joined into frames."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache

import polars as pl

from analytics.identity import lake_keys
from analytics.insight.extraction import EXTRACTED
from analytics.insight.sentences import opinions_of, read_with_question
from analytics.intake.cleaning import CLEAN_ROWS
from analytics.intake.languages import settle_languages
from analytics.intake.redaction import redact_each
from analytics.intake.repeats import mark_repeats
from analytics.intake.suspicion import REASON as SPEAKS_TO_A_MODEL
from analytics.intake.suspicion import speaks_to_a_model
from analytics.models.weights import declared_languages
from analytics.settings import Settings, Use
from analytics.store.journal import Attempt
from analytics.store.registry import ACTIVE, RETIRED, Registry
from flows.ingest import SOURCE_STAGES
from flows.night import Night

MIN_ANALYSED_SHARE = 0.1
"""No theme is found where a smaller share of the documents can be analysed."""

SPANS = {"starts": pl.List(pl.Int32), "ends": pl.List(pl.Int32)}
"""What the stage of statements holds for each text."""


def live_rows(night: Night, kind: str, use: Use | None = None) -> pl.DataFrame:
    """Live rows of one kind of source: id, first_seen_run and the mapped fields; sorted by id.

    Args:
        night: The night.
        kind: documents, items, users or interactions.
        use: Leave out the rows of sources that do not grant it; a source that is set no more grants insight.
    """
    stage = SOURCE_STAGES[kind]
    live = night.store.journal.live(kind, night.counting)
    if use is not None:
        live = live.filter(pl.col("source").is_in(not_granting(night.settings, live["source"], use)).not_())
    live = live.drop("source")
    if not night.store.lake.parts(stage.name, stage.recipe_id):
        return live
    rows = night.store.lake.read(stage.name, stage.recipe_id, live)
    return live.join(rows, on="key").sort("id")


def item_words(items: pl.DataFrame) -> pl.Series:
    """What the embedding model reads of each item: title and description, redacted; empty where none."""
    parts = [pl.col("title").str.strip_chars(), pl.col("text").str.strip_chars()]
    words = items.select(pl.concat_str(parts, separator=". ", ignore_nulls=True).fill_null("")).to_series()
    return pl.Series(redact_each(words.to_list()), dtype=pl.String)


def not_granting(settings: Settings, sources: pl.Series, use: Use) -> list[str]:
    """Which of the named sources do not grant a use."""
    granted = {source.name: source.granted for source in settings.sources}
    return [name for name in sources.unique() if use not in granted.get(name, {"insight"})]


@lru_cache(maxsize=1)
def raw_documents(night: Night) -> pl.DataFrame:
    """Live documents of sources that grant insight, as they were given: document_id, day, lake columns."""
    documents = live_rows(night, "documents", use="insight").rename({"id": "document_id"})
    local = pl.col("created_at").dt.convert_time_zone(night.settings.store.time_zone)
    return documents.with_columns(day=local.dt.date())


def last_reading(night: Night, attempts: tuple[Attempt, ...]) -> pl.DataFrame:
    """Which cleaned text each document has after the given attempts: document_id, clean_key (null: none)."""
    pairs = night.store.journal.read("reading", attempts)
    return pairs.unique("document_id", keep="last", maintain_order=True).drop("_run_id")


@lru_cache(maxsize=1)
def documents_of(night: Night, clean_recipe: str) -> pl.DataFrame:
    """What customers wrote, with the text that every model and reader sees.

    Beside the columns of a live document: `is_analysed` (tonight's models read it), `is_counted` (it is no
    repeat and no flood), each with a reason where not, and `is_covered`: both.
    """
    read = last_reading(night, night.counting).drop_nulls("clean_key")
    raw = raw_documents(night).join(read, on="document_id")
    texts = night.store.lake.read("clean", clean_recipe, raw.select(key="clean_key"), schema=CLEAN_ROWS)
    documents = raw.drop("title", "text", "question", "key").join(texts, left_on="clean_key", right_on="key")
    documents = documents.sort("document_id")
    languages = settle_languages(documents, _default_languages(night.settings))
    documents = documents.with_columns(languages)
    reason = (
        pl.when(pl.col("text") == "")
        .then(pl.lit("no text"))
        .when(~reads(night.settings, pl.col("language")))
        .then(pl.format("language {}", "language"))
    )
    repeats = mark_repeats(
        documents.filter(pl.col("text") != "").select(
            "document_id", "source", "text", "text_hash", "day", "created_at", author="author_key"
        ),
        max_per_author_day=night.settings.cleaning.max_per_author_day,
    )
    return (
        documents.join(repeats, on="document_id", how="left", maintain_order="left")
        .with_columns(
            not_counted_reason=pl.when(speaks_to_a_model("text"))
            .then(pl.lit(SPEAKS_TO_A_MODEL))
            .otherwise("not_counted_reason")
        )
        .with_columns(
            not_analysed_reason=reason,
            is_analysed=reason.is_null(),
            is_counted=pl.col("not_counted_reason").is_null(),
        )
        .with_columns(is_covered=pl.col("is_analysed") & pl.col("is_counted"))
    )


def is_mostly_unread(documents: pl.DataFrame) -> bool:
    """Whether so little of a store is in languages that are read that its themes would speak for few."""
    return documents.height > 0 and documents["is_analysed"].sum() < MIN_ANALYSED_SHARE * documents.height


def _default_languages(settings: Settings) -> dict[str, str]:
    return {source.name: source.language.lower() for source in settings.sources if source.language}


def reads(settings: Settings, language: pl.Expr) -> pl.Expr:
    """Whether the models of these settings read a language."""
    declared = declared_languages(settings.embedding)
    return pl.lit(True) if "*" in declared else language.is_in(list(declared))


def sentence_keys(documents: pl.DataFrame, recipe: str) -> pl.Series:
    """Lake key of each document's statements: by its text, and whether it answers a question."""
    asked = documents["question"].is_not_null()
    return pl.Series(lake_keys(recipe, zip(documents["text_hash"], asked, strict=True)), dtype=pl.String)


def is_extracted(settings: Settings) -> pl.Expr:
    """Whether a document's statements are asked of the language model: its source wants it, it reads it."""
    sources = [source.name for source in settings.sources if source.extraction == "model"]
    languages = settings.language_model.languages or ("en",)
    return pl.col("source").is_in(sources) & (
        pl.lit("*" in languages) | pl.col("language").is_in(list(languages))
    )


def extraction_part(recipe: str) -> str:
    """Of the recipe of statements, that of the extraction: it stands behind the sentences', or is empty."""
    return recipe.partition("+")[2]


@lru_cache(maxsize=1)
def opinions_in(night: Night, clean_recipe: str, sentence_recipe: str) -> pl.DataFrame:
    """Every statement of the covered documents, with `reading`, what a model is given to read.

    A conversation says a thing once: of the same words in several of its messages the first counts.

    Returns:
        Beside the columns of `opinions_of` and those of the document: reading, said, kind and stated (the
        sentiment that extraction found, null elsewhere), opinion_recipe.
    """
    documents = documents_of(night, clean_recipe).filter("is_covered")
    opinions = stated_in(night, documents, sentence_recipe)
    about = documents.select(
        "document_id",
        "source",
        "thread_id",
        "created_at",
        "question",
        "day",
        "language",
        "author_key",
        "fold",
    )
    opinions = opinions.join(about, on="document_id").sort("opinion_id")
    repeated = _said_before(opinions)
    return (
        opinions.with_columns(readings_of(opinions))
        .join(repeated, on="opinion_id", how="anti", maintain_order="left")
        .drop("source", "thread_id", "created_at", "question", "place")
    )


def stated_in(night: Night, documents: pl.DataFrame, recipe: str) -> pl.DataFrame:
    """The statements of some documents, as their stage of the lake has them; see `opinions_in`."""
    by_sentence, _, by_model = recipe.partition("+")
    asks_model = is_extracted(night.settings) if by_model else pl.lit(False)
    found = []
    for stage, part, schema, rows in (
        ("sentence", by_sentence, SPANS, documents.filter(~asks_model)),
        ("extraction", by_model, EXTRACTED, documents.filter(asks_model)),
    ):
        keyed = rows.with_columns(sentence_keys(rows, part).alias("key"))
        answers = night.store.lake.read(stage, part, keyed.select("key"), schema=schema)
        answers = answers.with_columns(
            pl.lit(None, dtype).alias(name)
            for name, dtype in EXTRACTED.items()
            if name not in answers.columns
        )
        joined = keyed.select("document_id", "text", "key").join(answers, on="key")
        found.append(
            opinions_of(joined)
            .join(joined.select("document_id", "said", "kinds", "sentiments"), on="document_id")
            .with_columns(
                pl.col("said").list.get(pl.col("place"), null_on_oob=True),
                kind=pl.col("kinds").list.get(pl.col("place"), null_on_oob=True),
                stated=pl.col("sentiments").list.get(pl.col("place"), null_on_oob=True),
                opinion_recipe=pl.lit(part),
            )
            .drop("kinds", "sentiments")
        )
    return pl.concat(found)


def readings_of(opinions: pl.DataFrame) -> pl.Series:
    """What a model reads of each statement: its words, behind a question that they answer.

    Where a sentence makes several statements, each is read behind what it is about.

    Args:
        opinions: Columns document_id, start, quote, question, aspect.
    """
    reading = pl.Series(
        "reading", read_with_question(opinions["quote"].to_list(), opinions["question"].to_list()), pl.String
    )
    shares_sentence = pl.len().over("document_id", "start") > 1
    behind = pl.when(shares_sentence & pl.col("aspect").is_not_null()).then(
        pl.format("{}: {}", "aspect", "reading")
    )
    return opinions.with_columns(reading).select(reading=pl.coalesce(behind, "reading")).to_series()


def _said_before(opinions: pl.DataFrame) -> pl.DataFrame:
    """Statements that an earlier message of the same conversation holds word for word: opinion_id."""
    wording = pl.col("quote").str.to_lowercase().str.replace_all(r"[^\p{L}\p{N}]+", " ").str.strip_chars()
    threaded = opinions.filter(pl.col("thread_id").is_not_null()).select(
        "opinion_id", "document_id", "start", "created_at", "source", "thread_id", wording=wording
    )
    ordered = threaded.sort("created_at", "document_id", "start", nulls_last=True)
    first = ordered.unique(["source", "thread_id", "wording"], keep="first", maintain_order=True)
    return threaded.join(first, on="opinion_id", how="anti").select("opinion_id")


def vector_keys(texts: pl.Series, recipe: str) -> pl.Series:
    """Lake key of each text's vector."""
    return pl.Series(lake_keys(recipe, texts), dtype=pl.String)


def with_vectors(night: Night, opinions: pl.DataFrame, recipe: str) -> pl.DataFrame:
    """The statements whose vector is in the lake, with its `vector_key`."""
    keyed = opinions.with_columns(vector_keys(opinions["reading"], recipe).alias("vector_key"))
    present = night.store.lake.keys("embedding", recipe)
    return keyed.join(present, left_on="vector_key", right_on="key", how="semi", maintain_order="left")


def sentiment_keys(opinions: pl.DataFrame, recipe: str) -> pl.Series:
    """Lake key of each statement's sentiment: by what is read of it and the fold that may judge it."""
    return pl.Series(lake_keys(recipe, opinions.select("reading", "fold").iter_rows()), dtype=pl.String)


def with_survivors(
    placements: pl.DataFrame, registry: Registry, statuses: Sequence[str] = (ACTIVE, RETIRED)
) -> pl.DataFrame:
    """What a placement log leaves under the themes that are there: its columns, theme_id the survivor's.

    Of an opinion's entries under a theme the last counts. What stood under a merged theme stands under the
    one it was merged into, what stood under a split one wherever the split put it.
    """
    alive = registry.themes.filter(pl.col("status").is_in(list(statuses))).select(survivor_id="theme_id")
    return (
        placements.join(registry.survivors, on="theme_id", maintain_order="left")
        .join(alive, on="survivor_id", how="semi", maintain_order="left")
        .with_columns(theme_id="survivor_id")
        .drop("survivor_id")
        .unique(["opinion_id", "theme_id"], keep="last", maintain_order=True)
        .filter("is_member")
    )


def author_numbers(documents: pl.DataFrame, settings: Settings) -> pl.Series:
    """A number for each document's author within this generation, by the author's smallest document id.

    The numbers say who wrote together and nothing else: they cannot be led back to a person, and do not
    depend on the store's key. Documents without an author have none, unless their source counts them as
    distinct authors.
    """
    distinct = [source.name for source in settings.sources if source.anonymous == "distinct"]
    alone = pl.when(pl.col("source").is_in(distinct)).then(pl.col("document_id"))
    author = pl.coalesce("author_key", alone)
    first = pl.when(author.is_not_null()).then(pl.col("document_id").min().over(author))
    return documents.select(first.rank("dense").cast(pl.Int32).alias("author")).to_series()
