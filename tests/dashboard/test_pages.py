"""The pages show what is published, in order, with its evidence, and say so when there is nothing."""

import sys
from collections.abc import Callable
from datetime import date
from html import escape

import duckdb
import polars as pl
import pytest
from small_store import HOSTILE, STOPPED, SmallStore, sentences, tables_of
from streamlit.testing.v1 import AppTest

from analytics.store.generation import Content, write_generation
from analytics.store.pointer import Entry
from analytics.tables import TABLES
from dashboard.wording import spell_day

OpenPage = Callable[[], AppTest]
FIRST, SECOND = date(2018, 5, 24), date(2018, 5, 25)
NEW_BADGE = ":gray-badge[:material/fiber_new: New tonight]"
PERCENT = "\N{NO-BREAK SPACE}%"


def shown_sentences(page: AppTest, night: date) -> list[str]:
    """Sentences of the night that stand on the page, in its order."""
    return [said for element in page.html for said in sentences(night) if escape(said) in element.value]


def show_themes(config: str) -> None:
    """The page of themes alone, with what the dashboard hands to it."""
    from pathlib import Path

    from analytics.settings import load_settings
    from dashboard import queries
    from dashboard.app_pages import themes

    settings = load_settings(Path(config))
    themes.show(queries.pin_night(settings.data_dir, settings.store.min_authors))


@pytest.fixture
def themes_page(store: SmallStore) -> AppTest:
    return AppTest.from_function(show_themes, default_timeout=30, kwargs={"config": str(store.config)})


def test_decisions_stand_in_rank_order_with_size_and_interval(store: SmallStore, open_page: OpenPage) -> None:
    entry = store.publish(FIRST)
    page = open_page().run()
    assert not page.exception
    assert page.caption[0].value == f"Night of 24 May 2018 · generation {entry.generation}"
    assert shown_sentences(page, FIRST) == sentences(FIRST)
    said = [element.value for element in page.markdown]
    told = "\n".join(element.value for element in page.html)
    assert "3 times as often as before, 95 % interval 1.8 to 4.9" in told
    assert "New: at least **6.0 times** as often as before (95 % interval, lower end)" in said
    people = [text.split("  \n") for text in said if ":material/group:" in text]
    assert people[0] == [
        ":material/group: 19 people say so, in 15 documents",
        ":material/date_range: 27 April 2018 to 24 May 2018",
        ":material/groups: about 12 customers a month who write so",
    ]
    assert said.count(":gray-badge[:material/query_stats: Very likely]") == 1
    assert "Check **it**." in told
    assert "Not heard: 3 texts." in told
    assert "What would change our mind: Two weeks of silence." in told


def test_the_other_side_is_told_apart(store: SmallStore, open_page: OpenPage) -> None:
    store.publish(FIRST)
    quotes = [element.value for element in open_page().run().html if "<mark" in element.value]
    assert sum("the other side" in quote for quote in quotes) >= 1


def test_what_changed_is_told_even_where_it_asks_for_nothing(store: SmallStore, open_page: OpenPage) -> None:
    store.publish(FIRST, has_decisions=False)
    page = open_page().run()
    assert any("is said 60 % less often" in element.value for element in page.html)
    assert any("857 tests made tonight" in element.value for element in page.caption)


# ---- what people say of them


def act(page: AppTest, label: str, who: str = "Ada") -> AppTest:
    """Press one of the buttons of the first decision."""
    page.text_input[0].set_value(who).run()
    next(button for button in page.button if button.label == label).click().run()
    assert not page.exception
    return page


def test_a_decision_is_taken_on_done_and_taken_back(store: SmallStore, open_page: OpenPage) -> None:
    store.publish(FIRST)
    page = act(open_page().run(), "Take on")
    assert any("Taken on" in element.value for element in page.markdown)
    page = act(page, "Done")
    assert any(f"Done on {spell_day(date.today())}" in element.value for element in page.markdown)
    page = act(act(page, "Undo"), "Undo")
    assert not any("Taken on" in element.value for element in page.markdown)
    history = [element.value for element in page.html if "Ada" in element.value]
    assert sum("took it on" in line for line in history) == 1
    assert sum("took the last back" in line for line in history) == 2


def test_an_act_needs_a_name_and_a_refused_one_says_why(store: SmallStore, open_page: OpenPage) -> None:
    store.publish(FIRST)
    page = act(open_page().run(), "Take on", who="  ")
    assert "Say who you are first" in page.error[0].value
    page = act(page, "Undo")
    assert "nothing that was said of decision" in page.error[0].value


