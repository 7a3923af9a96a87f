"""The first hour: from files that nobody has described to settings, and what a night would make of them."""

from __future__ import annotations

import contextlib
import csv
import io
import json
import re
import shutil
from datetime import date

import polars as pl
import pytest
from hypothesis import HealthCheck, given
from hypothesis import settings as tried
from hypothesis import strategies as st

from analytics.settings import load_settings
from analytics.settings_file import default_file
from flows.cli import main

WORDS = "zip strap kettle lamp tent stove jacket bottle".split()
FAULTS = "broke jammed leaked faded shone lasted dried held".split()


def sentence(nth):
    return (
        f"The {WORDS[nth % 8]} {FAULTS[nth // 8 % 8]} after {nth + 2} days and I was quite surprised by it."
    )


def german(nth):
    return f"Der Reißverschluss ging nach {nth + 2} Tagen kaputt und niemand hat mir geantwortet."


def review(nth, **changes):
    row = {
        "Review No": f"r{nth:03d}", "Reviewer": f"u{nth % 20:02d}", "Product ID": f"p{nth % 8}",
        "Stars": str(nth % 5 + 1), "Heading": f"About the {WORDS[nth % 8]}", "Comment": sentence(nth),
        "Posted": f"2026-0{nth % 6 + 1}-{nth % 28 + 1:02d} 10:00:00",
    }  # fmt: skip
    return row | changes


def write_csv(path, rows):
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, rows[0])
        writer.writeheader()
        writer.writerows(rows)


def open_shop(folder):
    """Reviews, items and users of a small shop."""
    (folder / "files").mkdir()
    reviews = [review(nth) for nth in range(56)]
    reviews += [review(nth, Comment=german(nth)) for nth in range(56, 60)]
    write_csv(folder / "files" / "reviews.csv", reviews)
    # Two of the eight products and five of the twenty reviewers are not described.
    items = [{"sku": f"p{nth}", "name": f"Fine {WORDS[nth]}", "price": f"{nth}.99"} for nth in range(6)]
    write_csv(folder / "files" / "products.csv", items)
    users = [{"customer_id": f"u{nth:02d}", "plan": ("basic", "pro")[nth % 2]} for nth in range(15)]
    write_csv(folder / "files" / "customers.csv", users)
    return folder


@pytest.fixture
def shop(tmp_path, monkeypatch):
    """The small shop; the working directory is its own."""
    monkeypatch.chdir(tmp_path)
    return open_shop(tmp_path)


def files(shop):
    return [str(shop / "files" / name) for name in ("reviews.csv", "products.csv", "customers.csv")]


def failure(capsys, *arguments):
    """The one line with which a command fails."""
    assert main(arguments) == 1
    said = capsys.readouterr()
    assert said.out == ""
    assert said.err.count("\n") == 1
    return said.err


def test_init_maps_files_of_their_own_names(shop, capsys):
    assert main(["init", *files(shop)]) == 0
    settings = load_settings(shop / "nightloom.toml")
    reviews, products, customers = settings.sources
    assert (reviews.name, reviews.kind, reviews.path) == ("reviews", "documents", "files/reviews.csv")
    assert reviews.columns.model_dump(exclude_none=True, exclude={"segments"}) == {
        "id": "Review No", "user": "Reviewer", "item": "Product ID", "rating": "Stars", "title": "Heading",
        "text": "Comment", "created_at": "Posted",
    }  # fmt: skip
    assert reviews.rating_scale == (1.0, 5.0)
    assert reviews.language == "en"
    assert (products.kind, products.columns.id, products.columns.title) == ("items", "sku", "name")
    assert (customers.kind, customers.columns.id) == ("users", "customer_id")
    text = (shop / "nightloom.toml").read_text()
    assert "75% of its values are ids of 'products'" in " ".join(text.replace("#", "").split())
    assert "# unsure: the times carry no zone; UTC assumed" in text
    said = capsys.readouterr().out
    assert " ? time_zone" in said
    assert said.endswith("next: nightloom check\n")
    assert max(map(len, said.splitlines())) <= 100


def test_every_explained_key_keeps_its_default(shop):
    main(["init", *files(shop)])
    written = (shop / "nightloom.toml").read_text()
    explanations = [
        line for line in default_file().splitlines() if line.startswith("# ") and " = " not in line
    ]
    assert explanations
    assert [line for line in explanations if line not in written] == []


def test_init_without_files_writes_the_example(shop, capsys):
    assert main(["init"]) == 0
    assert (shop / "nightloom.toml").read_text() == default_file()


