import numpy as np

from recommender.reasons import nearest_liked

VECTORS = np.array([[1.0, 0.0], [0.0, 1.0], [0.6, 0.8], [0.8, 0.6], [0.0, 0.0], [-1.0, 0.0]])
"""Six items on a circle; the fifth has no text."""


def test_the_two_liked_items_most_alike_are_the_reason() -> None:
    liked = np.zeros((2, 6), dtype=bool)
    liked[0, [0, 1, 3]] = True
    why = nearest_liked(np.array([[2, -1], [-1, -1]]), liked, VECTORS)
    found = list(zip(why.row, why.place, why.nth, why.column, why.similarity, strict=True))
    assert found == [(0, 0, 0, 3, 0.96), (0, 0, 1, 1, 0.8)]


def test_an_item_across_opposite_or_without_text_is_nobodys_reason() -> None:
    liked = np.zeros((1, 6), dtype=bool)
    liked[0, [1, 4, 5, 3]] = True
    why = nearest_liked(np.array([[0]]), liked, VECTORS)
    assert why.column.tolist() == [3]


def test_equals_go_by_column() -> None:
    vectors = np.array([[0.0, 1.0], [1.0, 0.0], [1.0, 0.0], [1.0, 0.0]])
    liked = np.array([[False, True, True, True]])
    assert nearest_liked(np.array([[1]]), liked, vectors).column.tolist() == [1, 2]


def test_no_list_has_no_reasons() -> None:
    why = nearest_liked(np.full((2, 3), -1), np.zeros((2, 6), dtype=bool), VECTORS)
    assert len(why.row) == len(why.similarity) == 0
