import csv
import html
import json
import re
import subprocess
import sys
from collections import Counter, defaultdict
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from sample import make_store
from sample.language import LONG, parse, read_words
from sample.reading import UNREADABLE, Store, read_store
from sample.store import DEFAULT_END, DEFAULT_SEED
from sample.story import choose_story

WEEKS = 26
START = DEFAULT_END - timedelta(days=7 * WEEKS - 1)
TEXTS = ("reviews.csv", "tickets.jsonl", "survey.csv")


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Store:
    folder = tmp_path_factory.mktemp("store")
    make_store(folder, weeks=WEEKS)
    return read_store(folder)


def until_week(weeks: int) -> date:
    """Last day of a store of so many weeks that begins with the 26-week store."""
    return START + timedelta(days=7 * weeks - 1)


def is_card(digits: str) -> bool:
    doubled = [int(digit) * (2 - index % 2) for index, digit in enumerate(digits[-2::-1])]
    return (sum(value - 9 * (value > 9) for value in doubled) + int(digits[-1])) % 10 == 0


def is_iban(text: str) -> bool:
    turned = text[4:] + text[:4]
    return int("".join(str(int(letter, 36)) for letter in turned)) % 97 == 1


def seen(body: str) -> str:
    """What a reader sees of a body, with single spaces."""
    if body.startswith(("<html>", "<p>")):
        body = re.sub(r"<style>.*?</style>", "", body)
        body = re.sub(r"</?[a-z][^>]*>", " ", body)
    return " ".join(html.unescape(body).split())


# ---- how it is made


def test_a_longer_store_begins_with_the_shorter_one(store: Store, tmp_path: Path) -> None:
    make_store(tmp_path, weeks=34, end=until_week(34))
    for name in TEXTS:
        short, long = (store.folder / name).read_bytes(), (tmp_path / name).read_bytes()
        assert long.startswith(short), name
        if name != "survey.csv":
            assert len(long) > len(short)
    assert (tmp_path / "survey.csv").read_bytes() == (store.folder / "survey.csv").read_bytes()
    for name in ("items.csv", "users.csv"):
        assert (tmp_path / name).read_bytes() == (store.folder / name).read_bytes()
    longer = pl.read_parquet(tmp_path / "interactions.parquet")
    assert longer.head(len(store.interactions)).equals(store.interactions)
    assert longer["created_at"].is_sorted()


def test_the_same_arguments_give_the_same_bytes_in_another_process(tmp_path: Path) -> None:
    counts = make_store(tmp_path / "here", seed=3, weeks=3)
    command = [
        sys.executable,
        "-m",
        "sample",
        "--seed",
        "3",
        "--weeks",
        "3",
        "--out",
        str(tmp_path / "there"),
    ]
    root = Path(__file__).resolve().parents[1]
    said = subprocess.run(command, check=True, cwd=root, capture_output=True, text=True).stdout
    assert f"{counts['reviews']} reviews" in said
    for path in (tmp_path / "here").iterdir():
        assert path.read_bytes() == (tmp_path / "there" / path.name).read_bytes(), path.name


def test_another_seed_writes_other_sentences(store: Store, tmp_path: Path) -> None:
    make_store(tmp_path, seed=DEFAULT_SEED + 1, weeks=WEEKS)
    other = json.loads((tmp_path / "truth.json").read_text(encoding="utf-8"))

    def sentences(truth: dict[str, Any]) -> set[str]:
        return {
            part["sentence"] for said in truth["documents"].values() for one in said.values() for part in one
        }

    mine, theirs = sentences(store.truth), sentences(other)
    assert len(mine & theirs) / min(len(mine), len(theirs)) < 0.05


def test_seeds_cast_other_topics_products_and_weeks() -> None:
    root = Path(__file__).resolve().parents[1]
    with (root / "sample" / "catalogue.csv").open(encoding="utf-8", newline="") as file:
        items = list(csv.DictReader(file))
    stories = [choose_story(seed, items) for seed in range(40)]
    assert {story.onset for story in stories} == {12, 13, 14, 15, 16}
    for part in ("defect_topic", "fading_topic", "newborn_topic", "returns_topic", "segment"):
        assert len({getattr(story, part) for story in stories}) > 1, part
    assert len({story.defect_item for story in stories}) >= 5
    assert len({story.loved_item for story in stories}) >= 10