def test_a_file_that_is_no_source_is_written_commented_out(shop, capsys):
    write_csv(
        shop / "judged.csv", [{"query": f"q{n % 5}", "page": f"d{n % 9}", "grade": "1"} for n in range(30)]
    )
    assert main(["init", str(shop / "judged.csv"), *files(shop)]) == 0
    assert [source.name for source in load_settings(shop / "nightloom.toml").sources] == [
        "reviews", "products", "customers",
    ]  # fmt: skip
    text = (shop / "nightloom.toml").read_text()
    assert '# name = "judged"' in text
    assert "# Not read as it is: nothing to map" in text
    assert "judged.csv: not read" in capsys.readouterr().out


def test_a_folder_of_monthly_files_is_one_source(shop, capsys):
    (shop / "months").mkdir()
    for month in (1, 2, 3):
        write_csv(
            shop / "months" / f"reviews_2026-0{month}.csv", [review(nth + 20 * month) for nth in range(20)]
        )
    write_csv(shop / "months" / "products.csv", [{"sku": f"p{nth}", "name": WORDS[nth]} for nth in range(8)])
    assert main(["init", str(shop / "months")]) == 0
    settings = load_settings(shop / "nightloom.toml")
    assert {source.path for source in settings.sources} == {"months/reviews*.csv", "months/products.csv"}
    capsys.readouterr()
    assert main(["check", "--json"]) == 0
    sources = {one["name"]: one for one in json.loads(capsys.readouterr().out)["sources"]}
    assert sources["reviews"]["n_rows"] == 60
    assert sources["reviews"]["joins"]["item"] == {"rows": 1.0, "values": 1.0, "with": ["products"]}


@pytest.mark.parametrize(
    ("content", "told"),
    [
        ("", "header"),
        ("sku,price\np1,2.5\np2,3.5\n", "no file can be a source of documents"),
    ],
)
def test_what_cannot_be_a_store_is_said_in_one_line_and_nothing_is_written(shop, capsys, content, told):
    (shop / "odd.csv").write_text(content)
    assert told in failure(capsys, "init", str(shop / "odd.csv"))
    assert not (shop / "nightloom.toml").exists()


def test_texts_without_ids_are_a_source_whose_rows_are_their_own_identity(shop, capsys):
    rows = [["", "product_id", "comment", "stars"]]
    rows += [[str(nth), f"p{nth % 8}", sentence(nth), str(nth % 5 + 1)] for nth in range(30)]
    rows += [[str(nth), "p1", sentence(1), "2"] for nth in (30, 31)]  # the mapped columns of row 1 again
    with (shop / "bare.csv").open("w", newline="", encoding="utf-8") as file:
        csv.writer(file).writerows(rows)
    assert main(["init", str(shop / "bare.csv")]) == 0
    assert load_settings(shop / "nightloom.toml").sources[0].columns.id is None
    text = " ".join((shop / "nightloom.toml").read_text().replace("#", "").split())
    assert "no column identifies a row: the whole row does, so a changed row counts as new" in text
    assert "a column without a name was left out" in text
    capsys.readouterr()
    assert main(["check", "--json"]) == 0
    (bare,) = json.loads(capsys.readouterr().out)["sources"]
    assert (bare["n_rows"], bare["n_new"], bare["n_read"]) == (32, 32, 32)
    assert bare["duplicates"]["same_id"] == 0
    assert main(["run", "--dry-run"]) == 0
    assert "32 rows, 32 new or changed" in capsys.readouterr().out


def test_a_missing_file_and_an_existing_settings_file_are_said_in_one_line(shop, capsys):
    assert "nowhere.csv" in failure(capsys, "init", str(shop / "nowhere.csv"))
    (shop / "store.duckdb").write_bytes(b"")
    assert "set path and query" in failure(capsys, "init", str(shop / "store.duckdb"))
    (shop / "nightloom.toml").write_text("mine")
    assert "--force" in failure(capsys, "init", *files(shop))
    assert (shop / "nightloom.toml").read_text() == "mine"
    assert main(["init", "--force", *files(shop)]) == 0
    assert load_settings(shop / "nightloom.toml").sources


def test_a_file_named_twice_is_one_source(shop, capsys):
    assert main(["init", *files(shop), str(shop / "files" / "reviews.csv"), str(shop / "files")]) == 0
    assert len(load_settings(shop / "nightloom.toml").sources) == 3
    said = capsys.readouterr().out
    assert "guessed from the first 2,000 rows of each file\n2 guesses are unsure" in said
    write_csv(shop / "files" / "english.csv", [review(nth) for nth in range(40)])
    assert main(["init", str(shop / "files" / "english.csv"), "--config", "english.toml"]) == 0
    assert "\n1 guess is unsure" in capsys.readouterr().out


