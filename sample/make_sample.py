"""Writes the sample store: half a year of an invented shop, the same bytes every time.

`items.csv` and `sentences.toml` are written by hand; everything else in this folder comes from here:

    python sample/make_sample.py [FOLDER]
"""

from __future__ import annotations

import csv
import json
import sys
import tomllib
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from random import Random
from typing import Any
from zoneinfo import ZoneInfo

import polars as pl
from writing import Review, Writer, in_some_voice, mood

HERE = Path(__file__).resolve().parent
SEED = 20260630
BERLIN = ZoneInfo("Europe/Berlin")
FIRST = datetime(2025, 12, 31)
N_WEEKS = 26
LAST = FIRST + timedelta(weeks=N_WEEKS, days=-1)
N_REVIEWS = 500
N_USERS = 120
N_NEWCOMERS = 5
"""Customers who joined in the last days and have bought nothing yet."""

N_INTERACTIONS = 2_500

COUNTRIES = {"DE": 42, "GB": 18, "IE": 16, "NL": 12, "AT": 12}
CHANNELS = {"web": 55, "app": 30, "marketplace": 15}
REPEATED = {"gas", "filters", "coffee", "socks"}
"""Kinds that customers buy again and again."""

STORIES = {
    "kettle_lid_leaks": [0] * 21 + [3, 5, 7, 10, 13],
    "app_sync": [3, 2, 4, 3, 3, 2, 4, 3, 4, 3, 2, 4, 3, 3, 3, 1, 1] + [0] * 9,
    "app_fixed": [0] * 15 + [1, 2, 2, 1, 1, 0, 1, 0, 1, 1, 0],
    "keeps_dry": [3, 2, 3, 3, 4, 2, 3, 3, 3, 2, 4, 3, 3, 3, 2, 3, 4, 3, 3, 2, 3, 3, 4, 3, 2, 3],
}
"""Reviews of each week that name a topic first."""

LATE_SHARE = {"IE": 0.5}
LATE_SHARE_ELSEWHERE = 0.03
LAST_DAY = ("00:12", "07:45", "12:31", "18:06", "21:50", "23:41")
"""Hours of reviews written on the last day; some fall on another day in UTC."""


HOURS = [1, 1, 0, 0, 0, 1, 2, 4, 5, 5, 5, 5, 6, 6, 5, 5, 6, 7, 8, 10, 12, 11, 7, 3]
"""How many write at each hour; none in the hour that a change of clocks leaves out."""

Tastes = dict[str, list[float]]
"""For each customer how much each item is cared for."""


def make_users(rng: Random) -> list[dict[str, str]]:
    """Customers with the segments they fall in."""
    users = []
    for number in range(1, N_USERS + 1):
        country = rng.choices(list(COUNTRIES), list(COUNTRIES.values()))[0]
        plan = rng.choices(["guest", "club", "club plus"], [45, 40, 15])[0]
        joined = FIRST - timedelta(days=rng.randint(100, 2_400))
        if number > N_USERS - N_NEWCOMERS:
            joined = LAST - timedelta(days=N_USERS - number)
        users.append(
            {
                "user_id": f"u{number:03d}",
                "country": country,
                "plan": plan,
                "joined_on": joined.date().isoformat(),
            }
        )
    return users


def make_tastes(users: list[dict[str, str]], items: list[dict[str, str]], rng: Random) -> Tastes:
    """How much each customer cares for each item: two of the categories a lot, the rest a little."""
    categories = sorted({item["category"] for item in items})
    tastes = {user["user_id"]: [0.0] * len(items) for user in users}
    for user in users[:-N_NEWCOMERS]:
        loved = rng.sample(categories, 2)
        busy = rng.choice([0.5, 1, 1, 2, 4])
        tastes[user["user_id"]] = [busy * (6 if item["category"] in loved else 1) for item in items]
    return tastes


def plan_topics(rng: Random, n_others: int) -> list[tuple[int, str | None]]:
    """Week and first topic of each review but `n_others`; None: whatever comes to mind."""
    planned: list[tuple[int, str | None]] = [
        (week, topic) for topic, weeks in STORIES.items() for week, n in enumerate(weeks) for _ in range(n)
    ]
    written = [sum(weeks) + rng.randint(-3, 3) for weeks in zip(*STORIES.values(), strict=True)]
    for _ in range(N_REVIEWS - n_others - len(planned)):
        quietest = written.index(min(written))
        written[quietest] += 1
        planned.append((quietest, None))
    rng.shuffle(planned)
    return planned


def written_in(week: int, rng: Random) -> datetime:
    """A local time in a week, mostly in the evening."""
    hour = rng.choices(
        range(24), [1, 1, 0, 0, 0, 1, 2, 4, 5, 5, 5, 5, 6, 6, 5, 5, 6, 7, 8, 10, 12, 11, 7, 3]
    )[0]
    start = FIRST + timedelta(weeks=week, days=rng.randrange(7))
    return start.replace(hour=hour, minute=rng.randrange(60), second=rng.randrange(60))


