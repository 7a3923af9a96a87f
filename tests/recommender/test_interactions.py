from datetime import UTC, date, datetime

import numpy as np
import polars as pl
import pytest

from recommender.interactions import distinct_histories, history_blocks, items_had, known_by

SCHEMA = {
    "user_id": pl.String,
    "item_id": pl.String,
    "created_at": pl.Datetime("us", "UTC"),
    "rating_share": pl.Float64,
}


def interactions(*rows: tuple[str, str, datetime | None, float | None]) -> pl.DataFrame:
    return pl.DataFrame(rows, schema=SCHEMA, orient="row")


def at(hour: int, day: int = 30) -> datetime:
    return datetime(2026, 6, day, hour, tzinfo=UTC)


@pytest.mark.parametrize(
    ("time_zone", "known"),
    [
        ("UTC", ["noon", "23 h", "undated"]),
        # 23 h UTC is already the first of July in Berlin.
        ("Europe/Berlin", ["noon", "undated"]),
        ("America/New_York", ["noon", "23 h", "next day 3 h", "undated"]),
    ],
)
def test_a_night_knows_local_days_up_to_its_own(time_zone: str, known: list[str]) -> None:
    rows = interactions(
        ("ann", "noon", at(12), None),
        ("ann", "23 h", at(23), None),
        ("ann", "next day 3 h", datetime(2026, 7, 1, 3, tzinfo=UTC), None),
        ("ann", "next day noon", datetime(2026, 7, 1, 12, tzinfo=UTC), None),
        ("ann", "undated", None, None),
    )
    assert known_by(rows, as_of=date(2026, 6, 30), time_zone=time_zone)["item_id"].to_list() == known


def test_the_latest_rating_that_was_given_says_whether_an_item_is_liked() -> None:
    rows = interactions(
        ("ann", "never rated", at(1), None),
        ("ann", "on the border", at(1), 0.5),
        ("ann", "below it", at(1), 0.49),
        ("ann", "grew on her", at(2), 1.0),
        ("ann", "grew on her", at(1), 0.0),
        ("ann", "broke", at(1), 1.0),
        ("ann", "broke", at(2), 0.0),
        ("ann", "bought again unrated", at(1), 0.0),
        ("ann", "bought again unrated", at(2), None),
    )
    liked = dict(items_had(rows).select("item_id", "is_liked").iter_rows())
    assert liked == {
        "never rated": True,
        "on the border": True,
        "below it": False,
        "grew on her": True,
        "broke": False,
        "bought again unrated": False,
    }


def test_equal_histories_are_told_once_and_blocks_put_them_together_again() -> None:
    had = pl.DataFrame(
        [("ann", "tea", True), ("bob", "tea", True), ("cem", "tea", False), ("dia", "pan", True)],
        schema=["user_id", "item_id", "is_liked"],
        orient="row",
    )
    histories = distinct_histories(had, ["ann", "bob", "cem", "dia", "eve"], ["cup", "pan", "tea"])
    number = dict(histories.users.iter_rows())
    assert number["ann"] == number["bob"]
    assert len(set(number.values())) == histories.n_histories == 4

    expected_had = {"ann": [0, 0, 1], "cem": [0, 0, 1], "dia": [0, 1, 0], "eve": [0, 0, 0]}
    expected_liked = {"ann": [0, 0, 1], "cem": [0, 0, 0], "dia": [0, 1, 0], "eve": [0, 0, 0]}
    for n_rows in (1, 3, 10):
        blocks = list(history_blocks(histories, n_items=3, n_rows=n_rows))
        assert [block.first for block in blocks] == list(range(0, 4, n_rows))
        all_had = np.concatenate([block.had for block in blocks]).astype(int)
        all_liked = np.concatenate([block.liked for block in blocks]).astype(int)
        for user in expected_had:
            assert all_had[number[user]].tolist() == expected_had[user]
            assert all_liked[number[user]].tolist() == expected_liked[user]


def test_a_user_without_any_interaction_has_an_empty_history() -> None:
    histories = distinct_histories(items_had(interactions()), ["ann"], [])
    (block,) = history_blocks(histories, n_items=0, n_rows=5)
    assert block.had.shape == (1, 0)
