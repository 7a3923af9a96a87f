"""Themes: known groups are found, whatever the order, and placing twice moves nothing."""

import numpy as np
import polars as pl
import pytest

from analytics import identity
from analytics.insight.themes import THEME_VERSION, discover_themes, place_opinions, theme_recipe
from analytics.settings import ThemeSettings

WORDS = ["battery", "screen", "price", "sound"]
SETTINGS = ThemeSettings(neighbours=10, resolution=0.3, min_opinions=8)
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
) -> pl.DataFrame:
    return discover_themes(opinions, vectors, settings, min_authors=min_authors, run_id="run", seed=3)


def test_known_groups_become_themes_with_all_that_is_told_of_them() -> None:
    opinions, vectors = store({"battery": 40, "screen": 30, "price": 20, "sound": 12})
    themes = discover(opinions, vectors)
    assert sorted(themes["n_opinions"].to_list()) == [12, 20, 30, 40]
    word_of = opinions.with_columns(word=pl.col("document_id").str.extract(r"([a-z]+)"))
    founders = word_of.group_by("word").agg(pl.col("opinion_id").min())
    expected = {identity.theme_id("run", founder): word for word, founder in founders.iter_rows()}
    assert themes["theme_id"].to_list() == sorted(expected)
    quotes = dict(opinions.select("opinion_id", "quote").iter_rows())
    for theme in themes.iter_rows(named=True):
        word = expected[theme["theme_id"]]
        assert any(word in keyword for keyword in theme["keywords"])
        assert word in quotes[theme["typical_opinion_id"]]
        assert np.linalg.norm(theme["centroid"]) == pytest.approx(1, abs=1e-6)
        assert np.argmax(theme["centroid"]) == WORDS.index(word)
        assert 0.3 <= theme["radius"] < 1
    assert themes["name"].is_unique().all()


def test_the_radius_leaves_out_a_tenth_of_the_founders() -> None:
    opinions, vectors = store({"battery": 40, "screen": 30})
    themes = discover(opinions, vectors)
    placed = place_opinions(opinions["opinion_id"].to_list(), vectors, themes)
    assert dict(placed.group_by("theme_id").len().iter_rows()) == {
        theme: 9 * size // 10 for theme, size in themes.select("theme_id", "n_opinions").iter_rows()
    }


def test_discovery_does_not_depend_on_the_order_of_statements() -> None:
    opinions, vectors = store({"battery": 40, "screen": 30, "price": 20}, noise=0.25)
    order = np.random.default_rng(5).permutation(opinions.height)
    assert discover(opinions, vectors).equals(discover(opinions[order], vectors[order]))


def test_a_theme_needs_enough_statements_and_enough_distinct_authors() -> None:
    sizes = {"battery": 20, "screen": 20, "price": 20, "sound": 7}
    opinions, vectors = store(sizes, authors={"screen": 1, "price": None})
    themes = discover(opinions, vectors)
    assert [name for name in themes["name"] if "battery" in name] == themes["name"].to_list()
    assert discover(opinions, vectors, min_authors=1).height == 3


def test_equal_quotes_count_but_do_not_crowd_the_graph() -> None:
    opinions, vectors = store({"battery": 20, "screen": 20})
    repeated = pl.concat(
        [opinions]
        + [
            opinions.filter(pl.col("document_id") == "screen0").with_columns(
                opinion_id=pl.lit(f"{n:032x}"), document_id=pl.lit(f"r{n}"), author=pl.lit(1000 + n, pl.Int32)
            )
            for n in range(30)
        ]
    )
    more = np.concatenate([vectors, np.repeat(vectors[20:21], 30, axis=0)])
    themes, before = discover(repeated, more), discover(opinions, vectors)
    assert sorted(themes["n_opinions"].to_list()) == [20, 50]
    assert sorted(themes["radius"].to_list()) == sorted(before["radius"].to_list())


def test_discovery_reads_no_more_than_it_is_allowed() -> None:
    opinions, vectors = store({"battery": 90, "screen": 90})
    settings = SETTINGS.model_copy(update={"max_discovery_opinions": 100})
    themes = discover(opinions, vectors, settings)
    assert themes["n_opinions"].sum() == 100
    assert themes.equals(discover(opinions.reverse(), vectors[::-1], settings))
    other_draw = discover_themes(opinions, vectors, settings, min_authors=5, run_id="run", seed=4)
    assert other_draw["radius"].to_list() != themes["radius"].to_list()


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
    typical = discover(odd, vectors, min_authors=1)["typical_opinion_id"]
    assert dict(odd.select("document_id", "opinion_id").iter_rows())["battery7"] in typical.to_list()


