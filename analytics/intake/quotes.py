"""Quoted replies and forwarded mail: which lines of a message somebody else wrote before."""

from __future__ import annotations

import re

from analytics.intake.signatures import closes, greets

QUOTED = "quoted_reply"

_QUOTE_LINE = re.compile(r"\s{0,3}>(?![:;.]['’]?[-()DPp/]|_<|<)")
_COMPARISON = re.compile(r"\s{0,3}>=?\s?[€$£]?\d")
_OPENS = re.compile(r"(?:On|Am|Le|El|Il|Op|Em|Den|W dniu)\b|.{0,120}@")
_WROTE = (
    r"(?:wrote|schrieb(?: .{1,100})?|a écrit|escribió|ha scritto|schreef(?: .{1,100})?|"
    r"heeft .{0,100}geschreven|escreveu|skrev(?: .{1,100})?|napisał(?:\(a\))?)\s?:"
)
_ATTRIBUTION = re.compile(
    rf"(?:On|Am|Le|El|Il|Op|Em|Den|W dniu)\b.{{4,250}}?\b{_WROTE}|.{{0,120}}[@\]][^\s>]{{0,80}}>?,? {_WROTE}"
)
_SELF = re.compile(
    r"\b(?:I|[Ww]e|[Yy]ou|[Tt]hey|[Hh]e|[Ss]he|je|j'|nous|vous|tu|yo|nosotros|usted|ik|wij|io)\s?"
    r"(?:wrote|a écrit|escribió|schreef|ha scritto)"
    r"|\bschrieb (?:ich|wir|er|sie|Sie|man|mir|ihnen|Ihnen)\b|\b(?:schrieb|wrote) (?:to|an)\b"
)
_MAIL = r"(?:[^\s<>@]{1,80}@[^\s<>@]{1,80}|\[email\])"
_CERTAIN = re.compile(rf"{_MAIL}|(?=.{{0,200}}\d{{1,2}}[:.h]\d\d)(?=.{{0,200}}\d{{2,4}}).*\d\d.*\d\d.*")
_WITHIN_LINE = re.compile(
    rf"(?<=\s)(?:On|Am|Le|El|Il|Op)\b[^<>]{{5,150}}<{_MAIL}>,? ?(?:wrote|schrieb|a écrit|escribió|"
    r"ha scritto|schreef)\s?:"
)

_MARKER = re.compile(
    r"\s*[-_=*]{2,}\s*(?:original message|original[- ]?nachricht|ursprüngliche (?:nachricht|mail|e-mail)|"
    r"forwarded (?:message|by .{1,80})|weitergeleitete (?:nachricht|mail|e-mail)|message (?:d['’]origine|"
    r"original|initial|transféré)|mensaje (?:original|reenviado)|oorspronkelijk bericht|doorgestuurd bericht|"
    r"messaggio (?:originale|inoltrato)|mensagem original)\s*[-_=*]{2,}\s*"
    r"|\s*(?:begin forwarded message|anfang der weitergeleiteten (?:nachricht|e-mail)|"
    r"début du message (?:transféré|réexpédié)|inicio del mensaje reenviado|"
    r"inizio messaggio inoltrato|begin doorgestuurd bericht)\s?:\s*"
    r"|[#\s=*-]{2,}.{0,80}(?:above this line|oberhalb dieser (?:linie|zeile)|au-dessus de cette ligne|"
    r"(?:por )?encima de esta línea).{0,80}",
    re.IGNORECASE,
)
_RULE = re.compile(r"\s*[-_*=]{5,}\s*")

_ROLES = {
    "from": "from|von|de|van|da|från|fra|od",
    "sent": "sent|gesendet(?: am)?|envoyé(?: le)?|enviado(?: el)?|"
    "enviada(?: em)?|verzonden|inviato|skickat|sendt",
    "date": "date|datum|fecha|data",
    "to": "to|an|à|para|aan|a|till|til",
    "copy": "cc|bcc|kopie|copie|reply-to|antwort an|importance|wichtigkeit|priorität|attachments|anlagen",
    "subject": "subject|betreff|objet|asunto|onderwerp|oggetto|assunto|ämne|emne",
}
_HEADER = re.compile(
    r"\s{0,3}[*_]{0,2}(?:" + "|".join(f"(?P<{role}>{words})" for role, words in _ROLES.items()) + r")\s?"
    r"[*_]{0,2}\s?:[*_]{0,2}(?:\s|$)",
    re.IGNORECASE,
)
_LONGEST_ATTRIBUTION = 3


def split_attributions(text: str) -> str:
    """The text with a line break before an attribution that stands within a line, as in flattened exports."""
    return _WITHIN_LINE.sub(lambda found: "\n" + found[0] + "\n", text) if ":" in text else text


