"""From a decision to whether what was done worked: the commands, and the nights that follow."""

from __future__ import annotations

import json
from datetime import date, timedelta

import polars as pl
import pytest
from conftest import Shop
from people_store import SETTINGS, StubEmbedder, published, run_plain, write_lines

from analytics.settings import load_settings
from analytics.store.generation import digests
from analytics.store.pointer import read_pointer
from analytics.store.read import open_published
from analytics.store.state import DECISION_ACTS
from flows import decision_desk
from flows.cli import main
from flows.publish import rebuild
from flows.verdicts import _covered

DONE_ON = date(2026, 6, 1)
LISTED, JUDGED = DONE_ON - timedelta(days=1), DONE_ON + timedelta(days=27)
TODAY = JUDGED + timedelta(days=1)
BEFORE, AFTER, EACH = 8, 4, 8
"""Weeks, and how many speak of each thing in a week."""
LID, TENT, KNIFE = (
    ("The lid leaks hot water badly", 1),
    ("This tent keeps heavy rain outside perfectly", 5),
    ("A sharp knife that cuts bread beautifully", 5),
)
SAID = {"kettle": LID, "pot": LID, "tent": TENT, "knife": KNIFE}
BESIDES = ("pot", KNIFE)
"""What others say of the pot, so that the lid's effect is told from the pot's own rating."""


def plant(folder) -> Shop:
    """Twelve weeks in which the kettle's lid leaks until it is mended, and more kettles are then bought."""
    folder.mkdir(parents=True)
    shop = Shop(folder)
    shop.config.write_text(SETTINGS)
    reviews, orders = [], []
    for week in range(BEFORE + AFTER):
        for nth in range(EACH):
            day = DONE_ON + timedelta(days=7 * (week - BEFORE) + nth % 7)
            for who, item, (words, stars) in [*((item, item, said) for item, said in SAID.items()),
                                              ("spare", *BESIDES)]:  # fmt: skip
                at, user = f"{day}T09:00:00Z", f"{who}-{week}-{nth}"
                n_orders = 4 if item == "kettle" and week >= BEFORE else 1
                for more in range(n_orders):
                    orders.append({"user": f"{user}-{more}", "item": item, "at": at})
                if not (item == "kettle" and week >= BEFORE):
                    body = f"{words} number{nth}. Bought it in week{week % 5} for my garden."
                    row = {"id": user, "user": user, "at": at, "body": body, "item": item, "stars": stars}
                    reviews.append(row)
    write_lines(folder / "reviews.jsonl", reviews)
    write_lines(folder / "orders.jsonl", orders)
    write_lines(folder / "users.jsonl", [{"user": "pot-0-0"}])
    write_lines(folder / "items.jsonl", [{"item": item, "title": f"A good {item}"} for item in SAID])
    return shop


@pytest.fixture(scope="module", autouse=True)
def stubs():
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("flows.steps.load_embedder", lambda *_: StubEmbedder())
        patch.setattr("flows.decision_desk.local_today", lambda _: TODAY)
        yield


@pytest.fixture(scope="module")
def first_night(tmp_path_factory):
    shop = plant(tmp_path_factory.mktemp("decisions") / "shop")
    run_plain(shop, LISTED)
    return shop


@pytest.fixture
def shop(first_night, tmp_path) -> Shop:
    return first_night.copy(tmp_path / "shop")


def decide(shop: Shop, *words: str) -> int:
    return main(["decision", *words, "--config", str(shop.config)])


def the_fix(shop: Shop) -> dict:
    """The decision about the lids."""
    return published(shop, "decision").filter(pl.col("kind") == "fix").row(0, named=True)


def verdict(shop: Shop) -> dict:
    return published(shop, "verdict").row(0, named=True)


def told_of(kind: str, subject: str):
    """Decisions as they are listed, each told of one item."""
    real = decision_desk.decisions_listed

    def listed(night):
        return real(night).with_columns(
            kind=pl.lit(kind), subject_kind=pl.lit("item"), subject=pl.lit(subject)
        )

    return listed


