"""The dashboard: `streamlit run dashboard/app.py [-- --config F]`."""

from __future__ import annotations

import argparse
import sys
from functools import partial
from pathlib import Path

import streamlit as st

from analytics.errors import NightloomError, NotPublished, SettingsError
from analytics.settings import load_settings
from dashboard import provenance, queries
from dashboard.app_pages import decisions, drivers, sources, themes


def read_arguments(arguments: list[str]) -> Path:
    """The settings file that the command line names.

    Raises:
        SettingsError: an argument that this page does not know.
    """
    parser = argparse.ArgumentParser(allow_abbrev=False, add_help=False, exit_on_error=False)
    parser.add_argument("--config", type=Path, default=Path("nightloom.toml"))
    how = "start it as `streamlit run dashboard/app.py -- --config FILE`"
    try:
        known, unknown = parser.parse_known_args(arguments)
    except argparse.ArgumentError as error:
        raise SettingsError(f"{error}; {how}") from None
    if unknown:
        raise SettingsError(f"unknown argument {unknown[0]!r}; {how}")
    return known.config


def main() -> None:
    """One rerun: pin the published generation, then show the chosen page of it."""
    st.set_page_config("Nightloom", page_icon=":material/bedtime:", layout="wide")
    try:
        settings = load_settings(read_arguments(sys.argv[1:]))
        store = settings.store
        night = queries.pin_night(settings.data_dir, store.min_authors, store.time_zone)
    except NotPublished as error:
        st.title("Nightloom")
        st.info(str(error), icon=":material/bedtime:")
        st.stop()
    except NightloomError as error:
        st.title("Nightloom")
        st.error(str(error), icon=":material/error:")
        st.stop()
    page = st.navigation(
        [
            st.Page(
                partial(decisions.show, night),
                title="Decisions",
                icon=":material/checklist:",
                url_path="decisions",
                default=True,
            ),
            st.Page(partial(themes.show, night), title="Themes", icon=":material/forum:", url_path="themes"),
            st.Page(
                partial(drivers.show, night),
                title="Drivers",
                icon=":material/account_tree:",
                url_path="drivers",
            ),
            st.Page(
                partial(sources.show, night), title="Sources", icon=":material/input:", url_path="sources"
            ),
        ],
        position="top",
    )
    with (
        st.container(horizontal=True, horizontal_alignment="center"),
        st.container(width=1040),
    ):
        try:
            page.run()
            provenance.show(night)
        except NightloomError as error:
            st.error(str(error), icon=":material/error:")
            st.stop()


main()
