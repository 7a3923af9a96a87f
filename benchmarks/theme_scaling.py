"""Seconds and peak memory of one discovery by the number of opinions, and seconds to place new ones.

Each size runs in a process of its own; its peak memory holds the vectors and everything else. `growth` is
seconds divided by n log n, as a multiple of that of the smallest size: at most 1 is no slower than n log n;
on a machine with other work CPU seconds tell it better.

The vectors are made up: on the sphere, around 400 centres of very unequal size that lean on 40 common
directions, one in ten around none. With --data they are those of real texts, drawn again and again and each
time moved by as much as such texts differ. The themes of the placement are centres of such groups.

    python benchmarks/theme_scaling.py [--sizes N …] [--data FILE --text COL] [--plot FILE.svg] [--json]
"""

from __future__ import annotations

import argparse
import json
import math
import os
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
from embedding import machine

SIZES = (10_000, 30_000, 100_000, 300_000)
N_DIMS = 384
N_CENTRES, N_DIRECTIONS = 400, 40
N_PLACED, N_THEMES = 10_000, 300
SEED = 7
STRAY_SHARE = 0.1
COSINE_TO_CENTRE = 0.75
COSINE_TO_ORIGINAL = 0.9  # two of one text at 0.81: nearest short questions are at 0.92, tweets at 0.74
WARM_UP = 500
PLACING_ROUNDS = 5
_BLOCK = 8_192


def unit(rows: np.ndarray) -> np.ndarray:
    return rows / np.linalg.norm(rows, axis=1, keepdims=True)


def make_centres(rng: np.random.Generator, n_centres: int, n_dims: int) -> np.ndarray:
    """Unit centres that lean on a few common directions: float64 (n_centres, n_dims)."""
    directions = unit(rng.normal(size=(N_DIRECTIONS, n_dims)))
    own = unit(rng.normal(size=(n_centres, n_dims)))
    return unit(directions[rng.integers(0, N_DIRECTIONS, n_centres)] + own)


def moved(rng: np.random.Generator, rows: np.ndarray, cosine: float) -> np.ndarray:
    """Unit rows at about this cosine to the given ones."""
    return unit(cosine * rows + math.sqrt(1 - cosine**2) * unit(rng.normal(size=rows.shape)))


def make_vectors(n: int, originals: np.ndarray | None) -> np.ndarray:
    """The vectors of one size: float32 (n, n_dims), unit rows, made block by block."""
    rng = np.random.default_rng(SEED)
    n_dims = N_DIMS if originals is None else originals.shape[1]
    centres = make_centres(rng, N_CENTRES, n_dims) if originals is None else originals
    shares = rng.lognormal(0, 1, N_CENTRES) if originals is None else np.ones(len(originals))
    vectors = np.empty((n, n_dims), dtype=np.float32)
    for start in range(0, n, _BLOCK):
        n_here = min(_BLOCK, n - start)
        drawn = centres[rng.choice(len(centres), n_here, p=shares / shares.sum())]
        if originals is not None:
            vectors[start : start + n_here] = moved(rng, drawn, COSINE_TO_ORIGINAL)
            continue
        block = moved(rng, drawn, COSINE_TO_CENTRE)
        stray = rng.random(n_here) < STRAY_SHARE
        block[stray] = unit(rng.normal(size=(int(stray.sum()), n_dims)))
        vectors[start : start + n_here] = block
    return vectors


def measure_discovery(n: int, originals: np.ndarray | None, granularity: str) -> dict[str, Any]:
    """One discovery in this process."""
    from analytics.insight.grouping import find_groups

    vectors = make_vectors(n, originals)
    find_groups(vectors[:WARM_UP], granularity=granularity, seed=SEED)
    before = peak_gb()
    started, cpu = time.perf_counter(), time.process_time()
    found = find_groups(vectors, granularity=granularity, seed=SEED)
    return {
        "n": n,
        "seconds": round(time.perf_counter() - started, 2),
        "cpu_seconds": round(time.process_time() - cpu, 2),
        "peak_gb": round(peak_gb(), 2),
        "peak_gb_before": round(before, 2),
        "n_themes": len(found.parent),
        "unplaced_share": round(float((found.group < 0).mean()), 4),
    }


