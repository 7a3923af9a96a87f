"""Settings: one TOML file, checked whole before a night starts; every key carries its own explanation."""

from __future__ import annotations

import tomllib
from datetime import date
from pathlib import Path
from typing import Annotated, Any, Literal
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError, available_timezones

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationError, model_validator

from analytics.errors import SettingsError


def _known_zone(name: str) -> str:
    try:
        ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        example = "Europe/Berlin" if "Europe/Berlin" in available_timezones() else "UTC"
        raise ValueError(
            f"{name!r} is not a time zone; use an IANA name such as {example!r} or 'UTC'"
        ) from None
    return name


TimeZone = Annotated[str, AfterValidator(_known_zone)]


class _Section(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)


class StoreSettings(_Section):
    """Where this store lives and how its days are counted."""

    data_dir: str = Field("nightloom-data", description="Folder of this store; relative to this file.")
    time_zone: TimeZone = Field("UTC", description="IANA zone in which a day begins and ends.")
    seed: int = Field(7, ge=0, description="The one seed; each stage derives its own from it.")
    min_authors: int = Field(
        5, ge=1, description="A theme, a table cell or a quote is shown only with this many distinct authors."
    )


class ColumnSettings(_Section):
    """Which column of the source holds what; a name that is left out is not read."""

    id: str | None = Field(
        None,
        description="Identity of the row within its source. Required of items and users; without it the "
        "whole row is its own identity, so that a changed row is a new one.",
    )
    text: str | None = Field(None, description="Body of a document, or description of an item.")
    title: str | None = Field(None, description="Title of a document or an item.")
    created_at: str | None = Field(
        None,
        description="When it was written or happened: ISO 8601, a timestamp, or a form such as 31.12.2025.",
    )
    item: str | None = Field(None, description="Item that the document or interaction is about.")
    user: str | None = Field(None, description="User who wrote or acted.")
    name: str | None = Field(
        None, description="Users: full name, which is redacted wherever a text holds it; published nowhere."
    )
    rating: str | None = Field(None, description="Number on rating_scale.")
    language: str | None = Field(
        None, description="Language tag of the row, such as en or pt-BR; where it is empty, the text decides."
    )
    thread: str | None = Field(None, description="Conversation that a message belongs to.")
    speaker: str | None = Field(
        None, description='Who wrote a message: "customer" or "agent", or what customer_speakers lists.'
    )
    channel: str | None = Field(None, description='How it came, such as "email", "chat" or "web".')
    question: str | None = Field(None, description="Question that the text answers; it is read with it.")
    url: str | None = Field(None, description="Address of the source record, for people who check a quote.")
    kind: str | None = Field(None, description="Interactions: what was done, such as order, return or view.")
    segments: tuple[str, ...] = Field((), description="Columns by which figures are split, such as channel.")


Kind = Literal["documents", "items", "users", "interactions"]
Use = Literal["insight", "recommend", "quote"]

ALL_USES: tuple[Use, ...] = ("insight", "recommend", "quote")


