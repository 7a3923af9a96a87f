"""Promise 2: kill it anywhere, run it again."""

from __future__ import annotations

import os
import random
import shutil
import signal
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path

import psutil
import pytest
from conftest import Shop, open_shop

from analytics.store.generation import digests
from analytics.store.lock import OWNER, end_leftovers, last_holder
from analytics.store.pointer import read_pointer

AS_OF = "2026-06-30"
LONGEST = 240
"""Seconds after which a night is taken to hang."""


@dataclass
class Nights:
    """Runs nights of one shop as the command line does, each in a process of its own."""

    prefect_home: Path

    def start(self, shop: Shop) -> subprocess.Popen:
        environment = {**os.environ, "PREFECT_HOME": str(self.prefect_home)}
        environment.pop("PREFECT_API_URL", None)
        command = [sys.executable, "-m", "flows.cli", "run", "--config", str(shop.config), "--as-of", AS_OF]
        # Not a pipe: what a killed run leaves running would hold it open.
        with (shop.folder / "log").open("w") as log:
            return subprocess.Popen(command, env=environment, stdout=log, stderr=log)

    def run(self, shop: Shop) -> float:
        started = time.monotonic()
        process = self.start(shop)
        assert process.wait(timeout=LONGEST) == 0, (shop.folder / "log").read_text()
        return time.monotonic() - started

    def kill(self, shop: Shop, after_seconds: float) -> None:
        """Start a night and kill it, unless it has ended by then."""
        process = self.start(shop)
        time.sleep(after_seconds)
        process.send_signal(signal.SIGKILL)
        process.wait()


@pytest.fixture(scope="module")
def nights(tmp_path_factory):
    return Nights(tmp_path_factory.mktemp("prefect"))


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory, nights):
    """A shop whose night was never killed, the sources it read, and how long the night took."""
    shop = open_shop(tmp_path_factory.mktemp("undisturbed") / "shop", n_reviews=90)
    sources = shop.copy(tmp_path_factory.mktemp("sources") / "shop")
    return shop, sources, nights.run(shop)


@pytest.fixture(scope="module")
def later_seconds(tmp_path_factory, nights, undisturbed):
    """How long a night takes once Prefect's database is there, which the first one makes."""
    return nights.run(undisturbed[1].copy(tmp_path_factory.mktemp("later") / "shop"))


def published_digests(shop: Shop) -> dict[str, str]:
    active = read_pointer(shop.data_dir / "published").active
    assert active is not None
    return digests(shop.data_dir / "published" / active.generation)


def landed_parts(shop: Shop) -> dict[Path, int]:
    return {path: path.stat().st_ino for path in (shop.data_dir / "lake").rglob("part-*.parquet")}


def left_running(tokens: set[str]) -> list[psutil.Process]:
    found = []
    for process in psutil.process_iter():
        try:
            if process.environ().get(OWNER) in tokens and process.status() != psutil.STATUS_ZOMBIE:
                found.append(process)
        except psutil.Error:
            continue
    return found


def kill_and_check(nights: Nights, shop: Shop, after_seconds: float, tokens: set[str]) -> None:
    """Kill a night and check what stands: the pointer is whole, and everything it lists is there."""
    nights.kill(shop, after_seconds)
    holder = last_holder(shop.data_dir)
    if holder is not None:
        tokens.add(holder.token)
    for entry in read_pointer(shop.data_dir / "published").listed:
        assert (shop.data_dir / "published" / entry.generation / "manifest.json").exists()


def finish_and_check(nights: Nights, shop: Shop, tokens: set[str], expected: dict[str, str]) -> None:
    """Run the night to its end and check that nothing was lost, repeated or left behind."""
    before = landed_parts(shop)
    if read_pointer(shop.data_dir / "published").active is None:
        nights.run(shop)
    else:
        end_leftovers(shop.data_dir)  # as `nightloom status` does
    assert published_digests(shop) == expected
    after = landed_parts(shop)
    assert {path: after.get(path) for path in before} == before
    tokens.add(last_holder(shop.data_dir).token)
    assert left_running(tokens) == []


@pytest.mark.slow
@pytest.mark.short
def test_a_night_killed_once_ends_as_if_undisturbed(undisturbed, nights, tmp_path):
    reference, sources, seconds = undisturbed
    shop = sources.copy(tmp_path / "shop")
    tokens: set[str] = set()
    kill_and_check(nights, shop, seconds * random.random(), tokens)
    finish_and_check(nights, shop, tokens, published_digests(reference))


@pytest.mark.slow
def test_a_night_killed_again_and_again_ends_as_if_undisturbed(undisturbed, nights, tmp_path):
    reference, sources, seconds = undisturbed
    shop = sources.copy(tmp_path / "shop")
    tokens: set[str] = set()
    for nth in range(2):
        # Each kill falls into its own half of a night, at random within it.
        kill_and_check(nights, shop, seconds * (nth + random.random()) / 2, tokens)
        if read_pointer(shop.data_dir / "published").active is not None:
            break
    finish_and_check(nights, shop, tokens, published_digests(reference))


@pytest.mark.slow
@pytest.mark.parametrize("nth", range(20))
def test_a_night_killed_at_a_random_moment_gives_the_same_digest(
    undisturbed, later_seconds, nights, tmp_path, nth
):
    reference, sources, _ = undisturbed
    shop = sources.copy(tmp_path / "shop")
    tokens: set[str] = set()
    kill_and_check(nights, shop, later_seconds * (nth + random.random()) / 20, tokens)
    finish_and_check(nights, shop, tokens, published_digests(reference))
    shutil.rmtree(shop.folder)
