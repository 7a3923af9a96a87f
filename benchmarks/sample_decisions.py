"""What nights decide on sample stores whose truth is known: what was planted, and nothing else.

Each seed is a store of its own: 26 weeks, one night at their end, and six more weeks in which the defect is
mended, with another night at the end of those. Of each night's decisions it is asked whether they are about
something planted and name the right place; of the second night, whether it says that the mending worked.

    python -m benchmarks.sample_decisions [--seeds FIRST LAST] [--folder FOLDER] [--json]
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
from collections import Counter
from collections.abc import Iterator, Mapping
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import duckdb
import polars as pl

from sample import make_store

ROOT = Path(__file__).resolve().parents[1]
NIGHT, LATER = date(2026, 6, 30), date(2026, 8, 11)
WEEKS = 26
ONSET = timedelta(days=7)
PARTS = ("defect", "newborn", "returns", "loved")
BEGINNING = 25
"""Characters by which a statement is found again in the truth: cleaning may change its end."""


def prepare(folder: Path, seed: int) -> Path:
    """Write a store and its settings, where they are not there yet; returns the settings file."""
    config = folder / "nightloom.toml"
    if not config.exists():
        weeks = WEEKS + (LATER - NIGHT).days // 7
        make_store(folder / "store", seed=seed, weeks=weeks, mended_from=WEEKS, end=LATER)
        text = (ROOT / "nightloom.toml").read_text(encoding="utf-8")
        text = text.replace('"nightloom-data"', '"data"').replace('"sample/store/', '"store/')
        config.write_text(text, encoding="utf-8")
    return config


def command(config: Path, *words: str) -> str:
    """What `nightloom` prints."""
    environment = os.environ | {"PREFECT_HOME": str(config.parent / "prefect")}
    line = [sys.executable, "-m", "flows.cli", *words, "--config", str(config)]
    return subprocess.run(line, cwd=ROOT, env=environment, check=True, capture_output=True, text=True).stdout


def published(config: Path, sql: str) -> pl.DataFrame:
    """Rows of the generation that `CURRENT` names."""
    name = json.loads((config.parent / "data/published/CURRENT").read_text())["active"]["generation"]
    path = config.parent / "data/published" / name / "insights.duckdb"
    with duckdb.connect(str(path), read_only=True) as connection:
        return connection.sql(sql).pl()


def topics_of(config: Path, truth: Mapping[str, Any]) -> pl.DataFrame:
    """Topic of every statement that is found in the truth: theme_id, topic, day, item_id and more."""
    sentences = pl.DataFrame(
        [
            (source, document, said["sentence"][:BEGINNING], said["topic"])
            for source, documents in truth["documents"].items()
            for document, all_said in documents.items()
            for said in all_said
            if said["topic"]
        ],
        schema=["source", "source_id", "beginning", "topic"],
        orient="row",
    )
    statements = published(
        config,
        f"""SELECT ot.theme_id, t.parent_id, left(o.quote, {BEGINNING}) AS beginning, o.sentiment_label,
        d.source, d.source_id, d.day, d.item_id
        FROM opinion_theme AS ot JOIN opinion AS o USING (opinion_id) JOIN document AS d USING (document_id)
        JOIN theme AS t ON t.theme_id = ot.theme_id""",
    )
    return statements.join(sentences.unique(), on=["source", "source_id", "beginning"])


def main_topic(topics: pl.DataFrame, row: Mapping[str, Any], first: date | None) -> str | None:
    """What most statements under a finding are about, in its place and time; of a group, its complaints."""
    is_bad = pl.col("sentiment_label") == "negative"
    said = topics.filter(pl.col("parent_id") == row["theme_id"], is_bad)
    if said.is_empty():
        themes = [row["theme_id"], *row["other_themes"]]
        said = topics.filter(pl.col("theme_id").is_in(themes) | (pl.col("parent_id").is_in(themes) & is_bad))
    if row.get("item_id"):
        said = said.filter(pl.col("item_id") == row["item_id"])
    if first is not None:
        said = said.filter(pl.col("day") >= first)
    counted = Counter(said["topic"])
    return max(sorted(counted), key=lambda topic: counted[topic]) if counted else None


def part_of(row: Mapping[str, Any], topic: str | None, planted: Mapping[str, Any]) -> str | None:
    """Which part of the story a decision is about, in the right place; None: nothing planted."""
    defect, loved = planted["defect"], planted["loved"]
    if row["kind"] == "promote":
        is_right = row["item_id"] == loved["item"] and row["segment"] == ": ".join(loved["segment"])
        return "loved" if is_right else None
    if row["item_id"] == defect["item"] and topic == defect["topic"]:
        return "defect"
    if row["item_id"] is None and topic == planted["newborn"]["topic"] and row["basis"] == "change":
        return "newborn"
    if topic == planted["returns"]["topic"] and str(row["outcome"]).startswith("return"):
        return "returns"
    return "fading" if topic == planted["fading"]["topic"] and row["basis"] == "change" else None


def score_night(config: Path) -> dict[str, Any]:
    """What the first night says of what was planted."""
    truth = json.loads((config.parent / "store/truth.json").read_text(encoding="utf-8"))
    planted, topics = truth["planted"], topics_of(config, truth)
    decisions = published(config, "SELECT * FROM decision ORDER BY rank")
    found: dict[str, Any] = {part: False for part in PARTS}
    onsets: dict[str, int] = {}
    strange: list[str] = []
    for row in decisions.iter_rows(named=True):
        part = part_of(row, main_topic(topics, row, row["since"]), planted)
        if part is None:
            strange.append(row["sentence"])
            continue
        found[part] = True
        dated = planted[part].get("first_day") if part in ("defect", "newborn") else None
        if dated and row["since"]:
            onsets[part] = abs((row["since"] - date.fromisoformat(dated)).days)
    changes = published(config, "SELECT * FROM change WHERE kind IN ('falling', 'gone')")
    fallen = [main_topic(topics, row, None) for row in changes.iter_rows(named=True)]
    dead = planted["dead_feed"]["source"]
    is_held = bool(published(config, f"SELECT is_held FROM source WHERE source = '{dead}'")["is_held"][0])
    quoted = published(
        config,
        f"""SELECT count(*) AS n FROM decision_evidence JOIN document USING (document_id)
        WHERE source = '{dead}'""",
    )
    return {
        **found,
        "falling": planted["fading"]["topic"] in fallen,
        "onset_days": onsets,
        "n_decisions": decisions.height,
        "strange": strange,
        "dead_feed_claimed": not is_held or int(quoted["n"][0]) > 0,
    }


def follow(config: Path) -> str | None:
    """Say that the defect is mended, and what the later night says of it."""
    truth = json.loads((config.parent / "store/truth.json").read_text(encoding="utf-8"))
    item = truth["planted"]["defect"]["item"]
    about = published(
        config, f"SELECT decision_id FROM decision WHERE item_id = '{item}' AND kind <> 'promote'"
    )
    if about.is_empty():
        return None
    decision = about["decision_id"][0]
    command(config, "decision", "done", decision, "--on", (NIGHT + timedelta(days=1)).isoformat())
    command(config, "run", "--as-of", LATER.isoformat())
    verdicts = published(config, f"SELECT verdict FROM verdict WHERE decision_id = '{decision}'")
    return str(verdicts["verdict"][0]) if verdicts.height else None


def measure(folder: Path, seeds: range, *, is_followed: bool) -> Iterator[tuple[int, dict[str, Any]]]:
    """Score of each seed, as it is done."""
    for seed in seeds:
        config = prepare(folder / str(seed), seed)
        command(config, "run", "--as-of", NIGHT.isoformat())
        scored = score_night(config)
        if is_followed:
            scored["verdict"] = follow(config)
        yield seed, scored


def sums(scores: list[dict[str, Any]]) -> dict[str, float]:
    """The scores of all seeds in one flat object."""
    n_strange = sum(len(one["strange"]) for one in scores)
    n_decisions = sum(one["n_decisions"] for one in scores)
    dated = {part: [one["onset_days"].get(part) for one in scores] for part in ("defect", "newborn")}
    return {
        "n_seeds": len(scores),
        **{f"n_{part}": sum(one[part] for one in scores) for part in (*PARTS, "falling")},
        **{
            f"n_{part}_onset_within_7_days": sum(days is not None and days <= ONSET.days for days in all_days)
            for part, all_days in dated.items()
        },
        "n_decisions": n_decisions,
        "n_about_nothing_planted": n_strange,
        "share_about_nothing_planted": n_strange / max(1, n_decisions),
        "n_dead_feed_claimed": sum(one["dead_feed_claimed"] for one in scores),
        "n_worked": sum(one.get("verdict") == "worked" for one in scores),
    }


def main() -> None:
    """Measure, and print one line a seed and the sums."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--seeds", nargs=2, type=int, default=(1, 3), metavar=("FIRST", "LAST"))
    parser.add_argument("--folder", type=Path, help="where stores are made and kept; a temporary one else")
    parser.add_argument("--no-later-night", action="store_true", help="leave out the six weeks after")
    parser.add_argument("--json", action="store_true")
    arguments = parser.parse_args()
    first, last = arguments.seeds
    with tempfile.TemporaryDirectory() as temporary:
        folder = arguments.folder or Path(temporary)
        scores = []
        seeds = range(first, last + 1)
        for seed, scored in measure(folder, seeds, is_followed=not arguments.no_later_night):
            print(seed, json.dumps(scored, ensure_ascii=False), file=sys.stderr)
            scores.append(scored)
    total = sums(scores)
    if arguments.json:
        print(json.dumps(total))
    else:
        print("\n".join(f"{name:<34} {value:>8.3g}" for name, value in total.items()))


if __name__ == "__main__":
    main()
