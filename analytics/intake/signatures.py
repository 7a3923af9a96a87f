"""What mail programs and habits add below a message: signatures, footers of devices, disclaimers."""

from __future__ import annotations

import re
from itertools import groupby

from analytics.intake.macros import SALUTATION

SIGNATURE = "signature"
DISCLAIMER = "disclaimer"

_FOOTER = re.compile(
    r"\s*[-–—_*|]{0,3}\s*(?:"
    r"(?:sent|written|gesendet|verschickt|verstuurd|verzonden|envoyé|enviad[oa]|inviato)\s"
    r"(?:from|via|with|using|through|by my|von|mit|über|vanaf|met|de|depuis|avec|à partir|desde|con|do|da)\s"
    r"(?:[\w'’.-]+\s){0,5}?[\w'’.-]{0,20}?"
    r"(?:iphone|ipad|android|samsung|galaxy|huawei|xiaomi|blackberry|pixel|mail|outlook|yahoo|gmx|web\.de|"
    r"mobile|mobil(?:telefon)?|phone|smartphone|tablet|handy|windows|nokia|sony|htc|proton|móvil|portable)"
    r"(?:[\s-][\w'’.()-]+){0,7}"
    r"|von (?:meinem|meiner) .{1,50} gesendet"
    r"|diese (?:nachricht|e-?mail) wurde (?:von|mit) .{1,80} gesendet"
    r"|(?:get|download) (?:outlook|proton ?mail|yahoo mail) for .{1,40}"
    r"|(?:obtenir|télécharger|descarga|obtener|holen sie sich) outlook .{1,40}|"
    r"outlook für .{1,20}(?: beziehen| herunterladen)"
    r"|(?:virus-free|virenfrei)\b.{0,60}"
    r")\s*(?:<?https?://\S{1,200}>?)?\s*[.!]?\s*[-–—_*|]{0,3}\s*",
    re.IGNORECASE,
)
_FOOTER_START = re.compile(
    r"[\s\-–—_*|]*(?:sent|written|gesendet|verschickt|verstuurd|verzonden|envoyé|enviad|inviato|von mein|"
    r"diese|get|download|obten|télécharger|descarga|holen|outlook|virus|viren)",
    re.IGNORECASE,
)

_FORMAL = (
    r"(?:(?:with )?(?:(?:my |our )?(?:kind|best|warm|kindest|warmest|many|friendly) )?regards|best wishes|"
    r"yours (?:sincerely|faithfully|truly)|sincerely(?: yours)?|respectfully(?: yours)?|"
    r"(?:mit )?(?:(?:ganz |sehr )?(?:freundliche|beste|herzliche|liebe|viele|schöne|sonnige|"
    r"nette)[nms]? )gr[uü](?:ß|ss)(?:en|e)?|gr(?:uß|uss|üße|üsse)|hochachtungsvoll|mfg|lg|vg|bg|"
    r"(?:bien |très )?cordialement|(?:bien )?à vous|respectueusement|"
    r"(?:(?:mes |nos )?(?:meilleures|sincères|cordiales) )?salutations(?: distinguées| cordiales)?|"
    r"(?:je vous prie d'|nous vous prions d'|veuillez )(?:agréer|recevoir).{0,120}|"
    r"(?:un )?(?:cordial |atento )?saludos?(?: cordial(?:es)?)?|(?:muy )?atentamente|"
    r"met (?:vriendelijke|hartelijke) groet(?:en)?|groeten|mvg|"
    r"(?:cordiali|distinti) saluti|saluti|atenciosamente|(?:melhores )?cumprimentos)"
)
_CASUAL = (
    r"(?:(?:many |with )?thanks(?: again| in advance| so much| a lot| very much)?|"
    r"thank you(?: in advance| again| very much| so much)?|thx|cheers|best|all the best|take care|"
    r"(?:vielen |herzlichen |besten |lieben )?dank(?:e)?(?: schön| im voraus| vorab| nochmals| nochmal)?|"
    r"bis bald|merci(?: d'avance| beaucoup| encore| par avance)?|bonne journée|à bientôt|"
    r"(?:muchas |mil )?gracias(?: de antemano| por adelantado)?|bedankt|grazie(?: mille)?|obrigad[oa])"
)
_NAME = r"(?:(?-i:[^\W\d_a-zß-ÿ])[\w'’.-]*|von|van|de|der|den|del|la|le|di|da|dr\.|the|team|und|and|&)"
_CLOSING = re.compile(
    rf"\s*(?:{_CASUAL}\s?(?:and|und|et|y|en|e|&|,|with|mit|\+)\s)?(?P<formal>{_FORMAL})"
    rf"(?:\s(?:aus|from|de|uit)\s\w+)?\s?[,.!;:–—-]{{0,2}}(?P<name>(?:\s{_NAME}){{0,6}})[,.]?\s*"
    rf"|\s*(?P<casual>{_CASUAL})\s?[,.!–—-]{{0,2}}\s*"
    rf"|\s*{_CASUAL}\s?[,–—-]{{1,2}}(?P<casual_name>(?:\s{_NAME}){{1,3}})[.]?\s*",
    re.IGNORECASE,
)
_CLOSING_WITHIN = re.compile(
    rf"(?<=[.!?])[^\S\n]+(?=(?:{_FORMAL}) ?,?(?: {_NAME}){{0,5}}[.]?[^\S\n]*$)", re.IGNORECASE | re.MULTILINE
)
_DELIMITER = re.compile(r"\s{0,2}--\s*")
_POSTSCRIPT = re.compile(
    r"\s*(?:p\.?\s?p?\.?s\b\.?|nb\b|n\.b\.|nachtrag\b|edit\b|update\b)\s?[:.,–-]?", re.IGNORECASE
)
_CONTACT = re.compile(
    r"@|\[(?:email|phone|iban|ip)\]|https?://|\bwww\.|\+?\d[\d\s()/.-]{6,}\d|[|•·]|"
    r"\b(?:tel|phone|mobile|mobil|fax|telefon|tél|email|e-mail|web)\b\.?\s?:",
    re.IGNORECASE,
)
_PARTICLES = frozenset(
    "of the and for von van der den de del la le du des und et y e da di im am at in on zu i.a. i.v.".split()
)
_LONGEST_SIGNATURE = 14

