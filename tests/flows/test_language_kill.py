"""Two thousand calls to a language model's server, killed in the middle: each is paid once."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections import Counter

import polars as pl
import psutil
import pytest
from conftest import DAY, open_shop
from fake_server import chat, serve

from analytics.store.lock import OWNER, last_holder
from analytics.store.pointer import read_pointer
from flows.language import PART_SIZE

N_DOCUMENTS = 2_000
LONGEST = 400


def answer(body):
    """One statement about the first sentence, as a model would send it."""
    time.sleep(0.004)
    said = {"sentence": 1, "aspect": "", "opinion": "", "sentiment": "negative", "kind": "problem"}
    return chat(json.dumps({"statements": [said]}))


@pytest.fixture
def remote_shop(tmp_path):
    shop = open_shop(tmp_path / "shop", n_reviews=100)
    known = shop.reviews
    shop.reviews = [
        {**known[nth % 100], "review_id": f"n{nth}", "headline": "", "user_id": f"u{nth}",
         "body": f"Order {nth} came with a torn lid. It leaks."}
        for nth in range(N_DOCUMENTS)
    ]  # fmt: skip
    return shop


def start(shop, tmp_path):
    command = [
        sys.executable,
        "-m",
        "flows.cli",
        "run",
        "--config",
        str(shop.config),
        "--as-of",
        DAY.isoformat(),
    ]
    environment = {**os.environ, "PREFECT_HOME": str(tmp_path / "prefect")}
    environment.pop("PREFECT_API_URL", None)
    with (shop.folder / "log").open("a") as log:
        return subprocess.Popen(command, env=environment, stdout=log, stderr=log)


def use_server(shop, url):
    text = shop.config.read_text().replace('absent = "delete"', 'absent = "delete"\nextraction = "model"')
    settings = f"""
[language_model]
backend = "remote"
allow_remote = true
url = "{url}"
model = "m"
"""
    shop.config.write_text(text + settings)


def document_in(body):
    return next(turn["content"] for turn in body["messages"] if turn["role"] == "user")


@pytest.mark.slow
def test_a_night_killed_within_two_thousand_calls_repeats_no_finished_part(remote_shop, tmp_path):
    with serve(answer) as (url, asked):
        use_server(remote_shop, url)
        process = start(remote_shop, tmp_path)
        while len(asked) < N_DOCUMENTS // 2 and process.poll() is None:
            time.sleep(0.05)
        assert process.poll() is None, (remote_shop.folder / "log").read_text()
        process.send_signal(signal.SIGKILL)
        process.wait()
        token = last_holder(remote_shop.data_dir).token
        time.sleep(1)
        landed = list((remote_shop.data_dir / "lake").glob("extraction/*/part-*.parquet"))
        assert landed
        before = len(asked)
        stamps = {path: path.stat().st_mtime_ns for path in landed}
        n_landed = sum(pl.read_parquet(path).height for path in landed)
        again = start(remote_shop, tmp_path)
        assert again.wait(timeout=LONGEST) == 0, (remote_shop.folder / "log").read_text()
        assert stamps == {path: path.stat().st_mtime_ns for path in landed}
        assert len(asked) - before == N_DOCUMENTS - n_landed
        times = Counter(document_in(body) for body in asked)
        assert len(times) == N_DOCUMENTS
        assert sum(times.values()) - N_DOCUMENTS <= PART_SIZE, (
            "only the part that was cut short is paid twice"
        )
    lake = remote_shop.store.lake
    (recipe,) = lake.recipes("extraction")
    assert lake.keys("extraction", recipe).height == N_DOCUMENTS
    assert read_pointer(remote_shop.store.published).active is not None
    left = [one for one in psutil.process_iter() if token in _environment(one).get(OWNER, "")]
    assert not left


def _environment(process):
    try:
        return process.environ()
    except psutil.Error:
        return {}


@pytest.mark.slow
def test_a_night_without_its_server_publishes_what_it_has_and_says_so(remote_shop, tmp_path):
    remote_shop.reviews = remote_shop.reviews[:50]
    use_server(remote_shop, "http://127.0.0.1:9/v1")
    assert start(remote_shop, tmp_path).wait(timeout=LONGEST) == 3
    log = (remote_shop.folder / "log").read_text()
    assert "50 texts got no answer and are owed again" in log
    assert read_pointer(remote_shop.store.published).active is not None
