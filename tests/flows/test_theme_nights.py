"""Promise 6 through nights: what people say of themes survives, moves name their event, the log is enough."""

from __future__ import annotations

import json
from datetime import date, timedelta

import polars as pl
import pytest
from conftest import Shop
from people_store import FIRST, StubEmbedder, plant_store, published, read_lines, run_plain, write_lines

from analytics.insight.births import find_births
from analytics.settings import load_settings
from analytics.store.generation import digests
from analytics.store.pointer import read_pointer
from flows import themes as theme_step
from flows.cli import main
from flows.publish import rebuild
from flows.theme_growth import DOUBTED

SECOND, THIRD = FIRST + timedelta(days=1), FIRST + timedelta(days=2)

pytestmark = pytest.mark.usefixtures("stub_embedder")


@pytest.fixture(scope="module")
def first_night(tmp_path_factory):
    shop, _ = plant_store(tmp_path_factory.mktemp("themes") / "shop")
    run_plain(shop, FIRST)
    return shop


@pytest.fixture
def shop(first_night, tmp_path) -> Shop:
    return first_night.copy(tmp_path / "shop")


def theme(shop: Shop, *words: str, capsys=None) -> int:
    return main(["theme", *words, "--config", str(shop.config)])


def themes(shop: Shop) -> pl.DataFrame:
    return published(shop, "theme").filter(pl.col("level") == "theme").sort("n_opinions", descending=True)


def members(shop: Shop) -> dict[str, set[str]]:
    placed = published(shop, "opinion_theme").group_by("theme_id").agg("opinion_id")
    return {theme: set(opinions) for theme, opinions in placed.iter_rows()}


def events(shop: Shop, kind: str) -> pl.DataFrame:
    return published(shop, "theme_event").filter(pl.col("kind") == kind)


def two(shop: Shop) -> tuple[dict, dict]:
    """The two largest themes."""
    first, second, *_ = themes(shop).filter("is_shown").iter_rows(named=True)
    return first, second


def test_a_theme_that_is_renamed_keeps_its_id_members_and_name(shop, capsys):
    first, _ = two(shop)
    before = members(shop)[first["theme_id"]]
    assert theme(shop, "rename", first["name"], "Leaking lids of anna@example.org") == 0
    assert "the next night applies it" in capsys.readouterr().out
    for night in (SECOND, THIRD):
        run_plain(shop, night)
        row = themes(shop).filter(pl.col("theme_id") == first["theme_id"]).row(0, named=True)
        assert row["name"] == "Leaking lids of [email]"
        assert before <= members(shop)[first["theme_id"]]
    assert events(shop, "renamed")["as_of"].to_list() == [SECOND]


def test_what_was_under_a_merged_theme_is_under_its_survivor(shop):
    first, second = two(shop)
    before = members(shop)
    assert theme(shop, "merge", second["theme_id"][:10], "--into", first["name"]) == 0
    run_plain(shop, SECOND)
    after = members(shop)
    assert second["theme_id"] not in after
    assert before[first["theme_id"]] | before[second["theme_id"]] <= after[first["theme_id"]]
    row = themes(shop).filter(pl.col("theme_id") == second["theme_id"]).row(0, named=True)
    assert (row["status"], row["merged_into"], row["is_shown"]) == ("merged", first["theme_id"], False)
    assert second["theme_id"] not in set(published(shop, "decision")["theme_id"])


def test_a_split_theme_is_divided_by_the_next_night_and_every_move_names_its_event(shop):
    first, _ = two(shop)
    before = members(shop)[first["theme_id"]]
    assert theme(shop, "split", first["name"]) == 0
    run_plain(shop, SECOND)
    children = themes(shop).filter(pl.col("split_from") == first["theme_id"])
    assert children.height == 2
    assert children["name"].n_unique() == 2
    after = members(shop)
    assert before <= set.union(*(after[child] for child in children["theme_id"]))
    assert first["theme_id"] not in after
    moved = published(shop, "opinion_theme").filter(pl.col("cause") == "split")
    born = events(shop, "born").filter(pl.col("theme_id").is_in(children["theme_id"].implode()))
    assert set(moved["event_id"]) == set(born["event_id"])
    assert set(born["about"]) == {first["theme_id"]}
    run_plain(shop, THIRD)
    assert themes(shop).filter(pl.col("split_from") == first["theme_id"]).height == 2, "it is split once"


