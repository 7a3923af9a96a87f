"""Command line: python -m sample --seed N --weeks 26 [--mended-from WEEK] [--end DATE] [--out FOLDER]."""

from __future__ import annotations

import argparse
from datetime import date
from pathlib import Path

from sample.store import DEFAULT_END, DEFAULT_SEED, DEFAULT_WEEKS, make_store


def main() -> None:
    """Write a store and say what is in it."""
    parser = argparse.ArgumentParser(
        prog="python -m sample", description="Write a made-up shop's text store."
    )
    parser.add_argument("--seed", type=int, default=DEFAULT_SEED, help="other sentences, products and weeks")
    parser.add_argument("--weeks", type=int, default=DEFAULT_WEEKS, help="length in weeks (default 26)")
    parser.add_argument(
        "--mended-from", type=int, metavar="WEEK", help="the defect is mended from this week on"
    )
    parser.add_argument("--end", type=date.fromisoformat, default=DEFAULT_END, help="last day (YYYY-MM-DD)")
    parser.add_argument(
        "--out", type=Path, default=Path(__file__).parent / "store", help="folder to write to"
    )
    asked = parser.parse_args()
    if asked.weeks < 1:
        parser.error(f"--weeks must be 1 or more, not {asked.weeks}")
    counts = make_store(
        asked.out, seed=asked.seed, weeks=asked.weeks, mended_from=asked.mended_from, end=asked.end
    )
    rows = ", ".join(f"{count:,} {name}" for name, count in counts.items())
    print(f"{asked.out}: {rows}")


if __name__ == "__main__":
    main()
