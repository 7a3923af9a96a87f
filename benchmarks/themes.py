"""Themes found in labelled texts, beside BERTopic: how well they match, how stable they are, and how fast.

Both get the same texts (cleaned, each wording once), the same vectors, the same seeds and the same order of
rows, which the seed shuffles; each runs in a process of its own, BERTopic with its default settings in an
environment built at the first call from `benchmarks/peers/bertopic.txt`. Loading and one discovery before
the rounds are left out. Rounds are interleaved, each with seeds of its own; figures are medians of
rounds. What each figure means: `analytics/insight/theme_evaluation.py`.

The data are public and not part of this repository. Settings were chosen on part `dev` alone; part `final`
is for reporting.

    python benchmarks/themes.py [--part dev|final] [--folder FOLDER] [--rounds N] [--json]
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
from embedding import Conversation, environment, machine

from analytics.insight.grouping import Groups
from analytics.insight.theme_evaluation import evaluate_discovery
from analytics.settings import Settings
from flows.evaluate import LabelledTexts, embed_wordings, read_texts

HERE = Path(__file__).resolve().parent
FOLDER = HERE.parents[1] / "shared" / "data"
OURS, PEER = "nightloom", "bertopic"
PARTS = {
    "dev": ("banking77 train, even intents", "bbc"),
    "final": ("banking77 test", "banking77 train", "bbc"),
}
MEASURES = (
    "ari",
    "nmi",
    "purity",
    "n_themes",
    "unplaced_share",
    "seed_agreement_ari",
    "half_agreement_ari",
    "seconds",
    "upper_ari",
    "n_groups",
    "largest_share",
    "n_shared",
)
COLUMNS = {
    "ari": "ari",
    "nmi": "nmi",
    "purity": "purity",
    "n_themes": "themes",
    "unplaced_share": "unplaced",
    "seed_agreement_ari": "seeds",
    "half_agreement_ari": "halves",
    "upper_ari": "upper ari",
    "n_groups": "groups",
    "seconds": "seconds",
}
SETTINGS = Settings.model_validate(
    {"sources": ({"name": "-", "kind": "documents", "path": "-", "columns": {"text": "text"}},)}
)
_SEEDS_APART = 10


def labelled(name: str, folder: Path) -> pl.DataFrame:
    """Columns text and label of a data set."""
    file = folder / ("topics_bbc.parquet" if name == "bbc" else "support_banking77.parquet")
    if not file.exists():
        raise SystemExit(f"{file}: no such file; pass --folder with the Parquet files")
    rows = pl.read_parquet(file)
    if name != "bbc":
        # Intents are numbered in alphabetical order of their names.
        intent = pl.col("label").rank("dense") - 1
        rows = rows.with_columns(intent=intent).filter(pl.col("split") == name.split()[1].strip(","))
        if name.endswith("even intents"):
            rows = rows.filter(pl.col("intent") % 2 == 0)
    return rows.select("text", "label")


class Worker(Conversation):
    """An engine in its own process."""

    def __init__(self, name: str, scratch: Path, threads: int, granularity: str) -> None:
        python = Path(sys.executable) if name == OURS else environment(name)
        command = [python, HERE / "themes_worker.py", name, "--granularity", granularity]
        limits = dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "NUMBA_NUM_THREADS"), str(threads))
        self._process = subprocess.Popen(
            list(map(str, command)),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            cwd=HERE.parent,
            env={**os.environ, **limits},
        )
        self._scratch = scratch
        self.name = name
        self.about = self._answer()

    def discover(self, rows: np.ndarray, seed: int) -> Groups:
        """Groups among some rows of what is loaded."""
        rows_file, found_file = self._scratch / "rows.npy", self._scratch / "found.npz"
        np.save(rows_file, rows)
        self.ask("discover", rows=str(rows_file), seed=seed, found=str(found_file))
        with np.load(found_file) as found:
            return Groups(found["group"], found["parent"])


def measure(workers: list[Worker], name: str, arguments: argparse.Namespace, scratch: Path) -> dict[str, Any]:
    """Interleaved rounds of every engine on one data set."""
    file = scratch / "texts.parquet"
    labelled(name, arguments.folder).write_parquet(file)
    read = read_texts(SETTINGS, file, "text", "label")
    vectors, _ = embed_wordings(SETTINGS, read.wordings)
    vectors_file, texts_file = scratch / "vectors.npy", scratch / "texts.json"
    np.save(vectors_file, vectors)
    texts_file.write_text(json.dumps(read.wordings), encoding="utf-8")
    rounds: dict[str, list[dict[str, Any]]] = {worker.name: [] for worker in workers}
    for worker in workers:
        worker.ask("load", vectors=str(vectors_file), texts=str(texts_file))
        # numba compiles at first use, and other functions for many rows than for few.
        worker.discover(np.arange(len(vectors)), arguments.seed)
    labels = read.texts["label"].to_list()
    for nth in range(arguments.rounds):
        # There and back again: neighbours stay neighbours, and none always follows the other.
        for worker in workers if nth % 2 == 0 else workers[::-1]:
            seed = arguments.seed + _SEEDS_APART * nth
            found = evaluate_discovery(worker.discover, vectors, read.wording, labels, seed=seed)
            rounds[worker.name].append(found)
            told = f"{found['seconds']:.1f} s, ARI {found['ari']:.3f}"
            print(f"{name}, round {nth + 1}/{arguments.rounds} {worker.name}: {told}", file=sys.stderr)
    return summarise(name, read, rounds)


def summarise(name: str, read: LabelledTexts, rounds: dict[str, list[dict[str, Any]]]) -> dict[str, Any]:
    """Medians per engine, and our seconds as a multiple of the peer's within a round."""
    result: dict[str, Any] = {
        "data": name,
        "n_texts": read.texts.height,
        "n_wordings": len(read.wordings),
        "n_labels": read.texts["label"].n_unique(),
        "engines": {
            engine: {measured: median([one[measured] for one in found]) for measured in MEASURES}
            for engine, found in rounds.items()
        },
        "rounds": rounds,
    }
    if PEER in rounds:
        result["engines"][PEER] |= {"upper_ari": None, "n_groups": None}
    if len(rounds) == 2:
        pairs = zip(rounds[OURS], rounds[PEER], strict=True)
        by_round = [ours["seconds"] / peer["seconds"] for ours, peer in pairs]
        result["seconds_ratio"] = round(statistics.median(by_round), 3)
        result["seconds_ratio_by_round"] = [round(ratio, 3) for ratio in by_round]
    return result