class SourceSettings(_Section):
    """One file, folder of files or query that is read each night."""

    name: str = Field(min_length=1, description="Name of the source; part of every document's identity.")
    kind: Kind = Field(description='"documents", "items", "users" or "interactions".')
    path: str = Field(
        description="File to read, folder of files, or a pattern such as exports/*.csv; .gz and .zip are "
        "unpacked while reading; relative to this file."
    )
    query: str | None = Field(
        None, description="SQL to run on path, which is then a DuckDB or SQLite file; read only."
    )
    format: Literal["parquet", "csv", "jsonl"] | None = Field(
        None, description='"parquet", "csv" (TSV too) or "jsonl"; guessed from the ending when left out.'
    )
    encoding: str | None = Field(
        None, description='Encoding of a text file, such as "cp1252"; found out when left out.'
    )
    delimiter: str | None = Field(
        None, min_length=1, max_length=1, description="What separates CSV fields; found out when left out."
    )
    time_zone: TimeZone = Field("UTC", description="Zone of timestamps that carry none.")
    language: str | None = Field(
        None, description="Language of texts too short to tell it by; without it such texts count as unknown."
    )
    uses: tuple[Use, ...] | None = Field(
        None,
        examples=[("insight",)],
        description='What its rows may be used for: "insight", "recommend", "quote". Default: all three; '
        "only insight where a thread or a speaker is mapped, since such texts are private letters.",
    )
    retention_days: int | None = Field(
        None,
        examples=[1095],
        ge=1,
        description="Rows older than this are erased from everything that is kept.",
    )
    customer_speakers: tuple[str, ...] = Field(
        (), description="Values of the speaker column that mean a customer; left out, the usual words count."
    )
    channel: str | None = Field(None, description="Channel of rows whose channel column is absent or empty.")
    question: str | None = Field(
        None, description="Question that all its texts answer, where no column holds it."
    )
    url: str | None = Field(
        None, description="Address of a source record where no column holds it; {id} stands for its id."
    )
    rating_scale: tuple[float, float] = Field((1.0, 5.0), description="Lowest and highest rating.")
    earliest: date = Field(
        date(1990, 1, 1), description="Dates before this are impossible: kept in totals, left out of trends."
    )
    absent: Literal["keep", "delete"] = Field(
        "keep", description='What a row that is no longer in the file means: "keep" it or "delete" it.'
    )
    anonymous: Literal["together", "distinct"] = Field(
        "together",
        description='Documents without a user count as one author "together" or as "distinct" authors.',
    )
    columns: ColumnSettings = Field(description="Which column holds what.")

    @model_validator(mode="after")
    def _complete(self) -> SourceSettings:
        low, high = self.rating_scale
        if not low < high:
            raise ValueError(f"rating_scale = [{low:g}, {high:g}] must rise; write the lowest rating first")
        needed = {
            "documents": ("text",),
            "items": ("id",),
            "users": ("id",),
            "interactions": ("user", "item", "created_at"),
        }[self.kind]
        if "all" in (self.name, *self.columns.segments):
            raise ValueError('"all" names everything; give the source or the segment column another name')
        for column in needed:
            if getattr(self.columns, column) is None:
                raise ValueError(f"columns.{column} is missing; a source of {self.kind} needs it")
        if self.query is not None and self.format is not None:
            raise ValueError("query and format exclude each other: a query reads a database; remove one")
        return self

    @property
    def granted(self) -> frozenset[Use]:
        """What the rows of this source may be used for."""
        if self.uses is not None:
            return frozenset(self.uses)
        is_private = self.kind == "documents" and (self.columns.thread or self.columns.speaker)
        return frozenset({"insight"}) if is_private else frozenset(ALL_USES)


class CleaningSettings(_Section):
    """What is done to a text before anything reads it."""

    max_characters: int = Field(20_000, ge=100, description="A longer body is cut here, at a word's end.")
    max_title_characters: int = Field(300, ge=10, description="A longer title is cut here, at a word's end.")
    max_per_author_day: int = Field(
        10, ge=1, description="Of one author's documents in a source on one day, at most this many count."
    )


class RedactionSettings(_Section):
    """How personal data is found before any model reads a text."""

    engine: Literal["patterns", "presidio"] = Field(
        "patterns",
        description='"patterns": forms and checksums; "presidio": those and, where it is installed, the '
        "names and places that Presidio's language model finds.",
    )


class EmbeddingSettings(_Section):
    """The model that turns texts into vectors."""

    model: str = Field(
        "embedded",
        description='"embedded" (all-MiniLM-L6-v2, installed with the program), or the folder or hub name '
        "of any sentence-transformers model.",
    )
    languages: tuple[str, ...] | None = Field(
        None,
        examples=[("en", "de")],
        description='Languages that the model reads, ["*"] for all; others count as not analysed. Left out: '
        "what the model's own card declares; English where it declares nothing.",
    )
    max_tokens: int = Field(
        256, ge=8, description="Longer texts are cut here, counted in the model's tokens."
    )
    engine: Literal["auto", "openvino", "torch"] = Field(
        "auto", description='"auto": torch on a GPU, else OpenVINO on the CPU; or "openvino" or "torch".'
    )
    threads: int = Field(0, ge=0, description="CPU threads; 0 takes all cores that this process may use.")


