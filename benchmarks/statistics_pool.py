"""Independent replications of a simulation, in two processes."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager
from multiprocessing import get_context
from typing import Any

N_PROCESSES = 2
_MANY = 2**32
_pool: ProcessPoolExecutor | None = None


@contextmanager
def processes() -> Iterator[None]:
    """Keep the processes for all simulations within."""
    global _pool
    # A forked process would wait for threads that it does not have.
    with ProcessPoolExecutor(N_PROCESSES, mp_context=get_context("spawn")) as _pool:
        yield
    _pool = None


def in_processes(simulate: Callable[..., Any], n: int, seed: int, *arguments: Any) -> list[Any]:
    """What `simulate(seed, *arguments)` returns for n seeds that depend on `seed` and their number alone."""
    seeds = [seed * _MANY + nth for nth in range(n)]
    if _pool is None:
        return [simulate(one, *arguments) for one in seeds]
    given = [[argument] * n for argument in arguments]
    return list(_pool.map(simulate, seeds, *given, chunksize=max(1, min(25, n // (2 * N_PROCESSES)))))
