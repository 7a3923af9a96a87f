"""Settings: one TOML file, checked whole before a night starts; every key carries its own explanation."""

from __future__ import annotations

import tomllib
from pathlib import Path
from typing import Any, TypeVar

from pydantic import Field, ValidationError, model_validator

from analytics.errors import SettingsError
from analytics.settings.models import EmbeddingSettings, LanguageModelSettings, SentimentSettings
from analytics.settings.section import Section, TimeZone
from analytics.settings.sources import ALL_USES, ColumnSettings, Kind, SourceSettings, Use
from analytics.settings.steps import (
    BriefSettings,
    BudgetSettings,
    CalendarSettings,
    CleaningSettings,
    DecisionSettings,
    DriverSettings,
    EventSettings,
    KindSettings,
    RecommendationSettings,
    RedactionSettings,
    ScheduleSettings,
    ThemeSettings,
    TrendSettings,
)

__all__ = [
    "ALL_USES",
    "BriefSettings",
    "BudgetSettings",
    "CalendarSettings",
    "CleaningSettings",
    "ColumnSettings",
    "DecisionSettings",
    "DriverSettings",
    "EmbeddingSettings",
    "EventSettings",
    "Kind",
    "KindSettings",
    "LanguageModelSettings",
    "RecommendationSettings",
    "RedactionSettings",
    "ScheduleSettings",
    "SentimentSettings",
    "Settings",
    "SourceSettings",
    "StoreSettings",
    "ThemeSettings",
    "TrendSettings",
    "Use",
    "load_settings",
]


class StoreSettings(Section):
    """Where this store lives and how its days are counted."""

    data_dir: str = Field("nightloom-data", description="Folder of this store; relative to this file.")
    time_zone: TimeZone = Field("UTC", description="IANA zone in which a day begins and ends.")
    seed: int = Field(7, ge=0, description="The one seed; each stage derives its own from it.")
    min_authors: int = Field(
        5, ge=1, description="A theme, a table cell or a quote is shown only with this many distinct authors."
    )


class Settings(Section):
    """All settings of one store."""

    store: StoreSettings = Field(default_factory=StoreSettings)
    sources: tuple[SourceSettings, ...] = Field(min_length=1)
    cleaning: CleaningSettings = Field(default_factory=CleaningSettings)
    redaction: RedactionSettings = Field(default_factory=RedactionSettings)
    embedding: EmbeddingSettings = Field(default_factory=EmbeddingSettings)
    language_model: LanguageModelSettings = Field(default_factory=LanguageModelSettings)
    sentiment: SentimentSettings = Field(default_factory=SentimentSettings)
    themes: ThemeSettings = Field(default_factory=ThemeSettings)
    briefs: BriefSettings = Field(default_factory=BriefSettings)
    budget: BudgetSettings = Field(default_factory=BudgetSettings)
    trends: TrendSettings = Field(default_factory=TrendSettings)
    drivers: DriverSettings = Field(default_factory=DriverSettings)
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
    return settings.model_copy(
        update={
            "embedding": _beside(path, settings.embedding),
            "language_model": settings.language_model
            if settings.language_model.backend == "remote"
            else _beside(path, settings.language_model),
        }
    )


M = TypeVar("M", EmbeddingSettings, LanguageModelSettings)


def _beside(file: Path, section: M) -> M:
    """The section with a model that lies beside the settings file named in full."""
    place = file.parent / section.model
    if section.model == "embedded" or not place.exists():
        return section
    return section.model_copy(update={"model": str(place)})


def _tuples(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: _tuples(inner) for name, inner in value.items()}
    if isinstance(value, list):
        return tuple(_tuples(inner) for inner in value)
    return value
