"""Numbers say what they mean, and foreign text does nothing."""

from datetime import date
from html.parser import HTMLParser

from hypothesis import given
from hypothesis import strategies as st

from dashboard import wording


class Page(HTMLParser):
    """What a browser makes of HTML: its text, its tags and what stands inside <mark>."""

    def __init__(self, html: str):
        super().__init__(convert_charrefs=True)
        self.text, self.marked, self.tags, self._in_mark = "", "", set[str](), False
        self.feed(html)
        self.close()

    def handle_starttag(self, tag: str, attrs: object) -> None:
        self.tags.add(tag)
        self._in_mark = tag == "mark"

    def handle_endtag(self, tag: str) -> None:
        self._in_mark = False

    def handle_data(self, data: str) -> None:
        self.text += data
        self.marked += data if self._in_mark else ""


def test_shares_have_one_decimal_and_their_interval() -> None:
    assert wording.percent(0.12345) == "12.3\N{NO-BREAK SPACE}%"
    assert wording.percent(None) == "–"
    assert wording.interval(0.1011, 0.1489) == "10.1–14.9\N{NO-BREAK SPACE}%"
    assert wording.interval(None, None) == "–"


def test_counts_and_days() -> None:
    assert [wording.count(34660), wording.count(None), wording.signed(1203), wording.signed(-4)] == [
        "34,660",
        "–",
        "+1,203",
        "−4",
    ]
    assert wording.spell_day(date(2018, 5, 4)) == "4 May 2018"
    assert wording.spell_day(None) == "no date"


anything = st.text(alphabet=st.characters(blacklist_categories=["Cs", "Cc"]), max_size=60)
hostile = st.sampled_from(
    ["<script>", "</div>", "&lt;", "<img src=x onerror=y>", "'\">", "</details>", "<!--", "<mark>"]
)
texts = st.lists(anything | hostile, max_size=8).map("".join)


@given(texts, texts, texts, st.lists(texts, max_size=3))
def test_a_quote_is_marked_letter_by_letter_and_brings_no_tag(
    before: str, said: str, after: str, origin: list[str]
) -> None:
    text = before + said + after
    page = Page(wording.quote(text, len(before), len(before) + len(said), origin))
    assert page.marked == said
    assert text in page.text
    assert " · ".join(origin) in page.text
    assert page.tags <= {"div", "mark", "bdi", "details", "summary"}


@given(texts)
def test_headings_and_paragraphs_bring_no_tag(text: str) -> None:
    for html in (wording.heading(text), wording.paragraph(text)):
        page = Page(html)
        assert (page.text, page.tags) == (text, {"div"})


def test_a_long_document_is_cut_around_the_quote_at_spaces_and_folds_away_whole() -> None:
    before, said, after = "early " * 100, "the point", " later" * 100
    text = before + said + after
    page = Page(wording.quote(text, len(before), len(before) + len(said), []))
    shown, _, whole = page.text.partition("Whole document")
    assert shown.startswith("… early ")
    assert shown.endswith(" later …")
    assert set(shown.split()) == {"…", "early", "the", "point", "later"}
    assert len(shown) < 2 * wording.CONTEXT_CHARACTERS + 40
    assert whole == text
    assert "Whole document" not in Page(wording.quote("so " + said, 3, 12, [])).text


def test_a_document_without_spaces_keeps_its_quote() -> None:
    text = "好" * 2000
    page = Page(wording.quote(text, 900, 910, []))
    assert page.marked == "好" * 10
