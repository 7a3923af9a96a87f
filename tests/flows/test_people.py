"""Erasing on a small store: a planted customer, over three nights, and nothing left in any file."""

from __future__ import annotations

import json
import shutil
from dataclasses import dataclass
from datetime import timedelta

import polars as pl
import pytest
from command_line import nightloom
from conftest import Shop
from people_store import (
    ANNA,
    FIRST,
    SHARED,
    THIRD,
    Planted,
    after_three_nights,
    found_in,
    lake_rows,
    plant_store,
    published,
    read_lines,
    run_plain,
    write_lines,
)

from analytics.identity import author_key, document_id
from analytics.settings import load_settings
from analytics.store import files
from analytics.store.generation import check_generation, read_manifest, roll_back
from analytics.store.pointer import read_pointer
from analytics.tables import TABLES
from flows.cli import main
from flows.publish import restore

pytestmark = pytest.mark.usefixtures("stub_embedder")


@pytest.fixture(scope="module")
def three_nights(tmp_path_factory):
    """A shop after three nights, and what is Anna's; to be copied, never changed."""
    return after_three_nights(tmp_path_factory.mktemp("people") / "shop")


def everything_published(shop: Shop) -> list[dict[str, pl.DataFrame]]:
    """The tables of every kept generation, oldest first."""
    names = [entry.generation for entry in read_pointer(shop.data_dir / "published").counting]
    return [{table: published(shop, table, name) for table in TABLES} for name in names]


def erase(shop: Shop, *options: str) -> int:
    return main(["erase", "--config", str(shop.config), *options])


@dataclass
class Swept:
    shop: Shop
    anna: Planted
    lake_before: dict[str, dict[str, str]]
    tables_before: list[dict[str, pl.DataFrame]]


@pytest.fixture(scope="module")
def swept(three_nights, tmp_path_factory):
    """The shop after Anna was erased, and how it was before."""
    shop, anna = three_nights
    shop = shop.copy(tmp_path_factory.mktemp("swept") / "shop")
    before = Swept(shop, anna, lake_rows(shop), everything_published(shop))
    assert erase(shop, "--user", ANNA) == 0
    return before


def test_before_the_sweep_every_planted_thing_is_found(three_nights):
    shop, anna = three_nights
    assert set(found_in(shop.data_dir, anna.needles)) == set(anna.needles)
    interactions = published(shop, "interaction")
    assert interactions.filter(pl.col("user_id") == ANNA).height == 40
    assert published(shop, "document").filter(pl.col("document_id").is_in(anna.document_ids)).height == 12
    assert shop.store.lake.recipes("sentiment_head")


def test_after_the_sweep_no_file_holds_an_id_or_a_word_of_hers(swept):
    assert found_in(swept.shop.data_dir, swept.anna.needles) == {}


@pytest.mark.slow
def test_the_commands_leave_nothing_of_her_not_in_prefect_s_database_either(three_nights, tmp_path):
    shop, anna = three_nights
    shop = shop.copy(tmp_path / "shop")
    home = shop.data_dir / "prefect"
    assert nightloom(shop, "run", "--as-of", str(THIRD), PREFECT_HOME=str(home)).returncode == 0
    assert any(home.rglob("*.db"))
    done = nightloom(shop, "erase", "--user", ANNA)
    assert done.returncode == 0, done.stderr
    assert "12 documents" in done.stdout
    assert found_in(shop.data_dir, anna.needles) == {}


def test_the_sweep_takes_from_the_lake_what_is_hers_alone(swept):
    before, after = swept.lake_before, lake_rows(swept.shop)
    gone = {stage: set(rows) - set(after[stage]) for stage, rows in before.items()}
    for stage, rows in after.items():
        if stage != "sentiment_head":
            assert rows.items() <= before[stage].items(), stage
    assert {stage: len(gone[stage]) for stage in ("document", "user", "interaction", "item")} == {
        "document": 13,
        "user": 1,
        "interaction": 40,
        "item": 0,
    }
    assert all("xqz" in before["clean"][key] for key in gone["clean"])
    assert len(gone["clean"]) == len(gone["sentence"]) == 12
    shared = [row for row in after["clean"].values() if json.loads(row)["text"] == SHARED]
    assert len(shared) == 1


def test_heads_are_fitted_anew_without_her_under_the_same_recipe(swept):
    before, after = swept.lake_before["sentiment_head"], lake_rows(swept.shop)["sentiment_head"]
    assert before.keys() == after.keys()
    n = {
        name: {json.loads(row)["n"] for row in rows.values()}
        for name, rows in (("then", before), ("now", after))
    }
    assert n["then"].pop() - n["now"].pop() == 8  # hers until the second night, which fitted it
    assert before != after