def measure_placing() -> dict[str, Any]:
    """Placing new opinions among themes, in this process: the median of some rounds after the first."""
    from analytics.insight.placement import place_opinions

    rng = np.random.default_rng(SEED)
    centres = make_centres(rng, N_THEMES, N_DIMS)
    vectors = moved(rng, centres[rng.integers(0, N_THEMES, N_PLACED)], COSINE_TO_CENTRE).astype(np.float32)
    anchors = pl.DataFrame(
        {
            "theme_id": [f"{number:032x}" for number in range(N_THEMES)],
            "centroid": pl.Series(centres.astype(np.float32).tolist(), dtype=pl.List(pl.Float32)),
            "radius": [COSINE_TO_CENTRE - 0.1] * N_THEMES,
        }
    )
    opinion_ids = [f"{number:032x}" for number in range(N_PLACED)]
    seconds = []
    for _ in range(PLACING_ROUNDS + 1):
        started = time.perf_counter()
        placed = place_opinions(opinion_ids, vectors, anchors)
        seconds.append(time.perf_counter() - started)
    return {
        "n_opinions": N_PLACED,
        "n_themes": N_THEMES,
        "seconds": round(statistics.median(seconds[1:]), 3),
        "placed_share": round(placed["opinion_id"].n_unique() / N_PLACED, 4),
    }


def peak_gb() -> float:
    status = Path("/proc/self/status")
    if status.exists():
        # Linux's getrusage would also count what the starting process held.
        found = next(line for line in status.read_text().splitlines() if line.startswith("VmHWM"))
        return int(found.split()[1]) * 1024 / 1e9
    unit_bytes = 1 if sys.platform == "darwin" else 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit_bytes / 1e9


def apart(arguments: argparse.Namespace, *do: str) -> dict[str, Any]:
    """What a process of its own measured."""
    threads = dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS"), str(arguments.threads))
    command = [sys.executable, __file__, "--granularity", arguments.granularity, *do]
    answer = subprocess.run(command, stdout=subprocess.PIPE, text=True, env={**os.environ, **threads})
    if answer.returncode:
        raise SystemExit(f"benchmark: {' '.join(do)} failed; its message is above")
    found: dict[str, Any] = json.loads(answer.stdout)
    return found


def measure_sizes(arguments: argparse.Namespace, originals: Path | None) -> list[dict[str, Any]]:
    found = []
    for n in sorted(arguments.sizes):
        vectors = [] if originals is None else ["--vectors", str(originals)]
        found.append(apart(arguments, "--n", str(n), *vectors))
        one = found[-1]
        print(f"{n:,}: {one['seconds']:.1f} s, {one['peak_gb']:.2f} GB", file=sys.stderr)
    return [
        one
        | {
            growth: round(one[clock] / found[0][clock] * n_log_n(found[0]["n"]) / n_log_n(one["n"]), 3)
            for growth, clock in (("growth", "seconds"), ("cpu_growth", "cpu_seconds"))
        }
        for one in found
    ]


def n_log_n(n: int) -> float:
    return n * math.log(n)


def embed_file(path: Path, column: str) -> np.ndarray:
    """Vectors of the different texts of a file."""
    from analytics.settings import Settings
    from flows.evaluate import embed_wordings, read_texts

    source = {"name": "-", "kind": "documents", "path": "-", "columns": {"text": column}}
    settings = Settings.model_validate({"sources": (source,)})
    return embed_wordings(settings, read_texts(settings, path, column, None).wordings)[0]


def table(result: dict[str, Any]) -> str:
    """The result for people."""
    on = result["machine"]
    lines = [
        f"{result['vectors']} vectors; {on['cpu']}, {on['cores']} cores, load {on['load_average']}, "
        f"{result['threads']} threads",
        f"{'opinions':>10}{'seconds':>10}{'CPU s':>10}{'growth':>10}{'by CPU':>10}{'peak GB':>10}"
        f"{'themes':>10}{'unplaced':>10}",
    ]
    for one in result["sizes"]:
        lines.append(
            f"{one['n']:>10,}{one['seconds']:>10.1f}{one['cpu_seconds']:>10.1f}{one['growth']:>10.2f}"
            f"{one['cpu_growth']:>10.2f}{one['peak_gb']:>10.2f}{one['n_themes']:>10,}{one['unplaced_share']:>10.1%}"
        )
    placing = result["placing"]
    lines.append(
        f"placing {placing['n_opinions']:,} opinions among {placing['n_themes']} themes: "
        f"{placing['seconds']:.2f} s ({placing['placed_share']:.1%} placed)"
    )
    return "\n".join(lines)


