"""What nights cost on real stores: the first, one with nothing new, one with 1 % new documents.

Each night is a `nightloom run` in a process of its own on a store in a temporary folder. The data are two
sets of public reviews that are not part of this repository; the benchmark says so where they are absent.

    python benchmarks/nights.py [--data FOLDER] [--json]
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import resource
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import polars as pl

DATA = Path(__file__).resolve().parents[2] / "shared" / "data"

ELECTRONICS = """
[store]
data_dir = "data"
[[sources]]
name = "reviews"
kind = "documents"
path = "reviews.parquet"
language = "en"
[sources.columns]
id = "doc_id"
text = "text"
title = "title"
created_at = "created_at"
item = "item_id"
user = "user_id"
rating = "rating"
segments = ["brand"]
"""

CRITICS = """
[store]
data_dir = "data"
[[sources]]
name = "critics"
kind = "documents"
path = "reviews.parquet"
language = "en"
rating_scale = [0, 1]
[sources.columns]
id = "doc_id"
text = "text"
created_at = "created_at"
item = "item_id"
user = "user_id"
rating = "rating_0_1"
segments = ["top_critic"]
[[sources]]
name = "movies"
kind = "items"
path = "items.parquet"
[sources.columns]
id = "item_id"
text = "description"
[[sources]]
name = "reviewed"
kind = "interactions"
path = "reviews.parquet"
rating_scale = [0, 1]
[sources.columns]
user = "user_id"
item = "item_id"
created_at = "created_at"
rating = "rating_0_1"
"""

STORES = {
    "electronics": (ELECTRONICS, "reviews_datafiniti_electronics", None, "2018-04-30"),
    "critics": (CRITICS, "reviews_rt_critics", "items_rt_movies", "2018-12-10"),
}
"""Settings, reviews, items and the night, by name of the store."""


def run_night(folder: Path, as_of: str) -> dict[str, Any]:
    """One night; what its last line says, with wall seconds, peak memory and seconds of model loading."""
    command = [
        sys.executable,
        "-m",
        "flows.cli",
        "run",
        "--config",
        str(folder / "nightloom.toml"),
        "--as-of",
        as_of,
    ]
    started = time.monotonic()
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        out, errors = process.communicate()
    if process.returncode:
        sys.exit(f"the night failed: {errors[-2000:]}")
    said = json.loads(out.splitlines()[-1])
    show = [*command[:3], "show", "ledger", "--json", "--config", str(folder / "nightloom.toml")]
    ledger = json.loads(subprocess.run(show, check=True, capture_output=True, text=True).stdout)
    return {
        "wall_seconds": round(time.monotonic() - started, 1),
        "night_seconds": said["seconds"],
        "load_seconds": round(sum(row["load_seconds"] or 0.0 for row in ledger), 1),
        "model_calls": said["model_calls"],
        "n_documents": said["n_documents"],
        "n_new": said["n_new"],
        "peak_gb_so_far": round(resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1e6, 2),
    }


def measure_store(name: str, data: Path) -> dict[str, Any]:
    """First night on 99 % of the documents, a night with nothing new, and one with the last 1 %."""
    settings, reviews, items, as_of = STORES[name]
    rows = pl.read_parquet(data / f"{reviews}.parquet").sort("created_at", "doc_id", nulls_last=False)
    n_new = rows.height // 100
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        (folder / "nightloom.toml").write_text(settings)
        if items:
            shutil.copy(data / f"{items}.parquet", folder / "items.parquet")
        rows.head(rows.height - n_new).write_parquet(folder / "reviews.parquet")
        nights = {"first": run_night(folder, as_of), "nothing new": run_night(folder, as_of)}
        rows.write_parquet(folder / "reviews.parquet")
        nights["1 % new"] = run_night(folder, as_of)
    first, quiet, little = nights.values()

    def worked(night: dict[str, Any]) -> float:
        return float(night["night_seconds"]) - float(night["load_seconds"])

    return {
        "store": name,
        "nights": nights,
        "calls_share": round(little["model_calls"] / first["model_calls"], 4),
        "seconds_share": round((worked(little) - worked(quiet)) / worked(first), 4),
    }


def main() -> None:
    """Measure the stores and print one table, or one object with --json."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", type=Path, default=DATA, help="folder with the Parquet files")
    parser.add_argument("--store", choices=sorted(STORES), help="only this store")
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    arguments = parser.parse_args()
    if not arguments.data.is_dir():
        sys.exit(f"{arguments.data}: no such folder; pass --data with the Parquet files")
    names = [arguments.store] if arguments.store else sorted(STORES)
    measured = [measure_store(name, arguments.data) for name in names]
    machine = (
        f"{platform.machine()}, {len(os.sched_getaffinity(0))} cores, Python {platform.python_version()}"
    )
    if arguments.json:
        print(json.dumps({"schema_version": 1, "machine": machine, "stores": measured}))
        return
    print(machine)
    for store in measured:
        nights = [
            {"store": store["store"], "night": night, **facts} for night, facts in store["nights"].items()
        ]
        with pl.Config(tbl_cols=-1, tbl_width_chars=160, tbl_hide_dataframe_shape=True):
            print(pl.DataFrame(nights))
        print(
            f"{store['store']}: 1 % new makes {store['calls_share']:.2%} of the first night's calls and, "
            f"beyond an empty night, {store['seconds_share']:.2%} of its seconds (model loading left out)"
        )


if __name__ == "__main__":
    main()
