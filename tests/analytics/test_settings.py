from __future__ import annotations

import re
from datetime import date

import pytest

from analytics.errors import SettingsError
from analytics.settings import load_settings
from analytics.settings_file import default_file, write_default

GOOD = """
[store]
data_dir = "data"
time_zone = "Europe/Berlin"
[[sources]]
name = "reviews"
kind = "documents"
path = "reviews.csv"
language = "en"
rating_scale = [0, 10]
earliest = 2001-01-01
[sources.columns]
id = "id"
text = "body"
segments = ["country"]
"""


def load(tmp_path, text):
    path = tmp_path / "nightloom.toml"
    path.write_text(text)
    return load_settings(path)


def test_paths_are_relative_to_the_file(tmp_path):
    settings = load(tmp_path, GOOD)
    assert settings.data_dir == tmp_path / "data"
    assert settings.path_of(settings.sources[0]) == tmp_path / "reviews.csv"
    assert settings.sources[0].earliest == date(2001, 1, 1)
    assert settings.sources[0].columns.segments == ("country",)


@pytest.mark.parametrize(
    ("old", "new", "told"),
    [
        (
            'time_zone = "Europe/Berlin"',
            'time_zone = "Berlin"',
            r"store\.time_zone: 'Berlin' is not a time zone",
        ),
        ("[store]", "[store]\ncolour = 1", r"unknown key 'store\.colour'; remove it"),
        ("[store]", "[shop]\nx = 1\n[store]", r"unknown key 'shop'"),
        ("[store]", "[store]\nseed = 'x'", r"store\.seed: Input should be a valid integer \(got 'x'\)"),
        ("[store]", "[store]\nmin_authors = 0", r"store\.min_authors: .*greater than or equal to 1"),
        ('name = "reviews"\n', "", r"missing key 'sources\.1\.name'"),
        ('kind = "documents"', 'kind = "tickets"', r"sources\.1\.kind: .*'documents', 'items'"),
        ('text = "body"', "", r"sources\.1: columns\.text is missing; a source of documents needs it"),
        (
            'path = "reviews.csv"',
            'path = "s.db"\nquery = "SELECT 1"\nformat = "csv"',
            r"query and format exclude",
        ),
        (
            "[store]",
            '[[calendar.events]]\nname = "sale"\nkind = "promotion"\n'
            "start = 2026-03-02\nend = 2026-03-01\n[store]",
            r"event 'sale' ends on 2026-03-01, before it starts on 2026-03-02",
        ),
        ("rating_scale = [0, 10]", "rating_scale = [10, 0]", r"must rise"),
        ("rating_scale = [0, 10]", "rating_scale = [0]", r"sources\.1\.rating_scale"),
        ('segments = ["country"]', 'txt = "body"', r"unknown key 'sources\.1\.columns\.txt'"),
        ("[store]", "[store", r"not valid TOML"),
        ("[store]", "file = 'x'\n[store]", r"unknown key 'file'"),
    ],
)
def test_every_mistake_is_one_line_that_names_file_and_key(tmp_path, old, new, told):
    assert old in GOOD
    with pytest.raises(SettingsError) as caught:
        load(tmp_path, GOOD.replace(old, new))
    message = str(caught.value)
    assert re.search(told, message), message
    assert message.startswith(str(tmp_path / "nightloom.toml"))
    assert "\n" not in message


def test_a_model_folder_is_relative_to_the_file_and_a_hub_name_stays(tmp_path):
    (tmp_path / "models" / "mine").mkdir(parents=True)
    (tmp_path / "embedded").mkdir()
    chosen = GOOD + '[embedding]\nmodel = "models/mine"\n'
    assert load(tmp_path, chosen).embedding.model == str(tmp_path / "models" / "mine")
    assert load(tmp_path, chosen.replace("models/mine", "org/name")).embedding.model == "org/name"
    assert load(tmp_path, GOOD).embedding.model == "embedded"


@pytest.mark.parametrize(
    ("old", "new", "granted"),
    [
        ("", "", {"insight", "recommend", "quote"}),
        ('text = "body"', 'text = "body"\nthread = "ticket"', {"insight"}),
        ('text = "body"', 'text = "body"\nspeaker = "from"', {"insight"}),
        (
            'text = "body"',
            'text = "body"\n[[sources]]\nname = "x"\nkind = "users"\npath = "x.csv"\n'
            '[sources.columns]\nid = "id"\nthread = "ticket"',
            {"insight", "recommend", "quote"},
        ),
    ],
)
def test_letters_are_for_insight_alone_unless_the_file_grants_more(tmp_path, old, new, granted):
    *_, source = load(tmp_path, GOOD.replace('segments = ["country"]\n', "").replace(old, new)).sources
    assert source.granted == granted
    private = GOOD.replace('text = "body"', 'text = "body"\nspeaker = "from"')
    chosen = private.replace('language = "en"', 'uses = ["insight", "quote"]')
    assert load(tmp_path, chosen).sources[0].granted == {"insight", "quote"}


@pytest.mark.parametrize("kind", ["documents", "items", "users"])
def test_only_texts_may_be_without_an_id(tmp_path, kind):
    bare = GOOD + f'[[sources]]\nname = "x"\nkind = "{kind}"\npath = "x.csv"\n[sources.columns]\ntext = "t"\n'
    if kind == "documents":
        assert load(tmp_path, bare).sources[1].columns.id is None
    else:
        with pytest.raises(SettingsError, match=rf"columns\.id is missing; a source of {kind} needs it"):
            load(tmp_path, bare)


def test_two_sources_of_one_name_are_refused(tmp_path):
    twice = GOOD + GOOD[GOOD.index("[[sources]]") :]
    with pytest.raises(SettingsError, match="two sources are named 'reviews'"):
        load(tmp_path, twice)


def test_a_missing_file_says_how_to_write_one(tmp_path):
    with pytest.raises(SettingsError, match=r"no such file; run `nightloom init`"):
        load_settings(tmp_path / "nowhere.toml")


def test_no_documents_is_no_store(tmp_path):
    with pytest.raises(SettingsError, match="a night needs at least one"):
        load(tmp_path, GOOD.replace('"documents"', '"items"'))


def test_init_never_overwrites_unasked(tmp_path):
    path = tmp_path / "nightloom.toml"
    path.write_text("mine")
    with pytest.raises(SettingsError, match="exists already; pass --force"):
        write_default(path)
    assert path.read_text() == "mine"
    write_default(path, overwrite=True)
    assert path.read_text() == default_file()
