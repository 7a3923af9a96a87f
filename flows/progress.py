"""A bar for long steps: moving on a terminal, a line now and then in a log file."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from tqdm import tqdm


class Progress:
    """A bar that begins when it is known how much there is to do."""

    def __init__(self, what: str, unit: str):
        self._what = what
        self._unit = unit
        self._bar: tqdm[Any] | None = None

    def start(self, n: int) -> None:
        """Show the bar."""
        every = 1.0 if sys.stderr.isatty() else 15.0
        self._bar = tqdm(total=n, desc=self._what, unit=f" {self._unit}", mininterval=every, ascii=True)

    def advance(self, n: int) -> None:
        """So many more are done."""
        if self._bar is not None:
            self._bar.update(n)

    def close(self) -> None:
        """Leave the bar as it is."""
        if self._bar is not None:
            self._bar.close()


@contextmanager
def progress(what: str, unit: str) -> Iterator[Progress]:
    """A bar for one step."""
    bar = Progress(what, unit)
    try:
        yield bar
    finally:
        bar.close()