def test_a_decision_that_is_called_wrong_shows_it(store: SmallStore, open_page: OpenPage) -> None:
    store.publish(FIRST)
    page = act(open_page().run(), "This is wrong")
    assert ":red-badge[:material/person: Wrong]" in [element.value for element in page.markdown]


def test_figures_stand_beside_what_they_are_not(store: SmallStore, open_page: OpenPage) -> None:
    store.publish(FIRST)
    page = open_page().run()
    assert [(card.label, card.value, card.delta) for card in page.metric] == [
        ("Documents covered", "57", "3 not analysed"),
        ("Opinions", "114", "+114 tonight"),
        ("Themes", "6", "+6 tonight"),
        ("New tonight", "60", "9 the night before"),
    ]
    assert all(card.help for card in page.metric)
    assert [element.value for element in page.markdown].count(NEW_BADGE) == 3


def test_a_first_night_has_nothing_to_compare_with(store: SmallStore, open_page: OpenPage) -> None:
    store.publish(FIRST, is_first=True)
    page = open_page().run()
    assert not page.exception
    assert [card.delta for card in page.metric] == ["3 not analysed", *["first night"] * 3]
    assert NEW_BADGE not in [element.value for element in page.markdown]


def test_every_rerun_follows_the_pointer(store: SmallStore, open_page: OpenPage) -> None:
    first = store.publish(FIRST)
    page = open_page().run()
    store.publish(SECOND, n_documents=80)
    page.run()
    assert not page.exception
    assert page.caption[0].value.startswith("Night of 25 May 2018")
    assert (shown_sentences(page, FIRST), shown_sentences(page, SECOND)) == ([], sentences(SECOND))
    store.point_at(first)
    assert shown_sentences(page.run(), FIRST) == sentences(FIRST)


def test_a_kind_filters_and_none_shows_all(store: SmallStore, open_page: OpenPage) -> None:
    store.publish(FIRST)
    page = open_page().run()
    page.pills(key="kind").set_value("watch").run()
    assert shown_sentences(page, FIRST) == sentences(FIRST)[1:2]
    page.pills(key="kind").set_value(None).run()
    assert not page.exception
    assert shown_sentences(page, FIRST) == sentences(FIRST)


def test_the_chosen_decision_shows_its_weeks(store: SmallStore, open_page: OpenPage) -> None:
    store.publish(FIRST)
    page = open_page().run()
    box = page.selectbox[0]
    assert box.options == [
        "1. battery · charge · hours",
        "2. zip **b** $x$ <i>x</i>",
        "3. screen · bright · sharp",
    ]
    box.select_index(2).run()
    assert not page.exception
    store.publish(SECOND)
    page.run()
    assert not page.exception
    assert len(page.get("vega_lite_chart")) == 3  # two sizes, one of which is new and has none, and the weeks


def test_text_of_documents_does_nothing(store: SmallStore, open_page: OpenPage, themes_page: AppTest) -> None:
    """No part of it reaches a widget that reads Markdown, and as HTML it is escaped."""
    store.publish(FIRST)
    for page in (open_page().run(), themes_page.run()):
        bodies = [element.value for element in page.html]
        assert not any("<script" in body or "<i>" in body for body in bodies)
        for kind in ("markdown", "caption", "title", "subheader", "header", "info", "warning", "error"):
            for element in getattr(page, kind):
                assert not any(part in element.value for part in ("alert", "evil", "**b**", "<i>", "$x$"))
        for expander in page.expander:
            assert expander.label.startswith(
                ("Evidence: 3 quotes", "How sure", "How this was made", "Sources: 2")
            )
    assert any(f"{escape(HOSTILE)}</mark>" in element.value for element in open_page().run().html)


def test_nothing_published_says_what_to_run(open_page: OpenPage) -> None:
    page = open_page().run()
    assert not page.exception
    (line,) = (element.value for element in page.info)
    assert "nothing is published" in line
    assert "run `nightloom run`" in line
    assert not page.metric


def test_no_decisions_says_why(store: SmallStore, open_page: OpenPage, themes_page: AppTest) -> None:
    store.publish(FIRST, has_decisions=False)
    assert open_page().run().info[0].value == (
        "Nothing changed that we can be sure of. No decision tonight: no finding is sure enough to act on."
    )
    store.publish(SECOND)
    store.set_min_authors(19)
    page = open_page().run()
    assert shown_sentences(page, SECOND) == sentences(SECOND)[:1]
    store.set_min_authors(20)
    assert "each of them has fewer than 20 distinct authors" in open_page().run().info[0].value
    store.set_min_authors(21)
    assert "no theme has 21 distinct authors or more behind it" in open_page().run().info[0].value
    themes = themes_page.run()
    assert not themes.exception
    assert "none has 21 distinct authors" in themes.info[0].value