def test_what_was_done_is_judged_by_the_nights_that_follow(shop, capsys):
    fix = the_fix(shop)
    assert decide(shop, "done", str(fix["rank"]), "--on", str(DONE_ON)) == 0
    assert "nightloom show verdicts" in capsys.readouterr().out
    assert published(shop, "verdict").is_empty(), "the night that is published began before"
    run_plain(shop, JUDGED)
    row = verdict(shop)
    assert (row["decision_id"], row["kind"], row["theme_id"]) == (fix["decision_id"], "fix", fix["theme_id"])
    assert (row["verdict"], row["compared_with"], row["done_on"]) == ("worked", "other themes", DONE_ON)
    n_before, n_after = 2 * EACH * BEFORE, EACH * AFTER
    assert (row["n_before"], row["n_after"]) == (n_before, n_after)
    # The other themes: tents, knives twice, and the garden that everybody bought it for.
    others_before, others_after = (3 + 5) * EACH * BEFORE, (3 + 4) * EACH * AFTER
    change = (n_after + 0.5) / (n_before + 0.5)
    assert row["ratio"] == pytest.approx(change / ((others_after + 0.5) / (others_before + 0.5)), abs=0.005)
    assert row["ratio_low"] < row["ratio"] < row["ratio_high"] < 1
    assert row["sentence"].startswith("Worked: mentions of “")
    assert main(["show", "verdicts", "--config", str(shop.config)]) == 0
    assert row["sentence"] in capsys.readouterr().out
    opened = open_published(shop.data_dir)
    rates = opened.query("SELECT kind, n_judged, n_worked, worked_share FROM hit_rate").rows()
    opened.close()
    assert rates == [("all", 1, 1, 1.0), ("fix", 1, 1, 1.0)]


def test_an_item_is_held_against_the_items_that_nobody_touched(shop, monkeypatch):
    decide(shop, "done", the_fix(shop)["decision_id"][:8], "--on", str(DONE_ON))
    monkeypatch.setattr("flows.verdicts.decisions_listed", told_of("fix", "kettle"))
    run_plain(shop, JUDGED)
    row = verdict(shop)
    # Nobody writes of the kettle any more: what is counted in people who write says nothing there.
    assert (row["verdict"], row["compared_with"], row["ratio"]) == ("too early", "other items", None)
    shop.config.write_text(shop.config.read_text() + '\n[trends]\norder_kinds = ["order"]\n')
    write_lines(
        shop.folder / "orders.jsonl",
        [
            {**json.loads(line), "kind": "order"}
            for line in (shop.folder / "orders.jsonl").read_text().splitlines()
        ],
    )
    config = shop.config.read_text().replace('{ user = "user", item', '{ kind = "kind", user = "user", item')
    shop.config.write_text(config)
    run_plain(shop, JUDGED)
    row = verdict(shop)
    assert (row["verdict"], row["compared_with"]) == ("worked", "other items")
    assert (row["n_before"], row["n_after"]) == (EACH * BEFORE, 0)
    assert "on A good kettle fell by" in row["sentence"]
    assert "held against other items" in row["sentence"]


def test_what_is_promoted_is_judged_by_its_orders(shop, monkeypatch):
    decide(shop, "done", the_fix(shop)["decision_id"], "--on", str(DONE_ON))
    monkeypatch.setattr("flows.verdicts.decisions_listed", told_of("promote", "kettle"))
    run_plain(shop, JUDGED)
    row = verdict(shop)
    assert (row["verdict"], row["compared_with"], row["theme_id"]) == ("worked", "other items", None)
    assert (row["n_before"], row["n_after"]) == (EACH * BEFORE, 4 * EACH * AFTER)
    assert row["ratio"] == pytest.approx(4.0, rel=0.02)
    assert "orders of A good kettle rose by" in row["sentence"]


