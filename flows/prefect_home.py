"""Prefect for a single command: quiet, no telemetry, a temporary server where none is configured."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from analytics.errors import NightloomError, ServerUnavailable


def cache_folder() -> Path:
    """Folder for what may be deleted at any time."""
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "nightloom"


def prepare() -> None:
    """Set what Prefect reads at import, where the user has not set it.

    With PREFECT_API_URL, or a profile in the user's own PREFECT_HOME, the run reports to that server.
    Without, Prefect starts a temporary one; its database lies in the cache folder, apart from other programs'
    and from the store.

    Raises:
        ServerUnavailable: that folder cannot be written.
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
    # Prefect makes the last folder of this path and no other.
    home = Path(os.environ.get("PREFECT_HOME") or Path.home() / ".prefect")
    try:
        home.mkdir(parents=True, exist_ok=True)
        (home / ".writable").touch()
        (home / ".writable").unlink()
    except OSError as error:
        raise ServerUnavailable(
            f"cannot write to {home}, where Prefect keeps its files ({error.strerror}); make it writable, or "
            "set XDG_CACHE_HOME or PREFECT_HOME to another folder"
        ) from error


@contextmanager
def stating_prefect() -> Iterator[None]:
    """Say in one line that Prefect's server failed; a stated error that its failure hides goes first.

    Raises:
        ServerUnavailable: the server does not start or does not answer.
    """
    try:
        yield
    except NightloomError:
        raise
    except Exception as error:
        import httpx
        from prefect.exceptions import PrefectException

        chain = list(_behind(error))
        stated = next((cause for cause in chain if isinstance(cause, NightloomError)), None)
        if stated is not None:
            raise stated from None
        by_server = isinstance(error, RuntimeError) and "API" in str(error)
        if not by_server and not isinstance(error, httpx.HTTPError | PrefectException):
            raise
        where = os.environ.get("PREFECT_API_URL")
        what = f"Prefect's server at {where}" if where else "Prefect's temporary server"
        advice = (
            "start it, or unset PREFECT_API_URL"
            if where
            else f"see that there is room in {os.environ.get('PREFECT_HOME', '~/.prefect')}, or delete that folder"
        )
        why = (str(error).strip() or type(error).__name__).splitlines()[0]
        raise ServerUnavailable(
            f"{what} failed ({why}); {advice}, then run again: finished parts are kept"
        ) from error


def _behind(error: BaseException) -> Iterator[BaseException]:
    """An exception and those behind it, newest first."""
    seen: BaseException | None = error
    while seen is not None:
        yield seen
        seen = seen.__cause__ or seen.__context__