def test_others_rows_of_every_kept_generation_are_unchanged(swept):
    after = everything_published(swept.shop)
    assert len(after) == len(swept.tables_before) == 3
    for then, now in zip(swept.tables_before, after, strict=True):
        opinions = then["opinion"].filter(pl.col("document_id").is_in(swept.anna.document_ids))["opinion_id"]
        ids = {
            "document_id": swept.anna.document_ids,
            "opinion_id": opinions.to_list(),
            "user_id": [ANNA],
            "typical_opinion_id": [],
        }
        for table, rows in then.items():
            left = rows
            for column in [name for name in ids if name in rows.columns]:
                left = left.filter(~pl.col(column).is_in(ids[column]).fill_null(False))
            if table == "theme":
                hers = pl.col("typical_opinion_id").is_in(opinions.to_list())
                left = left.with_columns(pl.when(~hers).then("typical_opinion_id"))
            assert now[table].equals(left), table


def test_manifests_have_new_digests_and_the_log_keeps_them(swept, capsys):
    pointer = read_pointer(swept.shop.data_dir / "published")
    for entry in pointer.counting:
        folder = swept.shop.data_dir / "published" / entry.generation
        check_generation(folder, read_manifest(folder))
    assert erase(swept.shop, "--log", "--json") == 0
    tombstone, erased = json.loads(capsys.readouterr().out)
    assert tombstone["subject"] == erased["subject"] == f"author:{author_key(swept.shop.store.key, ANNA)}"
    assert set(erased["manifests"]) == {entry.generation for entry in pointer.counting}
    assert erased["gone"]["lake/document"] == 13
    assert erased["gone"]["journal/arrival"] == 13 + 1 + 40


def test_the_next_night_repeats_no_call_and_keeps_her_out(swept, tmp_path):
    shop = swept.shop.copy(tmp_path / "shop")
    said = run_plain(shop, THIRD)
    assert (said["n_documents"], said["n_new"], said["model_calls"]) == (145, 0, 0)
    quality = published(shop, "quality").filter(pl.col("metric") == "n_erased")
    assert quality["value"].to_list() == [12 + 1 + 40]
    assert found_in(shop.data_dir, swept.anna.needles) == {}
    shared = published(shop, "document").filter(pl.col("text") == SHARED)
    assert shared["source_id"].to_list() == ["shared-by-ben"]
    assert not published(shop, "recommendation").filter(pl.col("user_id") == ANNA).height


def test_rollback_and_rebuilding_do_not_bring_her_back(swept, tmp_path):
    shop = swept.shop.copy(tmp_path / "shop")
    roll_back(shop.data_dir / "published")
    assert published(shop, "document").height == 97
    first = read_pointer(shop.data_dir / "published").earlier[0].generation
    shutil.rmtree(shop.data_dir / "published" / first)
    restore(load_settings(shop.config), first)
    assert run_plain(shop, THIRD)["n_documents"] == 145
    assert found_in(shop.data_dir, swept.anna.needles) == {}


class Killed(BaseException):
    """As if the process ended here."""


def erase_and_kill(shop: Shop, n_files: int) -> None:
    """Begin an erasure and end it when so many files have been written."""
    left, write = n_files, files.put

    def put(path, content):
        nonlocal left
        if path.name != "lock.json":
            if left == 0:
                raise Killed
            left -= 1
        write(path, content)

    with pytest.MonkeyPatch.context() as killing:
        killing.setattr(files, "put", put)
        with pytest.raises(Killed):
            erase(shop, "--user", ANNA)


@pytest.mark.slow
def test_a_sweep_killed_again_and_again_is_finished_by_the_next(three_nights, tmp_path):
    shop, anna = three_nights
    shop = shop.copy(tmp_path / "shop")
    for n_files in (0, 7, 25, 12):
        erase_and_kill(shop, n_files)
    assert erase(shop, "--user", ANNA) == 0
    assert found_in(shop.data_dir, anna.needles) == {}
    assert len(shop.store.state.log(["tombstone"])) == 1


@pytest.mark.slow
@pytest.mark.parametrize("n_files", range(0, 48, 3))
def test_a_sweep_killed_at_any_file_is_finished_by_the_next(three_nights, tmp_path, n_files):
    shop, anna = three_nights
    shop = shop.copy(tmp_path / "shop")
    erase_and_kill(shop, n_files)
    assert found_in(shop.data_dir, [ANNA])
    assert erase(shop, "--user", ANNA) == 0
    assert found_in(shop.data_dir, anna.needles) == {}


