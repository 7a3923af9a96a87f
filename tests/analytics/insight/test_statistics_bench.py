"""The benchmark of statistics runs, prints what it promises, and hides nothing from its neighbours."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

BENCHMARKS = Path(__file__).parents[3] / "benchmarks"
PROMISED = {
    "false_alert_rate",
    "false_alert_rate_lower",
    "false_discovery_rate",
    "power",
    "power_bursty",
    "delay_nights",
    "found_by_night_14",
    "oracle_by_night_14",
    "coverage_ratio_steady",
    "coverage_ratio_one_author_30_texts",
    "coverage_ratio_segment_grows_tenfold",
    "coverage_effect_item_levels",
    "coverage_effect_one_author_30_texts",
    "coverage_returns_lifted",
    "coverage_returns_placebo",
    "innocent_adjusted_covers_zero",
    "innocent_plain_covers_zero",
    "orders_double_alert_rate",
}


def run(*command: str, folder: Path = BENCHMARKS.parent) -> str:
    done = subprocess.run([sys.executable, *command], cwd=folder, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.mark.slow
def test_a_quick_run_prints_one_flat_object_and_draws(tmp_path: Path) -> None:
    drawing = tmp_path / "found.svg"
    found = json.loads(run("benchmarks/statistics.py", "--quick", "--json", "--plot", str(drawing)))
    assert set(found) >= PROMISED
    assert all(isinstance(value, int | float) for value in found.values())
    assert drawing.read_text(encoding="utf-8").startswith("<svg")


def test_who_imports_statistics_beside_it_has_the_standard_library() -> None:
    told = run(
        "-c", "import statistics; print(statistics.median([1, 2, 9]), statistics.__file__)", folder=BENCHMARKS
    )
    median, path = told.split(maxsplit=1)
    assert median == "2"
    assert BENCHMARKS not in Path(path.strip()).parents
