import csv
import json
import re
import subprocess
import sys
import tomllib
from collections import Counter
from datetime import date, datetime
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from pydantic import BaseModel

from analytics.settings import ColumnSettings, Settings, SourceSettings, load_settings

ROOT = Path(__file__).resolve().parents[1]
SAMPLE = ROOT / "sample"
CONFIG = ROOT / "nightloom.toml"
KEY = re.compile(r"^(# )?[a-z_]+ = .+$")

MADE = ("reviews.jsonl", "users.csv", "truth.csv", "interactions.parquet")


def read_lines() -> tuple[list[dict[str, Any]], list[str]]:
    """Rows of the reviews, and lines that are no JSON."""
    rows, broken = [], []
    for line in (SAMPLE / "reviews.jsonl").read_text(encoding="utf-8").splitlines():
        try:
            rows.append(json.loads(line))
        except json.JSONDecodeError:
            broken.append(line)
    return rows, broken


def read_csv(name: str) -> list[dict[str, str]]:
    with (SAMPLE / name).open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


@pytest.fixture(scope="module")
def reviews() -> dict[str, dict[str, Any]]:
    """Each review once, as its writer left it."""
    return {row["review_id"]: row for row in read_lines()[0]}


@pytest.fixture(scope="module")
def mentions(reviews: dict[str, dict[str, Any]]) -> pl.DataFrame:
    """Topics of the dated reviews, with whole weeks before the last day, country and stars."""
    rows = []
    for truth in read_csv("truth.csv"):
        review = reviews[truth["review_id"]]
        if review["written_at"]:
            day = datetime.fromisoformat(review["written_at"]).date()
            weeks_ago = (date(2026, 6, 30) - day).days // 7
            rows.append(
                {**truth, "weeks_ago": weeks_ago, "country": review["country"], "stars": review["stars"]}
            )
    return pl.DataFrame(rows)


def weekly(mentions: pl.DataFrame, topic: str) -> list[int]:
    """Mentions of a topic week by week, the newest first."""
    counts = Counter(mentions.filter(topic=topic)["weeks_ago"])
    return [counts[week] for week in range(26)]


# ---- the files


def test_the_sample_is_rebuilt_to_the_byte(tmp_path: Path) -> None:
    subprocess.run([sys.executable, str(SAMPLE / "make_sample.py"), str(tmp_path)], check=True)
    assert sorted(path.name for path in tmp_path.iterdir()) == sorted(MADE)
    for name in MADE:
        assert (tmp_path / name).read_bytes() == (SAMPLE / name).read_bytes(), name


def test_the_sample_is_small() -> None:
    assert sum(path.stat().st_size for path in SAMPLE.iterdir() if path.is_file()) < 600_000


def test_everything_refers_to_something(reviews: dict[str, dict[str, Any]]) -> None:
    items = {row["item_id"]: row for row in read_csv("items.csv")}
    users = {row["user_id"]: row for row in read_csv("users.csv")}
    interactions = pl.read_parquet(SAMPLE / "interactions.parquet")
    assert len(reviews) == 500
    assert len(users) == 120
    assert len(interactions) == 2_500
    assert set(interactions["item_id"]) <= set(items)
    assert len(set(users) - set(interactions["user_id"])) == 5
    bought = set(interactions.select("user_id", "item_id").iter_rows())
    for review in reviews.values():
        assert review["item_id"] in items
        if review["user_id"] is not None:
            assert (review["user_id"], review["item_id"]) in bought
            assert users[review["user_id"]]["country"] == review["country"]
    assert {row["review_id"] for row in read_csv("truth.csv")} <= set(reviews)


def test_a_review_is_written_after_the_purchase(reviews: dict[str, dict[str, Any]]) -> None:
    first = (
        pl.read_parquet(SAMPLE / "interactions.parquet")
        .group_by("user_id", "item_id")
        .agg(pl.col("created_at").min().dt.convert_time_zone("Europe/Berlin").dt.replace_time_zone(None))
    )
    bought_at = {(user, item): when for user, item, when in first.iter_rows()}
    for review in reviews.values():
        if review["written_at"] and review["user_id"]:
            bought = bought_at[review["user_id"], review["item_id"]]
            assert bought < datetime.fromisoformat(review["written_at"])


