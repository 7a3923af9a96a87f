"""Numbers, days and foreign text as a reader sees them.

Text of documents and models reaches the page through `inert` or a widget that draws plain text, and never
through Markdown: Streamlit's directives (`:material/…:`, `$…$`) work even behind backslashes.
"""

from __future__ import annotations

import html
import re
from datetime import date

NOTHING = "–"
CONTEXT_CHARACTERS = 280
"""How much of a document is shown on either side of a quote before the rest folds away."""

_MARK = "background: color-mix(in srgb, #1a8fa5 26%, transparent); color: inherit; border-radius: 3px;"
_FOREIGN = "white-space: pre-wrap; overflow-wrap: anywhere;"
_SMALL = "font-size: 0.85rem; opacity: 0.7; overflow-wrap: anywhere;"
_BESIDE_LINE = (
    '<div style="border-left: 3px solid color-mix(in srgb, #1a8fa5 60%, transparent); '
    'padding: 0.1rem 0 0.1rem 0.9rem; margin: 0.2rem 0;">'
)


def count(number: int | None) -> str:
    """A count such as 34,660."""
    return NOTHING if number is None else f"{number:,}"


def percent(share: float | None) -> str:
    """A share such as 12.3 %, its sign held to the number."""
    return NOTHING if share is None else f"{100 * share:.1f}\N{NO-BREAK SPACE}%"


def interval(low: float | None, high: float | None) -> str:
    """The interval of a share, such as 10.1–14.8 %."""
    return NOTHING if low is None or high is None else f"{100 * low:.1f}–{percent(high)}"


def correction(kind: str, n_labels: int, raw: float) -> str:
    """What a share is corrected by, such as corrected by 40 labels from 12.3 %."""
    if kind == "none":
        return "not corrected: no labels" if not n_labels else f"not corrected: only {n_labels} labels"
    labels = f"{n_labels} label{'' if n_labels == 1 else 's'}"
    by = labels if kind == "labels" else f"{labels} of its own and those of other themes"
    return f"corrected by {by} from {percent(raw)}"


def signed(number: int) -> str:
    """A difference of two counts, such as +1,203 or −4."""
    return f"{number:+,}".replace("-", "−")


def spell_day(day: date | None) -> str:
    """A day such as 24 May 2018."""
    return "no date" if day is None else f"{day.day} {day:%B %Y}"


def inert(text: str) -> str:
    """Foreign text as HTML that shows it letter by letter and does nothing."""
    return html.escape(text, quote=True)


def heading(text: str) -> str:
    """HTML of a foreign text as the heading of a card."""
    style = f"font-size: 1.15rem; font-weight: 600; line-height: 1.35; margin: 0; {_FOREIGN}"
    return f'<div role="heading" aria-level="3" dir="auto" style="{style}">{inert(text)}</div>'


def paragraph(text: str) -> str:
    """HTML of a foreign text as a paragraph."""
    return f'<div dir="auto" style="margin: 0.25rem 0 0; {_FOREIGN}">{inert(text)}</div>'


_VOICES = {"dissent": "the other side"}
_ORIGINS = {"model": "worded by the language model, checked"}


def told(text: str, voice: str, origin: str) -> str:
    """HTML of a sentence of a brief, with what sets it apart: the smaller side, or a model's words."""
    known = [part for part in (_VOICES.get(voice), _ORIGINS.get(origin)) if part]
    line = f'<div style="{_SMALL}">{" · ".join(known)}</div>' if known else ""
    return f'{_BESIDE_LINE}<div dir="auto" style="{_FOREIGN}">{inert(text)}</div>{line}</div>'


def quote(
    text: str, start: int, end: int, origin: list[str], url: str | None = None, question: str | None = None
) -> str:
    """HTML of a document with its quote marked, and a line that says where it comes from.

    Args:
        text: The document as every model and reader sees it.
        start: First code point of the quote.
        end: Code point after its last.
        origin: What the line says, part by part (day, rating, item, source).
        url: Address of the source record; anything but http and https is left out.
        question: What the document answers.
    """
    first, last = _context(text, start, end)
    shown = (
        ("… " if first else "")
        + inert(text[first:start])
        + f'<mark style="{_MARK}">{inert(text[start:end])}</mark>'
        + inert(text[end:last])
        + (" …" if last < len(text) else "")
    )
    whole = ""
    if first or last < len(text):
        whole = (
            '<details style="font-size: 0.85rem; opacity: 0.85;"><summary>Whole document</summary>'
            f'<div dir="auto" style="{_FOREIGN} padding-top: 0.4rem;">{inert(text)}</div></details>'
        )
    asked = f'<div dir="auto" style="{_SMALL} {_FOREIGN}">{inert(question)}</div>' if question else ""
    said = f'<div dir="auto" style="{_FOREIGN}">{shown}</div>'
    return f"{_BESIDE_LINE}{asked}{said}{_line(origin, url)}{whole}</div>"


def withheld(origin: list[str], url: str | None = None) -> str:
    """HTML for a quote whose source does not grant quoting: that there is one, and where its record is."""
    said = "A statement that its source does not allow to be quoted."
    return f"{_BESIDE_LINE}<div><em>{said}</em></div>{_line(origin, url)}</div>"


def _line(origin: list[str], url: str | None) -> str:
    parts = [f"<bdi>{inert(part)}</bdi>" for part in origin]
    if url and url.lower().startswith(("https://", "http://")):
        parts.append(f'<a href="{inert(url)}" target="_blank" rel="noopener noreferrer">source record</a>')
    return f'<div style="{_SMALL}">{" · ".join(parts)}</div>'


def _context(text: str, start: int, end: int) -> tuple[int, int]:
    """Where the shown part of a document begins and ends: at spaces, where something is left out."""
    first, last = max(0, start - CONTEXT_CHARACTERS), min(len(text), end + CONTEXT_CHARACTERS)
    if first and (space := re.search(r"\s", text[first:start])):
        first += space.end()
    if last < len(text) and (spaces := re.match(r".*(?=\s)", text[end:last], re.DOTALL)):
        last = end + spaces.end()
    return first, last
