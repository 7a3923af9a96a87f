"""Lists within nights: the ranker, what withholds lists, what stays of them, rules and reasons."""

from __future__ import annotations

import json
from contextlib import redirect_stdout
from datetime import UTC, datetime, timedelta
from functools import partial
from io import StringIO

import numpy as np
import polars as pl
import pytest
from conftest import Shop
from people_store import (
    ANNA,
    FIRST,
    THIRD,
    after_three_nights,
    plant_store,
    published,
    read_lines,
    run_plain,
    write_lines,
)

from flows import recommendations
from flows.cli import main
from flows.people_erasing import erase
from flows.recommendation_reasons import Praise, with_praise
from flows.recommendation_store import Known, new_items
from recommender.candidates import Catalogue
from recommender.events import read_events
from recommender.guard import AHEAD, NO_EVIDENCE, NO_WORSE, WORSE, Check
from recommender.model import cut

FOURTH = THIRD + timedelta(days=1)

pytestmark = pytest.mark.usefixtures("stub_embedder")


@pytest.fixture(scope="module")
def three_nights(tmp_path_factory):
    return after_three_nights(tmp_path_factory.mktemp("lists") / "shop")


@pytest.fixture
def shop(three_nights, tmp_path) -> Shop:
    return three_nights[0].copy(tmp_path / "shop")


def set_recommendations(shop: Shop, lines: str) -> None:
    shop.config.write_text(f"{shop.config.read_text()}\n[recommendations]\n{lines}\n")


def measured(shop: Shop) -> dict[str, float | None]:
    rows = published(shop, "quality")
    return dict(zip(rows["metric"], rows["value"], strict=True))


def said_of(shop: Shop, user: str | None = None) -> list[dict]:
    """Lists as `show` tells them."""
    out = StringIO()
    whose = [] if user is None else ["--user", user]
    with redirect_stdout(out):
        assert main(["show", "recommendations", *whose, "--json", "--config", str(shop.config)]) == 0
    return json.loads(out.getvalue())


def withhold(monkeypatch: pytest.MonkeyPatch) -> None:
    """From here on lists lose to what is popular."""
    lost = Check(WORSE, 240, 7.0, 0.01, 0.03, -0.02, -0.03, -0.01, 0.0)
    monkeypatch.setattr(recommendations, "check_lists", lambda *_, **__: lost)
    monkeypatch.setattr(recommendations, "last_window", lambda events, now, _: cut(events, now - 1, now))


def test_few_customers_are_published_as_not_enough_evidence(shop: Shop) -> None:
    check = published(shop, "recommendation_check").row(0, named=True)
    assert (check["verdict"], check["ahead"], check["ranker_fitted_on"]) == (NO_EVIDENCE, None, None)
    assert check["made_on"] == THIRD
    told = published(shop, "quality").filter(metric="recommendation_ahead").row(0, named=True)
    assert told["value"] is None
    assert told["about"].startswith("not enough evidence")
    assert set(published(shop, "recommendation")["made_on"]) == {THIRD}
    said = run_plain(shop, FOURTH)
    assert said["lists"] == (
        "Lists for 26 customers; not enough evidence whether they beat popular items: "
        "0 customers to foresee, 200 needed."
    )


def test_documents_alone_are_published_without_lists(tmp_path) -> None:
    shop = Shop(tmp_path)
    columns = 'columns = { id = "id", text = "text", created_at = "at" }'
    source = (
        f'[[sources]]\nname = "notes"\nkind = "documents"\npath = "notes.jsonl"\nlanguage = "en"\n{columns}\n'
    )
    shop.config.write_text(f'[store]\ndata_dir = "data"\n{source}')
    note = {"id": "n1", "text": "This tent keeps heavy rain outside.", "at": f"{FIRST}T09:00:00Z"}
    (tmp_path / "notes.jsonl").write_text(json.dumps(note) + "\n")
    assert (
        run_plain(shop, FIRST)["lists"]
        == "No lists: no source that grants recommending tells of customers and items."
    )
    assert published(shop, "recommendation").is_empty()


def test_how_far_lists_are_ahead_is_said(shop: Shop, monkeypatch) -> None:
    found = Check(AHEAD, 240, 7.0, 0.05, 0.03, 0.02, 0.01, 0.03, 0.001)
    monkeypatch.setattr(recommendations, "check_lists", lambda *_, **__: found)
    monkeypatch.setattr(recommendations, "last_window", lambda events, now, _: cut(events, now - 1, now))
    said = run_plain(shop, FOURTH)
    assert (
        "ahead of popular items in NDCG@10 by 0.0200 (0.0100 to 0.0300) on the last 7 days." in said["lists"]
    )
    assert said["degraded"] == []
    assert measured(shop)["recommendation_rules_price"] == 0.001


