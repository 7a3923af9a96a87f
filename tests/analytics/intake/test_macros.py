from __future__ import annotations

from datetime import datetime, timedelta

import polars as pl
import pytest

from analytics.intake.correspondence import block_hashes
from analytics.intake.macros import block_number, customer_speech, find_recurring, likely_agents, n_words

MACRO = "Please send the article back with the enclosed return label and we will repair it."
COMPLAINT = "The kettle you sent me leaks at the spout since last Tuesday."
COURTESY = "Thank you for your help"
START = datetime(2024, 3, 1)


def frame(rows: list[tuple[str, str | None, str]]) -> pl.DataFrame:
    """Blocks of messages (thread, speaker, text), in order of time; ids "0", "1" …"""
    messages = pl.DataFrame(
        [
            (str(n), thread, None, speaker, START + timedelta(hours=n), block_hashes(text))
            for n, (thread, speaker, text) in enumerate(rows)
        ],
        schema={"document_id": pl.String, "thread": pl.String, "author": pl.String, "speaker": pl.String,
                "created_at": pl.Datetime, "block": pl.List(pl.UInt64)},
        orient="row",
    )  # fmt: skip
    return messages.explode("block").drop_nulls("block")


def foreign_in(rows: list[tuple[str, str | None, str]], **settings: float) -> dict[str, set[int]]:
    found = find_recurring(frame(rows), **settings)  # type: ignore[arg-type]
    return {
        document: set(blocks) for document, blocks in found.group_by("document_id").agg("block").iter_rows()
    }


def test_blocks_ignore_case_digits_punctuation_spaces_and_salutations() -> None:
    same = [
        "Hi Ann, your order 4711 is late.",
        "your ORDER 12,\n is late",
        "Hallo Frau Bell! Your order 9 is LATE!!",
    ]
    assert len({block_number(text) for text in same}) == 1
    assert block_number("your order is late") != block_number("your order 1 is late")
    assert block_number("?!") is None
    assert [n_words(block_number(text) or 0) for text in ("a b c", " ".join("a" * 40))] == [3, 15]


def test_short_paragraphs_and_short_sentences_are_no_blocks() -> None:
    assert block_hashes("It leaks badly.") == []
    assert len(block_hashes("It leaks. " + MACRO)) == 2  # the paragraph and its one long sentence
    assert block_hashes(MACRO) == [block_number(MACRO)]


def test_what_an_agent_wrote_is_foreign_in_the_customers_message_of_the_thread() -> None:
    rows = [
        ("t", "customer", COMPLAINT),
        ("t", "agent", MACRO),
        ("t", "customer", f"{MACRO} I did that already, twice in May."),
    ]
    assert foreign_in(rows) == {"2": {block_number(MACRO)}}


def test_what_an_agent_repeats_after_the_customer_is_the_customers() -> None:
    rows = [
        ("t", "customer", COMPLAINT),
        ("t", "agent", f"{COMPLAINT}\n\n{MACRO}"),
        ("t", "customer", COMPLAINT),
    ]
    assert "0" not in foreign_in(rows)


def test_an_agents_macro_is_foreign_in_other_threads_once_two_threads_hold_it() -> None:
    one = [("t", "agent", MACRO), ("u", "customer", MACRO)]
    two = [*one, ("v", "agent", MACRO)]
    assert foreign_in(one) == {}
    assert foreign_in(two) == {"1": {block_number(MACRO)}}


def test_a_short_phrase_that_customers_write_by_themselves_is_theirs() -> None:
    rows: list[tuple[str, str | None, str]] = [(f"t{n}", "customer", COURTESY) for n in range(3)]
    rows += [(f"a{n}", "agent", COURTESY) for n in range(20)] + [
        ("t0", "agent", COURTESY),
        ("t0", "customer", COURTESY),
    ]
    rows += [("t9", "customer", COURTESY)]
    assert foreign_in(rows) == {}


def conversations(
    n: int, told: str, said: str = "The lid of number {} broke in my hands today."
) -> list[tuple[str, str | None, str]]:
    """Threads of a first message and an answer, without speakers."""
    words = "one two three four five six seven eight nine ten eleven twelve".split()
    return [
        message
        for nth in range(n)
        for message in ((f"t{nth}", None, said.format(words[nth])), (f"t{nth}", None, told))
    ]


@pytest.mark.parametrize(("n_threads", "is_macro"), [(4, False), (5, True)])
def test_without_speakers_a_block_of_five_threads_is_a_macro(n_threads: int, is_macro: bool) -> None:
    found = foreign_in(conversations(n_threads, MACRO))
    assert found == ({str(2 * n + 1): {block_number(MACRO)} for n in range(n_threads)} if is_macro else {})


def test_without_speakers_what_opens_threads_is_no_macro() -> None:
    assert foreign_in(conversations(12, COURTESY, said=COMPLAINT)) == {}
    # Where each document is a thread, nothing tells the two apart.
    alone: list[tuple[str, str | None, str]] = [(f"t{n}", None, MACRO) for n in range(5)]
    assert len(foreign_in(alone)) == 5


def test_without_speakers_a_larger_store_asks_for_more_threads() -> None:
    rows = conversations(6, MACRO)
    assert foreign_in(rows, min_share=0.5) != {}
    rows += [(f"x{n}", None, f"{MACRO[:-20]} {'abcdefghijkl'[n]}") for n in range(12)]
    assert foreign_in(rows, min_share=0.5) == {}


def test_authors_who_answer_in_ten_threads_of_others_are_agents() -> None:
    rows = [(f"t{n}", f"customer{n}", START) for n in range(10)]
    rows += [(f"t{n}", "nora", START + timedelta(hours=1)) for n in range(10)]
    rows += [(f"t{n}", "tom", START + timedelta(hours=2)) for n in range(9)]
    rows += [(f"own{n}", "ann", START) for n in range(30)]
    schema = {"thread": pl.String, "author": pl.String, "created_at": pl.Datetime}
    messages = pl.DataFrame(rows, schema=schema, orient="row")
    assert likely_agents(messages) == {"nora"}
    assert likely_agents(messages.sample(fraction=1, shuffle=True, seed=1), min_threads=9) == {"nora", "tom"}
    assert likely_agents(messages.clear()) == set()


def test_speakers_in_many_words() -> None:
    values = [
        "Customer",
        " END-USER ",
        "Kunde",
        "inbound",
        "AGENT",
        "Support Agent",
        "bot",
        "Outgoing",
        "1",
        "",
        None,
    ]
    said = pl.DataFrame({"speaker": values}).select(customer_speech(pl.col("speaker"))).to_series().to_list()
    assert said == ["customer"] * 4 + ["agent"] * 4 + [None] * 3