def test_reviews_cover_26_weeks_and_hours_on_both_sides_of_midnight(
    reviews: dict[str, dict[str, Any]],
) -> None:
    written = [datetime.fromisoformat(row["written_at"]) for row in reviews.values() if row["written_at"]]
    assert min(written).date() <= date(2026, 1, 6)
    assert max(written).date() == date(2026, 6, 30)
    last_hours = {when.hour for when in written if when.date() == date(2026, 6, 30)}
    assert {0, 23} <= last_hours
    assert all(when.tzinfo is None for when in written)


# ---- the texts


def test_reviews_are_varied(reviews: dict[str, dict[str, Any]]) -> None:
    bodies = [row["body"] for row in reviews.values()]
    assert len(set(bodies)) / len(bodies) > 0.95
    lengths = [len(body.split()) for body in bodies if body]
    assert sum(length <= 5 for length in lengths) >= 15
    assert sum(length >= 40 for length in lengths) >= 40


def test_there_is_much_to_say_about_each_of_many_topics() -> None:
    topics = tomllib.loads((SAMPLE / "sentences.toml").read_text(encoding="utf-8"))["topics"]
    said = {}
    for name, topic in topics.items():
        some = [*topic.get("only", {}).values(), *topic.get("except", {}).values()]
        said[name] = [sentence for sentences in (topic["any"], *some) for sentence in sentences]
    everything = [sentence for sentences in said.values() for sentence in sentences]
    assert len(everything) == len(set(everything)) > 500
    assert sum(len(sentences) >= 15 for sentences in said.values()) >= 12


def test_ratings_go_with_what_is_said_but_not_always(mentions: pl.DataFrame) -> None:
    whole = (
        mentions.filter(pl.col("stars") <= 5)
        .group_by("review_id")
        .agg(tone=pl.col("polarity").cast(pl.Int64).mean(), stars=pl.col("stars").first())
    )
    assert whole.filter(tone=-1)["stars"].mean() < 2.2
    assert whole.filter(tone=1)["stars"].mean() > 4.2
    assert whole.filter((pl.col("tone") == 1) & (pl.col("stars") <= 3)).height >= 3
    assert whole.filter((pl.col("tone") == -1) & (pl.col("stars") >= 3)).height >= 3


# ---- the stories


def test_kettles_leak_more_from_week_to_week(mentions: pl.DataFrame) -> None:
    weeks = weekly(mentions, "kettle_lid_leaks")
    assert sum(weeks[5:]) == 0
    assert weeks[0] > weeks[1] > weeks[2] > weeks[3] > weeks[4] > 0


def test_the_app_fails_until_its_update(mentions: pl.DataFrame) -> None:
    weeks = weekly(mentions, "app_sync")
    assert min(weeks[11:]) >= 2
    assert sum(weeks[:9]) == 0
    assert sum(weekly(mentions, "app_fixed")[11:]) == 0 < sum(weekly(mentions, "app_fixed"))


def test_dryness_is_praised_all_the_time(mentions: pl.DataFrame) -> None:
    weeks = weekly(mentions, "keeps_dry")
    assert min(weeks) >= 2
    assert max(weeks) <= 6


def test_parcels_are_late_in_ireland(mentions: pl.DataFrame, reviews: dict[str, dict[str, Any]]) -> None:
    of_country = Counter(row["country"] for row in reviews.values())
    late = Counter(mentions.filter(topic="late_delivery")["country"])
    assert late["IE"] / of_country["IE"] > 0.35
    others = [country for country in of_country if country != "IE"]
    assert sum(late[name] for name in others) / sum(of_country[name] for name in others) < 0.06


