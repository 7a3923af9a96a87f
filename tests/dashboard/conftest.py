"""A small store, and the dashboard started on it."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import streamlit as st
from small_store import SmallStore
from streamlit.testing.v1 import AppTest

APP = Path(__file__).parents[2] / "dashboard" / "app.py"


@pytest.fixture(scope="session")
def shelf(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where generations lie that were made once."""
    return tmp_path_factory.mktemp("generations")


@pytest.fixture
def store(tmp_path: Path, shelf: Path) -> Iterator[SmallStore]:
    yield SmallStore(tmp_path, shelf)
    st.cache_data.clear()
    st.cache_resource.clear()


@pytest.fixture
def open_page(store: SmallStore, monkeypatch: pytest.MonkeyPatch) -> Callable[[], AppTest]:
    """Starts the dashboard on the store, as `streamlit run dashboard/app.py -- --config …` does."""
    monkeypatch.setattr(sys, "argv", [str(APP), "--config", str(store.config)])
    return lambda: AppTest.from_file(APP, default_timeout=30)
