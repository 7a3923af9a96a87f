"""Prefect for a single command: quiet, no telemetry, a temporary server where none is configured."""

from __future__ import annotations

import os
from pathlib import Path


def cache_folder() -> Path:
    """Folder for what may be deleted at any time."""
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "nightloom"


def prepare() -> None:
    """Set what Prefect reads at import, where the user has not set it.

    With PREFECT_API_URL, or a profile in the user's own PREFECT_HOME, the run reports to that server.
    Without, Prefect starts a temporary one; its database lies in the cache folder, apart from other programs'
    and from the store.
    """
    defaults = {
        "DO_NOT_TRACK": "1",
        "PREFECT_SERVER_ANALYTICS_ENABLED": "false",
        "PREFECT_SERVER_EPHEMERAL_STARTUP_TIMEOUT_SECONDS": "90",
        "PREFECT_LOGGING_LEVEL": "CRITICAL",
        "PREFECT_LOGGING_TO_API_ENABLED": "false",
    }
    if "PREFECT_API_URL" not in os.environ and "PREFECT_PROFILE" not in os.environ:
        defaults["PREFECT_HOME"] = str(cache_folder() / "prefect")
    for name, value in defaults.items():
        os.environ.setdefault(name, value)
