"""What would stop a night in its first steps, met before anything is started for it."""

from __future__ import annotations

from datetime import date

from analytics.intake.sources import read_blocks
from analytics.models.weights import find_folder
from analytics.settings import Settings
from analytics.store.layout import Store
from analytics.store.pointer import read_pointer
from flows.night import next_attempt


def check_ready(settings: Settings, as_of: date | None, limit: int | None) -> None:
    """Look at the state, the day, the model's files and the first rows of every source.

    Raises:
        NightloomError: what the night itself would raise, some seconds earlier.
    """
    store = Store(settings.data_dir)
    try:
        pointer = read_pointer(store.published)
        next_attempt(settings, store, pointer, as_of, limit, store.state.sequence())
    finally:
        store.state.close()
    find_folder(settings.embedding.model)
    for source in settings.sources:
        any(block.rows.height for block in read_blocks(source, settings.path_of(source)))