def test_lists_that_lose_are_withheld_and_the_last_good_ones_stay(shop: Shop, monkeypatch) -> None:
    good = published(shop, "recommendation")
    withhold(monkeypatch)
    said = run_plain(shop, FOURTH)
    assert [line for line in said["degraded"] if "in their place are those of 2026-06-03" in line]
    stays = published(shop, "recommendation")
    assert stays.drop("recipe").equals(good.drop("recipe"))
    assert set(stays["made_on"]) == {THIRD}
    assert said["lists"] == "Lists for 26 customers, those of 2026-06-03: tonight's own are withheld."
    told = measured(shop)
    assert (told["recommendation_withheld"], told["recommendation_churn"]) == (1.0, 0.0)
    assert told["recommendation_high"] == -0.01


def test_what_stays_keeps_nobody_who_objects_and_nothing_had_or_excluded(shop: Shop, monkeypatch) -> None:
    good = published(shop, "recommendation").filter(pl.col("user_id") != ANNA)
    one = good.filter(pl.col("rank") == 1).row(0, named=True)
    other = good.filter(pl.col("user_id") != one["user_id"], pl.col("item_id") != one["item_id"])
    excluded = other["item_id"][0]
    assert main(["object", "--config", str(shop.config), "--user", ANNA]) == 0
    orders = read_lines(shop.folder / "orders.jsonl")
    at = datetime(FOURTH.year, FOURTH.month, FOURTH.day, 9, tzinfo=UTC).isoformat()
    bought = {"user": one["user_id"], "item": one["item_id"], "at": at}
    write_lines(shop.folder / "orders.jsonl", [*orders, bought])
    set_recommendations(shop, f'exclude = ["{excluded}"]')
    withhold(monkeypatch)
    run_plain(shop, FOURTH)
    stays = published(shop, "recommendation")
    assert ANNA not in set(stays["user_id"])
    assert ANNA not in set(published(shop, "recommendation_candidate")["user_id"])
    assert excluded not in set(stays["item_id"])
    assert not stays.filter(user_id=one["user_id"], item_id=one["item_id"]).height
    for _, ranks in stays.group_by("user_id", maintain_order=True):
        assert ranks["rank"].to_list() == list(range(1, ranks.height + 1))
    evidence = published(shop, "recommendation_evidence")
    assert evidence.join(stays, on=["user_id", "rank"], how="anti").is_empty()


def test_with_no_good_lists_before_popular_items_are_listed(tmp_path, monkeypatch) -> None:
    shop, _ = plant_store(tmp_path / "new")
    withhold(monkeypatch)
    said = run_plain(shop, FIRST)
    assert any("in their place are popular items alone" in line for line in said["degraded"])
    listed = published(shop, "recommendation")
    assert set(listed["method"]) == {"popular"}
    assert published(shop, "recommendation_evidence").is_empty()


def test_excluded_items_and_variants_are_on_no_list_and_the_log_says_so(shop: Shop) -> None:
    first = published(shop, "recommendation").filter(pl.col("rank") == 1)
    excluded = first["item_id"][0]
    set_recommendations(shop, f'exclude = ["{excluded}"]\ndiversity = 0.0')
    items = read_lines(shop.folder / "items.jsonl")
    write_lines(shop.folder / "items.jsonl", [*items, {"item": "fork-xl", "title": "A good fork XL"}])
    run_plain(shop, FOURTH)
    listed = published(shop, "recommendation")
    assert excluded not in set(listed["item_id"])
    log = published(shop, "rule_log")
    told = log.filter(item_id=excluded)
    assert set(told["rule"]) == {"excluded"}
    assert set(first.filter(item_id=excluded)["user_id"]) <= set(told["user_id"])
    both = listed.filter(pl.col("item_id").is_in(["fork", "fork-xl"]))
    assert both.height > 0
    assert both["user_id"].n_unique() == both.height


def test_candidates_are_kept_for_ranking_again(shop: Shop) -> None:
    kept, listed = published(shop, "recommendation_candidate"), published(shop, "recommendation")
    assert listed.join(kept, on=["user_id", "item_id"], how="anti").is_empty()
    falls = kept.select((pl.col("score").diff().over("user_id") <= 1e-6).all()).item()
    assert falls


def test_an_item_that_is_gone_is_on_no_list(shop: Shop) -> None:
    config = shop.config.read_text()
    gone = published(shop, "recommendation")["item_id"].mode()[0]
    assert 'path = "items.jsonl"' in config
    shop.config.write_text(config.replace('path = "items.jsonl"', 'path = "items.jsonl"\nabsent = "delete"'))
    items = [item for item in read_lines(shop.folder / "items.jsonl") if item["item"] != gone]
    write_lines(shop.folder / "items.jsonl", items)
    run_plain(shop, FOURTH)
    assert gone not in set(published(shop, "recommendation")["item_id"])


