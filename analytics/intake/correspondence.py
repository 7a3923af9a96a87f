"""Only the customer's words: what a message holds that its writer did not write now is cut."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Collection
from typing import NamedTuple

from analytics.intake.macros import macro_spans, paragraphs, sentences
from analytics.intake.quotes import mark_quotes, split_attributions
from analytics.intake.signatures import (
    DISCLAIMER,
    disclaimer_spans,
    mark_signatures,
    split_within_lines,
)

CUT_VERSION = 1

OUT_OF_OFFICE = "out_of_office"
MACRO = "macro"

_AUTOMATIC = re.compile(
    r"\s*(?:subject|betreff|objet|asunto)?\s?:?\s*(?:automatic reply|auto(?:matic)?[- ]?(?:reply|response)|"
    r"out[- ]of[- ](?:the[- ])?office(?: (?:auto(?:matic)?[- ]?)?reply)?|automatische (?:antwort|"
    r"abwesenheitsnotiz)|abwesenheitsnotiz|"
    r"abwesenheitsnachricht|réponse automatique|message d['’]absence|absence du bureau|"
    r"respuesta automática|fuera de la oficina|automatisch antwoord|risposta automatica)\s?(?::.*)?",
    re.IGNORECASE,
)
_AWAY = re.compile(
    r"\b(?:i(?:['’]m| am| will be|['’]ll be)(?: currently| now)? (?:(?:away and )?out of (?:the |"
    r"my )?office|away (?:until|from)|on (?:annual |parental |maternity |sick )?(?:leave|vacation|holiday))"
    r"|ich (?:bin|befinde mich)\b(?:(?! und )[^,!?\n]){0,60}"
    r"(?:nicht im (?:büro|hause?)|außer haus|abwesend|im urlaub|nicht erreichbar)"
    r"|je (?:suis|serai)\b.{0,40}(?:absente?|en (?:congés?|vacances)|hors du bureau)"
    r"|(?:estoy|estaré|me encuentro|me encontraré)\b.{0,40}(?:fuera de (?:la|mi) oficina|ausente|"
    r"de vacaciones))",
    re.IGNORECASE,
)
_AWAY_SIGNS = re.compile(
    r"(?P<thanks>thank(?:s| you) for your (?:e-?mail|message)|danke für (?:ihre|deine) (?:e-?mail|nachricht)|"
    r"vielen dank für (?:ihre|deine) (?:e-?mail|nachricht|mail)|merci (?:de|pour) votre (?:message|"
    r"courriel|e-?mail|mail)|gracias por (?:su|tu) (?:mensaje|correo))"
    r"|(?P<back>\b(?:when i return|return(?:ing)? (?:on|to)|back (?:on|in)|ab dem|wieder (?:erreichbar|"
    r"im büro|da|für sie)|de retour|mon retour|jusqu['’]au|regres(?:o|aré)|volveré|mi regreso)\b)"
    r"|(?P<urgent>\b(?:urgent|emergenc|immediate (?:help|assistance)|dringend|notfäll|urgence|urgente))"
    r"|(?P<access>(?:limited|no|intermittent) access|nicht weitergeleitet|keinen zugriff|(?:will|"
    r"werde)\b.{0,40}\b(?:respond|reply|answer|get back|beantworten|melden)\b|répondrai|responderé|"
    r"contestaré|(?:please )?contact (?:my|our)|wenden sie sich|veuillez contacter|contacte con|diríjase)",
    re.IGNORECASE,
)
_LONGEST_AWAY = 1200
_AWAY_WITHIN = 300
_MOST_ROUNDS = 50
"""Each round but the last cuts something; real letters need two."""


class Cut(NamedTuple):
    """What is left of a message, and how many characters of each kind were cut."""

    text: str
    cuts: list[tuple[str, int]]


def cut_foreign(text: str, recurring: Collection[int] = ()) -> Cut:
    """Cut what the writer of a message did not write in it; cutting the rest again changes nothing.

    Kinds: `quoted_reply`, `signature` (closings with names and contact lines, footers of devices),
    `disclaimer`, `out_of_office` (the whole message) and `macro`. Salutations stay. Where nothing is cut,
    only line breaks are made one kind.

    Args:
        text: A message as plain text; HTML goes through `html_to_text` first.
        recurring: Numbers of the blocks that are macros in this message, from `find_recurring`.
    """
    counts: Counter[str] = Counter()
    macros = frozenset(recurring)
    text = text.replace("\r\n", "\n").replace("\r", "\n")
    for _ in range(_MOST_ROUNDS):
        left = _cut_once(text, macros, counts)
        if left == text:
            break
        text = left
    return Cut(text, sorted(counts.items()))


def block_hashes(text: str) -> list[int]:
    """Numbers of the blocks of a message in what the cutter leaves of it: what others may have written too.

    Returns:
        Distinct unsigned 64-bit numbers in ascending order: of paragraphs of four words or more and of
        sentences of six words or more.
    """
    text = cut_foreign(text).text
    numbers: set[int] = set()
    for start, end, number in paragraphs(text):
        numbers.add(number)
        numbers.update(sentence for _, _, sentence in sentences(text, start, end))
    return sorted(numbers)


def _cut_once(text: str, macros: frozenset[int], counts: Counter[str]) -> str:
    if _is_out_of_office(text):
        counts[OUT_OF_OFFICE] += len(text)
        return ""
    left = _cut_letter(text, counts)
    left = _without(left, disclaimer_spans(left), DISCLAIMER, counts)
    if macros:
        left = _without(left, macro_spans(left, macros), MACRO, counts)
    return left


def _cut_letter(text: str, counts: Counter[str]) -> str:
    """The text without quotations and signatures."""
    lines = split_within_lines(split_attributions(text)).split("\n")
    kinds = mark_quotes(lines)
    mark_signatures(lines, kinds)
    if not any(kinds):
        return text
    for line, kind in zip(lines, kinds, strict=True):
        if kind is not None:
            counts[kind] += len(line) + 1
    return _tidy("\n".join(line for line, kind in zip(lines, kinds, strict=True) if kind is None))


def _without(text: str, spans: list[tuple[int, int]], kind: str, counts: Counter[str]) -> str:
    """The text without the spans, which are sorted and may overlap."""
    if not spans:
        return text
    kept: list[str] = []
    at = 0
    for start, end in spans:
        kept.append(text[at : max(at, start)])
        counts[kind] += max(0, end - max(at, start))
        at = max(at, end)
    kept.append(text[at:])
    return _tidy("".join(kept))


def _tidy(text: str) -> str:
    text = re.sub(r"[^\S\n]+\n", "\n", text)
    return re.sub(r"\n{3,}", "\n\n", text).strip()


def _is_out_of_office(text: str) -> bool:
    start = text.lstrip()[:_AWAY_WITHIN]
    if _AUTOMATIC.fullmatch(start.split("\n", 1)[0]):
        return True
    if len(text) > _LONGEST_AWAY or not _AWAY.search(start):
        return False
    signs = {found.lastgroup for found in _AWAY_SIGNS.finditer(text)}
    return len(signs) >= 2 and bool(signs & {"thanks", "access"})