def test_the_defect_is_mended(store: Store, tmp_path: Path) -> None:
    onset = store.planted["defect"]["onset_week"]
    mended_from = onset + 2
    make_store(tmp_path, weeks=onset + 5, mended_from=mended_from, end=until_week(onset + 5))
    mended = read_store(tmp_path)
    assert mended.planted["defect"]["mended_from_week"] == mended_from
    weeks = mended.weekly("defect")
    assert min(weeks[onset:mended_from]) >= 15
    # Threads that were opened before go on for some days.
    assert sum(weeks[mended_from + 1 :]) <= 6
    first = (START + timedelta(weeks=mended_from)).isoformat()
    bad = {row["id"] for row in mended.truth["malformed"]}
    for name, column in (("reviews", "written_at"), ("tickets", "sent_at"), ("survey", "submitted_at")):
        rows, unmended = getattr(mended, name), getattr(store, name)
        before = [document for document, row in rows.items() if row[column] < first and document not in bad]
        assert len(before) > 500
        assert all(rows[document] == unmended[document] for document in before)


def test_a_short_store_tells_only_what_happened_in_it(tmp_path: Path) -> None:
    make_store(tmp_path, weeks=4)
    short = read_store(tmp_path)
    assert not short.planted.keys() & {"defect", "newborn", "dead_feed", "flood", "copies"}
    assert {"fading", "returns", "loved"} <= short.planted.keys()
    assert all(row["joined_on"] <= "2026-06-30" for row in short.users.values())
    bad = {row["id"] for row in short.truth["malformed"]}
    written = [row["written_at"][:10] for name, row in short.reviews.items() if name not in bad]
    assert (min(written), max(written)) == ("2026-06-03", "2026-06-30")


def test_patterns_offer_their_parts_and_keep_a_bar_outside_of_brackets() -> None:
    parts = parse("a [b|c [d|e]] {n} | f")
    assert parts == ["a ", [["b"], ["c ", [["d"], ["e"]]]], " ", "{n}", " ", "|", " f"]


@pytest.mark.parametrize("name", ["english.toml", "german.toml"])
def test_there_are_many_ways_to_say_each_topic(name: str) -> None:
    words = read_words(name)
    known = set(words["slots"]) | {"thing", "der", "der_obj", "price"}
    assert set(words["topics"]) == set(read_words("topics.toml")["topics"])
    for topic, said in words["topics"].items():
        assert len(set(said["patterns"])) >= 14, topic
        assert len(said["headlines"]) >= 3
        assert set(re.findall(r"\{([a-z_]+)\}", " ".join(said["patterns"]))) <= known, topic


# ---- the files


def test_there_is_as_much_of_each_as_promised(store: Store) -> None:
    n_documents = len(store.reviews) + len(store.tickets) + len(store.survey)
    assert n_documents >= 5_000
    assert len(store.users) == 600
    assert 400 > sum("@" in user for user in store.users) > 180
    german = sum(len(documents) for documents in store.truth["german"].values())
    assert 0.16 < german / n_documents < 0.26
    threads = Counter(row["thread_id"] for row in store.tickets.values())
    assert max(threads.values()) == 5
    assert 0.33 < sum(count > 1 for count in threads.values()) / len(threads) < 0.5
    assert set(store.interactions["kind"]) == {"view", "cart", "order", "return"}


def test_everything_refers_to_something(store: Store) -> None:
    orders = set(store.interactions.filter(kind="order")["order_id"])
    returned = store.interactions.filter(kind="return")
    assert set(returned["order_id"]) <= orders
    assert returned["order_id"].is_unique().all()
    assert set(store.interactions["user_id"]) <= set(store.users)
    for row in store.tickets.values():
        if row["speaker"] == "customer":
            assert row["sender"] in store.users
        else:
            assert re.fullmatch("agent-0[1-6]", row["sender"])
        assert row["order_id"] is None or row["order_id"] in orders
        assert datetime.fromisoformat(row["sent_at"]).tzinfo is not None
    for review in store.reviews.values():
        assert store.users[review["user_id"]]["country"] == review["country"]
        assert review["url"].endswith(review["review_id"])
    assert {row["user"] for row in store.survey.values()} - {""} <= set(store.users)
    no_name = sum(not row["user"] for row in store.survey.values())
    assert 0.2 < no_name / len(store.survey) < 0.4
    assert len({row["question"] for row in store.survey.values()}) == 3


def test_rows_stand_in_the_order_of_time(store: Store) -> None:
    bad = {row["id"] for row in store.truth["malformed"]}
    for documents, column in (
        (store.reviews, "written_at"),
        (store.tickets, "sent_at"),
        (store.survey, "submitted_at"),
    ):
        times = [
            datetime.fromisoformat(row[column]).timestamp()
            for name, row in documents.items()
            if name not in bad
        ]
        assert times == sorted(times)


