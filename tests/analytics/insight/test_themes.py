"""Discovery: known groups are found, whatever the order, with all that is told of a theme."""

import numpy as np
import polars as pl
import pytest

from analytics import identity
from analytics.insight.themes import Found, describe_groups, discover_themes, write_criterion
from analytics.settings import ThemeSettings

WORDS = ["battery", "screen", "price", "sound"]
SETTINGS = ThemeSettings(min_opinions=8)
N_DIMS = 16


def store(
    sizes: dict[str, int], authors: dict[str, int | None] | None = None, *, noise: float = 0.08
) -> tuple[pl.DataFrame, np.ndarray]:
    """Statements about each word, near an axis of its own, each by another author unless told."""
    random = np.random.default_rng(11)
    rows, vectors = [], []
    for axis, (word, size) in enumerate(sizes.items()):
        for nth in range(size):
            author = (authors or {}).get(word, len(rows)) if word in (authors or {}) else len(rows)
            quote = f"The {word} of number {nth} is fine."
            rows.append((identity.opinion_id(word, quote, nth), f"{word}{nth}", author, quote))
            vector = random.normal(scale=noise, size=N_DIMS)
            vector[axis] += 1
            vectors.append(vector / np.linalg.norm(vector))
    schema = {"opinion_id": pl.String, "document_id": pl.String, "author": pl.Int32, "quote": pl.String}
    opinions = pl.DataFrame(rows, schema=schema, orient="row").with_columns(may_quote=pl.lit(True))
    return opinions, np.array(vectors, dtype=np.float32)


def discover(
    opinions: pl.DataFrame, vectors: np.ndarray, settings: ThemeSettings = SETTINGS, min_authors: int = 5
) -> Found:
    return discover_themes(opinions, vectors, settings, min_authors=min_authors, run_id="run", seed=3)


def words_of(opinions: pl.DataFrame, found: Found) -> dict[str, set[str]]:
    """Theme to the words that its founders speak of."""
    word = pl.col("document_id").str.extract(r"([a-z]+)")
    joined = found.members.join(opinions.select("opinion_id", word=word), on="opinion_id")
    return {theme: set(words) for theme, words in joined.group_by("theme_id").agg("word").iter_rows()}


def test_known_groups_become_themes_with_all_that_is_told_of_them() -> None:
    opinions, vectors = store({"battery": 60, "screen": 50, "price": 40, "sound": 30})
    found = discover(opinions, vectors)
    themes = found.themes.filter(pl.col("level") == "theme")
    words = words_of(opinions, found)
    assert all(len(spoken) == 1 for spoken in words.values()), "no theme mixes two things"
    assert set.union(*words.values()) == set(WORDS)
    assert themes["n_opinions"].is_sorted(descending=True)
    assert themes["name"].is_unique().all()
    quotes = dict(opinions.select("opinion_id", "quote").iter_rows())
    for theme in themes.iter_rows(named=True):
        (word,) = words[theme["theme_id"]]
        founders = found.members.filter(pl.col("theme_id") == theme["theme_id"])["opinion_id"]
        assert theme["theme_id"] == identity.theme_id("run", founders.min())
        assert theme["n_opinions"] == len(founders)
        assert any(word in keyword for keyword in theme["keywords"])
        assert word in theme["criterion"]
        assert word in quotes[theme["typical_opinion_id"]]
        anchors = found.anchors.filter(pl.col("theme_id") == theme["theme_id"])
        centroids = np.array(anchors["centroid"].to_list())
        assert np.linalg.norm(centroids, axis=1) == pytest.approx(1, abs=1e-6)
        assert (centroids.argmax(axis=1) == WORDS.index(word)).all()
        assert anchors["radius"].is_between(0.3, 1).all()


def test_discovery_does_not_depend_on_the_order_of_statements() -> None:
    opinions, vectors = store({"battery": 60, "screen": 50, "price": 40}, noise=0.25)
    order = np.random.default_rng(5).permutation(opinions.height)
    one, other = discover(opinions, vectors), discover(opinions[order], vectors[order])
    assert one.themes.equals(other.themes)
    assert one.anchors.equals(other.anchors)
    assert one.members.equals(other.members)


def test_a_theme_needs_enough_statements_and_enough_distinct_authors() -> None:
    sizes = {"battery": 40, "screen": 40, "price": 40, "sound": 7}
    opinions, vectors = store(sizes, authors={"screen": 1, "price": None})
    assert set.union(*words_of(opinions, discover(opinions, vectors)).values()) == {"battery"}
    alone = words_of(opinions, discover(opinions, vectors, min_authors=1))
    assert set.union(*alone.values()) == {"battery", "screen", "price"}


