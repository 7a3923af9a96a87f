"""A brief as a card: its sentences, and under each how it is known."""

from __future__ import annotations

import polars as pl
import streamlit as st

from dashboard import queries, wording
from dashboard.queries import Night


def show(night: Night, kind: str, subject: str, title: str) -> None:
    """The brief of a theme, of an item or of the night; nothing where there is none."""
    sentences = queries.brief(night, kind, subject)
    if sentences.filter(pl.col("voice") != "figures").is_empty():
        return
    quotes = queries.brief_quotes(night, kind, subject)
    with st.container(border=True):
        st.markdown(f"**{title}**")
        for row in sentences.iter_rows(named=True):
            st.html(wording.told(row["text"], row["voice"], row["origin"]))
        with st.expander(f"Sources: {quotes.height} statements", icon=":material/format_quote:"):
            for row in quotes.iter_rows(named=True):
                st.html(
                    wording.quote(
                        row["text"],
                        row["start"],
                        row["end"],
                        [f"sentence {row['nth']}", *origin_of(row)],
                        row["url"],
                        row["question"],
                    )
                )


def origin_of(quote: dict[str, object]) -> list[str]:
    """Day, rating, item and source of a quote, each where it is known."""
    return [
        wording.spell_day(quote["day"]),  # type: ignore[arg-type]
        *([f"rating {quote['rating']:g}"] if quote["rating"] is not None else []),
        *([str(quote["item_title"] or quote["item_id"])] if quote["item_id"] else []),
        " ".join(str(part) for part in (quote["source"], quote["source_id"]) if part),
    ]
