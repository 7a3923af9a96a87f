"""Publishing never disturbs a reader: no error, no wait, and no rerun that mixes two nights."""

import threading
from collections.abc import Callable
from datetime import date

import pytest
from small_store import SmallStore, sentences
from streamlit.testing.v1 import AppTest

from dashboard import queries

NIGHTS = (date(2018, 5, 24), date(2018, 5, 25), date(2018, 5, 26))
N_PUBLISHES = 20


class Reader(threading.Thread):
    """Pins and queries until told to stop; keeps what went wrong and which nights it saw."""

    def __init__(self, store: SmallStore):
        super().__init__()
        self.store, self.stopped = store, threading.Event()
        self.errors: list[Exception] = []
        self.seen: list[date] = []

    def run(self) -> None:
        while not self.stopped.wait(0.01):
            try:
                self.read_one()
            except Exception as error:
                self.errors.append(error)

    def read_one(self) -> None:
        night = queries.pin_night(self.store.data_dir, 3)
        board = queries.decisions(night)
        quotes = queries.quotes(night)
        assert board["sentence"].to_list() == sentences(night.as_of)
        assert set(quotes["decision_id"]) == set(board["decision_id"])
        assert queries.weeks(night, board["theme_id"][0]).height == 12
        self.seen.append(night.as_of)


@pytest.mark.slow
def test_twenty_publishes_while_a_page_and_a_thread_read(
    store: SmallStore, open_page: Callable[[], AppTest]
) -> None:
    entries = [store.build(night) for night in NIGHTS]
    store.point_at(entries[0])
    page, reader = open_page().run(), Reader(store)
    reader.start()
    try:
        for n in range(1, N_PUBLISHES + 1):
            entry = entries[n % len(entries)]
            store.point_at(entry)
            page.run()
            assert not page.exception
            assert not page.error
            assert page.caption[0].value.endswith(f"generation {entry.generation}")
    finally:
        reader.stopped.set()
        reader.join()
    assert reader.errors == []
    assert set(reader.seen) == set(NIGHTS)
