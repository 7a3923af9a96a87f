from __future__ import annotations

import os
import signal
import subprocess
import sys
import time

import psutil
import pytest

from analytics.errors import StoreBusy
from analytics.store.lock import end_leftovers, hold, is_held, last_holder
from flows.printing import status_of

HOLD = """
import subprocess, sys, time
from pathlib import Path
from analytics.store.lock import hold
with hold(Path(sys.argv[1])):
    child = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"], start_new_session=True)
    print(child.pid, flush=True)
    time.sleep(600)
"""


@pytest.fixture
def other(tmp_path):
    """Another process that holds the store and has started a child; and the child's pid."""
    process = subprocess.Popen([sys.executable, "-c", HOLD, str(tmp_path)], stdout=subprocess.PIPE, text=True)
    child = int(process.stdout.readline())
    yield process, child
    for pid in (process.pid, child):
        try:
            os.kill(pid, signal.SIGKILL)
        except ProcessLookupError:
            pass
    process.wait()


def test_a_second_run_is_told_who_holds_the_store(tmp_path, other):
    process, _ = other
    assert is_held(tmp_path)
    with (
        pytest.raises(StoreBusy, match=f"process {process.pid} on .* is already running a night"),
        hold(tmp_path),
    ):
        pass


def test_what_a_killed_run_started_is_ended_by_the_next(tmp_path, other):
    process, child = other
    assert end_leftovers(tmp_path) == []
    assert psutil.pid_exists(child)
    process.kill()
    process.wait()
    assert psutil.Process(child).is_running()
    with hold(tmp_path):
        assert not psutil.pid_exists(child) or psutil.Process(child).status() == psutil.STATUS_ZOMBIE
    assert not is_held(tmp_path)


def test_status_ends_what_a_killed_run_left_too(tmp_path, other):
    process, child = other
    assert status_of(tmp_path)["running"].startswith(f"process {process.pid}")
    assert psutil.Process(child).is_running()
    process.kill()
    process.wait()
    status = status_of(tmp_path)
    assert (status["running"], status["ended_leftover_processes"]) == (None, [child])


def test_a_process_goes_on_holding_what_it_holds(tmp_path):
    with hold(tmp_path) as first, hold(tmp_path) as again:
        assert again is first
    assert not is_held(tmp_path)
    assert last_holder(tmp_path).pid == os.getpid()


def test_looking_does_not_take_the_lock_for_long(tmp_path):
    with hold(tmp_path):
        pass
    started = time.monotonic()
    for _ in range(50):
        assert not is_held(tmp_path)
        with hold(tmp_path):
            pass
    assert time.monotonic() - started < 20
