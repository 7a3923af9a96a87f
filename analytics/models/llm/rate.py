"""How fast a server may be asked: requests and tokens a minute, shared by all open requests."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable


class RateLimit:
    """Two buckets that fill steadily; whoever asks waits until both hold enough.

    Args:
        requests_per_minute: Most requests a minute; None: any number.
        tokens_per_minute: Most tokens a minute, read and written together; None: any number.
        clock: Seconds that only grow.
        sleep: Waits so many seconds.
    """

    def __init__(
        self,
        requests_per_minute: int | None,
        tokens_per_minute: int | None,
        *,
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], None] = time.sleep,
    ):
        self._limits = {"requests": requests_per_minute, "tokens": tokens_per_minute}
        self._held = {name: float(limit or 0) for name, limit in self._limits.items()}
        self._clock, self._sleep = clock, sleep
        self._filled_at = clock()
        self._lock = threading.Lock()

    def take(self, n_tokens: int) -> None:
        """Wait until a request of so many tokens may be sent; at most a full bucket is waited for."""
        wanted = {"requests": 1.0, "tokens": float(n_tokens)}
        while True:
            with self._lock:
                self._fill()
                short = {
                    name: min(wanted[name], limit) - self._held[name]
                    for name, limit in self._limits.items()
                    if limit is not None
                }
                if all(missing <= 0 for missing in short.values()):
                    for name, limit in self._limits.items():
                        if limit is not None:
                            self._held[name] -= wanted[name]
                    return
                seconds = max(60.0 * missing / (self._limits[name] or 1) for name, missing in short.items())
            self._sleep(max(seconds, 0.001))

    def settle(self, n_expected: int, n_used: int) -> None:
        """Give back, or take, what a request used less or more than was expected of it."""
        with self._lock:
            if self._limits["tokens"] is not None:
                self._held["tokens"] += n_expected - n_used

    def _fill(self) -> None:
        now = self._clock()
        for name, limit in self._limits.items():
            if limit is not None:
                self._held[name] = min(limit, self._held[name] + limit * (now - self._filled_at) / 60.0)
        self._filled_at = now