def test_a_retired_theme_is_not_shown_not_found_anew_and_comes_back(shop):
    first, _ = two(shop)
    assert theme(shop, "retire", first["name"]) == 0
    run_plain(shop, SECOND)
    hidden = themes(shop).filter(pl.col("theme_id") == first["theme_id"]).row(0, named=True)
    assert (hidden["status"], hidden["is_shown"]) == ("retired", False)
    n_held = len(members(shop)[first["theme_id"]])
    assert n_held > first["n_opinions"], "what came since is under it"
    assert theme(shop, "retire", "--undo", first["theme_id"]) == 0
    run_plain(shop, THIRD)
    assert len(members(shop)[first["theme_id"]]) >= n_held
    assert first["theme_id"] in set(themes(shop).filter("is_shown")["theme_id"])


def test_a_statement_goes_and_stays_where_a_person_says(shop):
    first, second = two(shop)
    placed = members(shop)
    one, other = sorted(placed[first["theme_id"]])[:2]
    assert theme(shop, "link", "--apart", one[:12], first["name"]) == 0
    assert theme(shop, "link", other[:12], second["name"]) == 0
    for night in (SECOND, THIRD):
        run_plain(shop, night)
        after = members(shop)
        assert one not in after[first["theme_id"]]
        assert other in after[second["theme_id"]]
    linked = published(shop, "opinion_theme").filter(pl.col("cause") == "linked")
    assert set(linked["event_id"]) <= set(events(shop, "linked")["event_id"])
    assert linked.height == 1


@pytest.mark.slow
def test_any_past_night_is_rebuilt_from_its_logs_after_people_changed_their_minds(shop):
    first, second = two(shop)
    theme(shop, "rename", first["name"], "Lids")
    run_plain(shop, SECOND)
    theme(shop, "merge", second["name"], "--into", "Lids")
    run_plain(shop, THIRD)
    theme(shop, "split", "Lids")
    run_plain(shop, THIRD + timedelta(days=1))
    folder = shop.data_dir / "published"
    for entry in read_pointer(folder).counting:
        again = shop.folder / f"again-{entry.generation}"
        rebuild(load_settings(shop.config), entry.generation, again)
        assert digests(again) == digests(folder / entry.generation)


def test_a_night_that_is_rolled_back_takes_its_split_along_and_the_next_does_it_anew(shop):
    from analytics.store.generation import roll_back

    first, _ = two(shop)
    theme(shop, "split", first["name"])
    run_plain(shop, SECOND)
    children = set(themes(shop).filter(pl.col("split_from") == first["theme_id"])["theme_id"])
    roll_back(shop.data_dir / "published")
    assert first["theme_id"] in members(shop)
    run_plain(shop, SECOND)
    anew = set(themes(shop).filter(pl.col("split_from") == first["theme_id"])["theme_id"])
    assert len(anew) == 2
    assert not anew & children, "a new run gives new ids"


def test_the_commands_say_what_is_wrong_in_one_line(shop, capsys):
    first, second = two(shop)
    for words, says in (
        (("rename", "no such theme", "x"), "no theme is called"),
        (("rename", first["name"], second["name"]), "already"),
        (("link", "nothing", first["name"]), "neither a published opinion nor a theme"),
        (("link", first["name"], second["name"]), "nightloom theme merge"),
        (("accept", "ffffff"), "no open proposal"),
    ):
        assert theme(shop, *words) == 1
        err = capsys.readouterr().err
        assert says in err
        assert err.count("\n") == 1


def test_the_events_are_shown_with_who_and_when(shop, capsys):
    first, _ = two(shop)
    theme(shop, "pin", first["name"])
    run_plain(shop, SECOND)
    capsys.readouterr()
    assert main(["show", "events", "--json", "--config", str(shop.config)]) == 0
    rows = json.loads(capsys.readouterr().out)
    pinned = [row for row in rows if row["kind"] == "pinned"]
    assert [(row["name"], row["as_of"], row["cause"]) for row in pinned] == [
        (first["name"], SECOND.isoformat(), "person")
    ]
    assert all(row["who"] for row in rows)


class OtherEmbedder(StubEmbedder):
    """Another model: vectors of another length, in other directions, that still tell the topics apart."""

    n_dims = 32


def test_another_model_anchors_every_theme_anew_and_moves_nothing(shop, monkeypatch):
    before = members(shop)
    monkeypatch.setattr("flows.steps.load_embedder", lambda *_: OtherEmbedder())
    shop.config.write_text(shop.config.read_text() + "\n[embedding]\nmax_tokens = 64\n")
    run_plain(shop, FIRST)
    after = members(shop)
    assert after.keys() == before.keys()
    assert all(opinions <= after[theme] for theme, opinions in before.items())
    anchored = events(shop, "anchored")
    assert set(anchored["theme_id"]) == set(before)
    assert (anchored["agreed_share"] > 0.8).all()
    assert set(anchored["cause"]) == {"embedding changed"}
    agreement = published(shop, "quality").filter(pl.col("metric") == "reanchor_agreement")
    assert 0.8 < agreement["value"].item() <= 1
    run_plain(shop, SECOND)
    assert events(shop, "anchored").height == anchored.height, "anchored once"
    assert len(members(shop)[max(before, key=lambda t: len(before[t]))]) > max(map(len, before.values()))


