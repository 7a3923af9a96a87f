from __future__ import annotations

import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from analytics.intake.correspondence import cut_foreign
from analytics.intake.markup import html_to_text

GMAIL = (
    '<div dir="ltr">It is the red one.</div><br><div class="gmail_quote"><div dir="ltr" class="gmail_attr">'
    'On Mon, Jan 8, 2024 at 9:14 AM Nora &lt;<a href="mailto:n@a.example">n@a.example</a>&gt; wrote:<br>'
    '</div><blockquote class="gmail_quote"><div>Which colour is it?</div></blockquote><div>Red, I said.</div>'
    "<blockquote><div>Anything else?</div></blockquote></div>"
)
OUTLOOK = (
    "<html><head><style>p {margin: 0}</style><title>mail</title></head><body><!-- top --><p "
    "class=MsoNormal>The "
    'kettle\nleaks.<o:p></o:p></p><hr><div id="divRplyFwdMsg"><b>From:</b> Nora<br><b>Sent:</b> Monday<br>'
    "<b>To:</b> Ann<br><b>Subject:</b> kettle</div><div><p>We are sorry.</p></div></body></html>"
)


@pytest.mark.parametrize(
    "text",
    ["<3 you", "a < b and c > d", "x <- y", "ask <nora@acme.example> now", "<https://a.example/x>", "a<b c>d",
     "AT&T & co", "typing <script> breaks it", "<<>>", "< br >", "  two  \n\n\n", "<Ann> hello", "", "a <p"],
)  # fmt: skip
def test_plain_text_is_left_alone(text: str) -> None:
    assert html_to_text(text) == text


@pytest.mark.parametrize(
    ("page", "text"),
    [
        ("Great!<br />\nI love it<br>bye", "Great!\nI love it\nbye"),
        ("One.&lt;br&gt;Two &amp; three", "One.\nTwo & three"),
        ("<p>One\n two</p><p>Three</p>", "One two\n\nThree"),
        ("<div>a</div><div><br></div><div>b</div>", "a\n\nb"),
        ("<ul><li>lid</li><li>spout</li></ul>", "- lid\n- spout"),
        ("<table><tr><td>lid</td><td>loose</td></tr><tr><td>spout</td></tr></table>", "lid loose\nspout"),
        ("a <b>bold</b> claim", "a bold claim"),
        ("<p>5 &lt; 6, caf&eacute;&nbsp;au lait</p>", "5 < 6, café au lait"),
        ('<p>Hi<img src="https://t.example/p.gif" width=1 height=1></p>', "Hi"),
        ("<p>a</p><script>if (a < b) {}</script><style>p {}</style><!-- <p>c</p> --><p>d</p>", "a\n\nd"),
        ('<p title="a > b">x</p>', "x"),
        ("<pre>one\n  two</pre>", "one\n  two"),
        (
            "<blockquote>old<br>text<blockquote>older</blockquote></blockquote>new",
            "> old\n> text\n>\n>> older\n\nnew",
        ),
        ("<p>unclosed <b>tags <i>everywhere", "unclosed tags everywhere"),
        ("<p>one</div></blockquote>two", "one\n\ntwo"),
        ("plain\n> quoted\nline <i>here</i>", "plain\n> quoted\nline here"),
        ("<p>half a tag <a href=", "half a tag"),
        ("<!-- only a comment -->", ""),
        ("<p>&#99999999999999999999;</p>", "& #99999999999999999999;"),
    ],
)
def test_markup_becomes_text(page: str, text: str) -> None:
    assert html_to_text(page) == text


def test_a_gmail_reply_keeps_its_answers_and_marks_what_it_quotes() -> None:
    assert cut_foreign(html_to_text(GMAIL)).text == "It is the red one.\n\nRed, I said."


def test_what_follows_outlooks_header_is_quoted() -> None:
    text = html_to_text(OUTLOOK)
    assert text.startswith("The kettle leaks.\n\n> From: Nora\n> Sent: Monday\n")
    assert cut_foreign(text).text == "The kettle leaks."


def test_a_gmail_forward_without_a_block_quotation_is_quoted_whole() -> None:
    page = '<div>See below.</div><div class="gmail_quote"><div>We are sorry.</div></div>'
    assert html_to_text(page) == "See below.\n> We are sorry."


PIECES = [
    *("<p>", "</p>", "<br>", "<div>", "</div>", "<blockquote>", "</blockquote>", "<!--", "-->", "<script>"),
    *("</script>", "<b>", "</b>", "<li>", "<pre>", "</pre>", "<a href='", "'>", "&lt;br&gt;", "<", ">"),
    *("&amp;lt;p&amp;gt;", "\n", " ", "&", "lt;", "br", "/", "word", "3", "<td>", "&#60;", "p&gt;", '"'),
    *("&amp;", "&nbsp;", "<h1>", "\r\n", "amp;"),
]  # fmt: skip


@settings(max_examples=200, deadline=None)
@given(st.lists(st.one_of(st.sampled_from(PIECES), st.text(max_size=4)), max_size=25))
def test_reading_again_changes_nothing(pieces: list[str]) -> None:
    text = html_to_text("".join(pieces))
    assert html_to_text(text) == text


@settings(max_examples=100, deadline=None)
@given(st.text(alphabet=st.characters(exclude_characters="<&"), max_size=60))
def test_text_without_tags_is_left_alone(text: str) -> None:
    assert html_to_text(text) == text


@pytest.mark.parametrize(
    "page",
    ["<" * 200_000, "<p>" + "<" * 200_000, "<!--" * 50_000, "<p>" + "<a " * 70_000, '<p x="' * 40_000,
     "<p " + "a" * 200_000,
     "<blockquote>a" * 20_000, "<p>&#" + "9" * 200_000, "<script>" * 30_000, "<p" + " \t" * 100_000,
     "<p>&" + "amp;" * 50_000 + "lt;br>", "<div>" * 40_000 + "a" + "</div>" * 40_000],
)  # fmt: skip
def test_time_grows_with_length_only(page: str) -> None:
    started = time.perf_counter()
    html_to_text(page)
    assert time.perf_counter() - started < 3