_MAIL_WORD = r"(?:e-?mail|message|communication|transmission)"
_CONFIDENTIAL = re.compile(
    r"(?:^|(?<=[.!?] ))[*_\s]{0,4}(?:"
    rf"(?:the (?:information|contents?)[^.\n]{{0,40}}\s)?this\s+{_MAIL_WORD}\b[^.]{{0,200}}?"
    r"\b(?:confidential|privileged|(?:intended|only)\s+(?:only|solely|exclusively|for\s+the\s+(?:sole|"
    r"exclusive|use|named|addressee)))"
    r"|confidentiality\s+(?:notice|note|warning)|(?:legal\s+)?(?:disclaimer|"
    r"haftungsausschluss)\s?:(?=[^\n]{0,300}(?:confidential|intended|recipient|e-?mail|vertraulich))"
    r"|(?:diese|die\s+in\s+dieser|der\s+inhalt\s+dieser)\s+(?:e-?mail|nachricht|"
    r"mitteilung)\b[^.]{0,200}?\bvertraulich"
    r"|(?:ce|le\s+présent|le\s+contenu\s+de\s+ce)\s+(?:message|courriel|e-?mail|"
    r"mail)\b[^.]{0,200}?\b(?:confidentiel|exclusi)"
    r"|avis\s+de\s+confidentialité|aviso\s+(?:legal|de\s+confidencialidad)"
    r"|est[ea]\s+(?:mensaje|correo|comunicación|e-?mail)\b[^.]{0,200}?\b(?:confidencial|exclusiv)"
    r"|dit\s+(?:bericht|e-?mail\w*)\b[^.]{0,200}?\bvertrouwelijk"
    r"|quest[oa]\s+(?:messaggio|e-?mail|comunicazione)\b[^.]{0,200}?\b(?:riservat|confidenzial)"
    rf"|if\s+you\s+are\s+not\s+(?:the|an)\s+(?:intended|named)\s+(?:recipient|addressee)"
    rf"|if\s+you\s+(?:have\s+)?received?\s+this\s+{_MAIL_WORD}\s+in\s+error"
    r"|any\s+unauthori[sz]ed\s+(?:use|review|copying|disclosure|access)"
    r"|wenn\s+sie\s+nicht\s+der\s+(?:richtige|vorgesehene|beabsichtigte)"
    r"|(?:sollten|falls|wenn)\s+sie\s+diese\s+(?:e-?mail|nachricht)\s+irrtümlich"
    r"|si\s+vous\s+(?:avez\s+reçu|recevez)\s+ce\s+(?:message|courriel|e-?mail|mail)\s+par\s+erreur"
    r"|si\s+(?:usted\s+)?(?:ha\s+recibido|recibe|recibió)\s+est[ea]\s+(?:mensaje|correo)\s+por\s+error"
    r")",
    re.IGNORECASE | re.MULTILINE,
)
_ONE_SENTENCE = re.compile(
    r"(?:^|(?<=[.!?\]] ))[*_\s🌳🌲♻]{0,6}(?:"
    r"(?:please\s+)?(?:consider|think\s+(?:of|about))\s+(?:the|our)\s+environment\b[^.!?]{0,150}"
    r"|(?:save\s+(?:paper|trees?)|(?:please\s+)?don'?t\s+print)[^.!?]{0,80}(?:e-?mail|print)[^.!?]{0,60}"
    r"|(?:bitte\s+)?(?:denken\s+sie|prüfen\s+sie|denk)[^.!?]{0,60}\b(?:umwelt|ausgedruckt|"
    r"ausdrucken)\b[^.!?]{0,100}"
    r"|(?:merci\s+de\s+)?pens(?:er|ez)\s+à\s+l['’]environnement[^.!?]{0,120}"
    r"|(?:por\s+favor,?\s+)?(?:piense|considere)\s+en\s+el\s+medio\s?ambiente[^.!?]{0,120}"
    r"|(?:caution|warning|attention|achtung|vorsicht)\s?[:!-]{0,2}\s*(?:this\s+(?:is\s+an\s+)?|diese\s+|"
    r"externe?\s+)?"
    rf"(?:external|externe?r?)?\s?{_MAIL_WORD}?[^.!?]{{0,80}}\b(?:outside|external|extern\w*|"
    rf"außerhalb)\b[^.!?]{{0,80}}"
    r"|do\s+not\s+click\s+(?:on\s+)?(?:any\s+)?links?\s+or\s+open\s+(?:any\s+)?attachments?[^.!?]{0,120}"
    r"|\[(?:external|extern|ext)(?:\s+e?-?mail)?\]|external\s+e-?mail\s?:"
    r")(?:[.!?]+|(?=\n|$|(?<=\])))[*_]{0,2} *",
    re.IGNORECASE | re.MULTILINE,
)


