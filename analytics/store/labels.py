"""Labels: which pairs of a document and a theme were drawn for people to read, and what they say of each.

The state holds ids and probabilities, never text. A pair is named by the hash of its two ids.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping

import polars as pl

from analytics.identity import hash_of
from analytics.store.state import DRAWN, LABEL_ENTRIES, LABELLED, State

DRAWN_PAIRS: dict[str, pl.DataType | type[pl.DataType]] = {
    "pair_id": pl.String,
    "document_id": pl.String,
    "theme_id": pl.String,
    "is_placed": pl.Boolean,  # under the theme, when it was drawn
    "probability": pl.Float64,  # with which any draw takes it
    "says_it": pl.Boolean,  # the last answer; null: none yet
}


def pair_id(document_id: str, theme_id: str) -> str:
    """The name of a pair."""
    return hash_of([document_id, theme_id])


def record_draw(state: State, pairs: pl.DataFrame, *, who: str) -> None:
    """Write down what was drawn.

    Args:
        state: Where.
        pairs: Columns document_id, theme_id, is_placed, probability; none drawn before.
        who: Who drew them.
    """
    draw = state.sequence() + 1
    contents = {
        pair_id(row["document_id"], row["theme_id"]): {**row, "draw": draw}
        for row in pairs.select("document_id", "theme_id", "is_placed", "probability").to_dicts()
    }
    state.record_each(DRAWN, contents, who=who)


def record_answers(state: State, answers: Mapping[str, bool], *, who: str) -> None:
    """Write down what a person says of drawn pairs: whether the document says what the theme is."""
    state.record_each(LABELLED, {pair: {"says_it": says} for pair, says in answers.items()}, who=who)


def read_labels(state: State, upto: int | None = None) -> pl.DataFrame:
    """Every pair that was drawn, with its last answer; see DRAWN_PAIRS.

    A pair that one draw left could be taken by the next, so its probability is that of any draw to take a
    pair like it: of the same theme, and placed or not as it was.

    Args:
        state: Where.
        upto: Sequence number at which the state is read; now when it is left out.
    """
    entries = state.log(LABEL_ENTRIES, upto)
    answers = {entry["subject"]: entry["says_it"] for entry in entries if entry["kind"] == LABELLED}
    drawn = [
        {"pair_id": entry["subject"], "says_it": answers.get(entry["subject"]), **entry}
        for entry in entries
        if entry["kind"] == DRAWN
    ]
    pairs = pl.DataFrame(drawn, schema={**DRAWN_PAIRS, "draw": pl.Int64})
    alike = ["theme_id", "is_placed"]
    taken = (
        pairs.unique([*alike, "draw"])
        .group_by(alike)
        .agg(probability=1 - (1 - pl.col("probability")).product())
    )
    return pairs.drop("probability").join(taken, on=alike, maintain_order="left").select(*DRAWN_PAIRS)


def drop_labels(state: State, document_ids: Collection[str]) -> int:
    """Take all that was drawn or said of some documents out of the state; returns how many entries went."""
    if not document_ids:
        return 0
    drawn = read_labels(state)
    theirs = drawn.filter(pl.col("document_id").is_in(list(document_ids)))
    return state.drop_subjects(LABEL_ENTRIES, theirs["pair_id"])
