"""How a mail looks: the words of its writer between greeting, signature, disclaimers and what it answers."""

from __future__ import annotations

import html
from dataclasses import dataclass, field
from datetime import datetime
from random import Random

SUPPORT = "support@larkfell.example"
SUPPORT_NAMES = {"en": "Larkfell Support", "de": "Larkfell Kundenservice"}
STYLES = {
    "en": ("on_wrote", "on_wrote_wrapped", "outlook", "outlook_rule", "html_on_wrote", "html_outlook"),
    "de": ("am_schrieb", "am_schrieb_uhr", "outlook_de", "von_gesendet", "html_am_schrieb", "html_von"),
}
DAYS = {
    "en": ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"),
    "de": ("Mo.", "Di.", "Mi.", "Do.", "Fr.", "Sa.", "So."),
}
MONTHS = {
    "en": ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"),
    "de": ("Jan.", "Feb.", "März", "Apr.", "Mai", "Juni", "Juli", "Aug.", "Sept.", "Okt.", "Nov.", "Dez."),
}


@dataclass
class Piece:
    """A stretch of a mail: said, courtesy (greeting, closing), or foreign of some kind."""

    kind: str
    text: str
    sentences: list[str] = field(default_factory=list)
    """Of what is said, one by one."""


@dataclass
class Sent:
    """A message as a later one quotes it."""

    at: datetime
    name: str
    address: str
    subject: str
    text: str
    """As its reader sees it, without markup."""


def headline_of(sent: Sent, style: str, language: str) -> str:
    """The lines above a quotation."""
    at = sent.at
    day, month = DAYS[language][at.weekday()], MONTHS[language][at.month - 1]
    if style in ("on_wrote", "html_on_wrote"):
        return f"On {day}, {at.day} {month} {at.year} at {at:%H:%M}, {sent.name} <{sent.address}> wrote:"
    if style == "on_wrote_wrapped":
        return f"On {day}, {month} {at.day}, {at.year} at {at:%I:%M %p} {sent.name}\n<{sent.address}> wrote:"
    if style == "am_schrieb":
        return f"Am {at:%d.%m.%Y} um {at:%H:%M} schrieb {sent.name}:"
    if style in ("am_schrieb_uhr", "html_am_schrieb"):
        return (
            f"Am {day}, {at.day}. {month} {at.year} um {at:%H:%M} Uhr schrieb {sent.name} <{sent.address}>:"
        )
    if language == "de":
        lines = (
            f"Von: {sent.name} <{sent.address}>\nGesendet: {at:%d.%m.%Y %H:%M}\n"
            f"An: {SUPPORT if sent.address != SUPPORT else 'Kunde'}\nBetreff: {sent.subject}"
        )
        return ("-----Ursprüngliche Nachricht-----\n" if style == "outlook_de" else "") + lines
    lines = (
        f"From: {sent.name} <{sent.address}>\nSent: {day} {at.day} {month} {at.year} {at:%H:%M}\n"
        f"To: {SUPPORT if sent.address != SUPPORT else 'Customer'}\nSubject: {sent.subject}"
    )
    before = {"outlook": "-----Original Message-----\n", "outlook_rule": "_" * 32 + "\n"}
    return before.get(style, "") + lines


def quotation(sent: Sent, style: str, language: str) -> list[Piece]:
    """What a reply repeats of the message before it: one piece as plain text, its lines as markup."""
    head = headline_of(sent, style, language)
    if style.startswith("html"):
        heads = [Piece("quote_head", line) for line in head.split("\n")]
        return heads + [Piece("quote", line) for line in sent.text.split("\n") if line.strip()]
    if style in ("outlook", "outlook_rule", "outlook_de", "von_gesendet"):
        return [Piece("quote", f"{head}\n\n{sent.text}")]
    return [Piece("quote", head + "\n" + "\n".join(f"> {line}".rstrip() for line in sent.text.split("\n")))]


def plain_body(pieces: list[Piece]) -> str:
    """The mail as plain text."""
    return "\n\n".join(piece.text for piece in pieces)


def html_body(pieces: list[Piece], rng: Random) -> str:
    """The mail as markup, in the manner of one of two mail programs."""
    entities = rng.random() < 0.5
    block = rng.choice(["p", "div"])
    own = [piece for piece in pieces if not piece.kind.startswith("quote")]
    quoted = [piece for piece in pieces if piece.kind.startswith("quote")]

    def marked(text: str) -> str:
        text = html.escape(text, quote=False)
        if entities:
            text = text.encode("ascii", "xmlcharrefreplace").decode()
            text = text.replace("&#228;", "&auml;").replace("&#246;", "&ouml;").replace("&#252;", "&uuml;")
        return text.replace("\n", "<br>\n")

    gap = "<div><br></div>\n" if block == "div" else ""
    body = gap.join(f"<{block}>{marked(piece.text)}</{block}>\n" for piece in own)
    if quoted:
        heads = "<br>\n".join(marked(piece.text) for piece in quoted if piece.kind == "quote_head")
        lines = "<br>\n".join(marked(piece.text) for piece in quoted if piece.kind == "quote")
        body += (
            f'<div class="gmail_quote"><div class="gmail_attr">{heads}<br></div>'
            f'<blockquote style="margin:0 0 0 .8ex;border-left:1px #ccc solid">{lines}</blockquote></div>\n'
        )
    style = "<style>p.MsoNormal{margin:0cm;font-size:11.0pt}</style>" if block == "p" else ""
    return f"<html><head>{style}</head><body>\n{body}</body></html>"
