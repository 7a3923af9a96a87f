"""What can go wrong, as one tree; every message says what, which, why and what to do next.

NightloomError              exit 1, one line
├── SettingsError           the settings file is missing, unreadable or wrong
├── SourceError             a source cannot be read or mapped
├── ModelUnavailable        weights or a package are missing; retryable
├── StoreError              data_dir cannot be read or written as it must be
│   ├── StoreBusy           another run holds the store; retryable
│   ├── StoreFull           the disk is full
│   └── SchemaTooNew        the state was written by a newer version
├── ActRefused              what a person asked of the registry or said of a decision cannot be done
├── PlanNotAccepted         a change of recipe would cost far more than a night does
├── NotPublished            nothing is published yet, or not what was asked for
├── CheckFailed             a generation did not pass its checks and was not published
└── ServerUnavailable       Prefect's server does not start or does not answer; retryable

Classes take the message first and nothing else that is required, so that they unpickle across processes.
"""

from __future__ import annotations

import errno
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


class NightloomError(Exception):
    """A stated error: its message is the one line that a user reads."""

    retryable = False


class SettingsError(NightloomError):
    """The settings file is missing, unreadable or wrong."""


class SourceError(NightloomError):
    """A source cannot be read or mapped."""


class ModelUnavailable(NightloomError):
    """Model weights or the package that carries them are missing."""

    retryable = True


class StoreError(NightloomError):
    """The data directory cannot be read or written as it must be."""


class StoreBusy(StoreError):
    """Another run holds the store."""

    retryable = True


class StoreFull(StoreError):
    """The disk that holds the data directory is full."""


class SchemaTooNew(StoreError):
    """The state database was written by a newer version of this program."""


class ActRefused(NightloomError):
    """What a person asked of a theme, a link, a proposal or a decision cannot be done."""


class PlanNotAccepted(NightloomError):
    """A change of recipe would cost far more than a usual night, and nobody has accepted that yet."""


class NotPublished(NightloomError):
    """Nothing is published yet, or the generation asked for is not there."""


class CheckFailed(NightloomError):
    """A generation did not pass its checks, so the pointer was not moved."""


class ServerUnavailable(NightloomError):
    """Prefect's server, the temporary or the configured one, does not start or does not answer."""

    retryable = True


SERVER_GONE = "the server does not answer"
"""How the failure of a call begins that says nothing of what was asked: it never parks it."""


_FULL = {errno.ENOSPC, errno.EDQUOT}
_READ_ONLY = {errno.EROFS, errno.EACCES, errno.EPERM}
_NO_FOLDER = {errno.EEXIST, errno.ENOTDIR}


def store_error(error: Exception, path: Path) -> StoreError | None:
    """The stated error behind a failed write below `path`, or None where the failure is something else."""
    text = str(error).lower()
    number = getattr(error, "errno", None)
    if number in _FULL or "no space left" in text or "disk is full" in text or "disk full" in text:
        return StoreFull(
            f"disk full: cannot write to {path}: no space left on its device; "
            "free some space and run again: finished parts are kept"
        )
    if number in _READ_ONLY or "read-only file system" in text or "readonly database" in text:
        return StoreError(
            f"cannot write to {path}: it is read-only or belongs to someone else; "
            "make it writable or set another data_dir under [store]"
        )
    if number in _NO_FOLDER:
        return StoreError(
            f"cannot write to {path}: a file lies where a folder is needed; move it away or set another "
            "data_dir under [store]"
        )
    return None


@contextmanager
def writing(path: Path) -> Iterator[None]:
    """Turn a full disk or a read-only folder met while writing `path` into its stated error."""
    try:
        yield
    except NightloomError:
        raise
    except Exception as error:
        stated = store_error(error, path)
        if stated is None:
            raise
        raise stated from error
