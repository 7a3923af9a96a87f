"""People's rights within nights: objecting, keeping no longer than is allowed, uses of a source."""

from __future__ import annotations

import json
from datetime import UTC, date, datetime, timedelta

import polars as pl
import pytest
from conftest import Shop
from people_store import (
    ANNA,
    THIRD,
    after_three_nights,
    found_in,
    published,
    run_plain,
    write_lines,
)

from analytics.settings import SourceSettings, load_settings
from analytics.store.pointer import read_pointer
from analytics.tables import UTC_TIME
from flows.cli import main
from flows.ingest import admit_rows
from flows.night import Handle, past_night, read_manifest_rows
from flows.people import is_expired
from flows.steps import rated_documents

pytestmark = pytest.mark.usefixtures("stub_embedder")


@pytest.fixture(scope="module")
def three_nights(tmp_path_factory):
    """A shop after three nights, and what is Anna's; to be copied, never changed."""
    return after_three_nights(tmp_path_factory.mktemp("people") / "shop")


def popular_for_the_idle(shop: Shop) -> set[str]:
    """What the customer without a history is recommended: all that anybody who may be counted took."""
    lists = published(shop, "recommendation")
    return set(lists.filter(pl.col("user_id") == "user-24")["item_id"])


def test_who_objects_has_no_list_and_is_in_no_training_until_they_withdraw(three_nights, tmp_path, capsys):
    shop, _ = three_nights
    shop = shop.copy(tmp_path / "shop")
    listed = set(published(shop, "recommendation")["user_id"])
    assert "spoon" in popular_for_the_idle(shop)
    objection = ["object", "--config", str(shop.config), "--user", ANNA]
    assert ANNA in listed
    assert main(objection) == 0
    assert published(shop, "recommendation").filter(pl.col("user_id") == ANNA).height
    run_plain(shop, THIRD)
    assert set(published(shop, "recommendation")["user_id"]) == listed - {ANNA}
    assert ANNA not in set(published(shop, "recommendation_evidence")["user_id"])
    assert popular_for_the_idle(shop) == {"kettle", "tent", "lamp", "knife"}
    assert ANNA in set(published(shop, "user")["user_id"])
    capsys.readouterr()
    assert main([*objection, "--withdraw"]) == 0
    run_plain(shop, THIRD)
    assert set(published(shop, "recommendation")["user_id"]) == listed
    capsys.readouterr()
    assert main(["object", "--config", str(shop.config), "--log", "--json"]) == 0
    log = json.loads(capsys.readouterr().out)
    assert [entry["kind"] for entry in log] == ["objection", "objection_withdrawn"]
    assert ANNA not in json.dumps(log)


def test_what_is_too_old_is_erased_at_the_start_of_a_night_and_stays_out(three_nights, tmp_path):
    shop, anna = three_nights
    shop = shop.copy(tmp_path / "shop")
    config = shop.config.read_text().replace(
        'path = "reviews.jsonl"', 'path = "reviews.jsonl"\nretention_days = 2'
    )
    shop.config.write_text(config)
    assert run_plain(shop, THIRD)["n_documents"] == 157
    said = run_plain(shop, THIRD + timedelta(days=1))
    assert (said["n_documents"], said["n_new"], said["model_calls"]) == (104, 0, 0)
    assert published(shop, "document")["day"].min() == date(2026, 6, 2)
    first_day = [word for word in anna.needles if word in ("xqz00one", "xqzearlier", anna.document_ids[3])]
    places = {path.split("/")[0] for where in found_in(shop.data_dir, first_day).values() for path in where}
    assert places == {"published"}  # of earlier nights, until they are pruned
    active = read_pointer(shop.data_dir / "published").active.generation
    assert found_in(shop.data_dir / "published" / active, first_day) == {}
    assert not shop.store.state.buried()[1]


def test_a_row_is_kept_for_as_many_local_days_as_its_source_says():
    source = SourceSettings.model_validate(
        {
            "name": "reviews",
            "kind": "documents",
            "path": "r.csv",
            "retention_days": 30,
            "columns": {"id": "i", "text": "t"},
        }
    )
    moments = {
        "thirty days": datetime(2026, 5, 31, 22, 30, tzinfo=UTC),  # 1 June in Berlin
        "thirty-one days": datetime(2026, 5, 31, 21, 30, tzinfo=UTC),
        "undated": None,
    }
    rows = pl.DataFrame(
        {"id": list(moments), "author_key": [None] * 3, "created_at": list(moments.values())},
        schema_overrides={"author_key": pl.String, "created_at": UTC_TIME},
    )
    night = date(2026, 7, 1)
    for zone, kept in (("Europe/Berlin", ["thirty days", "undated"]), ("UTC", ["undated"])):
        expired = is_expired(source, night, zone)
        left, _, _, n_expired = admit_rows(rows, night, zone, (set(), set()), expired)
        assert (left["id"].to_list(), n_expired) == (kept, 3 - len(kept))
    unlimited = source.model_copy(update={"retention_days": None})
    assert not rows.select(is_expired(unlimited, night, "UTC")).to_series().any()


def test_a_source_that_does_not_grant_recommending_reaches_no_list(three_nights, tmp_path):
    shop, _ = three_nights
    shop = shop.copy(tmp_path / "shop")
    shop.config.write_text(
        shop.config.read_text().replace('path = "orders.jsonl"', 'path = "orders.jsonl"\nuses = ["insight"]')
    )
    write_lines(shop.folder / "users.jsonl", [{"user": "user-00"}])
    run_plain(shop, THIRD)
    lists = published(shop, "recommendation")
    assert set(lists["method"]) <= {"popular"}
    assert published(shop, "recommendation_evidence").is_empty()


def test_who_objects_teaches_no_sentiment_head(three_nights, tmp_path):
    shop, anna = three_nights
    shop = shop.copy(tmp_path / "shop")
    settings = load_settings(shop.config)

    def taught() -> set[str]:
        night = past_night(settings, read_pointer(shop.data_dir / "published").active.generation)
        recipes = read_manifest_rows(night, night.made_by)
        stages = ("clean", "sentence", "embedding")
        documents, _ = rated_documents(night, *(Handle(s, recipes[s]["recipe"], "", 0) for s in stages))
        return set(documents["document_id"])

    assert set(anna.document_ids) <= taught()
    assert main(["object", "--config", str(shop.config), "--user", ANNA]) == 0
    run_plain(shop, THIRD)
    left = taught()
    assert left
    assert not left & set(anna.document_ids)