class LanguageModelSettings(_Section):
    """The model that writes sentences and names; what it writes is checked before it is shown."""

    backend: Literal["local", "remote"] = Field(
        "local", description='"local": on this machine; "remote": a server that speaks OpenAI\'s protocol.'
    )
    allow_remote: bool = Field(
        False, description="Whether texts may be sent to another machine; redaction comes before in any case."
    )
    model: str = Field(
        "embedded",
        description='"embedded" (SmolLM2-135M-Instruct), a GGUF file, the folder or hub name of any causal '
        "model, or the name that a server knows the model by.",
    )
    languages: tuple[str, ...] | None = Field(
        None, examples=[("en", "de")], description="Languages that the model writes. Left out: English."
    )
    engine: Literal["auto", "openvino", "torch"] = Field(
        "auto",
        description='"auto": torch on a GPU, else OpenVINO on the CPU where it reads the model; or '
        '"openvino" or "torch".',
    )
    threads: int = Field(0, ge=0, description="CPU threads; 0 takes all cores that this process may use.")
    max_input_tokens: int = Field(
        1_024, ge=128, description="Longer texts are cut here, at a sentence; the cut is recorded."
    )
    url: str | None = Field(
        None,
        examples=["http://gpu-worker:8000/v1"],
        description="Address of the server, up to and with /v1.",
    )
    api_key_env: str = Field(
        "NIGHTLOOM_API_KEY", description="Environment variable that holds the server's key; never the key."
    )
    model_date: date | None = Field(
        None,
        examples=[date(2026, 7, 1)],
        description="Since when the server's model is what it is: a later date asks everything anew.",
    )
    concurrency: int = Field(8, ge=1, description="Requests that are open at a server at once.")
    requests_per_minute: int | None = Field(
        None, examples=[600], ge=1, description="Most requests a minute that the server allows."
    )
    tokens_per_minute: int | None = Field(
        None, examples=[200_000], ge=1, description="Most tokens a minute that the server allows."
    )
    timeout_seconds: float = Field(60.0, gt=0, description="A request without an answer is given up here.")
    give_up_seconds: float = Field(
        120.0, gt=0, description="A server that answers nothing for so long is given up for the night."
    )

    @model_validator(mode="after")
    def _reachable(self) -> LanguageModelSettings:
        if self.backend == "remote":
            if not self.allow_remote:
                raise ValueError(
                    'backend = "remote" sends texts to another machine; set allow_remote = true to permit it'
                )
            if self.url is None or self.model == "embedded":
                raise ValueError('backend = "remote" needs url and the model\'s name at that server')
        return self


class SentimentSettings(_Section):
    """How opinions are told apart as positive, neutral and negative."""

    min_rated_documents: int = Field(
        200,
        ge=20,
        description="With fewer rated documents a lexicon decides instead of a head fitted on ratings.",
    )
    refit_every_days: int = Field(
        30, ge=1, description="Nights between two fits of the head; a switch is recorded, never silent."
    )


class ThemeSettings(_Section):
    """How themes are found the first time and how the registry goes on afterwards."""

    granularity: Literal["coarse", "medium", "fine"] = Field(
        "medium",
        description="When themes are first found, fewer and wider ones, or more and narrower: coarse, medium "
        "or fine.",
    )
    auto_apply: bool = Field(
        False,
        description="Merge, split and widen themes as proposed without asking; people's own and pinned "
        "themes are left alone.",
    )
    min_opinions: int = Field(10, ge=2, description="A smaller group of opinions is not a theme.")
    min_discovery_opinions: int = Field(
        200, ge=10, description="Discovery waits until the store holds this many opinions."
    )
    max_discovery_opinions: int = Field(
        100_000, ge=100, description="Discovery reads at most this many opinions, drawn by key hash."
    )


class DecisionSettings(_Section):
    """Which decisions are listed."""

    recent_days: int = Field(28, ge=1, description="Length of the recent window and of the one before it.")
    max_decisions: int = Field(10, ge=1, description="How many decisions a night lists.")
    max_quotes: int = Field(5, ge=1, description="How many quotes stand under a decision, one per author.")


class RecommendationSettings(_Section):
    """What the lists for customers look like."""

    list_length: int = Field(10, ge=1, description="Items in each customer's list.")
    popular_days: int = Field(90, ge=1, description="Window in which popularity is counted.")
    kinds: tuple[str, ...] = Field(
        (), description="Kinds of interactions that show a liking, such as order; left out, all do."
    )


class ScheduleSettings(_Section):
    """How much of a night's owed work is taken, and in which order."""

    newest_days: int = Field(
        90, ge=1, description="Owed work of the newest days is taken first, then the rest."
    )
    max_calls: int | None = Field(
        None,
        examples=[200_000],
        ge=10,
        description="Most texts that a night hands to the embedding model; the rest waits for later nights.",
    )


class EventSettings(_Section):
    """Something that explains a change in what comes in."""

    name: str = Field(min_length=1, description="What a page calls it.")
    kind: Literal["promotion", "launch", "outage", "other"] = Field(
        description='"promotion", "launch", "outage" or "other".'
    )
    start: date = Field(description="First day.")
    end: date = Field(description="Last day.")
    sources: tuple[str, ...] = Field((), description="Sources that it touches; left out, all.")

    @model_validator(mode="after")
    def _in_order(self) -> EventSettings:
        if self.end < self.start:
            raise ValueError(f"event {self.name!r} ends on {self.end}, before it starts on {self.start}")
        return self


