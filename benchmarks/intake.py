"""How fast and in how much memory a large CSV file passes sources and cleaning, beside Polars' own reader.

The file has short rows (id, text of eight words, time, rating, user; a fifth of the texts quoted) and is
written to a temporary folder. Three things are measured in turn, in processes of their own, and their medians
compared: plain `polars.read_csv` of the file, `read_blocks`, and `read_blocks` with `clean_texts` of each
block, which is run once.

    python benchmarks/intake.py [--rows N] [--rounds N] [--json]
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import random
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

WORDS = (
    "the a battery screen sound great poor quality delivery late cheap love hate it works breaks after two "
    "weeks very loud nice café colour"
).split()
WAYS = ("polars", "sources", "cleaned")


def write_rows(path: Path, n_rows: int) -> None:
    chance = random.Random(7)
    with path.open("w", encoding="utf-8") as file:
        file.write("id,text,date,rating,user\n")
        for nth in range(n_rows):
            text = " ".join(chance.choices(WORDS, k=8))
            if nth % 5 == 0:
                text = '"' + text.replace(" ", ", ", 1) + '"'
            when = f"2025-{nth % 12 + 1:02d}-{nth % 28 + 1:02d} {nth % 24:02d}:{nth % 60:02d}:00"
            file.write(f"R{nth},{text},{when},{nth % 5 + 1},u{nth % 50_000}\n")


def measure(way: str, path: Path) -> dict[str, Any]:
    """Rows, seconds without imports, and the process's peak memory in MB."""
    import polars as pl

    from analytics.intake.cleaning import clean_texts
    from analytics.intake.sources import read_blocks
    from analytics.settings import CleaningSettings, SourceSettings

    columns = {"id": "id", "text": "text", "created_at": "date", "rating": "rating", "user": "user"}
    source = SourceSettings.model_validate(
        {"name": "reviews", "kind": "documents", "path": str(path), "columns": columns}
    )
    cleaning = CleaningSettings.model_validate({})
    started, cpu = time.perf_counter(), time.process_time()
    n_rows = 0
    if way == "polars":
        n_rows = pl.read_csv(path).height
    else:
        for block in read_blocks(source, path):
            n_rows += block.rows.height
            if way == "cleaned":
                clean_texts(block.rows.select("title", "text", key="source_id"), cleaning)
    return {
        "rows": n_rows,
        "seconds": time.perf_counter() - started,
        "cpu_seconds": time.process_time() - cpu,
        "peak_mb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024,
    }


def measure_apart(way: str, path: Path) -> dict[str, Any]:
    command = [sys.executable, __file__, "--way", way, "--file", str(path)]
    answer = subprocess.run(command, check=True, capture_output=True, text=True)
    found: dict[str, Any] = json.loads(answer.stdout)
    return found


def summary(found: dict[str, list[dict[str, Any]]]) -> dict[str, Any]:
    ways = {}
    for way, rounds in found.items():
        seconds = statistics.median(one["seconds"] for one in rounds)
        ways[way] = {
            "seconds": round(seconds, 2),
            "cpu_seconds": round(statistics.median(one["cpu_seconds"] for one in rounds), 2),
            "rows_per_second": round(rounds[0]["rows"] / seconds),
            "peak_mb": round(max(one["peak_mb"] for one in rounds)),
        }
    plain = ways["polars"]["seconds"]
    for measured in ways.values():
        measured["times_polars"] = round(measured["seconds"] / plain, 2)
    return {
        "schema_version": 1,
        "machine": f"{platform.machine()}, {os.cpu_count()} cores, Python {platform.python_version()}",
        "rows": found["polars"][0]["rows"],
        "rounds": len(found["polars"]),
        "ways": ways,
    }


def main() -> None:
    form = argparse.RawDescriptionHelpFormatter
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=form)
    parser.add_argument("--rows", type=int, default=5_000_000)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--way", choices=WAYS, help=argparse.SUPPRESS)
    parser.add_argument("--file", type=Path, help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.way:
        print(json.dumps(measure(arguments.way, arguments.file)))
        return
    found: dict[str, list[dict[str, Any]]] = {way: [] for way in WAYS}
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "rows.csv"
        write_rows(path, arguments.rows)
        size_mb = path.stat().st_size / 1e6
        for nth in range(arguments.rounds):
            for way in WAYS if nth == 0 else WAYS[:2]:
                found[way].append(measure_apart(way, path))
    result = summary(found) | {"file_mb": round(size_mb)}
    if arguments.json:
        print(json.dumps(result))
        return
    print(f"{result['rows']:,} rows, {result['file_mb']} MB; {result['rounds']} rounds; {result['machine']}")
    print(f"{'':10}{'rows/s':>12}{'seconds':>10}{'CPU s':>10}{'× polars':>10}{'peak MB':>10}")
    for way, one in result["ways"].items():
        print(
            f"{way:10}{one['rows_per_second']:>12,}{one['seconds']:>10}{one['cpu_seconds']:>10}"
            f"{one['times_polars']:>10}{one['peak_mb']:>10,}"
        )


if __name__ == "__main__":
    main()
