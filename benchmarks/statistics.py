"""Whether alerts and intervals mean what they say: false alerts, false discoveries, power, delay, coverage.

Everything is simulated with a known truth, in independent replications, and goes through the functions that a
night calls. A rate with the suffix _lower has its one-sided 95 % bound from below there.

    python benchmarks/statistics.py [--quick] [--seed N] [--plot FILE.svg] [--json]
"""

from __future__ import annotations

import argparse
import json
import os
import sys
import sysconfig
from collections.abc import Sequence
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path

REPLICATIONS, QUICK = 2_000, 8


def hand_over() -> None:
    """Put the standard library's module, which this file hides from its neighbours, in its own place."""
    spec = spec_from_file_location("statistics", Path(sysconfig.get_path("stdlib")) / "statistics.py")
    assert spec is not None
    assert spec.loader is not None
    sys.modules["statistics"] = module_from_spec(spec)
    spec.loader.exec_module(sys.modules["statistics"])


def measure(n: int, seed: int) -> dict[str, float]:
    """All figures, of n replications, or of a part of them where a replication has many nights."""
    import statistics_drivers
    import statistics_pool
    import statistics_shares
    import statistics_trends

    found: dict[str, float] = {}
    with statistics_pool.processes():
        for name, simulate, n_here in (
            ("quiet nights", statistics_trends.measure_quiet_nights, n),
            ("nights with changes", statistics_trends.measure_changing_nights, n // 4),
            ("a theme that doubles", statistics_trends.measure_power, 2 * n // 5),
            ("intervals of rate ratios", statistics_trends.measure_coverage, n),
            ("orders that double", statistics_trends.measure_growth, n // 4),
            ("intervals of effects", statistics_drivers.measure_drivers, n),
            ("shares and labels", statistics_shares.measure_shares, n),
        ):
            found |= simulate(n_here, seed)
            print(f"{name}: done", file=sys.stderr)
    return found


def main(arguments: Sequence[str] | None = None) -> int:
    """Run every simulation; print one table, or one object."""
    form = argparse.RawDescriptionHelpFormatter
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=form)
    parser.add_argument("--quick", action="store_true", help="a few replications, which say nothing")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--plot", type=Path, metavar="FILE.svg", help="draw the share found by night into it")
    parser.add_argument("--json", action="store_true", help="print one object instead of a table")
    given = parser.parse_args(arguments)
    found = measure(QUICK if given.quick else REPLICATIONS, given.seed)
    if given.plot:
        from statistics_plot import plot

        given.plot.write_text(plot(found), encoding="utf-8")
    print(
        json.dumps(found)
        if given.json
        else "\n".join(f"{name:44}{value:.4f}" for name, value in found.items())
    )
    return 0


if __name__ == "statistics":
    hand_over()
elif __name__ == "__main__":
    # Two processes share the cores: neither needs threads of its own.
    os.environ |= dict.fromkeys(("POLARS_MAX_THREADS", "OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS"), "1")
    sys.exit(main())
