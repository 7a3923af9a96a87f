from datetime import date

import numpy as np
import polars as pl
from hypothesis import given
from hypothesis import strategies as st

from recommender.generators import measure_popularity, nearest_items, popular_items, text_profiles

VECTORS = np.array([[1.0, 0.0], [0.0, 1.0], [0.6, 0.8], [0.8, 0.6], [0.0, 0.0], [-1.0, 0.0]])
"""Six items on a circle; the fifth has no text."""


def rows(*columns: list[int], n_items: int = len(VECTORS)) -> np.ndarray:
    matrix = np.zeros((len(columns), n_items), dtype=bool)
    for row, chosen in enumerate(columns):
        matrix[row, chosen] = True
    return matrix


def test_a_taste_is_the_mean_direction_of_what_is_liked() -> None:
    profiles = text_profiles(rows([0], [0, 1], [4], [], [0, 5], [1, 4]), VECTORS)
    half = 0.5**0.5
    expected = [[1, 0], [half, half], [0, 0], [0, 0], [0, 0], [0, 1]]
    np.testing.assert_allclose(profiles, expected, atol=1e-12)


def test_the_nearest_items_are_new_alike_and_in_order() -> None:
    profiles = np.array([[1.0, 0.0], [0.0, 1.0], [0.0, 0.0]])
    columns, cosines = nearest_items(profiles, VECTORS, rows([0], [], []), n_nearest=4)
    # Not the item had, not the one across, not the opposite one, not the one without text.
    assert columns.tolist() == [[3, 2, -1, -1], [1, 2, 3, -1], [-1, -1, -1, -1]]
    np.testing.assert_allclose(cosines, [[0.8, 0.6, 0, 0], [1, 0.8, 0.6, 0], [0, 0, 0, 0]], atol=1e-12)


def test_more_places_than_items_are_left_empty() -> None:
    columns, _ = nearest_items(np.array([[1.0, 0.0]]), VECTORS[:2], rows([], n_items=2), n_nearest=3)
    assert columns.tolist() == [[0, -1, -1]]


def test_cosines_that_differ_after_six_decimals_are_equal_and_go_by_column() -> None:
    vectors = np.array([[0.8, 0.6], [0.8 + 1e-9, 0.6], [0.8 + 1e-5, 0.6]])
    columns, cosines = nearest_items(np.array([[1.0, 0.0]]), vectors, rows([], n_items=3), n_nearest=3)
    assert columns.tolist() == [[2, 0, 1]]
    assert cosines.tolist() == [[0.80001, 0.8, 0.8]]


@given(st.lists(st.sampled_from([-0.3, 0.0, 0.2, 0.5, 0.9]), min_size=1, max_size=30), st.integers(1, 8))
def test_the_nearest_are_those_of_a_full_sort_ties_included(cosines: list[float], n_nearest: int) -> None:
    vectors = np.array([[cosine, 0.0] for cosine in cosines])
    had = np.zeros((1, len(cosines)), dtype=bool)
    columns, _ = nearest_items(np.array([[1.0, 0.0]]), vectors, had, n_nearest=n_nearest)
    alike = [column for column, cosine in enumerate(cosines) if cosine > 0]
    expected = sorted(alike, key=lambda column: (-cosines[column], column))[:n_nearest]
    assert [column for column in columns[0] if column >= 0] == expected


def taken(*rows: tuple[str, str, date | None]) -> pl.DataFrame:
    return pl.DataFrame(
        rows, schema={"user_id": pl.String, "item_id": pl.String, "day": pl.Date}, orient="row"
    )


def test_popularity_counts_customers_of_the_window_once_each() -> None:
    last = date(2026, 6, 30)
    rows = taken(
        ("ann", "tea", last),
        ("ann", "tea", date(2026, 6, 29)),
        ("bob", "tea", date(2026, 6, 21)),
        ("cem", "tea", date(2026, 6, 20)),  # ten days ending on the 30th begin on the 21st
        ("ann", "pan", last),
        ("bob", "cup", last),
        ("cem", "mug", None),
    )
    popularity = measure_popularity(rows, as_of=last, popular_days=10)
    assert popularity.rows() == [("tea", 2, 0.285714), ("cup", 1, 0.142857), ("pan", 1, 0.142857)]


def test_an_empty_window_falls_back_to_the_whole_history() -> None:
    rows = taken(("ann", "tea", date(2020, 1, 1)), ("cem", "mug", None))
    popularity = measure_popularity(rows, as_of=date(2026, 6, 30), popular_days=10)
    assert popularity["item_id"].to_list() == ["mug", "tea"]
    assert measure_popularity(rows.clear(), as_of=date(2026, 6, 30), popular_days=10).is_empty()


def test_popular_items_fill_up_in_order_and_skip_what_is_taken() -> None:
    order = np.array([4, 0, 2])
    row, position, nth = popular_items(order, rows([], [4], [4, 0, 2], [0]), np.array([2, 5, 3, 0]))
    assert row.tolist() == [0, 0, 1, 1]
    assert order[position].tolist() == [4, 0, 0, 2]
    assert nth.tolist() == [0, 1, 0, 1]
