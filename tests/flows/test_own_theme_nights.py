"""Themes that people put in: previewed, filled by the next night, mended by removals."""

from __future__ import annotations

import json
from datetime import timedelta

import polars as pl
import pytest
from conftest import Shop
from people_store import FIRST, plant_store, published, run_plain

from flows.cli import main

SECOND, THIRD = FIRST + timedelta(days=1), FIRST + timedelta(days=2)
EXAMPLES = ("This tent keeps heavy rain outside", "keeps rain outside perfectly")
TENT = ("add", "Dry tents", "--examples", *EXAMPLES)

pytestmark = pytest.mark.usefixtures("stub_embedder")


@pytest.fixture(scope="module")
def first_night(tmp_path_factory):
    shop, _ = plant_store(tmp_path_factory.mktemp("own") / "shop")
    config = shop.config.read_text()
    shop.config.write_text(
        config.replace('rating = "stars" }\n', 'rating = "stars", segments = ["item"] }\n', 1)
    )
    run_plain(shop, FIRST)
    return shop


@pytest.fixture
def shop(first_night, tmp_path) -> Shop:
    return first_night.copy(tmp_path / "shop")


def theme(shop: Shop, capsys, *words: str) -> dict:
    capsys.readouterr()
    assert main(["theme", *words, "--json", "--config", str(shop.config)]) == 0
    return json.loads(capsys.readouterr().out)


def quotes(shop: Shop, theme_id: str) -> list[str]:
    placed = published(shop, "opinion_theme").filter(pl.col("theme_id") == theme_id)
    return published(shop, "opinion").join(placed, on="opinion_id", how="semi")["quote"].to_list()


def test_an_own_theme_is_previewed_and_filled_by_the_next_night_with_what_it_means(shop, capsys):
    told = theme(shop, capsys, *TENT)
    assert told["n_matched"] > 5
    assert 0 < len(told["preview"]) <= 20
    assert theme(shop, capsys, *TENT[:1], "Other name", "--preview")["theme_id"] is None
    said = run_plain(shop, SECOND)
    found = quotes(shop, told["theme_id"])
    assert len(found) >= told["n_matched"]
    assert all("tent" in quote or "rain" in quote for quote in found)
    row = published(shop, "theme").filter(pl.col("theme_id") == told["theme_id"]).row(0, named=True)
    assert (row["name"], row["is_own"], row["status"], row["born_on"]) == (
        "Dry tents",
        True,
        "active",
        SECOND,
    )
    placed = published(shop, "opinion_theme").filter(pl.col("theme_id") == told["theme_id"])
    assert set(placed["cause"]) == {"own theme"}
    assert said["model_calls"] < 40, "the history is filled without model calls"


@pytest.mark.slow
def test_what_a_person_removes_goes_and_stays_away(shop, capsys):
    told = theme(shop, capsys, *TENT)
    run_plain(shop, SECOND)
    removed = told["preview"][0]["opinion_id"]
    theme(shop, capsys, "remove", told["theme_id"], removed[:12])
    for night in (SECOND, THIRD):
        run_plain(shop, night)
        placed = published(shop, "opinion_theme").filter(pl.col("theme_id") == told["theme_id"])
        assert removed not in placed["opinion_id"].to_list()


def test_a_taxonomy_is_imported_with_its_groups(shop, capsys):
    file = shop.folder / "taxonomy.csv"
    file.write_text(
        "name,criterion,examples,parent\n"
        "Dry tents,,This tent keeps heavy rain outside,Outdoors\n"
        "Lamp dies,,The lamp flickers and dies | lamp dies after dark,Indoors\n"
    )
    told = theme(shop, capsys, "import", str(file))
    assert [row["name"] for row in told["themes"]] == ["Dry tents", "Lamp dies"]
    run_plain(shop, SECOND)
    themes = published(shop, "theme")
    names = dict(themes.select("theme_id", "name").iter_rows())
    own = themes.filter("is_own", pl.col("level") == "theme")
    assert sorted(names[parent] for parent in own["parent_id"]) == ["Indoors", "Outdoors"]
    assert all(quotes(shop, row["theme_id"]) for row in told["themes"])


def test_labels_are_held_against_themes(shop, capsys):
    table = theme(shop, capsys, "table", "item")
    assert {row["label"] for row in table["labels"]} == {"kettle", "tent", "lamp", "knife"}
    assert all(row["n_documents"] is None or row["n_documents"] >= 3 for row in table["cells"])
    assert main(["theme", "table", "item", "--config", str(shop.config)]) == 0
    assert "kettle" in capsys.readouterr().out
    assert main(["theme", "table", "nothing", "--config", str(shop.config)]) == 1
    assert "no document has a segment 'nothing'; there are item" in capsys.readouterr().err


def test_a_name_that_is_taken_and_a_file_that_is_absent_are_one_line(shop, capsys):
    theme(shop, capsys, *TENT)
    for words in (TENT, ("import", "absent.csv")):
        assert main(["theme", *words, "--config", str(shop.config)]) == 1
        assert capsys.readouterr().err.count("\n") == 1
