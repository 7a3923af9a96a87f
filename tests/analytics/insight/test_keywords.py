"""Keywords say what sets a theme apart, and give no single author away."""

import polars as pl
import pytest

from analytics.insight.keywords import MAX_KEYWORDS, find_keywords, name_themes, terms_of


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("The Battery life is bad", {"battery", "battery life", "life", "bad"}),
        ("battery, life", {"battery", "life"}),
        ("Amazon’s store; don't I'm 49 4k x", {"amazon", "amazon store", "store"}),
        ("very very", set()),
        ("good good", {"good"}),
        ("屏幕很好", {"屏幕", "幕很", "很好"}),
        ("", set()),
    ],
)
def test_terms(text: str, expected: set[str]) -> None:
    assert terms_of(text) == expected


def statements(*rows: tuple[int, int | None, str]) -> pl.DataFrame:
    return pl.DataFrame(
        rows, schema={"group": pl.Int64, "author": pl.Int32, "quote": pl.String}, orient="row"
    )


TWO_GROUPS = statements(
    *((0, author, "nice battery charge") for author in range(6)),
    *((1, author, "nice screen") for author in range(6)),
    (0, 9, "Jane Roe told me"),
    (0, 9, "Jane Roe again"),
    (0, None, "secret hour"),
    (0, None, "secret hour of another"),
)


def test_keywords_are_what_the_other_groups_lack() -> None:
    # "battery charge" holds "battery", which comes first by the alphabet; "nice" is in both groups.
    assert find_keywords(TWO_GROUPS, min_authors=2) == {0: ["battery", "charge", "nice"], 1: ["nice screen"]}


def test_a_word_of_too_few_authors_is_no_keyword() -> None:
    words = " ".join(find_keywords(TWO_GROUPS, min_authors=2)[0])
    assert "jane" not in words
    assert "secret" not in words  # unknown authors count as one
    assert "jane" in " ".join(find_keywords(TWO_GROUPS, min_authors=1)[0])
    assert find_keywords(TWO_GROUPS, min_authors=99) == {0: [], 1: []}


def test_no_keyword_holds_another_and_there_are_at_most_eight() -> None:
    quotes = [f"alpha{n} beta{n} gamma{n}" for n in range(10)]
    rows = [(0, author, quote) for quote in quotes for author in range(3)]
    found = find_keywords(statements(*rows), min_authors=2)[0]
    assert len(found) == MAX_KEYWORDS
    assert not any(one != other and one in other for one in found for other in found)


def test_keywords_do_not_depend_on_the_order_of_statements() -> None:
    assert find_keywords(TWO_GROUPS, min_authors=2) == find_keywords(TWO_GROUPS.reverse(), min_authors=2)


def test_names_are_distinct_and_earlier_themes_choose_first() -> None:
    assert name_themes(
        {
            "1": ["a", "b", "c", "d"],
            "2": ["c", "b", "a", "d"],  # the same words in another order would be the same name
            "3": ["a", "b", "c"],
            "4": ["a"],
            "5": ["a"],
            "6789abcdef": [],
        }
    ) == {
        "1": "a, b, c",
        "2": "c, b, d",
        "3": "a, b, c 3",
        "4": "a",
        "5": "a 5",
        "6789abcdef": "theme 6789abcd",
    }


def test_what_stands_for_personal_data_is_no_word() -> None:
    assert terms_of("Write to [email], [national-id] or [ip] error") == {"write", "error"}