class CalendarSettings(_Section):
    """Days that are not like others."""

    holidays: tuple[date, ...] = Field((), description="Days on which little is expected to come in.")
    events: tuple[EventSettings, ...] = Field(
        (), description="Promotions, launches and outages, each in a [[calendar.events]] of its own."
    )


class Settings(_Section):
    """All settings of one store."""

    store: StoreSettings = Field(default_factory=StoreSettings)
    sources: tuple[SourceSettings, ...] = Field(min_length=1)
    cleaning: CleaningSettings = Field(default_factory=CleaningSettings)
    redaction: RedactionSettings = Field(default_factory=RedactionSettings)
    embedding: EmbeddingSettings = Field(default_factory=EmbeddingSettings)
    sentiment: SentimentSettings = Field(default_factory=SentimentSettings)
    themes: ThemeSettings = Field(default_factory=ThemeSettings)
    decisions: DecisionSettings = Field(default_factory=DecisionSettings)
    recommendations: RecommendationSettings = Field(default_factory=RecommendationSettings)
    schedule: ScheduleSettings = Field(default_factory=ScheduleSettings)
    calendar: CalendarSettings = Field(default_factory=CalendarSettings)
    file: Path = Field(Path("nightloom.toml"), exclude=True)

    @model_validator(mode="after")
    def _sources_told_apart(self) -> Settings:
        names = [source.name for source in self.sources]
        for name in names:
            if names.count(name) > 1:
                raise ValueError(f"two sources are named {name!r}; a name is part of identity, rename one")
        if not any(source.kind == "documents" for source in self.sources):
            raise ValueError('no source has kind = "documents"; a night needs at least one')
        return self

    @property
    def data_dir(self) -> Path:
        """Folder of this store, absolute."""
        return (self.file.parent / self.store.data_dir).resolve()

    def path_of(self, source: SourceSettings) -> Path:
        """File, folder or pattern of a source, absolute."""
        return (self.file.parent / source.path).resolve()

    def source(self, name: str) -> SourceSettings | None:
        """The source of that name, if it is still set."""
        return next((source for source in self.sources if source.name == name), None)


def _one_line(error: ValidationError) -> str:
    """The first complaint of pydantic as `key: what is wrong`."""
    first = error.errors()[0]
    place = ".".join(str(part + 1) if isinstance(part, int) else part for part in first["loc"])
    if first["type"] == "extra_forbidden":
        return f"unknown key {place!r}; remove it, or run `nightloom init` to see every key"
    if first["type"] == "missing":
        return f"missing key {place!r}; run `nightloom init` to see an example"
    told = f"{place}: " if place else ""
    if first["type"] == "value_error":
        return told + first["msg"].removeprefix("Value error, ")
    given = first.get("input")
    shown = f" (got {given!r})" if isinstance(given, str | int | float | bool) else ""
    return f"{told}{first['msg']}{shown}; `nightloom init` writes an example of every key"


def load_settings(path: Path) -> Settings:
    """Read and check a settings file.

    Raises:
        SettingsError: missing or unreadable file, bad TOML, unknown key, wrong type; one line, naming the
        file.
    """
    path = Path(path).expanduser().resolve()
    try:
        content: dict[str, Any] = tomllib.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise SettingsError(
            f"{path}: no such file; run `nightloom init` to write one, or pass --config"
        ) from None
    except (OSError, UnicodeDecodeError) as error:
        raise SettingsError(
            f"{path}: cannot be read ({error}); check its rights and encoding (UTF-8)"
        ) from error
    except tomllib.TOMLDecodeError as error:
        raise SettingsError(f"{path}: not valid TOML: {error}; correct that place") from error
    if "file" in content:
        raise SettingsError(
            f"{path}: unknown key 'file'; remove it, or run `nightloom init` to see every key"
        )
    try:
        # TOML has arrays and no tuples; strictness still holds for what is inside them.
        settings = Settings.model_validate({**_tuples(content), "file": path})
    except ValidationError as error:
        raise SettingsError(f"{path}: {_one_line(error)}") from None
    folder = path.parent / settings.embedding.model
    if settings.embedding.model == "embedded" or not folder.is_dir():
        return settings
    embedding = settings.embedding.model_copy(update={"model": str(folder)})
    return settings.model_copy(update={"embedding": embedding})


def _tuples(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: _tuples(inner) for name, inner in value.items()}
    if isinstance(value, list):
        return tuple(_tuples(inner) for inner in value)
    return value
