"""What the sources hold and what a first night would cost, before anything is written."""

from __future__ import annotations

import sys
from collections import Counter
from typing import Any

import polars as pl
from tqdm import tqdm

from analytics.errors import ModelUnavailable
from analytics.intake.repeats import mark_repeats
from analytics.intake.sources import read_blocks
from analytics.intake.survey import SourceSurvey, joined_share
from analytics.settings import Settings, SourceSettings
from flows.dry_run import Scan, clean_rows, drawn, scan_source
from flows.gather import reads
from flows.night import last_complete_day
from flows.price import Price

N_READ = 5_000
"""Documents of each source that are read as a night would read them; the rest is counted and projected."""


def check(settings: Settings) -> dict[str, Any]:
    """Read every source and tell what is in it, and the price of the next night.

    Raises:
        SourceError: a source cannot be read, or all its rows are rejected.
    """
    surveys = [_survey(settings, source) for source in settings.sources]
    day = last_complete_day(settings)
    told, price = [], Price(settings, day)
    for survey in surveys:
        with _bar(f"comparing {survey.source.name}", "rows", survey.n_rows) as bar:
            scan = scan_source(settings, survey.source, day, bar.update)
        about = _about(survey, surveys)
        if survey.source.kind == "documents":
            about |= _read(settings, survey, scan, price)
        elif survey.source.kind == "items" and "recommend" in survey.source.granted:
            price.note_items(survey.source, scan.new)
        told.append(about | {"n_new": scan.new.height, "n_waiting": scan.n_waiting})
    return {"data_dir": str(settings.data_dir), "as_of": day, "sources": told, "price": price.told()}


def _bar(name: str, unit: str, total: int | None = None) -> Any:
    # A terminal gets a moving bar after three seconds, a log file a line now and then.
    every = 1.0 if sys.stderr.isatty() else 15.0
    return tqdm(desc=name, total=total, unit=f" {unit}", mininterval=every, delay=3, ascii=True, leave=False)


def _survey(settings: Settings, source: SourceSettings) -> SourceSurvey:
    survey = SourceSurvey(source)
    with _bar(f"reading {source.name}", "rows") as bar:
        for block in read_blocks(source, settings.path_of(source)):
            survey.add(block)
            bar.update(block.rows.height + block.rejected.height)
    return survey


def _about(survey: SourceSurvey, surveys: list[SourceSurvey]) -> dict[str, Any]:
    source = survey.source
    joins = {}
    for role, kind in (("item", "items"), ("user", "users")):
        others = [other for other in surveys if other.source.kind == kind]
        share = joined_share(survey, role, others) if source.kind in ("documents", "interactions") else None
        if share is not None:
            joins[role] = share | {"with": [other.source.name for other in others]}
    duplicates = {"same_id": survey.n_repeated("id")}
    if source.kind == "documents":
        duplicates["same_text_of_same_author"] = survey.n_repeated("words")
    return {
        "name": source.name,
        "kind": source.kind,
        "path": source.path,
        "n_rows": survey.n_rows,
        "n_rejected": survey.n_rejected,
        "rejected": survey.reasons(),
        "fill": {name: round(share, 4) for name, share in survey.fill().items()},
        "first_at": survey.first,
        "last_at": survey.last,
        "n_undated": survey.n_undated if "created_at" in survey.roles else None,
        "joins": joins,
        "duplicates": duplicates,
        "rows": survey.rows_shown(),
    }


def _read(settings: Settings, survey: SourceSurvey, scan: Scan, price: Price) -> dict[str, Any]:
    """Languages, personal data and repeats of the documents drawn; what the new ones would cost is noted."""
    source = survey.source
    n_drawn = drawn(scan.rows, N_READ).height
    with _bar(f"cleaning {source.name}", "texts", n_drawn) as bar:
        frames = list(clean_rows(settings, source, scan.rows, N_READ, bar.update))
    is_first = scan.new.height == scan.rows.height
    new = frames if is_first else list(clean_rows(settings, source, scan.new, N_READ))
    if "insight" in source.granted:
        price.note(new, scan.new.height, drawn(scan.new, N_READ).height)
    if not frames:
        return {"n_read": 0, "languages": [], "not_analysed": [], "personal_data": {}, "cut_characters": {}}
    cleaned = pl.concat(frames)
    written = cleaned.filter(pl.col("text") != "")
    repeats = mark_repeats(
        written.select(
            "document_id", "source", "text", "text_hash", "created_at", author="user_id",
            day=pl.col("created_at").dt.convert_time_zone(settings.store.time_zone).dt.date(),
        ),
        max_per_author_day=settings.cleaning.max_per_author_day,
    )  # fmt: skip
    return {
        "n_read": cleaned.height,
        "n_empty": cleaned.height - written.height,
        "languages": _shares(dict(written["language"].value_counts().iter_rows()), written.height),
        "not_analysed": _unread(settings, written),
        "personal_data": _counted(cleaned["redactions"]),
        "cut_characters": _counted(cleaned["cuts"]),
        "not_counted": dict(
            repeats.drop_nulls("not_counted_reason")["not_counted_reason"].value_counts().iter_rows()
        ),
    }


def _unread(settings: Settings, written: pl.DataFrame) -> list[dict[str, Any]] | None:
    """Languages that no model of these settings reads; None where the model is not there to say."""
    try:
        is_read = reads(settings, pl.col("language"))
    except ModelUnavailable:
        return None
    return _shares(dict(written.filter(~is_read)["language"].value_counts().iter_rows()), written.height)


def _shares(counts: dict[str, int], total: int) -> list[dict[str, Any]]:
    ordered = sorted(counts.items(), key=lambda pair: (-pair[1], pair[0]))
    return [{"language": name, "n": n, "share": round(n / total, 4)} for name, n in ordered]


def _counted(lists: pl.Series) -> dict[str, int]:
    found: Counter[str] = Counter()
    for one in lists.explode(empty_as_null=False).to_list():
        found[one["kind"]] += one["n"]
    return dict(found.most_common())
