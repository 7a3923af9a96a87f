"""A server of OpenAI's protocol for tests: real HTTP on loopback, answers by a script."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

Reply = tuple[int, dict[str, Any], dict[str, str]]
"""Status, body and headers."""


def chat(text: str, *, reason: str = "stop", n_prompt: int = 11, n_new: int = 7) -> Reply:
    """A whole answer."""
    message = {"role": "assistant", "content": text}
    body = {
        "id": "1",
        "object": "chat.completion",
        "created": 0,
        "model": "m",
        "choices": [{"index": 0, "finish_reason": reason, "message": message}],
        "usage": {
            "prompt_tokens": n_prompt,
            "completion_tokens": n_new,
            "total_tokens": n_prompt + n_new,
        },
    }
    return 200, body, {}


def refusal(status: int, told: str, **headers: str) -> Reply:
    """An error as servers send it."""
    return status, {"error": {"message": told, "type": "error"}}, headers


@contextmanager
def serve(
    answer: Callable[[dict[str, Any]], Reply], port: int = 0
) -> Iterator[tuple[str, list[dict[str, Any]]]]:
    """The server's address and what it was asked, in order of arrival."""
    asked: list[dict[str, Any]] = []
    lock = threading.Lock()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self._reply((200, {"object": "list", "data": []}, {}))

        def do_POST(self) -> None:
            body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            with lock:
                asked.append(body)
            self._reply(answer(body))

        def _reply(self, reply: Reply) -> None:
            status, body, headers = reply
            content = json.dumps(body).encode()
            self.send_response(status)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(content)))
            for name, value in headers.items():
                self.send_header(name.replace("_", "-"), value)
            self.end_headers()
            self.wfile.write(content)

        def log_message(self, *_: Any) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", port), Handler)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}/v1", asked
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