def test_one_document_is_erased_and_the_rest_of_its_author_stays(three_nights, tmp_path, capsys):
    shop, _ = three_nights
    shop = shop.copy(tmp_path / "shop")
    gone = document_id("reviews", "anna-review-11")
    assert erase(shop, "--document", gone, "--json") == 0
    said = json.loads(capsys.readouterr().out)
    assert (said["subject"], said["n_documents"], said["n_interactions"]) == (f"document:{gone}", 1, 0)
    # The tombstone names it, and so does its log; nothing else does.
    assert {path for places in found_in(shop.data_dir, [gone]).values() for path in places} == {
        "state.sqlite"
    }
    assert found_in(shop.data_dir, ["anna-review-11"]) == {}
    said = run_plain(shop, THIRD)
    assert (said["n_documents"], said["model_calls"]) == (156, 0)
    assert {"xqz00one", ANNA} == set(found_in(shop.data_dir, ["xqz00one", ANNA]))


@pytest.mark.slow
def test_a_document_that_another_has_taken_over_stays_theirs(three_nights, tmp_path):
    shop, anna = three_nights
    shop = shop.copy(tmp_path / "shop")
    given = {**anna.reviews[3], "user": "user-03", "body": "The lamp is mine now and it shines quite well."}
    reviews = read_lines(shop.folder / "reviews.jsonl")
    write_lines(shop.folder / "reviews.jsonl", [given if r["id"] == given["id"] else r for r in reviews])
    run_plain(shop, THIRD)
    assert erase(shop, "--user", ANNA) == 0
    hers = [
        needle for needle in anna.needles if needle not in (given["id"], document_id("reviews", given["id"]))
    ]
    assert found_in(shop.data_dir, hers) == {}
    said = run_plain(shop, THIRD)
    assert (said["n_documents"], said["n_new"], said["model_calls"]) == (146, 0, 0)
    kept = published(shop, "document").filter(pl.col("source_id") == given["id"])
    assert kept["text"].to_list() == [given["body"]]


def test_an_unknown_document_id_and_an_empty_store_are_one_clear_line(three_nights, tmp_path, capsys):
    shop, _ = three_nights
    assert erase(shop, "--document", "anna-review-11") == 1
    assert "is no document id" in capsys.readouterr().err
    other, _ = plant_store(tmp_path / "other")
    assert erase(other, "--user", ANNA) == 1
    assert "nothing was ever read" in capsys.readouterr().err
    assert not other.data_dir.exists()


def test_the_lake_is_left_as_if_she_had_never_been_there(swept, tmp_path):
    shop, _ = plant_store(tmp_path / "shop")
    for name in ("reviews", "orders", "users"):
        rows = read_lines(shop.folder / f"{name}.jsonl")
        write_lines(shop.folder / f"{name}.jsonl", [row for row in rows if row["user"] != ANNA])
    for nth in range(3):
        run_plain(shop, FIRST + timedelta(days=nth))
    never, left = lake_rows(shop), lake_rows(swept.shop)
    for stage in ("document", "user", "interaction", "item", "clean", "sentence", "embedding", "sentiment"):
        assert left[stage].keys() == never[stage].keys(), stage


def test_a_head_that_cannot_be_fitted_without_her_goes_and_the_next_night_fits_another(
    three_nights, tmp_path
):
    shop, _ = three_nights
    shop = shop.copy(tmp_path / "shop")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("flows.people_erasing.can_fit", lambda *_: False)
        assert erase(shop, "--user", ANNA) == 0
    assert shop.store.lake.recipes("sentiment_head") == []
    said = run_plain(shop, THIRD)
    assert said["model_calls"] == 0
    switched = published(shop, "quality").filter(pl.col("metric") == "sentiment_switched")
    assert switched.select("value", "about").row(0) == (1.0, "head")


def test_the_name_of_the_erased_stays_redacted_in_what_others_wrote(tmp_path):
    shop, _ = plant_store(tmp_path / "shop")
    shop.config.write_text(
        shop.config.read_text().replace('{ id = "user" }', '{ id = "user", name = "name" }')
    )
    users = [{"user": f"user-{n:02}", "name": None} for n in range(24)]
    write_lines(shop.folder / "users.jsonl", [*users, {"user": ANNA, "name": "Zoltana Quirkel"}])
    first, *rest = read_lines(shop.folder / "reviews.jsonl")
    naming = {**first, "body": "Thanks to Zoltana Quirkel the kettle works quite well again."}
    write_lines(shop.folder / "reviews.jsonl", [naming, *rest])
    run_plain(shop, FIRST)
    redacted = "Thanks to [name] the kettle works quite well again."
    assert redacted in published(shop, "document")["text"].to_list()
    assert erase(shop, "--user", ANNA) == 0
    said = run_plain(shop, FIRST)
    assert said["model_calls"] == 0
    assert redacted in published(shop, "document")["text"].to_list()
    assert found_in(shop.data_dir, ["Zoltana", "Quirkel"]) == {}