def test_hardly_a_long_sentence_comes_twice_from_different_authors(store: Store) -> None:
    planted = {*store.planted["flood"]["documents"], *store.planted["copies"]["documents"]}
    planted |= {store.planted["erased"]["shared_with"]}
    authors = defaultdict(set)
    written = Counter[str]()
    for source, documents in store.truth["documents"].items():
        for document, said in documents.items():
            for part in said if document not in planted else []:
                if len(part["sentence"].split()) >= LONG:
                    authors[part["sentence"]].add(store.author(source, document))
                    written[part["sentence"]] += 1
    assert written.total() > 7_000
    assert sum(written[text] for text, by in authors.items() if len(by) > 1) / written.total() < 0.01


# ---- the planted facts


def test_the_defect_begins_in_its_week_in_both_languages_and_all_sources(store: Store) -> None:
    defect, weeks = store.planted["defect"], store.weekly("defect")
    assert sum(weeks[: defect["onset_week"]]) <= 1
    assert min(weeks[defect["onset_week"] :]) >= 15
    for source, documents in defect["documents"].items():
        assert len(documents) >= 25
        assert 0.08 < len(set(documents) & set(store.truth["german"][source])) / len(documents) < 0.5
    assert {store.reviews[name]["item_id"] for name in defect["documents"]["reviews"]} == {defect["item"]}


def test_a_complaint_fades_and_a_theme_is_born(store: Store) -> None:
    fading, weeks = store.planted["fading"], store.weekly("fading")
    assert min(weeks[: fading["full_until_week"]]) >= 10
    assert sum(weeks[fading["gone_from_week"] + 1 :]) <= 3
    born = store.weekly("newborn")
    assert sum(born[:22]) == 0
    assert min(born[22:]) >= 8


def test_an_item_is_loved_by_a_segment_and_rarely_seen(store: Store) -> None:
    loved = store.planted["loved"]
    column, value = loved["segment"]
    views = store.interactions.filter(kind="view").group_by("item_id").len()
    seldom = views.filter(item_id=loved["item"])["len"].item()
    assert seldom < views["len"].median() / 3
    reviews = [store.reviews[name] for name in loved["documents"]]
    assert len(reviews) >= 25
    assert sum(store.users[row["user_id"]][column] == value for row in reviews) / len(reviews) > 0.9
    assert sum(int(row["stars"]) for row in reviews) / len(reviews) > 4.5


def test_a_theme_raises_returns(store: Store) -> None:
    orders = store.interactions.filter(kind="order")
    returned = set(store.interactions.filter(kind="return")["order_id"])
    documents = store.planted["returns"]["documents"]["tickets"]
    mentioned = {store.tickets[name]["order_id"] for name in documents} - {None}
    share = len(mentioned & returned) / len(mentioned)
    others = set(orders["order_id"]) - mentioned
    assert share > 0.4
    assert share > 4 * len(others & returned) / len(others)


def test_a_feed_dies(store: Store) -> None:
    silent = date.fromisoformat(store.planted["dead_feed"]["silent_from"])
    assert 14 <= (DEFAULT_END - silent).days + 1 <= 21
    bad = {row["id"] for row in store.truth["malformed"]}
    days = [row["submitted_at"][:10] for name, row in store.survey.items() if name not in bad]
    assert max(days) < silent.isoformat()
    assert max(days) >= (silent - timedelta(days=3)).isoformat()


def test_floods_and_repeats(store: Store) -> None:
    flood = [store.reviews[name] for name in store.planted["flood"]["documents"]]
    assert len(flood) == 60
    assert {row["user_id"] for row in flood} == {store.planted["flood"]["author"]}
    assert {row["written_at"][:10] for row in flood} == {store.planted["flood"]["day"]}
    copies = [store.reviews[name] for name in store.planted["copies"]["documents"]]
    assert len({row["user_id"] for row in copies}) == len(copies) == 42
    assert {row["written_at"][:10] for row in copies} == {store.planted["copies"]["day"]}
    words = [set(row["body"].split()) for row in copies]
    assert min(len(row["body"].split()) for row in copies) >= 30
    assert all(len(words[0] & other) / len(words[0] | other) > 0.75 for other in words)
    assert 1 < len({row["body"] for row in copies})
    for group in store.planted["own_repeats"]:
        assert len(group) >= 2
        assert len({(store.reviews[name]["user_id"], store.reviews[name]["body"]) for name in group}) == 1
    authors = [
        {store.reviews[name]["user_id"] for name in names}
        for names in store.planted["short_repeats"].values()
    ]
    assert sum(len(group) > 1 for group in authors) >= 10


def test_a_customer_can_be_erased(store: Store) -> None:
    erased = store.planted["erased"]
    assert len(erased["documents"]) == 12
    own = [name for name, row in store.reviews.items() if row["user_id"] == erased["user"]]
    assert sorted(own) == erased["documents"]
    assert store.interactions.filter(user_id=erased["user"]).height == 40
    marked = [name for name, row in store.reviews.items() if erased["marker"] in row["body"]]
    assert len(marked) == 3
    assert set(marked) <= set(own)
    assert store.reviews[erased["shared"]]["body"] == store.reviews[erased["shared_with"]]["body"]
    assert erased["shared_with"] not in own
    assert set(own) & set(store.planted["defect"]["documents"]["reviews"])


