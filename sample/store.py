"""The store: week after week is written from what the weeks before left, then the truth about all of it."""

from __future__ import annotations

import csv
import json
from collections import defaultdict
from datetime import date, datetime, time, timedelta
from pathlib import Path
from typing import Any

from sample.customers import Customer, make_customers
from sample.files import CsvFile, TextFile
from sample.language import HERE, topics
from sample.reviews import COLUMNS, add_reviews, erased_marker
from sample.scene import Scene
from sample.shop import N_WEEKS_BEFORE, Shop
from sample.story import choose_story, tell, weights_of_items
from sample.surveys import COLUMNS as SURVEY_COLUMNS
from sample.surveys import add_surveys
from sample.tickets import Desk

DEFAULT_SEED = 20260630
DEFAULT_WEEKS = 26
DEFAULT_END = date(2026, 6, 30)


def make_store(
    folder: Path,
    *,
    seed: int = DEFAULT_SEED,
    weeks: int = DEFAULT_WEEKS,
    mended_from: int | None = None,
    end: date = DEFAULT_END,
) -> dict[str, int]:
    """Write a store into the folder, the same bytes for the same arguments.

    At one seed and first day a longer store begins with the rows of the shorter one.

    Args:
        folder: Made if it is not there; files of an earlier store are overwritten.
        seed: Every seed has other sentences, products in other parts and other weeks.
        weeks: How many; the story is written for 26.
        mended_from: From this week (counted from 0) on the defect is hardly named.
        end: Last day.

    Returns:
        Rows of each file.
    """
    folder.mkdir(parents=True, exist_ok=True)
    start = datetime.combine(end - timedelta(days=7 * weeks - 1), time())
    items = _read_items()
    story = choose_story(seed, items)
    customers = make_customers(
        seed, start.date(), [item["category"] for item in items], weights_of_items(seed, items, story)
    )
    erased = next(
        customer
        for customer in customers
        if customer.language == "en" and customer.voice == "plain" and "@" in customer.user_id
    )
    shop = Shop(seed, start, items, customers, story, erased)
    scene = Scene(seed, start, story, shop, mended_from)
    reviews = CsvFile("reviews.csv", "R", COLUMNS)
    surveys = CsvFile("survey.csv", "S", SURVEY_COLUMNS)
    desk = Desk(scene)
    for week in range(-N_WEEKS_BEFORE, weeks):
        shop.trade(week)
        if week >= 0:
            add_reviews(scene, week, reviews)
            desk.add_tickets(week)
            add_surveys(scene, week, surveys)
        shop.close(week)
    interactions = shop.frame()
    interactions.write_parquet(folder / "interactions.parquet", compression="zstd", statistics=False)
    _write_csv(folder / "items.csv", items)
    known = [customer for customer in customers if customer.joined_on <= end]
    _write_csv(folder / "users.csv", [_user_row(customer) for customer in known])
    for file in (reviews, desk.file, surveys):
        file.write(folder)
    story_told = tell(story, weeks, mended_from)
    truth = _truth(scene, story_told, erased, weeks, end)
    (folder / "truth.json").write_text(
        json.dumps(truth, ensure_ascii=False, indent=1), encoding="utf-8", newline="\n"
    )
    return _counts(reviews, desk.file, surveys) | {
        "items": len(items),
        "users": len(known),
        "interactions": len(interactions),
    }


def _counts(reviews: CsvFile, tickets: TextFile, surveys: CsvFile) -> dict[str, int]:
    return {
        "reviews": reviews.n_records - 1,
        "tickets": tickets.n_records,
        "survey answers": surveys.n_records - 1,
    }


def _read_items() -> list[dict[str, str]]:
    with (HERE / "catalogue.csv").open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def _user_row(customer: Customer) -> dict[str, str]:
    return {
        "user_id": customer.user_id,
        "name": customer.name,
        "country": customer.country,
        "plan": customer.plan,
        "joined_on": customer.joined_on.isoformat(),
    }


def _write_csv(path: Path, rows: list[dict[str, str]]) -> None:
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, fieldnames=list(rows[0]), lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows)


def _documents_of(scene: Scene, topic: str) -> dict[str, list[str]]:
    """Documents that name the topic, by source."""
    return {
        source: [name for name, said in documents.items() if any(part["topic"] == topic for part in said)]
        for source, documents in scene.truth.documents.items()
    }


def _truth(scene: Scene, told: dict[str, Any], erased: Customer, weeks: int, end: date) -> dict[str, Any]:
    """Everything planted, in one object."""
    truth = scene.truth
    for part in ("defect", "fading", "newborn", "returns"):
        if part in told:
            told[part]["documents"] = _documents_of(scene, told[part]["topic"])
            first_week = told[part].get("onset_week", told[part].get("first_week", 0))
            told[part]["first_day"] = _day(scene, 7 * first_week)
    told["loved"]["documents"] = truth.loved
    if weeks * 7 > scene.story.silent_day:
        told["dead_feed"] = {"source": "survey", "silent_from": _day(scene, scene.story.silent_day)}
    for name, planted in (("flood", truth.flood), ("copies", truth.copies)):
        if planted:
            told[name] = planted
    told["own_repeats"] = list(truth.own_repeats.values())
    told["short_repeats"] = _short_repeats(scene)
    told["erased"] = {
        "user": erased.user_id,
        "name": erased.name,
        "marker": erased_marker(scene.seed),
        **truth.erased,
    }
    return {
        "seed": scene.seed,
        "weeks": weeks,
        "first_day": _day(scene, 0),
        "last_day": end.isoformat(),
        "mended_from": scene.mended_from,
        "topics": {name: topic["polarity"] for name, topic in topics().items()},
        "planted": told,
        "personal": truth.personal,
        "malformed": truth.malformed,
        "oddities": truth.oddities,
        "german": truth.german,
        "documents": truth.documents,
        "mail": truth.mail,
    }


def _day(scene: Scene, day: int) -> str:
    return (scene.start + timedelta(days=day)).date().isoformat()


def _short_repeats(scene: Scene) -> dict[str, list[str]]:
    """Reviews that consist of one short text which others wrote too."""
    by_text = defaultdict(list)
    for review, said in scene.truth.documents["reviews"].items():
        if len(said) == 1 and len(said[0]["sentence"].split()) < 8:
            by_text[said[0]["sentence"]].append(review)
    return {text: reviews for text, reviews in by_text.items() if len(reviews) > 1}