def test_each_planted_story_is_marked(mentions: pl.DataFrame) -> None:
    stories = mentions.filter(pl.col("story") != "").select("topic", "story").unique().sort("topic").rows()
    assert stories == [
        ("app_sync", "fades"),
        ("keeps_dry", "steady"),
        ("kettle_lid_leaks", "rises"),
        ("late_delivery", "country IE"),
    ]


# ---- the warts


def test_warts_are_there(reviews: dict[str, dict[str, Any]]) -> None:
    rows, broken = read_lines()
    assert len(broken) == 1
    assert [name for name, n in Counter(row["review_id"] for row in rows).items() if n > 1] != []
    assert len(rows) == len(reviews) + 1
    assert sum(not row["body"] and not row["headline"] for row in reviews.values()) == 3
    assert sum(row["language"] == "de" for row in reviews.values()) == 6
    assert sum(not row["written_at"] for row in reviews.values()) == 2
    assert sum(row["user_id"] is None for row in reviews.values()) == 4
    assert [row["stars"] for row in reviews.values() if not 1 <= row["stars"] <= 5] == [11]
    assert sum("â€™" in (row["body"] or "") for row in reviews.values()) == 1
    reachable = re.compile(r"@example\.com|\b(?:\+44 )?0?1632\b|23125")
    assert sum(bool(reachable.search(row["body"] or "")) for row in reviews.values()) == 8


# ---- the settings


def test_the_sample_settings_load_and_name_the_sample() -> None:
    settings = load_settings(CONFIG)
    assert settings.store.time_zone == "Europe/Berlin"
    assert [source.kind for source in settings.sources] == ["documents", "items", "users", "interactions"]
    assert all(settings.path_of(source).is_file() for source in settings.sources)
    assert settings.data_dir == ROOT / "nightloom-data"


def test_every_mapped_column_is_in_its_file() -> None:
    settings = load_settings(CONFIG)
    columns = {
        "reviews": set(read_lines()[0][0]),
        "items": set(read_csv("items.csv")[0]),
        "users": set(read_csv("users.csv")[0]),
        "interactions": set(pl.read_parquet_schema(SAMPLE / "interactions.parquet")),
    }
    for source in settings.sources:
        mapped = source.columns.model_dump(exclude_none=True)
        assert {*mapped.pop("segments"), *mapped.values()} <= columns[source.name]


def uncommented() -> str:
    """The settings file with every `# key = value` line made a real one."""
    lines = CONFIG.read_text(encoding="utf-8").splitlines()
    return "\n".join(line[2:] if KEY.match(line) and line[0] == "#" else line for line in lines)


def test_every_key_of_every_section_is_there() -> None:
    shown = tomllib.loads(uncommented())
    for section, field in Settings.model_fields.items():
        if isinstance(field.annotation, type) and issubclass(field.annotation, BaseModel):
            assert set(shown[section]) == set(field.annotation.model_fields), section
    documents = shown["sources"][0]
    assert set(documents) == set(SourceSettings.model_fields)
    assert set(documents["columns"]) == set(ColumnSettings.model_fields)
    assert set(shown) == set(Settings.model_fields) - {"file"}


def test_commented_keys_show_the_defaults(tmp_path: Path) -> None:
    file = tmp_path / "nightloom.toml"
    file.write_text(uncommented(), encoding="utf-8")
    as_shown, as_is = load_settings(file), load_settings(CONFIG)
    # A format that is left out is guessed, so the sample shows one that says the same.
    assert as_shown.sources[0].format == "jsonl"
    guessed = as_shown.sources[0].model_copy(update={"format": None})
    expected = as_is.model_copy(update={"file": as_shown.file})
    assert as_shown.model_copy(update={"sources": (guessed, *as_shown.sources[1:])}) == expected


def test_every_key_is_explained() -> None:
    lines = CONFIG.read_text(encoding="utf-8").splitlines()
    for number, line in enumerate(lines):
        if KEY.match(line):
            before = lines[number - 1]
            explained = before.startswith("# ") and not KEY.match(before)
            assert explained or "  #" in line or "] #" in line or '" #' in line, f"line {number + 1}: {line}"