def plot(result: dict[str, Any]) -> str:
    """Seconds by number of opinions, both logarithmic, beside n log n through the first point, as SVG."""
    sizes = result["sizes"]
    line = [sizes[0]["seconds"] * n_log_n(one["n"]) / n_log_n(sizes[0]["n"]) for one in sizes]
    x_range = decades([one["n"] for one in sizes])
    y_range = decades([*(one["seconds"] for one in sizes), *line])

    def place(n: float, seconds: float) -> tuple[float, float]:
        def along(value: float, low: int, high: int) -> float:
            return (math.log10(value) - low) / (high - low)

        return 60 + 400 * along(n, *x_range), 260 - 220 * along(seconds, *y_range)

    def polyline(heights: Sequence[float], style: str) -> str:
        points = " ".join(
            "{:.1f},{:.1f}".format(*place(one["n"], height))
            for one, height in zip(sizes, heights, strict=True)
        )
        return f'<polyline points="{points}" fill="none" {style}/>'

    parts = list(grid(x_range, y_range))
    parts.append(polyline(line, 'stroke="#999" stroke-dasharray="5 4"'))
    parts.append(polyline([one["seconds"] for one in sizes], 'stroke="#0b6e99" stroke-width="2"'))
    for one in sizes:
        x, y = place(one["n"], one["seconds"])
        parts.append(f'<circle cx="{x:.1f}" cy="{y:.1f}" r="3.5" fill="#0b6e99"/>')
        parts.append(f'<text x="{x + 6:.1f}" y="{y + 16:.1f}">{one["seconds"]:.0f} s</text>')
    x, y = place(sizes[-1]["n"], line[-1])
    parts.append(f'<text x="{x:.1f}" y="{y - 8:.1f}" text-anchor="end" fill="#777">n log n</text>')
    title = f"Seconds of one discovery by opinions ({result['vectors']} vectors)"
    head = (
        '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 520 300" width="520" height="300" '
        'font-family="sans-serif" font-size="11">\n<rect width="520" height="300" fill="#fff"/>\n'
    )
    return head + f'<text x="60" y="22" font-size="13">{title}</text>\n' + "\n".join(parts) + "\n</svg>\n"


def decades(values: Sequence[float]) -> tuple[int, int]:
    """Whole powers of ten around some values."""
    return math.floor(math.log10(min(values))), math.ceil(math.log10(max(values)))


def grid(x_range: tuple[int, int], y_range: tuple[int, int]) -> Iterator[str]:
    for power in range(x_range[0], x_range[1] + 1):
        x = 60 + 400 * (power - x_range[0]) / (x_range[1] - x_range[0])
        yield f'<line x1="{x:.1f}" y1="40" x2="{x:.1f}" y2="260" stroke="#ddd"/>'
        yield f'<text x="{x:.1f}" y="276" text-anchor="middle">{10**power:,}</text>'
    for power in range(y_range[0], y_range[1] + 1):
        y = 260 - 220 * (power - y_range[0]) / (y_range[1] - y_range[0])
        yield f'<line x1="60" y1="{y:.1f}" x2="460" y2="{y:.1f}" stroke="#ddd"/>'
        yield f'<text x="54" y="{y + 4:.1f}" text-anchor="end">{10.0**power:g} s</text>'


def main() -> None:
    form = argparse.RawDescriptionHelpFormatter
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=form)
    parser.add_argument("--sizes", type=int, nargs="+", default=list(SIZES))
    parser.add_argument("--data", type=Path, help="file with real texts instead of made-up vectors")
    parser.add_argument("--text", default="text", help="its column")
    parser.add_argument("--granularity", choices=["coarse", "medium", "fine"], default="medium")
    parser.add_argument("--threads", type=int, default=len(os.sched_getaffinity(0)))
    parser.add_argument("--plot", type=Path, metavar="FILE.svg", help="draw seconds by size into this file")
    parser.add_argument("--json", action="store_true", help="print one object instead of a table")
    parser.add_argument("--n", type=int, help=argparse.SUPPRESS)
    parser.add_argument("--vectors", type=Path, help=argparse.SUPPRESS)
    parser.add_argument("--placing", action="store_true", help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.placing:
        print(json.dumps(measure_placing()))
        return
    if arguments.n:
        originals = None if arguments.vectors is None else np.load(arguments.vectors)
        print(json.dumps(measure_discovery(arguments.n, originals, arguments.granularity)))
        return
    with tempfile.TemporaryDirectory() as folder:
        file = None
        if arguments.data:
            file = Path(folder) / "vectors.npy"
            np.save(file, embed_file(arguments.data, arguments.text))
        sizes = measure_sizes(arguments, file)
    result = {
        "schema_version": 1,
        "machine": machine(),
        "threads": arguments.threads,
        "granularity": arguments.granularity,
        "vectors": f"perturbed {arguments.data.stem}" if arguments.data else "made-up",
        "sizes": sizes,
        "placing": apart(arguments, "--placing"),
    }
    if arguments.plot:
        arguments.plot.write_text(plot(result), encoding="utf-8")
    print(json.dumps(result) if arguments.json else table(result))


if __name__ == "__main__":
    main()