def test_reasons_name_the_customers_own_events(shop: Shop) -> None:
    evidence = published(shop, "recommendation_evidence")
    done = published(shop, "interaction")
    assert evidence.height > 0
    named = evidence.join(done, on="interaction_id", how="left", suffix="_of_event")
    assert (named["user_id"] == named["user_id_of_event"]).all()
    assert (named["because_item_id"] == named["item_id"]).all()
    assert evidence["given"].is_between(0, 1.000001).all()
    shown = said_of(shop)
    assert all(row["title"] == f"A good {row['item_id']}" for row in shown)
    told = {(row["user_id"], row["rank"]): row for row in shown if row["evidence"]}
    assert set(told) == set(evidence.select("user_id", "rank").iter_rows())
    for user, rank, item in evidence.select("user_id", "rank", "because_item_id").iter_rows():
        assert f"A good {item}" in told[user, rank]["because"]
    assert said_of(shop, "nobody") == []


def test_an_item_is_new_for_some_days_after_it_came_or_was_first_taken() -> None:
    items = ["old", "taken lately", "came lately", "never taken", "came, taken long ago", "of the future"]
    day = datetime(2026, 1, 1, tzinfo=UTC)
    taken = {"old": 1, "taken lately": 95, "came, taken long ago": 5, "of the future": 120}
    frame = pl.DataFrame(
        [("ann", item, day + timedelta(days=n), None) for item, n in taken.items()],
        schema={
            "user_id": pl.String,
            "item_id": pl.String,
            "created_at": pl.Datetime("us", "UTC"),
            "rating_share": pl.Float64,
        },
        orient="row",
    )
    events = read_events(frame, items)
    first = day.timestamp() / 86_400
    arrived = np.array([np.nan, np.nan, first + 90, np.nan, first + 90, np.nan])
    nothing = np.zeros(len(items), dtype=bool)
    known = Known(
        frame, events, partial(cut, events), Catalogue([""] * 6), np.arange(6), nothing, arrived, first + 100
    )
    is_new = new_items(known, events, known.now, 30)
    assert [item for item, new in zip(items, is_new, strict=True) if new] == ["taken lately", "came lately"]


# ---- the ranker: kept from night to night, fitted anew on schedule, gone with a person


class _Ranker:
    """Stands for a ranker that learned: what is popular first."""

    def __init__(self, feature_names: tuple[str, ...]) -> None:
        self.feature_names = feature_names

    def sums(self, features: np.ndarray) -> np.ndarray:
        return features[:, self.feature_names.index("popular: all days")].astype(np.float64)

    def scores(self, features: np.ndarray) -> np.ndarray:
        return self.sums(features) / 100

    def contributions(self, features: np.ndarray) -> np.ndarray:
        told = np.zeros(features.shape)
        told[:, self.feature_names.index("popular: all days")] = self.sums(features)
        return told

    def to_text(self) -> str:
        return json.dumps(self.feature_names)


@pytest.fixture
def learns(monkeypatch) -> list[float]:
    """Every fit of a ranker: until when it learned."""
    fits: list[float] = []

    def learn(events, fit, *, seed, cut_at):
        fits.append(float(np.nanmax(events.time)))
        return _Ranker(tuple(fit(events, fits[-1] + 1).feature_names))

    monkeypatch.setattr(recommendations, "learn_ranker", learn)
    monkeypatch.setattr(recommendations.Ranker, "from_text", lambda text: _Ranker(tuple(json.loads(text))))
    return fits


@pytest.mark.slow
def test_a_ranker_is_kept_until_its_time_is_up(shop: Shop, learns: list[float]) -> None:
    set_recommendations(shop, "refit_every_days = 2")
    for nth in range(4):
        run_plain(shop, FOURTH + timedelta(days=nth))
        check = published(shop, "recommendation_check").row(0, named=True)
        assert check["ranker_fitted_on"] == FOURTH + timedelta(days=nth - nth % 2)
        assert measured(shop)["ranker_switched"] == float(nth % 2 == 0)
    assert len(learns) == 2


def test_a_ranker_that_knows_the_days_held_out_is_fitted_anew(shop: Shop, learns, monkeypatch) -> None:
    said = Check(NO_WORSE, 240, 1.0, 0.03, 0.03, 0.0, -0.01, 0.01, 0.0)
    monkeypatch.setattr(recommendations, "check_lists", lambda *_, **__: said)
    days = iter([5, 5, 6, 9])
    monkeypatch.setattr(
        recommendations, "last_window", lambda events, now, _: cut(events, now - next(days), now)
    )
    for nth in range(3):
        run_plain(shop, FOURTH + timedelta(days=3 + nth))
    assert len(learns) == 1, "a window that goes on with the days is after what the ranker knows"
    run_plain(shop, FOURTH + timedelta(days=6))
    assert len(learns) == 2