def test_equal_quotes_count_but_do_not_crowd_the_graph() -> None:
    opinions, vectors = store({"battery": 40, "screen": 40})
    repeated = pl.concat(
        [opinions]
        + [
            opinions.filter(pl.col("document_id") == "screen0").with_columns(
                opinion_id=pl.lit(f"{n:032x}"), document_id=pl.lit(f"r{n}"), author=pl.lit(1000 + n, pl.Int32)
            )
            for n in range(30)
        ]
    )
    more = np.concatenate([vectors, np.repeat(vectors[40:41], 30, axis=0)])
    found, before = discover(repeated, more), discover(opinions, vectors)
    assert found.members.height == before.members.height + 30
    assert sorted(found.anchors["radius"]) == sorted(before.anchors["radius"])


def test_discovery_reads_no_more_than_it_is_allowed() -> None:
    opinions, vectors = store({"battery": 90, "screen": 90})
    settings = SETTINGS.model_copy(update={"max_discovery_opinions": 100})
    found = discover(opinions, vectors, settings)
    assert found.members.height == 100
    assert found.members.equals(discover(opinions.reverse(), vectors[::-1], settings).members)
    other_draw = discover_themes(opinions, vectors, settings, min_authors=5, run_id="run", seed=4)
    assert not other_draw.members.equals(found.members)


def grouped(opinions: pl.DataFrame) -> pl.DataFrame:
    """Statements with a group for each word."""
    word = pl.col("document_id").str.extract(r"([a-z]+)")
    number = word.replace_strict({word: n for n, word in enumerate(WORDS)}, return_dtype=pl.Int64)
    return opinions.with_row_index("row").with_columns(group=number)


def describe(opinions: pl.DataFrame, vectors: np.ndarray, **more) -> Found:
    return describe_groups(grouped(opinions), vectors, min_authors=1, run_id="run", **more)


def test_a_statement_that_founded_a_theme_of_the_run_founds_no_other() -> None:
    opinions, vectors = store({"battery": 20, "screen": 20})
    first = set(describe(opinions, vectors).themes["theme_id"])
    again = set(describe(opinions, vectors, known=first).themes["theme_id"])
    assert len(again) == len(first) == 2
    assert not again & first


def test_a_typical_statement_is_a_whole_sentence_where_there_is_one() -> None:
    opinions, vectors = store({"battery": 20, "screen": 20}, noise=0.02)
    quotes = [
        "BATTERY IS DEAD NOW.",
        "battery is dead now.",
        "The battery is dead",
        "Battery.",
        "It is dead.",
    ]
    odd = opinions.with_columns(
        quote=pl.when(pl.col("document_id").str.starts_with("battery"))
        .then(pl.Series([quotes[n % 5] + " " * (n // 5) for n in range(40)]))
        .otherwise("quote")
    ).with_columns(
        quote=pl.when(pl.col("document_id") == "battery7").then(pl.lit("So it is dead.")).otherwise("quote")
    )
    typical = describe(odd, vectors).themes["typical_opinion_id"]
    assert dict(odd.select("document_id", "opinion_id").iter_rows())["battery7"] in typical.to_list()


def test_a_statement_that_may_not_be_shown_stands_for_a_theme_only_where_none_may() -> None:
    opinions, vectors = store({"battery": 20, "screen": 20})
    shown = opinions.filter(pl.col("document_id") == "battery3")["opinion_id"].item()
    hidden = opinions.with_columns(may_quote=pl.col("opinion_id") == shown)
    typical = describe(hidden, vectors).themes["typical_opinion_id"].to_list()
    assert shown in typical
    assert len(set(typical)) == 2


def test_names_are_distinct_from_those_that_are_taken() -> None:
    opinions, vectors = store({"battery": 20, "screen": 20})
    first = describe(opinions, vectors).themes["name"].to_list()
    again = describe(opinions, vectors, taken=first).themes["name"].to_list()
    assert len({*first, *again}) == 4


@pytest.mark.parametrize(
    ("keywords", "said"),
    [
        ([], "Says what the typical statement says."),
        (["lid"], "Says something about lid."),
        (["lid", "leaks", "water", "hot", "table"], "Says something about lid, leaks, water or hot."),
    ],
)
def test_the_criterion_is_one_sentence_of_keywords(keywords: list[str], said: str) -> None:
    assert write_criterion(keywords) == said


def test_nothing_or_too_little_gives_no_themes() -> None:
    opinions, vectors = store({"battery": 3})
    for n in (0, 1, 3):
        found = discover(opinions.head(n), vectors[:n])
        assert found.themes.is_empty()
        assert found.members.is_empty()
        assert found.themes.columns[0] == "theme_id"


def test_groups_of_themes_hold_at_least_two_and_have_names_of_their_own() -> None:
    sizes = {word: 40 for word in WORDS}
    opinions, vectors = store(sizes)
    vectors[:80, 8] += 2.0  # battery and screen share a direction
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    found = discover(opinions, vectors)
    groups = found.themes.filter(pl.col("level") == "group")
    children = found.themes["parent_id"].drop_nulls().value_counts()
    assert set(children["parent_id"]) == set(groups["theme_id"])
    assert (children["count"] >= 2).all()
    assert found.themes["name"].is_unique().all()
