"""Sources: which files are read, and which column holds what."""

from __future__ import annotations

from datetime import date
from typing import Literal

from pydantic import Field, model_validator

from analytics.settings.section import Section, TimeZone


class ColumnSettings(Section):
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


class SourceSettings(Section):
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
    extraction: Literal["sentences", "model"] = Field(
        "sentences",
        description='How statements are found in its texts: "sentences" takes each sentence for one, "model" '
        "asks the language model, which must be able to extract; the embedded one is not.",
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
