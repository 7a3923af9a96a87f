"""What goes wrong on the user's side: one clear line through the real command, and nothing lost."""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import sqlite3
import subprocess
import sys
import textwrap
from collections.abc import Iterator
from pathlib import Path

import httpx
import polars as pl
import pytest
from conftest import ROOT, Shop, open_shop

from analytics.errors import ServerUnavailable, StoreFull
from analytics.store.lock import is_held, last_holder
from analytics.store.pointer import read_pointer
from flows.prefect_home import stating_prefect

AS_OF = ("--as-of", "2026-06-30")
LONGEST = 240
"""Seconds after which a command is taken to hang."""


def environment(folder: Path, **more: str) -> dict[str, str]:
    """Ours, with a Prefect home in the folder and nothing that another test set for Prefect."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("PREFECT")}
    return {**kept, "PREFECT_HOME": str(folder / "prefect"), **more}


def start(shop: Shop, *arguments: str, **variables: str) -> subprocess.Popen:
    return subprocess.Popen(
        [sys.executable, "-m", "flows.cli", *arguments, "--config", str(shop.config)],
        cwd=ROOT,
        env=environment(shop.folder, **variables),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def nightloom(shop: Shop, *arguments: str, **variables: str) -> subprocess.CompletedProcess:
    process = start(shop, *arguments, **variables)
    try:
        out, err = process.communicate(timeout=LONGEST)
    finally:
        process.kill()
    return subprocess.CompletedProcess(process.args, process.returncode, out, err)


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


@pytest.fixture(scope="module")
def shops(tmp_path_factory):
    """A small shop without any night; to be copied."""
    return open_shop(tmp_path_factory.mktemp("trouble") / "shop", n_reviews=60)


@pytest.fixture
def new_shop(shops, tmp_path):
    return shops.copy(tmp_path / "new")


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


# ---------------------------------------------------------------------------- settings and sources


def test_a_missing_settings_file(new_shop):
    new_shop.config.unlink()
    for command in (["run"], ["status"], ["show", "decisions"], ["publish", "--list"]):
        line = the_line(nightloom(new_shop, *command))
        assert line == f"{new_shop.config}: no such file; run `nightloom init` to write one, or pass --config"


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("[store]", "[store", "not valid TOML: .*line 2"),
        ("data_dir", "data_dri", r"unknown key 'store\.data_dri'; remove it, or run `nightloom init`"),
        ("[store]", "[shop]\n[store]", "unknown key 'shop'; remove it"),
        ("min_authors = 3", 'min_authors = "3"', r"store\.min_authors: .*integer \(got '3'\)"),
        ("min_authors = 3", "min_authors = 0", r"store\.min_authors: .*greater than or equal to 1"),
        ('language = "en"', "language = 3", r"sources\.1\.language: .*string \(got 3\)"),
        ("Europe/Berlin", "Europe/Larkfell", "'Europe/Larkfell' is not a time zone; use an IANA name"),
        ('name = "items"', 'name = "reviews"', "two sources are named 'reviews'.*rename one"),
        ('text = "body"\n', "", r"columns\.text is missing; a source of documents needs it"),
    ],
)
def test_wrong_settings(new_shop, old, new, said):
    config = new_shop.config.read_text()
    assert old in config
    new_shop.config.write_text(config.replace(old, new, 1))
    line = the_line(nightloom(new_shop, "run", *AS_OF))
    assert line.startswith(f"{new_shop.config}: ")
    assert pytest.approx(0) == 0
    assert __import__("re").search(said, line), line
    assert not new_shop.data_dir.exists()
