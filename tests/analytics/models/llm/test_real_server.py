"""The remote backend against a real server: `transformers serve` with the embedded model."""

from __future__ import annotations

import os
import shutil
import signal
import socket
import subprocess
import sys
import threading
import time
import urllib.request
from pathlib import Path

import pytest

from analytics.models.llm.protocol import Prompt
from analytics.models.llm.remote import load_remote
from analytics.models.llm.structured import Form, ask
from analytics.models.llm.weights import find_weights
from analytics.settings import LanguageModelSettings

ANSWERED_BEFORE_THE_END = 3


class Server:
    """`transformers serve`, which can die and come back on the same port."""

    def __init__(self, folder: Path):
        self._folder = folder
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.port = free.getsockname()[1]
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        program = shutil.which("transformers", path=str(Path(sys.executable).parent))
        command = [str(program), "serve", str(self._folder), "--port", str(self.port), "--host", "127.0.0.1"]
        environment = {**os.environ, "HF_HUB_OFFLINE": "1"}
        log = (self._folder / "log").open("a")
        self._process = subprocess.Popen(
            command, env=environment, stdout=log, stderr=log, start_new_session=True
        )
        until = time.monotonic() + 120
        while time.monotonic() < until:
            try:
                urllib.request.urlopen(f"http://127.0.0.1:{self.port}/health", timeout=2)
                return
            except OSError:
                assert self._process.poll() is None, (self._folder / "log").read_text()[-2_000:]
                time.sleep(0.5)
        raise AssertionError((self._folder / "log").read_text()[-2_000:])

    def kill(self) -> None:
        if self._process is not None:
            os.killpg(self._process.pid, signal.SIGKILL)
            self._process.wait()


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    import transformers

    folder = tmp_path_factory.mktemp("smollm2")
    place = find_weights("embedded")
    more = {"gguf_file": place.name}
    transformers.AutoTokenizer.from_pretrained(str(place.parent), **more).save_pretrained(folder)
    model = transformers.AutoModelForCausalLM.from_pretrained(
        str(place.parent),
        quantization_config=transformers.GgufConfig(dequantize=True),
        dtype="bfloat16",
        **more,
    )
    model.save_pretrained(folder)
    del model
    made = Server(folder)
    made.start()
    yield made
    made.kill()


def settings_of(server):
    return LanguageModelSettings(
        backend="remote",
        allow_remote=True,
        url=f"http://127.0.0.1:{server.port}/v1",
        model=str(server._folder),
        concurrency=2,
        timeout_seconds=120.0,
        give_up_seconds=180.0,
    )


PROMPTS = [
    Prompt("Say in one short sentence what the customer says.", (f"Lid {n} leaks.",)) for n in range(8)
]


@pytest.mark.slow
def test_a_server_that_dies_and_comes_back_in_mid_run_answers_everything(server):
    model = load_remote(settings_of(server))
    answered = threading.Event()
    count = [0]

    def advance(n):
        count[0] += n
        if count[0] >= ANSWERED_BEFORE_THE_END:
            answered.set()

    def break_it():
        answered.wait(120)
        server.kill()
        time.sleep(2)
        server.start()

    breaking = threading.Thread(target=break_it)
    breaking.start()
    answers = model.complete(PROMPTS, max_new_tokens=12, advance=advance)
    breaking.join()
    assert [answer.status for answer in answers if answer.status == "failed"] == []
    assert len(answers) == len(PROMPTS)
    assert all(answer.text and answer.n_prompt_tokens > 10 for answer in answers)


class Point(Form):
    about: str


@pytest.mark.slow
def test_the_answers_of_a_server_that_holds_to_no_schema_are_checked(server):
    model = load_remote(settings_of(server))
    readings = ask(model, PROMPTS[:1], Point, max_new_tokens=24)
    assert readings[0].n_calls == 2
    assert readings[0].failure.startswith("unreadable answer")
