import numpy as np
import polars as pl

from analytics.insight.loved import find_loved


def rated(rng: np.random.Generator, *, lead: float = 0.4, n_lovers: int = 20) -> pl.DataFrame:
    """Forty items rated by two groups; group AT rates item i0 higher, and hardly anybody else does."""
    rows = [
        (f"i{rng.integers(1, 40)}", f"u{n % 300}", group, float(np.clip(rng.normal(0.6, 0.3), 0, 1)))
        for n, group in enumerate(rng.choice(["country: AT", "country: DE"], 2_000))
    ]
    rows += [
        ("i0", f"a{n}", "country: AT", float(np.clip(rng.normal(0.6 + lead, 0.1), 0, 1)))
        for n in range(n_lovers)
    ]
    return pl.DataFrame(rows, schema=["item_id", "author", "segment", "rating_share"], orient="row")


def seen(n_loved: int = 5) -> pl.DataFrame:
    return pl.DataFrame({"item_id": [f"i{n}" for n in range(40)], "n": [n_loved] + [100] * 39})


def find(rows: pl.DataFrame, counts: pl.DataFrame, min_authors: int = 5) -> pl.DataFrame:
    return find_loved(rows, counts, min_authors=min_authors, false_discovery_rate=0.1)


def test_an_item_that_one_group_loves_and_few_see_is_found_with_its_group() -> None:
    found = find(rated(np.random.default_rng(1)), seen())
    assert found.select("item_id", "segment", "n_authors").rows() == [("i0", "country: AT", 20)]
    assert 0.2 < found["lead_low"][0] < found["lead"][0] < found["lead_high"][0] < 0.6


def test_what_everybody_sees_is_not_told() -> None:
    assert find(rated(np.random.default_rng(1)), seen(n_loved=100)).is_empty()


def test_a_few_equal_ratings_are_no_certainty() -> None:
    equal = pl.DataFrame(
        {
            "item_id": "i0",
            "author": [f"a{n}" for n in range(5)],
            "segment": "country: AT",
            "rating_share": 0.7,
        }
    )
    others = rated(np.random.default_rng(1), n_lovers=0)
    assert find(pl.concat([others, equal.select(others.columns)]), seen()).is_empty()


def test_fewer_authors_than_may_be_shown_tell_nothing() -> None:
    assert find(rated(np.random.default_rng(1), n_lovers=6), seen(), min_authors=7).is_empty()


def test_nothing_is_found_where_nothing_is_loved() -> None:
    alarms = sum(find(rated(np.random.default_rng(seed), lead=0.0), seen()).height > 0 for seed in range(100))
    assert alarms <= 14  # of 100 nights at most a tenth are expected; more than 14 has probability .03


def test_a_store_without_ratings_or_items_tells_nothing() -> None:
    schema = {
        "item_id": pl.String, "author": pl.String, "segment": pl.String, "rating_share": pl.Float64
    }  # fmt: skip
    assert find(pl.DataFrame(schema=schema), seen().head(0)).is_empty()
