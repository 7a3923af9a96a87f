"""What `show recommendations` says of a list."""

from __future__ import annotations

import polars as pl

from flows.shown_lists import as_lines, sentence


def reason(title: str, theme: str | None = None) -> dict[str, str | None]:
    return {"title": title, "theme": theme}


def test_items_of_the_history_are_named_with_what_is_praised_in_both() -> None:
    assert sentence([reason("Tent"), reason("Lamp")], "follows") == "because of Tent and Lamp"
    told = sentence([reason("Tent", "light"), reason("Lamp"), reason("Mat", "light")], "follows")
    assert told == (
        "because of Tent and Lamp and Mat; reviewers praise “light”, "
        "which this customer praised in Tent and Mat"
    )


def test_what_nothing_speaks_for_but_popularity_is_called_popular() -> None:
    assert sentence([], "popular") == "popular with customers"
    assert sentence([], "linear") is None


def test_a_list_is_lines_under_its_customer() -> None:
    rows = pl.DataFrame(
        {
            "user_id": ["u1", "u1", "u2"],
            "rank": [1, 2, 1],
            "item_id": ["i1", "i2", "i1"],
            "title": ["Tent", "i2", "Tent"],
            "score": [0.25, 0.125, 0.5],
            "because": ["because of Lamp", None, "popular with customers"],
        }
    )
    assert as_lines(rows).splitlines() == [
        "u1",
        "  1. 0.250  Tent (i1) – because of Lamp",
        "  2. 0.125  i2",
        "u2",
        "  1. 0.500  Tent (i1) – popular with customers",
    ]