@pytest.mark.parametrize(
    ("n_documents", "is_analysed", "why"),
    [
        (0, True, "no document was written up to this night"),
        (2, False, "none of the 2 documents could be analysed"),
        (2, True, "the 2 covered documents hold no statement"),
    ],
)
def test_an_empty_night_says_why(
    store: SmallStore, open_page: OpenPage, n_documents: int, is_analysed: bool, why: str
) -> None:
    """A generation of documents without statements."""
    tables = {name: table.empty() for name, table in TABLES.items()}
    document = pl.DataFrame(
        {"document_id": [str(n) for n in range(n_documents)]}, schema={"document_id": pl.String}
    )
    tables["document"] = pl.concat([tables["document"], document], how="diagonal").with_columns(
        is_analysed=pl.lit(is_analysed), is_counted=pl.lit(True), is_covered=pl.lit(is_analysed)
    )
    degraded = pl.Series([["a **source** is quiet"]] * 2)
    tables["run"] = tables_of(FIRST, "r", 60, True)["run"].with_columns(degraded=degraded)
    write_generation(store.published / "bare", Content(tables, {}), {})
    store.point_at(Entry("bare", "r", 1, FIRST))
    page = open_page().run()
    assert not page.exception
    assert why in page.info[0].value
    assert [element.value for element in page.text] == ["a **source** is quiet"]


def test_how_it_was_made(store: SmallStore, open_page: OpenPage) -> None:
    store.publish(FIRST)
    page = open_page().run()
    facts = next(element.value for element in page.markdown if "model calls" in element.value)
    assert "60 documents: 60 new" in facts
    assert "2 rows in quarantine" in facts
    assert "7 model calls" in facts
    quality, calls, quarantine = (element.value for element in page.dataframe)
    assert quality["metric"].tolist() == [
        "n tests",
        "sentiment balanced accuracy",
        "sentiment macro f1",
        "sentiment majority share",
    ]
    assert (calls["n_calls"].tolist(), quarantine["n_rows"].tolist()) == ([7], [2])


def test_themes_with_their_last_week_and_typical_quote(store: SmallStore, themes_page: AppTest) -> None:
    store.publish(FIRST)
    page = themes_page.run()
    assert not page.exception
    table = page.dataframe[0].value
    assert table["name"].tolist()[0] == "price · value · money"
    assert table["name"].tolist()[-1] == "battery · charge · hours"
    assert table["typical_quote"].tolist()[-1] == "The battery is empty after two hours."
    assert table["share"].tolist()[-1] == pytest.approx(100 * 15 / 60)
    assert table["interval"].tolist()[-1] == f"15.8–37.2{PERCENT}"
    assert [name for name in table["name"] if name.endswith("*")] == ["screen · bright · sharp *"]
    told = "the language model proposed its name"
    assert not any(told in caption.value for caption in page.caption)
    page.selectbox(key="theme").select_index(3).run()
    assert any(told in caption.value for caption in page.caption)


def test_a_share_of_13_weeks_says_what_it_is_corrected_by(store: SmallStore, themes_page: AppTest) -> None:
    store.publish(FIRST)
    themes_page.run()
    lines = {}
    for theme in themes_page.selectbox(key="theme").options:
        themes_page.selectbox(key="theme").select(theme).run()
        lines[theme] = [
            c.value for c in themes_page.caption if c.value.startswith("Share of the last 13 weeks")
        ]
    told = [line for found in lines.values() for line in found]
    assert len(told) == 3  # the others may not be shown
    assert (
        "15.0\N{NO-BREAK SPACE}% (12.0–18.0\N{NO-BREAK SPACE}%), corrected by 60 labels from 20.0"
        in "".join(told)
    )
    assert "corrected by 4 labels of its own and those of other themes" in "".join(told)
    assert "not corrected: no labels" in "".join(told)


def test_themes_by_segment(store: SmallStore, themes_page: AppTest) -> None:
    store.publish(FIRST)
    page = themes_page.run()
    assert page.selectbox(key="segment").options == ["All documents", "channel: shop", "channel: web"]
    assert "dashed" not in page.caption[-1].value
    page.selectbox(key="segment").select_index(2).run()
    page.selectbox(key="theme").select_index(5).run()
    assert not page.exception
    assert any("dashed: all documents" in caption.value for caption in page.caption)
    store.publish(SECOND)
    assert not page.run().exception