def split_within_lines(text: str) -> str:
    """The text with a line break before a closing that ends a line of other words."""
    return _CLOSING_WITHIN.sub("\n", text)


def disclaimer_spans(text: str) -> list[tuple[int, int]]:
    """Where disclaimers stand: half-open, sorted, each to the end of its paragraph or of its sentence."""
    spans: list[tuple[int, int]] = []
    for found in _CONFIDENTIAL.finditer(text):
        end = text.find("\n\n", found.end())
        spans.append((found.start(), len(text) if end < 0 else end))
    spans += [found.span() for found in _ONE_SENTENCE.finditer(text) if found.end() > found.start()]
    return sorted(spans)


def mark_signatures(lines: list[str], kinds: list[str | None]) -> None:
    """Mark footers of devices, signature blocks and closings with the names below them, in place.

    Args:
        lines: The message.
        kinds: What is cut already; lines between two cut regions are read as one letter.
    """
    for at, line in enumerate(lines):
        if kinds[at] is None and len(line) < 200 and _FOOTER_START.match(line) and _FOOTER.fullmatch(line):
            kinds[at] = SIGNATURE
    first = next((at for at, line in enumerate(lines) if kinds[at] is None and line.strip()), len(lines))
    for letter in _letters(lines, kinds):
        _mark_delimited(lines, kinds, letter, first)
        _mark_closings(lines, kinds, [at for at in letter if kinds[at] is None])
        _mark_last_name(lines, kinds, [at for at in letter if kinds[at] is None])


def _letters(lines: list[str], kinds: list[str | None]) -> list[list[int]]:
    """Runs of lines between quotations, as line numbers; lines cut for another cause are left out."""
    letters: list[list[int]] = [[]]
    for at, kind in enumerate(kinds):
        if kind is None:
            letters[-1].append(at)
        elif kind == "quoted_reply" and letters[-1]:
            letters.append([])
    return letters