def say(shop: Shop, bodies: list[str], day: int = 1, user: str = "visitor") -> None:
    """Reviews by as many visitors, or by one."""
    at = (FIRST + timedelta(days=day)).isoformat() + "T08:00:00Z"
    new = [
        {"id": f"{user}-{n}", "user": f"{user}-{n}", "at": at, "body": body, "item": "lamp", "stars": 3}
        for n, body in enumerate(bodies)
    ]
    path = shop.folder / "reviews.jsonl"
    write_lines(path, [*read_lines(path), *new])


NEW_TOPIC = [f"My parcel arrived crushed and torn open, box {n}" for n in range(14)]


def test_a_theme_is_born_of_what_waits_once_enough_authors_say_the_same_thing(shop):
    known = set(themes(shop)["theme_id"])
    say(shop, NEW_TOPIC)
    run_plain(shop, SECOND)
    born = themes(shop).filter(~pl.col("theme_id").is_in(list(known)))
    assert born.height == 1
    row = born.row(0, named=True)
    assert row["n_opinions"] >= 12
    assert any("parcel" in word or "crushed" in word for word in row["keywords"])
    (event,) = events(shop, "born").filter(pl.col("theme_id") == row["theme_id"]).iter_rows(named=True)
    assert (event["cause"], event["who"], event["as_of"]) == ("waiting statements", "night", SECOND)
    run_plain(shop, THIRD)
    assert set(themes(shop)["theme_id"]) == known | {row["theme_id"]}


def test_what_one_author_repeats_is_no_theme(shop):
    known = set(themes(shop)["theme_id"])
    say(shop, NEW_TOPIC)
    path = shop.folder / "reviews.jsonl"
    rows = [{**row, "user": "one"} if row["id"].startswith("visitor") else row for row in read_lines(path)]
    write_lines(path, rows)
    run_plain(shop, SECOND)
    assert set(themes(shop)["theme_id"]) == known


def test_what_is_not_yet_a_theme_is_told_with_its_size(shop, capsys):
    odd = "violet quartz marmalade melts|seven iron swallows sing|plastic thunder eats recipes"
    say(shop, odd.split("|"))
    run_plain(shop, SECOND)
    placed = {opinion for opinions in members(shop).values() for opinion in opinions}
    n_waiting = published(shop, "opinion").filter(~pl.col("opinion_id").is_in(list(placed))).height
    assert n_waiting >= 3
    assert main(["show", "waiting", "--json", "--config", str(shop.config)]) == 0
    (told,) = json.loads(capsys.readouterr().out)
    assert told["n_opinions"] == n_waiting


def test_how_much_waits_is_hidden_where_few_people_wrote_it(shop, capsys):
    assert main(["show", "waiting", "--json", "--config", str(shop.config)]) == 0
    rows = json.loads(capsys.readouterr().out)
    assert [row for row in rows if row["n_authors"] < 3 and row["n_opinions"]] == []


def looked_at(shop: Shop, monkeypatch, day: date) -> int:
    """How many statements a night reads the vectors of."""
    seen = []
    real = theme_step.read_statements
    monkeypatch.setattr(theme_step, "MEMBERS_SEEN", 2)
    monkeypatch.setattr(theme_step, "MOVABLE_SEEN", 0)
    monkeypatch.setattr(theme_step, "read_statements", lambda *a: seen.append(found := real(*a)) or found)
    run_plain(shop, day)
    monkeypatch.undo()
    return seen[0].opinions.height


@pytest.mark.parametrize("act", ["split", "merge"])
def test_a_theme_that_was_changed_once_does_not_make_every_later_night_read_all(shop, monkeypatch, act):
    first, second = two(shop)
    words = {"split": ("split", first["name"]), "merge": ("merge", second["name"], "--into", first["name"])}
    theme(shop, *words[act])
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("flows.steps.load_embedder", lambda *_: OtherEmbedder())
        shop.config.write_text(shop.config.read_text() + "\n[embedding]\nmax_tokens = 64\n")
        run_plain(shop, THIRD)
        n_all = published(shop, "opinion").height
        assert looked_at(shop, patch, THIRD) < n_all / 2