def test_themes_by_source_and_weeks(store: SmallStore, themes_page: AppTest) -> None:
    store.publish(FIRST)
    page = themes_page.run()
    assert page.selectbox(key="source").options == ["All sources", "reviews"]
    assert page.selectbox(key="weeks").options == ["Last week", "Last 4 weeks"]
    assert page.dataframe[0].value["n_documents_in"].notna().all()
    page.selectbox(key="segment").select_index(1)
    page.selectbox(key="source").select_index(1)
    page.selectbox(key="weeks").set_value(4).run()
    assert not page.exception
    table = page.dataframe[0].value
    hidden = table[table["share"].isna()]
    assert hidden["name"].tolist() == ["delivery · late · week"]
    assert hidden["interval"].tolist() == ["–"]
    assert hidden[["n_documents_in", "typical_quote"]].isna().all(axis=None)
    said = [caption.value for caption in page.caption]
    assert any(text.startswith("– no figure and no quote, where fewer than 3 authors") for text in said)


def test_a_filter_without_a_figure_says_so(store: SmallStore, themes_page: AppTest) -> None:
    store.publish(FIRST)
    page = themes_page.run()
    page.selectbox(key="segment").select_index(2)
    page.selectbox(key="source").select_index(1).run()
    assert not page.exception
    assert page.info[0].value.startswith("No week can be shown here: fewer than 3 authors")
    assert page.dataframe[0].value["share"].isna().all()


def test_a_wrong_start_is_one_line(
    store: SmallStore, open_page: OpenPage, monkeypatch: pytest.MonkeyPatch
) -> None:
    store.config.write_text("[store]\nshop = 1\n")
    page = open_page().run()
    assert not page.exception
    assert "unknown key" in page.error[0].value
    for arguments, said in (
        (["--config", str(store.config.with_name("none.toml"))], "no such file"),
        (["--confg", "x"], "unknown argument '--confg'"),
        (["--config"], "expected one argument"),
    ):
        monkeypatch.setattr(sys, "argv", ["app.py", *arguments])
        page = open_page().run()
        assert not page.exception
        assert said in page.error[0].value


def test_a_damaged_generation_is_one_line(store: SmallStore, open_page: OpenPage) -> None:
    entry = store.publish(FIRST)
    with duckdb.connect(str(store.published / entry.generation / "insights.duckdb")) as connection:
        connection.execute("DROP VIEW coverage")
    page = open_page().run()
    assert not page.exception
    assert "cannot be read" in page.error[0].value


# ---- sources


def show_sources(config: str) -> None:
    """The page of sources alone, with what the dashboard hands to it."""
    from pathlib import Path

    from analytics.settings import load_settings
    from dashboard import queries
    from dashboard.app_pages import sources

    settings = load_settings(Path(config))
    sources.show(queries.pin_night(settings.data_dir, settings.store.min_authors))


def test_sources_show_their_state_their_days_and_what_was_left_out(store: SmallStore) -> None:
    store.publish(FIRST)
    page = AppTest.from_function(show_sources, default_timeout=30, kwargs={"config": str(store.config)}).run()
    assert not page.exception
    assert escape(STOPPED) in page.html[1].value
    assert [metric.value for metric in page.metric] == ["60", f"95.0{PERCENT}", f"5.0{PERCENT}", "1"]
    events, left_out, taken_out, rejected = [table.value.to_numpy().tolist() for table in page.dataframe]
    assert events[0][:2] == ["Summer sale", "promotion"]
    assert left_out == [["language de", 3, 5.0]]
    assert taken_out == [["reviews", "Personal data", "email", 30, 30]]
    assert rejected == [["reviews", "no text", 2]]


def test_a_source_on_hold_is_said_with_who_is_not_heard(store: SmallStore, open_page: OpenPage) -> None:
    store.publish(FIRST)
    page = open_page().run()
    assert any(escape(STOPPED) in element.value for element in page.html)
    assert any(
        "languages that the embedding model does not read (de 5.0" in caption.value
        for caption in page.caption
    )


def test_a_quote_that_may_not_be_shown_is_withheld(store: SmallStore, open_page: OpenPage) -> None:
    store.publish(FIRST)
    shown = [element.value for element in open_page().run().html]
    assert sum("does not allow to be quoted" in body for body in shown) == 2
    assert sum('href="https://shop.example/r-' in body for body in shown) == 9 + 2


def test_briefs_stand_on_their_pages_inert_and_with_their_sources(
    store: SmallStore, open_page: OpenPage, themes_page: AppTest
) -> None:
    store.publish(FIRST)
    for page in (open_page().run(), themes_page.run()):
        assert not page.exception
        told = [element.value for element in page.html]
        assert any(escape("Some **never** saw it <b>leak</b>.") in html for html in told)
        assert any("the other side · worded by the language model, checked" in html for html in told)
        assert any(expander.label == "Sources: 2 statements" for expander in page.expander)
