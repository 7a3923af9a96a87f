"""Runs the real command in a process of its own, on small disks too."""

from __future__ import annotations

import contextlib
import hashlib
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from conftest import ROOT, Shop

AS_OF = ("--as-of", "2026-06-30")
LONGEST = 240
"""Seconds after which a command is taken to hang."""


def start(shop: Shop, *arguments: str, **variables: str) -> subprocess.Popen:
    """A command with a Prefect home of its own and nothing that another test set for Prefect."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("PREFECT")}
    return subprocess.Popen(
        [sys.executable, "-m", "flows.cli", *arguments, "--config", str(shop.config)],
        cwd=ROOT,
        env={**kept, "PREFECT_HOME": str(shop.folder / "prefect"), **variables},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )


def end(process: subprocess.Popen) -> subprocess.CompletedProcess:
    """What a command said; whatever it started ends with it, also where the test fails."""
    try:
        out, err = process.communicate(timeout=LONGEST)
    finally:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
    return subprocess.CompletedProcess(process.args, process.returncode, out, err)


def nightloom(shop: Shop, *arguments: str, **variables: str) -> subprocess.CompletedProcess:
    return end(start(shop, *arguments, **variables))


def the_line(result: subprocess.CompletedProcess) -> str:
    """The one line in which a command says why it failed; a progress bar may stand before it."""
    assert result.returncode == 1, result.stdout + result.stderr
    assert result.stdout == ""
    lines = [line for line in result.stderr.splitlines() if line and not line.startswith("embedding:")]
    assert len(lines) == 1, result.stderr
    assert lines[0].startswith("nightloom: ")
    return lines[0].removeprefix("nightloom: ")


def contents(folder: Path) -> dict[str, str]:
    """Hash of every file but the lock, by its path."""
    files = [path for path in sorted(folder.rglob("*")) if path.is_file() and path.stem != "lock"]
    return {str(path.relative_to(folder)): hashlib.sha256(path.read_bytes()).hexdigest() for path in files}


def published(shop: Shop) -> Path:
    return shop.data_dir / "published"


@contextlib.contextmanager
def mounted(folder: Path, *arguments: str) -> Iterator[None]:
    """Something mounted on a folder while the block runs; skips where this process may not mount."""
    folder.mkdir(parents=True, exist_ok=True)
    try:
        done = subprocess.run(["mount", *arguments, str(folder)], capture_output=True, text=True)
    except FileNotFoundError:
        pytest.skip("there is no mount command here")
    if done.returncode:
        pytest.skip(f"this process may not mount: {done.stderr.strip()}")
    try:
        yield
    finally:
        subprocess.run(["umount", "--lazy", str(folder)], check=True)