def make_reviews(
    writer: Writer,
    users: list[dict[str, str]],
    items: list[dict[str, str]],
    tastes: Tastes,
    rng: Random,
) -> list[Review]:
    """All reviews in the order of time, with their topics and without their text."""
    asked: set[tuple[str, str]] = set()

    def reviewer(user: dict[str, str], item: dict[str, str], week: int, topics: list[str]) -> Review:
        asked.add((user["user_id"], item["item_id"]))
        return Review(written_in(week, rng), user, item, topics)

    reviews = []
    german_weeks = {"kettle": N_WEEKS - 3, "watch": 5}
    for said in writer.said["german"]:
        item = next(item for item in items if item["kind"] == said["kind"])
        user = rng.choice([user for user in users[:-N_NEWCOMERS] if user["country"] in ("DE", "AT")])
        week = german_weeks.get(said["kind"], rng.randrange(N_WEEKS))
        review = reviewer(user, item, week, list(said["topics"]))
        review.row = {
            "stars": said["stars"],
            "headline": said["headline"],
            "body": said["body"],
            "language": "de",
        }
        reviews.append(review)
    for week, topic in plan_topics(rng, len(reviews)):
        pairs = [
            (user, item, taste)
            for user in users
            for item, taste in zip(items, tastes[user["user_id"]], strict=True)
            if (topic is None or writer.fits(topic, item["kind"]))
            and (user["user_id"], item["item_id"]) not in asked
        ]
        user, item, _ = rng.choices(pairs, [taste for _, _, taste in pairs])[0]
        reviews.append(reviewer(user, item, week, choose_topics(writer, topic, item, user, rng)))
    reviews.sort(key=lambda review: review.written)
    last_week = [review for review in reviews if review.written >= FIRST + timedelta(weeks=N_WEEKS - 1)]
    for review, clock in zip(rng.sample(last_week, len(LAST_DAY)), LAST_DAY, strict=True):
        hour, minute = clock.split(":")
        review.written = LAST.replace(hour=int(hour), minute=int(minute))
    return sorted(reviews, key=lambda review: review.written)


def choose_topics(
    writer: Writer, first: str | None, item: dict[str, str], user: dict[str, str], rng: Random
) -> list[str]:
    """What a review is about: the planned topic first, then what comes to mind; sometimes nothing."""
    late = rng.random() < LATE_SHARE.get(user["country"], LATE_SHARE_ELSEWHERE)
    if first is None and not late and rng.random() < 0.11:
        return []
    topics = [first] if first else []
    if late:
        topics.insert(rng.randint(0, len(topics)), "late_delivery")
    n_topics = rng.choices([1, 2, 3, 4], [34, 38, 20, 8])[0]
    while len(topics) < n_topics:
        weights = {}
        for name, topic in writer.topics.items():
            clashes = any(name in pair and set(pair) & set(topics) for pair in writer.said["conflicts"])
            if name in topics or clashes or not writer.fits(name, item["kind"]):
                continue
            alike = not topics or topic["polarity"] == writer.topics[topics[0]]["polarity"]
            weights[name] = (
                topic.get("weight", 1) * (2 if alike else 1) * (1.5 if topic["polarity"] > 0 else 1)
            )
        topics.append(rng.choices(list(weights), list(weights.values()))[0])
    return topics


def write_texts(writer: Writer, reviews: list[Review], rng: Random) -> None:
    """Give every review its row, in the voice of a customer of one temper or another."""
    for number, review in enumerate(reviews, start=1):
        if review.row:
            text = review.row
        elif review.topics:
            stars = writer.stars(review.topics)
            text = {
                "stars": stars,
                "headline": writer.headline(review.topics, stars),
                "body": in_some_voice(writer.body(review, stars), rng),
                "language": "en",
            }
        else:
            stars = rng.choices([5, 4, 3, 2, 1], [45, 25, 14, 8, 8])[0]
            body = writer.take(writer.said["plain"]["bodies_" + mood(stars)])
            text = {"stars": stars, "headline": writer.headline([], stars), "body": body, "language": "en"}
        review.row = {
            "review_id": f"R{number:04d}",
            "item_id": review.item["item_id"],
            "user_id": review.user["user_id"],
            "written_at": review.written.isoformat(),
            "stars": text["stars"],
            "headline": text["headline"],
            "body": text["body"],
            "channel": rng.choices(list(CHANNELS), list(CHANNELS.values()))[0],
            "country": review.user["country"],
            "language": text["language"],
        }


