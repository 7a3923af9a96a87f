"""One writer at a time: an OS lock on the data directory, and the end of what a killed run left running."""

from __future__ import annotations

import contextlib
import fcntl
import json
import os
import secrets
import socket
import time
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path

import psutil

from analytics.errors import StoreBusy, writing
from analytics.store.files import put_json

OWNER = "NIGHTLOOM_OWNER"
"""Environment variable that every process started by a run inherits, so that orphans can be told."""


_held: dict[Path, Holder] = {}
"""Stores that this process holds."""


@dataclass(frozen=True)
class Holder:
    """Who holds a store, or held it last."""

    pid: int
    started_at: float
    """Start time of the process, seconds since the epoch: a pid alone may be reused."""
    host: str
    token: str

    @property
    def is_alive(self) -> bool:
        """Whether that very process still runs on this machine."""
        try:
            return abs(psutil.Process(self.pid).create_time() - self.started_at) < 1.0
        except psutil.Error:
            return False


def last_holder(data_dir: Path) -> Holder | None:
    """Who noted themselves last as the writer of this store; None where nobody did."""
    try:
        return Holder(**json.loads((data_dir / "lock.json").read_text()))
    except (OSError, ValueError, TypeError):
        return None


@contextlib.contextmanager
def hold(data_dir: Path) -> Iterator[Holder]:
    """Hold the store for writing while the block runs; first end what a killed run left running.

    A process that holds the store already goes on holding it.

    Raises:
        StoreBusy: another run holds it; the message says who.
        StoreError, StoreFull: the folder cannot be written.
    """
    data_dir = data_dir.resolve()
    if data_dir in _held:
        yield _held[data_dir]
        return
    with writing(data_dir):
        data_dir.mkdir(parents=True, exist_ok=True)
        descriptor = os.open(data_dir / "lock", os.O_RDWR | os.O_CREAT, 0o644)
    try:
        if not _locked(descriptor):
            raise StoreBusy(_busy(data_dir))
        end_leftovers(data_dir)
        holder = Holder(
            os.getpid(), psutil.Process().create_time(), socket.gethostname(), secrets.token_hex(8)
        )
        put_json(data_dir / "lock.json", asdict(holder))
        os.environ[OWNER] = holder.token
        _held[data_dir] = holder
        try:
            yield holder
        finally:
            del _held[data_dir]
            os.environ.pop(OWNER, None)
    finally:
        os.close(descriptor)


def is_held(data_dir: Path) -> bool:
    """Whether a run holds the store now."""
    try:
        descriptor = os.open(data_dir / "lock", os.O_RDONLY)
    except OSError:
        return False
    try:
        fcntl.flock(descriptor, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    finally:
        os.close(descriptor)
    return False


def end_leftovers(data_dir: Path) -> list[int]:
    """End processes that a killed run started and left behind; returns their pids.

    They are told by the token that the run noted in the store and gave to everything it started.
    """
    holder = last_holder(data_dir)
    if holder is None or holder.host != socket.gethostname() or holder.is_alive:
        return []
    orphans = []
    for process in psutil.process_iter():
        with contextlib.suppress(psutil.Error, OSError):
            if process.pid != os.getpid() and process.environ().get(OWNER) == holder.token:
                orphans.append(process)
    for process in orphans:
        with contextlib.suppress(psutil.Error):
            process.terminate()
    _, stubborn = psutil.wait_procs(orphans, timeout=5)
    for process in stubborn:
        with contextlib.suppress(psutil.Error):
            process.kill()
    psutil.wait_procs(stubborn, timeout=5)
    return [process.pid for process in orphans]


def _locked(descriptor: int, tries: int = 5) -> bool:
    """Take the lock; tried for half a second, since `is_held` takes it for an instant to look."""
    for _ in range(tries):
        with contextlib.suppress(BlockingIOError):
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            return True
        time.sleep(0.1)
    return False


def _busy(data_dir: Path) -> str:
    holder = last_holder(data_dir)
    who = "another process"
    if holder is not None:
        since = datetime.fromtimestamp(holder.started_at, UTC).strftime("%Y-%m-%d %H:%M:%S UTC")
        who = f"process {holder.pid} on {holder.host}, started {since},"
    return f"{who} is already running a night on {data_dir}; wait until it ends, or see `nightloom status`"