def test_nothing_or_too_little_gives_no_themes() -> None:
    opinions, vectors = store({"battery": 3})
    for n in (0, 1, 3):
        themes = discover(opinions.head(n), vectors[:n])
        assert themes.is_empty()
        assert themes.columns[0] == "theme_id"
        assert place_opinions(["o"], vectors[:1], themes).is_empty()


def test_no_statement_moves_when_placed_again_among_others() -> None:
    opinions, vectors = store({"battery": 40, "screen": 30, "price": 20}, noise=0.3)
    themes = discover(opinions, vectors)
    ids = opinions["opinion_id"].to_list()
    placed = place_opinions(ids, vectors, themes)
    assert 0 < placed.height < opinions.height
    order = np.random.default_rng(5).permutation(len(ids))
    assert placed.equals(place_opinions([ids[n] for n in order], vectors[order], themes.reverse()))
    alone = [place_opinions([ids[n]], vectors[n : n + 1], themes) for n in range(len(ids))]
    assert placed.equals(pl.concat(alone).sort("opinion_id"))


def test_placement_takes_the_nearest_theme_within_its_radius_and_the_first_of_equals() -> None:
    themes = pl.DataFrame(
        {
            "theme_id": ["b", "a", "c"],
            "centroid": [[1.0, 0.0], [1.0, 0.0], [0.0, 1.0]],
            "radius": [0.5, 0.9, 0.8],
        },
        schema_overrides={"centroid": pl.List(pl.Float32)},
    )
    vectors = np.array([[1.0, 0.0], [0.6, 0.8], [0.8, 0.6], [0.9, 0.435890]], dtype=np.float32)
    placed = place_opinions(["w", "x", "y", "z"], vectors, themes)
    # y is nearest to a, by .8, which is outside its radius: it is not handed on to another theme.
    assert placed.rows() == [("w", "a", 1.0), ("x", "c", 0.8), ("z", "a", 0.9)]


def test_centroids_may_come_back_as_arrays() -> None:
    opinions, vectors = store({"battery": 20, "screen": 20})
    themes = discover(opinions, vectors)
    as_array = themes.with_columns(pl.col("centroid").list.to_array(N_DIMS))
    ids = opinions["opinion_id"].to_list()
    assert place_opinions(ids, vectors, themes).equals(place_opinions(ids, vectors, as_array))


def test_golden_output_belongs_to_this_version() -> None:
    opinions, vectors = store({"battery": 40, "screen": 30, "price": 20})
    themes = discover(opinions, vectors)
    rows = themes.select(
        "theme_id", "name", "keywords", pl.col("radius").round(4), "typical_opinion_id", "n_opinions"
    )
    placed = place_opinions(opinions["opinion_id"].to_list(), vectors, themes).select(
        "opinion_id", "theme_id", pl.col("similarity").round(4)
    )
    assert THEME_VERSION == 1
    assert theme_recipe(ThemeSettings())["version"] == THEME_VERSION
    assert identity.frame_digest(rows, key=["theme_id"])[:16] == "f94946b99716a7b7"
    assert identity.frame_digest(placed, key=["opinion_id"])[:16] == "2707f816fc937703"


def test_the_recipe_holds_every_setting() -> None:
    settings = ThemeSettings(neighbours=3, resolution=2.0, max_discovery_opinions=500, min_opinions=4)
    assert theme_recipe(settings).items() >= settings.model_dump().items()


def test_the_typical_statement_is_one_that_may_be_shown_where_there_is_one() -> None:
    opinions, vectors = store({"battery": 40, "screen": 30})
    shown = pl.col("document_id").is_in(["battery7", "battery8"])
    themes = discover(opinions.with_columns(may_quote=shown), vectors)
    documents = dict(opinions.select("opinion_id", "document_id").iter_rows())
    typical = sorted(documents[opinion] for opinion in themes["typical_opinion_id"])
    assert typical[0] in ("battery7", "battery8")
    assert typical[1].startswith("screen")
