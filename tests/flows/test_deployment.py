"""The deployment of the README: a server, a work pool, a worker, and one run that is watched to its end."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from pathlib import Path

import psutil
import pytest
from conftest import ROOT, open_shop

from analytics.store.pointer import read_pointer

PREFECT = Path(sys.executable).parent / "prefect"
AS_OF = "2026-06-30"


class Server:
    """A Prefect server and worker of our own, with their folder and port; everything ends with the block."""

    def __init__(self, folder: Path):
        self.folder = folder
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.port = free.getsockname()[1]
        self.url = f"http://127.0.0.1:{self.port}/api"
        self.started: list[subprocess.Popen] = []

    @property
    def environment(self) -> dict[str, str]:
        return {
            **os.environ,
            "PREFECT_HOME": str(self.folder),
            "PREFECT_API_URL": self.url,
            "PREFECT_SERVER_ANALYTICS_ENABLED": "false",
            "DO_NOT_TRACK": "1",
            "PREFECT_LOGGING_LEVEL": "INFO",
            # A run that waits for the one before looks again this often.
            "PREFECT_SERVER_DEPLOYMENTS_CONCURRENCY_SLOT_WAIT_SECONDS": "3",
            "PREFECT_WORKER_QUERY_SECONDS": "3",
        }

    def start(self, *arguments: str) -> None:
        with (self.folder / f"{arguments[0]}.log").open("w") as log:
            self.started.append(
                subprocess.Popen(
                    [PREFECT, *arguments],
                    env=self.environment,
                    cwd=ROOT,
                    stdout=log,
                    stderr=log,
                    start_new_session=True,
                )
            )

    def prefect(self, *arguments: str) -> subprocess.CompletedProcess:
        return subprocess.run(
            [PREFECT, *arguments], env=self.environment, cwd=ROOT, capture_output=True, text=True, timeout=240
        )

    def ask(self, path: str, **filters: object) -> list[dict]:
        request = urllib.request.Request(
            f"{self.url}/{path}", json.dumps(filters).encode(), {"Content-Type": "application/json"}
        )
        with urllib.request.urlopen(request, timeout=30) as answer:
            return json.loads(answer.read())

    def runs_of(self, config: Path) -> list[dict]:
        runs = self.ask("flow_runs/filter")
        return [run for run in runs if run["parameters"].get("config") == str(config)]

    def wait(self) -> None:
        for _ in range(240):
            with contextlib.suppress(OSError), urllib.request.urlopen(f"{self.url}/health", timeout=5):
                return
            time.sleep(0.5)
        raise AssertionError((self.folder / "server.log").read_text())

    def end(self) -> None:
        for process in reversed(self.started):
            with contextlib.suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGTERM)
            try:
                process.wait(timeout=20)
            except subprocess.TimeoutExpired:
                os.killpg(process.pid, signal.SIGKILL)
                process.wait()

    def left(self) -> list[psutil.Process]:
        """Processes that still run in our folder."""
        found = []
        for process in psutil.process_iter():
            with contextlib.suppress(psutil.Error, OSError):
                if process.environ().get("PREFECT_HOME") == str(self.folder):
                    found.append(process)
        return found


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    server = Server(tmp_path_factory.mktemp("server"))
    try:
        server.start("server", "start", "--port", str(server.port))
        server.wait()
        assert server.prefect("work-pool", "create", "default", "--type", "process").returncode == 0
        deployed = server.prefect("--no-prompt", "deploy", "--all")
        assert deployed.returncode == 0, deployed.stdout + deployed.stderr
        server.start("worker", "start", "--pool", "default")
        yield server
    finally:
        server.end()
        left = server.left()
        for process in left:
            process.kill()
    assert not left


@pytest.mark.slow
def test_the_nightly_deployment_runs_to_its_end_and_leaves_its_artifacts(server, tmp_path):
    shop = open_shop(tmp_path / "shop", n_reviews=60)
    parameters = ("-p", f"config={shop.config}", "-p", f"as_of={AS_OF}")
    ran = server.prefect("deployment", "run", "nightly/nightly", *parameters, "--watch")
    assert ran.returncode == 0, ran.stdout + ran.stderr + (server.folder / "worker.log").read_text()
    assert "Completed" in ran.stdout
    active = read_pointer(shop.data_dir / "published").active
    assert active is not None
    assert active.as_of.isoformat() == AS_OF
    assert {artifact["key"] for artifact in server.ask("artifacts/filter")} == {"briefing", "stage-timings"}


@pytest.mark.slow
def test_the_schedule_makes_a_run_for_every_morning_one_at_a_time(server):
    (deployment,) = server.ask("deployments/filter")
    assert deployment["name"] == "nightly"
    assert deployment["concurrency_options"]["collision_strategy"] == "ENQUEUE"
    assert deployment["global_concurrency_limit"]["limit"] == 1
    scheduled: list[dict] = []
    until = time.monotonic() + 90
    while not scheduled and time.monotonic() < until:
        time.sleep(1)
        scheduled = [run for run in server.ask("flow_runs/filter") if run["auto_scheduled"]]
    assert scheduled, (server.folder / "server.log").read_text()
    assert {run["expected_start_time"][11:19] for run in scheduled} == {"03:00:00"}


@pytest.mark.slow
def test_two_runs_at_once_go_one_after_the_other(server, tmp_path):
    shop = open_shop(tmp_path / "shop", n_reviews=60)
    parameters = ("-p", f"config={shop.config}", "-p", f"as_of={AS_OF}")
    for _ in range(2):
        assert server.prefect("deployment", "run", "nightly/nightly", *parameters).returncode == 0
    until = time.monotonic() + 240
    runs = server.runs_of(shop.config)
    while any(run["end_time"] is None for run in runs) and time.monotonic() < until:
        time.sleep(1)
        runs = server.runs_of(shop.config)
    assert [run["state_type"] for run in runs] == ["COMPLETED"] * 2, [run["state"] for run in runs]
    first, second = sorted(runs, key=lambda run: run["start_time"])
    assert first["end_time"] <= second["start_time"]
    assert len(read_pointer(shop.data_dir / "published").counting) == 2


@pytest.mark.slow
def test_a_run_that_fails_says_why(server, tmp_path):
    missing = tmp_path / "nowhere.toml"
    ran = server.prefect("deployment", "run", "nightly/nightly", "-p", f"config={missing}", "--watch")
    assert ran.returncode != 0
    (run,) = server.runs_of(missing)
    assert run["state_type"] == "FAILED"
    assert "no such file; run `nightloom init`" in run["state"]["message"]