def _mark_delimited(lines: list[str], kinds: list[str | None], letter: list[int], first: int) -> None:
    """Mark what follows each last "-- " of a letter, where it is as short as a signature.

    Args:
        lines: The message.
        kinds: Gains the marks.
        letter: Line numbers of the letter.
        first: The first line that says something; a "-- " there is no delimiter.
    """
    end = len(letter)
    for nth in range(len(letter) - 1, -1, -1):
        if not _DELIMITER.fullmatch(lines[letter[nth]]):
            continue
        signature = letter[nth:end]
        postscript = next((n for n, at in enumerate(signature) if _POSTSCRIPT.match(lines[at])), end)
        signature = signature[:postscript]
        said = [lines[at] for at in signature[1:] if lines[at].strip()]
        if letter[nth] <= first or len(said) > _LONGEST_SIGNATURE or any(map(_is_prose, said)):
            return
        for at in signature:
            kinds[at] = SIGNATURE
        end = nth


def _is_prose(line: str) -> bool:
    return len(line.split()) >= 14 and line.rstrip().endswith((".", "!", "?")) and not _CONTACT.search(line)


def _mark_closings(lines: list[str], kinds: list[str | None], letter: list[int]) -> None:
    """Mark each closing with the name and contact lines right below it."""
    nth = 0
    while nth < len(letter):
        line = lines[letter[nth]]
        found = _CLOSING.fullmatch(line) if len(line) < 160 else None
        if found is None:
            nth += 1
            continue
        end = _end_of_contacts(lines, letter, nth + 1, named=bool(found["name"] or found["casual_name"]))
        last = not any(lines[at].strip() for at in letter[nth + 1 :])
        if found["formal"] or (found["casual"] and end > nth + 1) or (found["casual_name"] and last):
            for at in letter[nth:end]:
                kinds[at] = SIGNATURE
        nth = max(end, nth + 1)


def _end_of_contacts(lines: list[str], letter: list[int], start: int, *, named: bool) -> int:
    """Where the name and contact lines that begin at `start` end; `start` where there are none."""
    end = start
    n_lines = 0
    for nth in range(start, len(letter)):
        line = lines[letter[nth]].strip()
        if not line:
            continue
        is_name = n_lines == 0 and not named and _may_be_name(line)
        if n_lines >= _LONGEST_SIGNATURE or not (is_name or (_is_contact(line) and (n_lines or named))):
            break
        n_lines += 1
        end = nth + 1
    return end


def _mark_last_name(lines: list[str], kinds: list[str | None], letter: list[int]) -> None:
    """Mark a last paragraph of name and contact lines, or of a name where the letter has a salutation."""
    paragraphs = [list(run) for blank, run in groupby(letter, lambda at: not lines[at].strip()) if not blank]
    if len(paragraphs) < 2 or len(paragraphs[-1]) > _LONGEST_SIGNATURE:
        return
    opening, last = lines[paragraphs[0][0]], paragraphs[-1]
    first, *others = (lines[at].strip() for at in last)
    if not _may_be_name(first) or _is_courtesy(first) or not all(map(_is_contact, others)):
        return
    if any(map(_CONTACT.search, others)) or (not others and _is_bare_name(first) and greets(opening)):
        for at in last:
            kinds[at] = SIGNATURE


def greets(line: str) -> bool:
    """Whether a line is a salutation and nothing else."""
    found = SALUTATION.match(line)
    return found is not None and not line[found.end() :].strip()


def closes(line: str) -> bool:
    """Whether a line is a closing, with or without a name."""
    return len(line) < 160 and _CLOSING.fullmatch(line) is not None


def _is_courtesy(line: str) -> bool:
    return closes(line) or greets(line)


def _is_bare_name(line: str) -> bool:
    words = line.split()
    return (
        len(words) <= 4
        and all(word[0].isupper() or word in _PARTICLES for word in words)
        and line[-1].isalpha()
    )


def _may_be_name(line: str) -> bool:
    words = line.rstrip(",.").split()
    if len(words) > 6 or line.endswith(("?", "!", ":")) or _POSTSCRIPT.match(line):
        return False
    if len(words) == 1:
        return words[0].isalpha() or "." in words[0] or "@" in words[0]
    return _n_small(words) == 0 and (len(words) <= 4 or not line.endswith("."))


def _is_contact(line: str) -> bool:
    words = line.split()
    if _POSTSCRIPT.match(line) or line.endswith(("?", "!")) or len(line) > 140:
        return False
    if _CONTACT.search(line):
        return _n_small(words) * 2 <= len(words)
    if len(words) > 8 or (line.endswith(".") and len(words) >= 5):
        return False
    return _n_small(words) * 3 <= len(words)


def _n_small(words: list[str]) -> int:
    """How many words begin in lower case and are no particle of a name."""
    return sum(
        word[0].islower() and word.lower() not in _PARTICLES and "@" not in word and "." not in word[:-1]
        for word in words
    )
