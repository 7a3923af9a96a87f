"""Prefect for a single command: quiet, no telemetry, a temporary server where none is configured."""

from __future__ import annotations

import os
import re
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from analytics.errors import NightloomError, ServerUnavailable

NEEDED_BYTES = 16 * 2**20
"""Room that the database of a temporary server takes; without it the server would be waited for in vain."""


def cache_folder() -> Path:
    """Folder for what may be deleted at any time."""
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "nightloom"


def prepare() -> None:
    """Set what Prefect reads at import, where the user has not set it.

    With PREFECT_API_URL, or a profile in the user's own PREFECT_HOME, the run reports to that server.
    Without, Prefect starts a temporary one; its database lies in the cache folder, apart from other programs'
    and from the store.

    Raises:
        ServerUnavailable: the folder for that database cannot be written, or its disk is full.
    """
    defaults = {
        "DO_NOT_TRACK": "1",
        "PREFECT_SERVER_ANALYTICS_ENABLED": "false",
        "PREFECT_SERVER_EPHEMERAL_STARTUP_TIMEOUT_SECONDS": "90",
        "PREFECT_LOGGING_LEVEL": "CRITICAL",
        "PREFECT_LOGGING_INTERNAL_LEVEL": "CRITICAL",
        "PREFECT_LOGGING_SERVER_LEVEL": "CRITICAL",
        "PREFECT_LOGGING_TO_API_ENABLED": "false",
    }
    if "PREFECT_API_URL" not in os.environ and "PREFECT_PROFILE" not in os.environ:
        defaults["PREFECT_HOME"] = str(cache_folder() / "prefect")
    for name, value in defaults.items():
        os.environ.setdefault(name, value)
    if "PREFECT_API_URL" not in os.environ and "PREFECT_HOME" in os.environ:
        _make_folder(Path(os.environ["PREFECT_HOME"]).expanduser())


def _make_folder(home: Path) -> None:
    """Make Prefect's folder with those above it, which Prefect itself does not make."""
    why = ""
    try:
        home.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        why = error.strerror or str(error)
    if not why and not os.access(home, os.W_OK):
        why = "it is read-only or belongs to someone else"
    if why:
        raise ServerUnavailable(
            f"cannot write to {home}, where Prefect keeps its files ({why}); make it writable, or set "
            "XDG_CACHE_HOME to a folder that is"
        )
    if shutil.disk_usage(home).free < NEEDED_BYTES:
        raise ServerUnavailable(
            f"disk full: Prefect's temporary server needs {NEEDED_BYTES >> 20} MB in {home}; free some "
            "space, or set XDG_CACHE_HOME to a folder elsewhere, then run again: finished parts are kept"
        )


@contextmanager
def stating_prefect() -> Iterator[None]:
    """Say in one line that Prefect's server failed; a stated error which that hides goes before it.

    Raises:
        ServerUnavailable: the server does not start or does not answer.
    """
    try:
        yield
    except Exception as error:
        stated = next((cause for cause in _behind(error) if isinstance(cause, NightloomError)), None)
        if stated is not None:
            raise _let_go(stated) from None
        if not _is_of_server(error):
            raise
        why = (str(error).strip() or type(error).__name__).splitlines()[0]
        raise ServerUnavailable(
            f"{_server_and_advice(why)}, then run again: finished parts are kept"
        ) from error


def _behind(error: BaseException) -> Iterator[BaseException]:
    """An exception and those that led to it, newest first."""
    cause: BaseException | None = error
    while cause is not None:
        yield cause
        cause = cause.__cause__ or cause.__context__


def _let_go(error: NightloomError) -> NightloomError:
    """The same error anew: Prefect keeps the old one to the end, and the frames it passed hold databases."""
    for cause in _behind(error):
        cause.__traceback__ = None
    return type(error)(str(error))


def _is_of_server(error: Exception) -> bool:
    import httpx
    from prefect.exceptions import PrefectException

    # Prefect raises a bare RuntimeError where its server does not start or cannot be reached at first.
    is_start = type(error) is RuntimeError and re.search("Failed to reach API|Prefect API server", str(error))
    return bool(is_start) or isinstance(error, httpx.HTTPError | PrefectException)


def _server_and_advice(why: str) -> str:
    url = os.environ.get("PREFECT_API_URL")
    if url:
        return f"Prefect's server at {url} failed ({why}); start it, or unset PREFECT_API_URL"
    home = os.environ.get("PREFECT_HOME", "~/.prefect")
    return f"Prefect's temporary server failed ({why}); make room in {home}, or delete that folder"