def mark_quotes(lines: list[str]) -> list[str | None]:
    """For each line `quoted_reply` or None.

    Lines that begin with ">" are quoted. What introduces a quotation (an attribution, a header block, a
    forwarding mark) takes all that follows with it, unless marked lines follow: then only those, so that
    answers between them stay.
    """
    kinds: list[str | None] = [None] * len(lines)
    marked = [_QUOTE_LINE.match(line) is not None for line in lines]
    said = False
    at = 0
    while at < len(lines):
        end = at + 1
        if marked[at]:
            end = _mark_run(lines, marked, kinds, at)
        elif lines[at].strip():
            end = _mark_introduced(lines, marked, kinds, at, said=said)
        said = said or any(
            kinds[nth] is None and lines[nth].strip() and not _RULE.fullmatch(lines[nth])
            for nth in range(at, end)
        )
        at = end
    return kinds


def _mark_introduced(
    lines: list[str], marked: list[bool], kinds: list[str | None], at: int, *, said: bool
) -> int:
    """Mark what an introduction at `at` brings with it; where there is none, only step over the line.

    Args:
        lines: The message.
        marked: Which lines begin with ">".
        kinds: Gains the marks.
        at: The line to look at.
        said: Whether the writer said anything above.
    """
    length, reach = _introduction(lines, at, said=said)
    end = at + length
    following = next((nth for nth in range(end, len(lines)) if lines[nth].strip()), None) if length else None
    if following is not None and marked[following]:
        kinds[at:end] = [QUOTED] * length
        return _mark_run(lines, marked, kinds, following, introduced=True)
    if reach == "rest":
        start = at - 1 if at and _RULE.fullmatch(lines[at - 1]) else at
        end = len(lines) if said else _answer_below(lines, end)
        kinds[start:end] = [QUOTED] * (end - start)
        return end
    if reach == "header":
        kinds[at:end] = [QUOTED] * length
        return end
    return at + 1


def _answer_below(lines: list[str], start: int) -> int:
    """Where the answer below an unmarked quotation begins: at a salutation after a closing; else the end."""
    closed = False
    for at in range(start, len(lines)):
        if closed and not lines[at - 1].strip() and greets(lines[at]):
            return at
        if _introduction(lines, at, said=True)[1]:
            return at
        closed = closed or closes(lines[at])
    return len(lines)


def _mark_run(
    lines: list[str], marked: list[bool], kinds: list[str | None], at: int, *, introduced: bool = False
) -> int:
    """Mark the run of quoted lines that begins at `at`; a lone comparison ("> 3 days") is none."""
    end = at
    while end < len(lines) and marked[end]:
        end += 1
    if introduced or end - at > 1 or not _COMPARISON.match(lines[at]):
        kinds[at:end] = [QUOTED] * (end - at)
    return end


def _introduction(lines: list[str], at: int, *, said: bool) -> tuple[int, str]:
    """How many lines introduce a quotation here, and how far it goes without marked lines.

    Returns:
        The number of lines, 0 for none; "rest" (all that follows), "header" (only these lines) or ""
        (nothing, unless marked lines follow).
    """
    if _MARKER.fullmatch(lines[at]):
        below = next((nth for nth in range(at + 1, min(at + 4, len(lines))) if lines[nth].strip()), at)
        header = _header_block(lines, below)
        return (1 if header is None else below - at + header[0]), "rest"
    header = _header_block(lines, at)
    if header is not None:
        length, is_of_program = header
        return length, "rest" if said or is_of_program else "header"
    return _attribution(lines, at) if _OPENS.match(lines[at]) else (0, "")


def _attribution(lines: list[str], at: int) -> tuple[int, str]:
    """As `_introduction`, for a sentence that says who wrote, which may be wrapped."""
    for length in range(1, _LONGEST_ATTRIBUTION + 1):
        parts = [part.strip() for part in lines[at : at + length]]
        joined = " ".join(parts)
        if not all(parts) or len(joined) > 400:
            break
        if _ATTRIBUTION.fullmatch(joined) and not _SELF.search(joined):
            if _CERTAIN.search(joined):
                return length, "rest"
            return (length, "") if re.search(r"\d", joined) else (0, "")
    return 0, ""


def _header_block(lines: list[str], at: int) -> tuple[int, bool] | None:
    """Length of the header block that begins here, and whether only programs write its kind."""
    roles: list[str] = []
    end = at
    while end < len(lines) and end - at < 10:
        found = _HEADER.match(lines[end])
        if found is not None and found.lastgroup is not None:
            roles.append(found.lastgroup)
        elif not roles or not lines[end].strip() or roles[-1] not in ("to", "copy"):
            break
        elif not lines[end].startswith((" ", "\t")) and "@" not in lines[end]:
            break
        end += 1
    distinct = set(roles)
    if len(distinct) < 3 or "from" not in distinct or not distinct & {"sent", "date", "subject"}:
        return None
    return end - at, "sent" in distinct
