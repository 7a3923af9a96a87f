"""One store on local disk: where each of its parts lies."""

from __future__ import annotations

import secrets
from functools import cached_property
from pathlib import Path

from analytics.store.files import put
from analytics.store.journal import Journal
from analytics.store.lake import Lake
from analytics.store.placement import Placement
from analytics.store.state import State


def _write_secret(path: Path) -> None:
    path.touch(mode=0o600)
    path.write_bytes(secrets.token_bytes(32))


class Store:
    """The parts of one `data_dir`; each is opened when first used."""

    def __init__(self, data_dir: Path):
        self.data_dir = data_dir
        self.lake = Lake(data_dir / "lake")
        self.journal = Journal(data_dir / "journal")
        self.placement = Placement(data_dir / "placement")
        self.published = data_dir / "published"

    @cached_property
    def state(self) -> State:
        """The state database, migrated to the schema of this program."""
        return State(self.data_dir / "state.sqlite")

    @cached_property
    def key(self) -> bytes:
        """The secret by which user ids become author keys; made once, never copied into a generation."""
        path = self.data_dir / "key"
        if not path.exists():
            put(path, _write_secret)
        return path.read_bytes()