# ---- words of customers and of others


def test_what_was_said_and_what_is_foreign_make_up_each_message(store: Store) -> None:
    kinds: Counter[str] = Counter()
    for name, mail in store.truth["mail"].items():
        said = [part["sentence"] for part in store.truth["documents"]["tickets"][name]]
        body = store.tickets[name]["body"]
        pieces = [*mail["courtesy"], *(piece["text"] for piece in mail["foreign"]), *said]
        if mail["html"]:
            body, pieces = seen(body), [" ".join(piece.split()) for piece in pieces]
        assert mail["speaker"] == "customer" or not said
        kinds.update(piece["kind"] for piece in mail["foreign"])
        for piece in sorted(pieces, key=len, reverse=True):
            assert piece in body, name
            body = body.replace(piece, "", 1)
        assert not body.strip(), name
    assert set(kinds) == {"quote", "signature", "device", "disclaimer", "out_of_office", "macro", "agent"}
    assert min(kinds.values()) >= 5


@pytest.mark.parametrize(
    "mark",
    [
        r"\nOn [A-Z][a-z]{2}, .*> wrote:\n> ",
        r"\n<support@larkfell.example> wrote:\n> ",
        "-----Original Message-----\nFrom: ",
        "_{32}\nFrom: ",
        r"\nAm [0-9.]{10} um [0-9:]{5} schrieb .*:\n> ",
        r"Uhr schrieb .*:\n> ",
        "-----Ursprüngliche Nachricht-----\nVon: ",
        "\n\nVon: ",
        '<blockquote style=".*">',
        "Sent from my iPhone",
        "Von meinem iPhone gesendet",
        r"\n> > |\n> On ",
    ],
)
def test_replies_are_quoted_in_many_ways(store: Store, mark: str) -> None:
    assert any(re.search(mark, row["body"]) for row in store.tickets.values())


# ---- what is private, and what is wrong


def test_every_private_string_is_where_the_truth_says(store: Store) -> None:
    column = {"reviews": "body", "tickets": "body", "survey": "answer"}
    types = Counter(row["type"] for row in store.truth["personal"])
    assert set(types) == {"email", "phone", "card", "iban", "ip", "url", "address", "name"}
    assert min(types.values()) >= 25
    for row in store.truth["personal"]:
        assert row["value"] in seen(getattr(store, row["source"])[row["document"]][column[row["source"]]])
        compact = re.sub("[ -]", "", row["value"])
        assert row["type"] != "card" or is_card(compact)
        assert row["type"] != "iban" or is_iban(compact)


def test_malformed_rows_are_where_the_truth_says(store: Store) -> None:
    lines = {name: (store.folder / name).read_text(encoding="utf-8").split("\n") for name in TEXTS}
    n_fields = {"reviews.csv": 10, "survey.csv": 6}
    kinds = Counter(row["what"] for row in store.truth["malformed"])
    assert set(kinds) == UNREADABLE | {"id_twice", "impossible_date", "rating_out_of_scale"}
    assert min(kinds.values()) >= 5
    for row in store.truth["malformed"]:
        line = lines[row["file"]][row["line"] - 1]
        assert row["id"] in line
        if row["what"] == "broken_json":
            with pytest.raises(json.JSONDecodeError):
                json.loads(line)
        elif row["what"] == "open_quote":
            assert line.count('"') % 2 == 1
        elif row["what"] == "text_after_quote":
            with pytest.raises(csv.Error):
                list(csv.reader([line], strict=True))
        elif row["what"] == "wrong_field_count":
            assert len(next(csv.reader([line]))) != n_fields[row["file"]]
        elif row["what"] == "id_twice":
            mark = f'"message_id": "{row["id"]}"' if row["file"] == "tickets.jsonl" else f"{row['id']},"
            assert sum(mark in other[:40] for other in lines[row["file"]]) == 2
        else:
            assert row["value"] in next(csv.reader([line]))


def test_oddities_are_where_the_truth_says(store: Store) -> None:
    marks = {
        "html": r"<p>.*</p>",
        "misdecoded": "â€™",
        "zero_width": "\u200d",
        "formula": r"^[=+@-]",
        "template_token": r"\{\{customer\.first_name\}\}",
    }
    assert {row["what"] for row in store.truth["oddities"]} == set(marks)
    for row in store.truth["oddities"]:
        fields = getattr(store, row["source"])[row["document"]].values()
        assert any(re.search(marks[row["what"]], field or "", re.DOTALL) for field in fields), row