def test_a_pattern_that_nothing_matches_speaks_of_the_path_and_of_no_settings(shop, capsys):
    told = failure(capsys, "init", str(shop / "*.parquet"))
    assert "*.parquet: no such file; check the path and the folder you are in" in told
    assert not (shop / "nightloom.toml").exists()


NAMES = st.text(st.characters(exclude_categories=("Cs",), exclude_characters="\0"), min_size=1, max_size=20)


@tried(max_examples=12, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(names=st.lists(NAMES, min_size=5, max_size=5, unique_by=str.strip), stem=NAMES)
def test_whatever_the_columns_are_called_the_file_loads_or_is_not_written(shop, names, stem):
    rows = [review(nth) for nth in range(30)]
    written = pl.DataFrame([list(row.values())[:1] + list(row.values())[3:] for row in rows], orient="row")
    folder = shop / "named"
    folder.mkdir(exist_ok=True)
    file = folder / f"{re.sub(r'[/.]', '', stem)[:40]}x.parquet"
    written.rename(dict(zip(written.columns, names, strict=True))).write_parquet(file)
    config = folder / "nightloom.toml"
    config.unlink(missing_ok=True)
    if main(["init", str(file), "--config", str(config)]) == 0:
        (source,) = load_settings(config).sources
        assert {source.columns.id, source.columns.text} - {None} <= set(names)
    else:
        assert not config.exists()
    file.unlink()


@pytest.fixture(scope="module")
def checked(tmp_path_factory):
    """What `check` finds where a rating is off its scale, and an id and a text come twice."""
    shop = open_shop(tmp_path_factory.mktemp("checked"))
    rows = [review(nth) for nth in range(56)]
    rows += [review(nth, Comment=german(nth)) for nth in range(56, 60)]
    rows += [review(3), review(61, Stars="9"), review(62, Comment=sentence(2), Reviewer="u02")]
    rows += [review(63, Posted="")]
    rows[0]["Comment"] = "Write to jane.doe@mail.example, she knows why the zip broke so early this time."
    write_csv(shop / "files" / "reviews.csv", rows)
    config = shop / "nightloom.toml"
    said = io.StringIO()
    with contextlib.redirect_stdout(said):
        assert main(["init", *files(shop), "--config", str(config)]) == 0
    text = config.read_text().replace("# max_calls = 200000", "max_calls = 20")
    config.write_text(text.replace("[1.0, 10.0]", "[1.0, 5.0]"))
    before = sorted(shop.rglob("*"))
    said = io.StringIO()
    with contextlib.redirect_stdout(said):
        assert main(["check", "--json", "--config", str(config)]) == 0
    assert sorted(shop.rglob("*")) == before
    return json.loads(said.getvalue())


def test_check_tells_what_is_in_each_source(checked):
    assert checked["schema_version"] == 1
    reviews, products, _ = checked["sources"]
    assert (reviews["n_rows"], reviews["n_rejected"], reviews["n_new"]) == (63, 1, 62)
    assert reviews["rejected"] == [{"reason": "rating 9 is outside 1 to 5", "n": 1, "first_lines": [63]}]
    assert reviews["duplicates"] == {"same_id": 1, "same_text_of_same_author": 2}
    assert reviews["fill"]["text"] == 1
    assert reviews["fill"]["created_at"] == round(62 / 63, 4)
    assert reviews["n_undated"] == 1
    # Rows 0 to 59 and 3, 62, 63: products 6 and 7 of eight are unknown, and five of twenty reviewers.
    known = [nth for nth in [*range(60), 3, 62, 63] if nth % 8 < 6]
    assert reviews["joins"]["item"]["rows"] == pytest.approx(len(known) / 63)
    assert reviews["joins"]["item"]["values"] == 0.75
    assert reviews["joins"]["user"]["values"] == 0.75
    assert products["joins"] == {}


def test_check_shows_twenty_rows_and_no_personal_data(checked):
    rows = checked["sources"][0]["rows"]
    assert len(rows) == 20
    assert [row["position"] for row in rows[:10]] == list(range(2, 12))
    assert "[email]" in rows[0]["text"]
    assert "jane.doe" not in json.dumps(checked)
    assert checked["sources"][0]["personal_data"] == {"email": 1}


def test_check_tells_what_no_model_reads(checked):
    (unread,) = checked["sources"][0]["not_analysed"]
    assert (unread["language"], unread["n"]) == ("de", 4)
    languages = {one["language"]: one["n"] for one in checked["sources"][0]["languages"]}
    assert languages == {"en": 58, "de": 4}


def test_check_prices_the_first_night(checked):
    price = checked["price"]
    # Heading and body of each of the 58 English texts state something; the six products have words too.
    assert price["documents"] == 62
    assert price["statements"] == 58 + 58
    assert price["of_items"] == 6
    assert price["trouble"] is None
    assert price["first_night_calls"] == 20
    assert price["nights"] == -(-price["model_calls"] // 20)
    assert price["of_newest_days"] + price["of_older_days"] + price["of_items"] == price["model_calls"]
    assert price["texts_per_second"] > 0


def test_check_is_readable_text_of_a_hundred_columns(shop, capsys):
    main(["init", *files(shop)])
    capsys.readouterr()
    assert main(["check"]) == 0
    said = capsys.readouterr().out
    assert max(map(len, said.splitlines())) <= 100
    for told in (
        "reviews (documents, files/reviews.csv): 60 rows, 0 rejected, 60 new to the store",
        "dates: 2026-01-01 to 2026-06-26",
        "items that join: 77% of rows, 75% of different items are in products",
        "not analysed: de 7%",
        "new documents",
        "next: correct what is wrong in nightloom.toml, then nightloom run",
    ):
        assert told in said, told


def test_check_of_old_texts_names_the_night_to_run(shop, capsys, monkeypatch):
    main(["init", *files(shop)])
    for day, is_told in ((date(2026, 7, 24), False), (date(2026, 7, 25), True)):
        monkeypatch.setattr("flows.check.last_complete_day", lambda settings, day=day: day)
        capsys.readouterr()
        assert main(["check"]) == 0
        said = " ".join(capsys.readouterr().out.split())
        assert ("for the night of that day add --as-of 2026-06-26 to nightloom run" in said) is is_told


def test_times_are_cut_at_the_minute_and_figures_say_what_they_are_of(shop, capsys):
    rows = [review(nth, Posted=f"2026-03-{nth % 28 + 1:02d} 10:07:31", Reviewer="u1") for nth in range(40)]
    rows += [review(nth, **{"Review No": f"x{nth}"}) for nth in range(20)] * 2
    write_csv(shop / "files" / "reviews.csv", [row | {"Review No": f"n{n}"} for n, row in enumerate(rows)])
    main(["init", str(shop / "files" / "reviews.csv")])
    capsys.readouterr()
    assert main(["check"]) == 0
    said = capsys.readouterr().out
    head = next(line for line in said.splitlines() if line.startswith("  position"))
    first = next(line for line in said.splitlines() if line.startswith("  2  "))
    shown = first[head.index("created_at") :].split("  ")[0]
    assert shown in ("2026-03-01 10:07", "2026-03-01")
    assert "would not count: " in said
    assert "(of 80 texts read)" in said


def test_without_its_model_check_still_tells_the_rest(shop, capsys):
    main(["init", *files(shop)])
    text = (shop / "nightloom.toml").read_text().replace('# model = "embedded"', 'model = "./nowhere"')
    (shop / "nightloom.toml").write_text(text)
    capsys.readouterr()
    assert main(["check", "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert found["sources"][0]["n_rows"] == 60
    assert "nowhere" in found["price"]["trouble"]
    assert found["price"]["model_calls"] is None


def test_parquet_is_mapped_alike(shop, capsys):
    rows = pl.DataFrame([review(nth) for nth in range(40)])
    rows.with_columns(pl.col("Stars").cast(pl.Int64)).write_parquet(shop / "reviews.parquet")
    assert main(["init", str(shop / "reviews.parquet")]) == 0
    assert "no column says who wrote" not in capsys.readouterr().out
    assert load_settings(shop / "nightloom.toml").sources[0].columns.rating == "Stars"


def test_a_dry_run_and_the_check_foresee_the_same(shop, capsys):
    main(["init", *files(shop)])
    capsys.readouterr()
    assert main(["check", "--json"]) == 0
    price = json.loads(capsys.readouterr().out)["price"]
    assert main(["run", "--dry-run"]) == 0
    said = capsys.readouterr().out
    assert "reviews (documents): 60 rows, 60 new or changed, 0 after that day, 0 rejected" in said
    n_texts = price["of_newest_days"] + price["of_older_days"]
    assert f"would ask the embedding model for {n_texts} texts of documents" in said


def test_the_same_words_in_two_sources_are_priced_once(shop, capsys):
    main(["init", *files(shop)])
    capsys.readouterr()
    main(["check", "--json"])
    once = json.loads(capsys.readouterr().out)["price"]
    again = shop / "again.csv"
    shutil.copy(files(shop)[0], again)
    assert main(["init", "--force", *files(shop), str(again)]) == 0
    capsys.readouterr()
    main(["check", "--json"])
    twice = json.loads(capsys.readouterr().out)["price"]
    assert twice["statements"] == 2 * once["statements"]
    assert twice["model_calls"] == once["model_calls"]