def test_with_auto_apply_the_night_does_what_it_proposes_and_leaves_nothing_behind(shop, monkeypatch):
    first, second = two(shop)
    before = members(shop)
    duplicate = pl.DataFrame(
        {"theme_id": [second["theme_id"]], "other_id": [first["theme_id"]], "evidence": [0.5]}
    )
    humped = pl.DataFrame({"theme_id": [first["theme_id"]], "evidence": [0.0]})
    monkeypatch.setattr("flows.theme_growth.find_duplicates", lambda *_, **__: duplicate)
    monkeypatch.setattr("flows.theme_growth.find_two_humped", lambda *_, **__: humped)
    config = shop.config.read_text().replace("[themes]", "[themes]\nauto_apply = true")
    shop.config.write_text(config)
    run_plain(shop, SECOND)
    status = dict(themes(shop).select("theme_id", "status").iter_rows())
    assert (status[second["theme_id"]], status[first["theme_id"]]) == ("merged", "split")
    halves = themes(shop).filter(pl.col("split_from") == first["theme_id"])["theme_id"].to_list()
    after = members(shop)
    assert len(halves) == 2
    assert not {first["theme_id"], second["theme_id"]} & after.keys()
    assert before[first["theme_id"]] | before[second["theme_id"]] <= after[halves[0]] | after[halves[1]]
    assert published(shop, "theme_proposal").is_empty()
    assert set(events(shop, "merged")["cause"]) == {"duplicate"}
    assert set(events(shop, "split")["who"]) == {"night"}


def test_a_proposal_is_accepted_or_dismissed_by_the_beginning_of_its_id(shop, monkeypatch, capsys):
    first, second = two(shop)
    duplicate = pl.DataFrame(
        {"theme_id": [second["theme_id"]], "other_id": [first["theme_id"]], "evidence": [0.5]}
    )
    humped = pl.DataFrame({"theme_id": [first["theme_id"]], "evidence": [0.0]})
    monkeypatch.setattr("flows.theme_growth.find_duplicates", lambda *_, **__: duplicate)
    monkeypatch.setattr("flows.theme_growth.find_two_humped", lambda *_, **__: humped)
    run_plain(shop, SECOND)
    of_kind = dict(published(shop, "theme_proposal").select("kind", "proposal_id").iter_rows())
    assert set(of_kind) == {"merge", "split"}
    assert theme(shop, "dismiss", of_kind["split"][:10]) == 0
    assert theme(shop, "accept", of_kind["merge"][:10]) == 0
    monkeypatch.setattr("flows.theme_growth.find_duplicates", lambda *_, **__: duplicate.clear())
    run_plain(shop, THIRD)
    assert published(shop, "theme_proposal").is_empty(), "a dismissed one is not made again"
    assert second["theme_id"] not in members(shop)


def test_a_night_with_nothing_new_searches_nothing_and_makes_its_proposals_again(shop, monkeypatch):
    first, _ = two(shop)
    humped = pl.DataFrame({"theme_id": [first["theme_id"]], "evidence": [0.0]})
    monkeypatch.setattr("flows.theme_growth.find_two_humped", lambda *_, **__: humped)
    run_plain(shop, THIRD)
    proposed = published(shop, "theme_proposal")
    assert proposed.height == 1

    def never(*_, **__):
        raise AssertionError("a quiet night searched for themes")

    monkeypatch.setattr("flows.theme_growth.find_births", never)
    monkeypatch.setattr("flows.theme_growth.find_two_humped", never)
    run_plain(shop, THIRD + timedelta(days=1))
    assert published(shop, "theme_proposal").equals(proposed)
    theme(shop, "pin", first["name"])
    with pytest.raises(AssertionError, match="searched"):
        run_plain(shop, THIRD + timedelta(days=2))


def test_a_new_statement_at_a_border_is_placed_and_for_some_days_a_birth_may_take_it(shop, monkeypatch):
    """What counts a theme sees it at once; what searches for new themes sees it as if it waited."""
    seen = []

    def search(statements: pl.DataFrame, *rest, **options):
        seen.append(statements)
        return find_births(statements, *rest, **options)

    def all_is_border(anchors: pl.DataFrame) -> pl.DataFrame:
        return anchors.with_columns(radius=pl.lit(2.0))

    monkeypatch.setattr("flows.theme_growth.find_births", search)
    monkeypatch.setattr("flows.theme_growth.narrowed", all_is_border)
    say(shop, ["The kettle lid leaks hot water badly again"])
    is_sure = []
    for days in (0, DOUBTED.days - 1, DOUBTED.days):
        say(shop, [f"Word {days} of nothing that anyone else says here"], user=f"other{days}", day=1 + days)
        run_plain(shop, SECOND + timedelta(days=days))
        (opinion,) = published(shop, "opinion").filter(pl.col("quote").str.ends_with("again"))["opinion_id"]
        assert any(opinion in of_theme for of_theme in members(shop).values())
        (theme_id,) = seen[-1].filter(pl.col("opinion_id") == opinion)["theme_id"]
        is_sure.append(theme_id is not None)
    assert is_sure == [False, False, True]