@pytest.mark.slow
def test_a_night_is_rebuilt_as_it_was_whatever_people_say_later_and_after_an_erasure(shop):
    decide(shop, "done", the_fix(shop)["decision_id"], "--on", str(DONE_ON))
    run_plain(shop, JUDGED)
    decide(shop, "undo", the_fix(shop)["decision_id"])
    folder = shop.data_dir / "published"
    settings = load_settings(shop.config)
    active = read_pointer(folder).active.generation
    rebuild(settings, active, shop.folder / "again")
    assert digests(shop.folder / "again") == digests(folder / active)
    assert main(["erase", "--config", str(shop.config), "--user", "pot-3-4"]) == 0
    active = read_pointer(folder).active.generation
    assert digests(folder / active)["verdict"] == digests(shop.folder / "again")["verdict"]
    for name in ("erased", "once-more"):
        rebuild(settings, active, shop.folder / name)
    assert digests(shop.folder / "erased") == digests(shop.folder / "once-more")
    run_plain(shop, JUDGED)
    assert published(shop, "verdict").is_empty(), "what was taken back is judged no more"


def test_the_commands_say_what_was_recorded_and_what_follows(shop, capsys):
    fix = the_fix(shop)
    short = fix["decision_id"][:8]
    for words, says in (
        (
            ("accept", "--reason", "call bo@example.org", short),
            "taken on; once it is done: nightloom decision",
        ),
        (("assign", short, "team  kettles"), "with team kettles; "),
        (
            ("later", short, "--until", str(TODAY + timedelta(days=3))),
            "not now; it is open again on 2026-07-02",
        ),
        (("later", short), f"not now; until: nightloom decision undo {short}"),
        (("wrong", short), "called wrong; from the next night on, decisions to fix rank a little lower"),
        (("undo", short), "no longer wrong; "),
        (("done", short), f"done on {TODAY}; "),
    ):
        assert decide(shop, *words) == 0
        out = capsys.readouterr().out
        assert out.startswith(f"{short}  {fix['sentence']}\n")
        assert says in out
    entries = shop.store.state.log(DECISION_ACTS)
    assert entries[0]["reason"] == "call [email]"
    assert all(entry["subject"] == fix["decision_id"] and entry["who"] for entry in entries)


def test_the_commands_say_what_is_wrong_in_one_line(shop, capsys):
    short = the_fix(shop)["decision_id"][:8]
    for words, says in (
        (("accept", "99"), "has no decision 99"),
        (("accept", "zzzzzz"), "no decision that was ever listed"),
        (("done", short, "--on", str(LISTED - timedelta(days=1))), "the night that first listed"),
        (("done", short, "--on", str(TODAY + timedelta(days=1))), "after today"),
        (("later", short, "--until", str(TODAY)), "not after today"),
        (("undo", short), "left to take back"),
    ):
        assert decide(shop, *words) == 1
        err = capsys.readouterr().err
        assert says in err
        assert err.count("\n") == 1
    assert shop.store.state.log(DECISION_ACTS) == []


def test_json_has_the_decision_and_what_was_said(shop, capsys):
    fix = the_fix(shop)
    assert decide(shop, "done", "--json", fix["decision_id"]) == 0
    said = json.loads(capsys.readouterr().out)
    assert (said["decision_id"], said["done_on"], said["kind"]) == (fix["decision_id"], str(TODAY), "fix")


def test_figures_with_too_few_authors_behind_them_are_not_told():
    rows = pl.DataFrame(
        {
            "verdict": ["worked"] * 4,
            **{name: [0.123456] * 4 for name in ("ratio", "ratio_low", "ratio_high")},
            "n_before": [30, 30, 30, 3],
            "n_after": [8, 2, 0, 1],
            "n_authors_before": [25, 25, 25, 3],
            "n_authors_after": [7, 2, 0, 1],
        }
    )
    told = _covered(rows, 5)
    assert told["n_before"].to_list() == [30, 30, 30, None]
    assert told["n_after"].to_list() == [8, None, 0, None]
    assert told["ratio"].to_list() == [0.12, 0.12, 0.12, None]
    assert told["verdict"].to_list() == ["worked", "worked", "worked", "too early"]