def test_an_erasure_takes_the_ranker_along(shop: Shop, learns: list[float]) -> None:
    from analytics.settings import load_settings

    run_plain(shop, FOURTH)
    recipes = shop.store.lake.recipes("ranker")
    assert len(recipes) == 1
    erase(load_settings(shop.config), who="test", user_id=ANNA)
    assert shop.store.lake.recipes("ranker") == []
    run_plain(shop, FOURTH + timedelta(days=1))
    assert len(learns) == 2


def test_the_same_night_again_uses_the_ranker_it_fitted(shop: Shop, learns, monkeypatch) -> None:
    from analytics.errors import NotPublished

    def fail(*_):
        raise NotPublished("the lights went out")

    with monkeypatch.context() as broken:
        broken.setattr("flows.publish.write_generation", fail)
        with pytest.raises(NotPublished):
            run_plain(shop, FOURTH)
    run_plain(shop, FOURTH)
    assert len(learns) == 1


# ---- insights as reasons


def test_praise_is_told_where_both_items_are_praised_for_the_same() -> None:
    evidence = pl.DataFrame(
        {
            "user_id": ["ann", "ann", "ben", "eve"],
            "rank": [1, 2, 1, 1],
            "nth": [1, 1, 1, 1],
            "because_item_id": ["lamp", "tent", "lamp", "lamp"],
        }
    )
    listed = pl.DataFrame(
        {
            "user_id": ["ann", "ann", "ben", "eve"],
            "rank": [1, 2, 1, 1],
            "item_id": ["torch", "torch", "torch", "torch"],
        }
    )
    interactions = pl.DataFrame({"user_id": ["ann", "ben", "eve"], "author_key": ["a", "b", None]})
    by_item = pl.DataFrame(
        {
            "item_id": ["torch", "torch", "torch"],
            "theme_id": ["battery", "light", "price"],
            "n_authors": [9, 7, 20],
        }
    )
    own = pl.DataFrame(
        {
            "author_key": ["a", "a", "a", "b"],
            "item_id": ["lamp", "lamp", "kettle", "lamp"],
            "theme_id": ["battery", "light", "price", "colour"],
            "opinion_id": ["o1", "o2", "o3", "o4"],
        }
    )
    told = with_praise(evidence, listed, interactions, Praise(by_item, own))
    assert told["theme_id"].to_list() == ["battery", None, None, None]
    assert told["opinion_id"].to_list() == ["o1", None, None, None]


@pytest.mark.parametrize(("uses", "is_told"), [("", True), ('uses = ["insight", "recommend"]', False)])
def test_what_a_customer_praised_is_told_back_where_it_may_be(shop: Shop, uses: str, is_told: bool) -> None:
    """Eight customers say of a tarp what others said of the tent; those others are recommended the tarp."""
    reviews, orders = read_lines(shop.folder / "reviews.jsonl"), read_lines(shop.folder / "orders.jsonl")
    praise = next(review["body"] for review in reviews if review["item"] == "tent")
    at = f"{FOURTH.isoformat()}T09:00:00Z"
    who = sorted({order["user"] for order in orders if order["item"] == "tent"} - {ANNA})[:8]
    said = [
        {"id": f"t-{user}", "user": user, "at": at, "body": praise, "item": "tarp", "stars": 5}
        for user in who
    ]
    write_lines(shop.folder / "reviews.jsonl", [*reviews, *said])
    write_lines(
        shop.folder / "orders.jsonl", [*orders, *({"user": user, "item": "tarp", "at": at} for user in who)]
    )
    config = shop.config.read_text()
    shop.config.write_text(config.replace('path = "reviews.jsonl"', f'path = "reviews.jsonl"\n{uses}'))
    run_plain(shop, FOURTH)
    evidence = published(shop, "recommendation_evidence").join(
        published(shop, "recommendation"), on=["user_id", "rank"]
    )
    told = evidence.filter(pl.col("theme_id").is_not_null())
    assert (told.height > 0) == is_told
    shown = said_of(shop, told["user_id"][0] if is_told else None)
    assert any("reviewers praise “" in row["because"] for row in shown if row["because"]) == is_told
    if is_told:
        assert set(told["item_id"]) == {"tarp"}
        assert set(told["because_item_id"]) == {"tent"}
        opinions = told.join(published(shop, "opinion"), on="opinion_id")
        assert opinions.height == told.height
        wrote = opinions.join(published(shop, "document"), on="document_id")
        assert set(wrote["item_id_right"]) == {"tent"}
