"""What a night does with what it has read."""

from __future__ import annotations

from datetime import date
from typing import Literal

from pydantic import Field, model_validator

from analytics.settings.section import Section


class CleaningSettings(Section):
    """What is done to a text before anything reads it."""

    max_characters: int = Field(20_000, ge=100, description="A longer body is cut here, at a word's end.")
    max_title_characters: int = Field(300, ge=10, description="A longer title is cut here, at a word's end.")
    max_per_author_day: int = Field(
        10, ge=1, description="Of one author's documents in a source on one day, at most this many count."
    )


class RedactionSettings(Section):
    """How personal data is found before any model reads a text."""

    engine: Literal["patterns", "presidio"] = Field(
        "patterns",
        description='"patterns": forms and checksums; "presidio": those and, where it is installed, the '
        "names and places that Presidio's language model finds.",
    )


class ThemeSettings(Section):
    """How themes are found the first time and how the registry goes on afterwards."""

    granularity: Literal["coarse", "medium", "fine"] = Field(
        "medium",
        description="When themes are first found, fewer and wider ones, or more and narrower: coarse, medium "
        "or fine.",
    )
    names: Literal["keywords", "model"] = Field(
        "keywords",
        description='"keywords": a new theme is called by its keywords; "model": by what the language model '
        "proposes, where its statements bear that out.",
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


class BriefSettings(Section):
    """What is told in a few sentences about each theme, each item and the night."""

    prose: Literal["quotes", "model"] = Field(
        "quotes",
        description='"quotes": sentences of customers; "model": sentences of the language model, each only '
        "where the checker finds it supported by what customers wrote, and else a quote.",
    )
    max_items: int = Field(
        200, ge=0, description="So many items, those most is written about, have a brief of their own."
    )


class BudgetSettings(Section):
    """What a night may spend on the language model; what is left undone waits for the nights that follow."""

    tokens: int | None = Field(
        None, examples=[2_000_000], ge=1, description="Most tokens, read and written together."
    )
    usd: float | None = Field(None, examples=[5.0], gt=0, description="Most US dollars, by the prices above.")
    seconds: float | None = Field(None, examples=[7_200.0], gt=0, description="Most seconds of answering.")


class TrendSettings(Section):
    """When a theme counts as new, rising, falling or gone."""

    order_kinds: tuple[str, ...] = Field(
        (),
        examples=[("order",)],
        description="Kinds of interactions that are orders: mentions are then counted in them; left out, in "
        "people who write.",
    )
    recent_days: int = Field(
        7, ge=1, description="Length of the recent window; a whole number of weeks has all weekdays."
    )
    baseline_weeks: int = Field(8, ge=4, description="Weeks before it that it is held against.")
    step_weeks: int = Field(
        26, ge=12, description="Weeks in which the first week of another rate is looked for."
    )
    false_discovery_rate: float = Field(
        0.1, gt=0, lt=1, description="Of all changes that a night reports, at most this share is chance."
    )
    min_ratio: float = Field(
        1.25, gt=1, description="A smaller change of a rate, up or down, is not reported."
    )

    @model_validator(mode="after")
    def _has_a_baseline(self) -> TrendSettings:
        if self.baseline_weeks * 7 < 3 * self.recent_days:
            raise ValueError(
                f"recent_days = {self.recent_days} fits less than three times into baseline_weeks = "
                f"{self.baseline_weeks}; nothing could be told, so lengthen the one or shorten the other"
            )
        return self


class DriverSettings(Section):
    """What themes are held against: what customers gave, and what they did next."""

    harm_kinds: tuple[str, ...] = Field(
        (),
        examples=[("return", "refund")],
        description="Kinds of interactions that are a loss, such as returns and refunds.",
    )
    harm_days: int = Field(
        30, ge=1, description="So many days after a text a loss of the same item counts as what followed it."
    )
    repurchase_days: int = Field(60, ge=1, description="So many days after a text an order counts as next.")
    outcomes: tuple[str, ...] = Field(
        (),
        examples=[("resolved",)],
        description="Segments whose values are numbers, or yes and no, that themes are held against too.",
    )


class DecisionSettings(Section):
    """Which decisions are listed."""

    max_decisions: int = Field(5, ge=1, description="How many decisions a night lists.")
    max_quotes: int = Field(5, ge=1, description="How many quotes stand under a decision, one per author.")


class KindSettings(Section):
    """How much a kind of interaction tells."""

    kind: str = Field(min_length=1, description="As the source names it, lower case.")
    weight: float = Field(
        ge=-1, le=1, description="1: as much as an order; below 0: the customer turns away from the item."
    )
    is_had: bool = Field(
        True,
        description="Whether the customer has the item then, so that it is listed no more; not so of views.",
    )


class RecommendationSettings(Section):
    """What the lists for customers look like."""

    list_length: int = Field(10, ge=1, description="Items in each customer's list.")
    kept_candidates: int = Field(
        30, ge=1, description="Best items of each customer that are kept, and that rules choose from."
    )
    kinds: tuple[str, ...] = Field(
        (), description="Kinds of interactions that show a liking, such as order; left out, all do."
    )
    weights: tuple[KindSettings, ...] = Field(
        (),
        description="Kinds that count for less than 1 or against an item, each in a "
        "[[recommendations.weights]] of its own.",
    )
    half_life_days: float = Field(
        180.0, gt=0, description="Days after which an event counts half in what a customer likes."
    )
    refit_every_days: int = Field(
        28, ge=1, description="Nights between two fits of the ranker; a switch is recorded, never silent."
    )
    category: str = Field(
        "category", description="Segment of items that names their category, where a source maps it."
    )
    exclude: tuple[str, ...] = Field((), description="Ids of items that are on no list.")
    diversity: float = Field(
        0.1,
        ge=0,
        le=1,
        description="What being like another item of the list costs an item, in shares of the best score.",
    )
    new_share: float = Field(
        0.1, ge=0, le=1, description="Share of each list that goes to new items, where any are candidates."
    )
    new_days: int = Field(
        30, ge=1, description="An item is new for so many days after it came or was first taken."
    )

    @model_validator(mode="after")
    def _keeps_enough(self) -> RecommendationSettings:
        if self.kept_candidates < self.list_length:
            raise ValueError(
                f"kept_candidates = {self.kept_candidates} is less than list_length = {self.list_length}; "
                "lists are chosen from what is kept, so raise it"
            )
        return self


class ScheduleSettings(Section):
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


class EventSettings(Section):
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


class CalendarSettings(Section):
    """Days that are not like others."""

    holidays: tuple[date, ...] = Field((), description="Days on which little is expected to come in.")
    events: tuple[EventSettings, ...] = Field(
        (), description="Promotions, launches and outages, each in a [[calendar.events]] of its own."
    )