def median(values: list[Any]) -> float | None:
    known = [value for value in values if value is not None]
    return round(statistics.median(known), 4) if known else None


def table(result: dict[str, Any]) -> str:
    """The result for people."""
    on = result["machine"]
    lines = [
        f"medians of {result['n_rounds']} rounds; {on['cpu']}, {on['cores']} cores, "
        f"load {on['load_average']}, {result['threads']} threads"
    ]
    for one in result["data"]:
        lines += [
            "",
            f"{one['data']}: {one['n_texts']:,} texts, {one['n_labels']} labels",
            f"{'':<12}" + "".join(f"{title:>10}" for title in COLUMNS.values()),
        ]
        for engine, found in one["engines"].items():
            lines.append(f"{engine:<12}" + "".join(f"{shown(found[name], name):>10}" for name in COLUMNS))
        if "seconds_ratio" in one:
            by_round = ", ".join(f"{ratio:.2f}" for ratio in one["seconds_ratio_by_round"])
            lines.append(f"{one['seconds_ratio']:.2f} × the seconds of {PEER} (by round: {by_round})")
    return "\n".join(lines)


def shown(value: float | None, name: str) -> str:
    if value is None:
        return "–"
    if name.startswith("n_"):
        return f"{value:g}"
    if name == "seconds":
        return f"{value:.1f}"
    return f"{value:.1%}" if name.endswith("_share") else f"{value:.3f}"


def main() -> None:
    form = argparse.RawDescriptionHelpFormatter
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=form)
    every = list(dict.fromkeys(name for names in PARTS.values() for name in names))
    parser.add_argument("--part", choices=sorted(PARTS), default="dev", help="which data sets")
    parser.add_argument("--data", nargs="+", choices=every, metavar="NAME", help="or these: %(choices)s")
    parser.add_argument("--folder", type=Path, default=FOLDER, help="folder with the Parquet files")
    parser.add_argument("--engines", nargs="+", choices=[OURS, PEER], default=[OURS, PEER])
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--seed", type=int, default=7, help="of the first round")
    parser.add_argument("--granularity", choices=["coarse", "medium", "fine"], default="medium", help="ours")
    parser.add_argument("--threads", type=int, default=len(os.sched_getaffinity(0)))
    parser.add_argument("--json", action="store_true", help="print one object instead of a table")
    arguments = parser.parse_args()
    # The peer's list is complete; what its packages ask for beside it is not used here.
    os.environ["PIP_NO_DEPS"] = "1"
    with tempfile.TemporaryDirectory() as folder:
        scratch = Path(folder)
        workers = [Worker(name, scratch, arguments.threads, arguments.granularity)
                   for name in dict.fromkeys(arguments.engines)]  # fmt: skip
        measured = [
            measure(workers, name, arguments, scratch) for name in arguments.data or PARTS[arguments.part]
        ]
        for worker in workers:
            worker.close()
    result = {
        "schema_version": 1,
        "machine": machine(),
        "threads": arguments.threads,
        "granularity": arguments.granularity,
        "n_rounds": arguments.rounds,
        "data": measured,
    }
    print(json.dumps(result, ensure_ascii=False) if arguments.json else table(result))


if __name__ == "__main__":
    main()
