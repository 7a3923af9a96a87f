"""Thirty nights of labelled texts through the real store, one seed of the benchmark."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest
from conftest import ROOT

DATA = ROOT.parent / "shared" / "data"


@pytest.mark.slow
@pytest.mark.skipif(
    not (DATA / "support_banking77.parquet").exists(), reason="the labelled texts are not beside this folder"
)
def test_thirty_nights_with_a_kill_leave_the_same_registry_and_none_collapses() -> None:
    command = [sys.executable, "benchmarks/theme_replay.py", "--part", "dev", "--seeds", "1", "--json"]
    ended = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert ended.returncode == 0, ended.stderr[-2_000:]
    (seed,) = json.loads(ended.stdout)["seeds"]
    assert len(seed["nights"]) == 30
    assert seed["same_after_kill"]
    assert seed["n_collapsed"] == 0
    assert seed["n_planted"] >= 20
    assert seed["recall"] > 0.5
    assert seed["precision"] > 0.5
    assert all(night["placed_share"] > 0.8 for night in seed["nights"])
