"""The sample's tickets: what is cut and what is lost, with speakers and without."""

from __future__ import annotations

import json
import re
from functools import lru_cache
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, NamedTuple

import polars as pl
import pytest

from analytics.intake.correspondence import block_hashes, cut_foreign
from analytics.intake.macros import customer_speech, find_recurring, likely_agents
from analytics.intake.markup import html_to_text
from sample.store import make_store

MESSAGES = {"document_id": pl.String, "thread": pl.String, "author": pl.String, "speaker": pl.String,
            "created_at": pl.Datetime("us", "UTC"), "text": pl.String}  # fmt: skip


class Measure(NamedTuple):
    """Shares of words: of foreign text that is gone, and of customers' sentences that are gone."""

    cut_share: float
    lost_share: float
    missed: list[tuple[str, str, str]]
    """Document, kind and text of what is foreign and left."""
    lost: list[tuple[str, str]]
    """Document and sentence."""


def read_tickets(store: Path) -> tuple[pl.DataFrame, dict[str, Any]]:
    """Messages of a sample store (columns of MESSAGES) and its truth."""
    truth = json.loads((store / "truth.json").read_text(encoding="utf-8"))
    found: dict[str, dict[str, Any]] = {}
    for line in (store / "tickets.jsonl").read_text(encoding="utf-8", errors="replace").split("\n"):
        try:
            row = json.loads(line)
        except json.JSONDecodeError:
            continue
        if (
            isinstance(row, dict)
            and row.get("message_id") in truth["mail"]
            and isinstance(row.get("body"), str)
        ):
            found[row["message_id"]] = row
    rows = [
        [r["message_id"], r["thread_id"], r["sender"], r["speaker"], r["sent_at"], r["body"]]
        for r in found.values()
    ]
    schema = dict(MESSAGES) | {"created_at": pl.String}
    messages = pl.DataFrame(rows, schema=schema, orient="row").with_columns(
        pl.col("created_at").str.to_datetime(time_unit="us", time_zone="UTC", strict=False),
        customer_speech(pl.col("speaker")),
    )
    return messages.with_columns(pl.col("text").map_elements(html_to_text, return_dtype=pl.String)), truth


def cut_all(messages: pl.DataFrame) -> dict[str, str]:
    """What is left of each message, agents' own left out whole."""
    unsaid = messages.filter(pl.col("speaker").is_null())
    agents = likely_agents(unsaid.select("thread", "author", "created_at"))
    is_agent = pl.col("speaker").is_null() & pl.col("author").is_in(agents)
    messages = messages.with_columns(speaker=pl.when(is_agent).then(pl.lit("agent")).otherwise("speaker"))
    hashes = pl.Series("block", [block_hashes(text) for text in messages["text"]], pl.List(pl.UInt64))
    blocks = messages.drop("text").with_columns(hashes).explode("block").drop_nulls("block")
    recurring = dict(find_recurring(blocks).group_by("document_id").agg("block").iter_rows())
    return {
        document: "" if speaker == "agent" else cut_foreign(text, recurring.get(document, ())).text
        for document, speaker, text in messages.select("document_id", "speaker", "text").iter_rows()
    }


def measure_cuts(messages: pl.DataFrame, truth: dict[str, Any]) -> Measure:
    """Compare what is left of each message with its true foreign pieces and customers' sentences."""
    left = cut_all(messages)
    foreign = kept = said = gone = 0
    missed: list[tuple[str, str, str]] = []
    lost: list[tuple[str, str]] = []
    for document, text in left.items():
        words = f" {folded(text)} "
        lines = {folded(line) for line in text.split("\n")}
        sentences = [folded(s["sentence"]) for s in truth["documents"]["tickets"].get(document, [])]
        for sentence in sentences:
            said += len(sentence.split())
            if f" {sentence} " not in words:
                gone += len(sentence.split())
                lost.append((document, sentence))
        own = " ".join(sentences)
        for piece in truth["mail"][document]["foreign"]:
            for line in filter(None, map(folded, re.split(r"\n|(?<=[.!?]) ", html_to_text(piece["text"])))):
                foreign += len(line.split())
                # Two words may stand anywhere: they are left where they are a line of their own.
                if line in lines or (len(line.split()) > 2 and f" {line} " in words and line not in own):
                    kept += len(line.split())
                    missed.append((document, piece["kind"], line))
    return Measure(1 - kept / foreign, gone / said, missed, lost)


def folded(text: str) -> str:
    return " ".join(re.sub(r"[\W_]+", " ", text.lower()).split())


@lru_cache(maxsize=1)
def made(seed: int) -> tuple[pl.DataFrame, dict[str, Any]]:
    with TemporaryDirectory() as folder:
        make_store(Path(folder), seed=seed, weeks=26)
        return read_tickets(Path(folder))


@pytest.mark.parametrize("seed", [7, *(pytest.param(seed, marks=pytest.mark.slow) for seed in (11, 99))])
@pytest.mark.parametrize(
    ("unknown", "cut_share"),
    [
        ([], 0.98),
        (["speaker"], 0.98),
        # Without authors too, what agents write once is like anybody's words: only macros are known.
        (["speaker", "author"], 0.9),
    ],
    ids=["speakers", "authors", "neither"],
)
def test_foreign_text_goes_and_customers_sentences_stay(
    unknown: list[str], cut_share: float, seed: int
) -> None:
    messages, truth = made(seed)
    messages = messages.with_columns(pl.lit(None, pl.String).alias(name) for name in unknown)
    measured = measure_cuts(messages, truth)
    assert measured.cut_share >= cut_share
    assert measured.lost_share <= 0.01
