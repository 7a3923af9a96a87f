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
        None, description="Identity of the row within its source. Required but for interactions."
    )
    text: str | None = Field(None, description="Body of a document, or description of an item.")
    title: str | None = Field(None, description="Title of a document or an item.")
    created_at: str | None = Field(
        None, description="When it was written or happened (ISO 8601 or a timestamp)."
    )
    item: str | None = Field(None, description="Item that the document or interaction is about.")
    user: str | None = Field(None, description="User who wrote or acted.")
    rating: str | None = Field(None, description="Number on rating_scale.")
    language: str | None = Field(None, description="Language tag of the row, such as en or pt-BR.")
    segments: tuple[str, ...] = Field((), description="Columns by which figures are split, such as channel.")


Kind = Literal["documents", "items", "users", "interactions"]


class SourceSettings(_Section):
    """One file that is read each night."""

    name: str = Field(min_length=1, description="Name of the source; part of every document's identity.")
    kind: Kind = Field(description='"documents", "items", "users" or "interactions".')
    path: str = Field(description="File to read; relative to this file.")
    format: Literal["parquet", "csv", "jsonl"] | None = Field(
        None, description='"parquet", "csv" or "jsonl"; guessed from the ending when left out.'
    )
    time_zone: TimeZone = Field("UTC", description="Zone of timestamps that carry none.")
    language: str | None = Field(
        None, description="Language of rows whose language column is absent or empty."
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
            "documents": ("id", "text"),
            "items": ("id",),
            "users": ("id",),
            "interactions": ("user", "item", "created_at"),
        }[self.kind]
        for column in needed:
            if getattr(self.columns, column) is None:
                raise ValueError(f"columns.{column} is missing; a source of {self.kind} needs it")
        if self.kind == "documents" and self.language is None and self.columns.language is None:
            raise ValueError('say which language it is in: set language = "en", or map columns.language')
        return self


class CleaningSettings(_Section):
    """What is done to a text before anything reads it."""

    max_characters: int = Field(20_000, ge=100, description="A longer body is cut here, at a word's end.")
    max_title_characters: int = Field(300, ge=10, description="A longer title is cut here, at a word's end.")


class EmbeddingSettings(_Section):
    """The model that turns texts into vectors."""

    model: str = Field(
        "embedded",
        description='"embedded" (all-MiniLM-L6-v2, installed with the program), or the folder or hub name '
        "of any sentence-transformers model.",
    )
    languages: tuple[str, ...] = Field(
        ("en",), description='Languages that the model reads; ["*"] for all. Others count as not analysed.'
    )
    max_tokens: int = Field(
        256, ge=8, description="Longer texts are cut here, counted in the model's tokens."
    )
    engine: Literal["auto", "openvino", "torch"] = Field(
        "auto", description='"auto": torch on a GPU, else OpenVINO on the CPU; or "openvino" or "torch".'
    )
    threads: int = Field(0, ge=0, description="CPU threads; 0 takes all cores that this process may use.")


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
    """How themes are found the first time and how opinions are placed afterwards."""

    neighbours: int = Field(15, ge=2, description="Nearest neighbours of an opinion in the discovery graph.")
    resolution: float = Field(
        1.0, gt=0, description="Higher gives more and smaller themes (Leiden, modularity)."
    )
    max_discovery_opinions: int = Field(
        20_000, ge=100, description="Discovery reads at most this many opinions, drawn by key hash."
    )
    min_discovery_opinions: int = Field(
        200, ge=10, description="Discovery waits until the store holds this many opinions."
    )
    min_opinions: int = Field(10, ge=2, description="A smaller group of opinions is not a theme.")


class DecisionSettings(_Section):
    """Which decisions are listed."""

    recent_days: int = Field(28, ge=1, description="Length of the recent window and of the one before it.")
    max_decisions: int = Field(10, ge=1, description="How many decisions a night lists.")
    max_quotes: int = Field(5, ge=1, description="How many quotes stand under a decision, one per author.")


class RecommendationSettings(_Section):
    """What the lists for customers look like."""

    list_length: int = Field(10, ge=1, description="Items in each customer's list.")
    popular_days: int = Field(90, ge=1, description="Window in which popularity is counted.")


class ScheduleSettings(_Section):
    """How much of a night's owed work is taken, and in which order."""

    newest_days: int = Field(
        90, ge=1, description="Owed work of the newest days is taken first, then the rest."
    )


class Settings(_Section):
    """All settings of one store."""

    store: StoreSettings = Field(default_factory=StoreSettings)
    sources: tuple[SourceSettings, ...] = Field(min_length=1)
    cleaning: CleaningSettings = Field(default_factory=CleaningSettings)
    embedding: EmbeddingSettings = Field(default_factory=EmbeddingSettings)
    sentiment: SentimentSettings = Field(default_factory=SentimentSettings)
    themes: ThemeSettings = Field(default_factory=ThemeSettings)
    decisions: DecisionSettings = Field(default_factory=DecisionSettings)
    recommendations: RecommendationSettings = Field(default_factory=RecommendationSettings)
    schedule: ScheduleSettings = Field(default_factory=ScheduleSettings)
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
        """File of a source, absolute."""
        return (self.file.parent / source.path).resolve()


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