def review_lines(reviews: list[Review], said: dict[str, Any], rng: Random) -> list[str]:
    """One line for each review, with the warts of a real export."""
    rows = [review.row for review in reviews]
    planted = set(STORIES)
    plain = [review.row for review in reviews if not review.topics]
    for row, body in zip(rng.sample(plain, 3), ["", "", None], strict=True):
        row["headline"], row["body"] = None, body
    others = [
        review.row
        for review in reviews
        if review.topics and review.row["language"] == "en" and not planted & set(review.topics)
    ]
    rng.shuffle(others)
    for contact in said["contacts"]["sentences"]:
        others.pop()["body"] += " " + contact
    for no_date in (None, ""):
        others.pop()["written_at"] = no_date
    for _ in range(4):
        others.pop()["user_id"] = None
    others.pop()["stars"] = 11
    quoted = next(row for row in others if "'" in row["body"] and row["body"].isascii())
    quoted["body"] = quoted["body"].replace("'", "’").encode().decode("cp1252")
    others.remove(quoted)
    edited = others.pop()
    lines = [json.dumps(row, ensure_ascii=False) for row in rows]
    # The first version of a review that its writer changed later: the same id twice, the later line counts.
    place = rows.index(edited)
    lines.insert(place, json.dumps({**edited, "stars": 3, "body": "Just unpacked it, more to follow."}))
    lines.insert(place + 30, lines.pop(place + 1))
    lines.insert(len(lines) // 2, lines[len(lines) // 2].replace('"R', '"X')[:90])
    return lines


def make_interactions(
    reviews: list[Review],
    users: list[dict[str, str]],
    items: list[dict[str, str]],
    tastes: Tastes,
    rng: Random,
) -> pl.DataFrame:
    """Purchases: one before each review, and more of what the customers care for."""
    bought: list[tuple[datetime, str, str, float | None]] = []
    once = set()
    for review in reviews:
        before = timedelta(days=rng.randint(4, 40), seconds=rng.randrange(86_400))
        pair = (review.user["user_id"], review.item["item_id"])
        once.add(pair)
        stars = review.row["stars"] if rng.random() < 0.6 and review.row["stars"] <= 5 else None
        bought.append((review.written - before, *pair, stars))
    busy = [sum(tastes[user["user_id"]]) for user in users]
    span = timedelta(days=90) + timedelta(weeks=N_WEEKS)
    while len(bought) < N_INTERACTIONS:
        user = rng.choices(users, busy)[0]["user_id"]
        item = rng.choices(items, tastes[user])[0]
        pair = (user, item["item_id"])
        if pair in once and item["kind"] not in REPEATED:
            continue
        once.add(pair)
        when = FIRST - timedelta(days=90) + timedelta(seconds=rng.randrange(int(span.total_seconds())))
        bought.append((when, *pair, rng.choices([None, 5, 4, 3, 2, 1], [84, 7, 4, 2, 1, 2])[0]))
    bought.sort(key=lambda purchase: purchase[:3])
    return pl.DataFrame(
        {
            "order_id": [f"B{number:05d}" for number in range(1, len(bought) + 1)],
            "user_id": [user for _, user, _, _ in bought],
            "item_id": [item for _, _, item, _ in bought],
            "created_at": [when.replace(tzinfo=BERLIN).astimezone(UTC) for when, *_ in bought],
            "stars": [stars for *_, stars in bought],
        },
        schema_overrides={"created_at": pl.Datetime("us", "UTC"), "stars": pl.Float64},
    )


def write_csv(path: Path, rows: Sequence[dict[str, Any]]) -> None:
    """Rows of equal keys under a header."""
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, fieldnames=list(rows[0]), lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows)


def make_sample(folder: Path) -> None:
    """Write reviews, users, interactions and their truth into `folder`."""
    rng = Random(SEED)
    with (HERE / "sentences.toml").open("rb") as file:
        said = tomllib.load(file)
    with (HERE / "items.csv").open(encoding="utf-8", newline="") as file:
        items = list(csv.DictReader(file))
    writer = Writer(said, rng)
    users = make_users(rng)
    tastes = make_tastes(users, items, rng)
    reviews = make_reviews(writer, users, items, tastes, rng)
    write_texts(writer, reviews, rng)
    interactions = make_interactions(reviews, users, items, tastes, rng)
    lines = review_lines(reviews, said, rng)
    truth = [
        {
            "review_id": review.row["review_id"],
            "topic": topic,
            "polarity": said["topics"][topic]["polarity"],
            "story": said["topics"][topic].get("story", ""),
        }
        for review in reviews
        for topic in review.topics
    ]
    write_csv(folder / "users.csv", users)
    write_csv(folder / "truth.csv", truth)
    (folder / "reviews.jsonl").write_text("\n".join(lines) + "\n", encoding="utf-8", newline="\n")
    interactions.write_parquet(folder / "interactions.parquet", compression="zstd", statistics=False)


if __name__ == "__main__":
    make_sample(Path(sys.argv[1]) if len(sys.argv) > 1 else HERE)
