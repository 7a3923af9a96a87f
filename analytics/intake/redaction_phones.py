"""Phone numbers of any country: those whose form says so, and those that words around them call so."""

from __future__ import annotations

import re

from analytics.intake.redaction_detector import (
    END,
    START,
    Detector,
    around,
    before,
    ends_with,
    is_reference,
    whole,
)

_EXTENSION = (
    r"(?P<extension> ?(?:(?:x|ext\.?|extension|durchwahl|dw|poste|interno) ?[.:]? ?[0-9]{1,6}"
    r"|# ?[0-9]{1,5}))?"
)

_PHONE = re.compile(
    r"(?<![$€£¥])" + START + r"(?:"
    # International: a plus or a double zero, then digits in any grouping.
    r"(?<!\+)\+ ?\(?[0-9](?:[ ./()–-]{0,3}[0-9]){7,14}"
    r"|00[1-9](?:[ ./()-]{0,3}[0-9]){8,13}"
    # North American: (415) 555-2671, 1-415-555-2671.
    r"|(?:(?:00)?1[ ./-]?)?(?:\([2-9][0-9]{2}\) ?|[2-9][0-9]{2}[ ./-])[0-9]{3}[ .-][0-9]{4}"
    # Area code in parentheses, or a leading zero, and then groups.
    r"|\([0-9]{2,5}\) ?(?:[0-9]{2,8}(?:[ .-][0-9]{2,5}){0,3})"
    r"|(?:\(0[0-9]{1,4}\)|0[0-9]{1,5})(?:[ ./–-]{1,3}[0-9]{2,8}){1,5}"
    # Russian, with its eight: 8 800 555 35 35.
    r"|8[ -]\(?[0-9]{3}\)?[ -][0-9]{3}[ -][0-9]{2}[ -]?[0-9]{2}"
    # A leading zero and no groups.
    r"|(?P<trunk>0[1-9][0-9]{8,9})"
    # Three groups or more with one separator.
    r"|(?P<groups>[0-9]{2,5}(?P<between>[ -])[0-9]{2,5}(?:(?P=between)[0-9]{2,5}){1,3})"
    # Local: 555-1234.
    r"|(?P<local>[2-9][0-9]{2}-[0-9]{4})"
    r")" + _EXTENSION + END,
    re.IGNORECASE,
)
_CANDIDATE = re.compile(
    r"(?<![$€£¥])"
    + START
    + r"(?P<number>(?:\+ ?)?\(?[0-9](?:[ ./()–-]{0,3}[0-9]){5,14})"
    + _EXTENSION
    + END
    + r"(?! ?(?:%|€|\$|£|¥|[kmg]b(?![a-z])|mah|times|people|stars|reviews))",
    re.IGNORECASE,
)

# One of these words, and then only words that lead on to the number.
_CALLED = re.compile(
    r"(?:(?<![^\W_\d])(?<!\[)(?:(?:tele|cell|mobile|home|work)?phones?|tel|telephone|mobile|mob|cell|cellular"
    r"|landline|fax|call(?:ed|ing)?|dial|ring|sms|texts?|texting|messages?|whats ?app|signal|viber|telegram"
    r"|contact|reach(?:able)?|hotline|helpline|(?:my|our|his|her|their|the|your|phone|cell|contact|whatsapp) "
    r"(?:\w+ )?numbers?|numbers? is"
    r"|telefon\w{0,8}|handy\w{0,6}|mobil\w{0,8}|rufnummer|festnetz|anrufen|anruf|erreichbar|erreichen"
    r"|ruf(?:en|t)?|fon|t[ée]l[ée]phone\w?|portable|fixe|appele[rz]|joindre|joignable"
    r"|tel[eé]fonos?|m[óo]vil|celular|ll[áa]m[ae]\w{0,4}|cellulare|chiama\w{0,4}|telemóvel|ligue|ligar"
    r"|telefoon\w{0,6}|mobiel|bel|puhelin|puh|matkapuhelin|тел|телефон\w?|моб|звоните|номер)(?![^\W_])"
    r"|(?<![^\W_])[tmpf](?=\s?[:.])|[☎✆📞📱☏]|电话|電話|手机|手機|致电|携帯|전화(?:번호)?|휴대폰|핸드폰|연락처)[는은가이로はがを是]?"
    r"(?:[\s.:,;=#/()*-]*(?<![^\W_])(?:number|numbers|num|no|nr|n[°º]|is|was|are|at|on|to|for|via|in|or"
    r"|and|under"
    r"|my|our|your|his|her|their|the|me|us|him|them|back|please|directly|anytime|any|time|now|home|work"
    r"|office"
    r"|mobile|phone|cell|new|old|registered|personal|private|following|this"
    r"|ist|lautet|unter|mich|uns|an|auf|der|die|bitte|meine|nummer"
    r"|est|le|au|sur|moi|nous|mon|es|al|el|a|me|mi|il|è|il|numéro|número|numero|meu|é|no|op|het|mij|is|на"
    r"|по|는|은)"
    r"(?![^\W_])){0,6}[\s.:：,=#(*-]{0,4}$",
    re.IGNORECASE,
)
_SAID_AFTER = re.compile(
    r"[ ,(-]{0,3}(?:is|ist|est|es|è)? ?(?:my|our|meine|mon|mi|il mio) (?:\w+ )?"
    r"(?:phone|number|cell|mobile|nummer|handy\w*|telefon\w*|numéro|portable|número|móvil|numero)"
    r"|[ ,(-]{1,3}(?:office|work|home|mobile|cell|fax|phone|tel|landline|direct)(?![^\W_])",
    re.IGNORECASE,
)

_DATE = re.compile(
    r"(?:19|20)[0-9]{2}[ ./-](?:0?[1-9]|1[0-2])[ ./-](?:0?[1-9]|[12][0-9]|3[01])(?![0-9])"
    r"|(?:0?[1-9]|[12][0-9]|3[01])[ ./-](?:0?[1-9]|[12][0-9]|3[01])[ ./-]"
    r"(?:(?:19|20)[0-9]{2}(?![0-9])|[0-9]{2}(?![ ./-]?[0-9]))"
)
_YEARS = re.compile(r"(?:19|20)[0-9]{2}(?:[ /–-]{1,3}(?:19|20)?[0-9]{2})+")
_BESIDE = re.compile(r"[0-9][,/] |\s[,/][0-9]")
"""Digits that go on before or after a number, with the number itself taken out."""
_PHONE_DIGITS = range(9, 16)


def _phone_length(match: re.Match[str]) -> int:
    """Length of a phone number: its digits, and that it is no date, no list of numbers and no range."""
    number = match[0].removesuffix(match["extension"] or "")
    groups = re.findall("[0-9]+", number)
    if not number.startswith("+") and is_reference(match):
        return 0
    if match["local"]:
        return 0 if _is_range(groups) or _BESIDE.search(around(match, 2, 2)) else whole(match)
    n_digits = sum(map(len, groups))
    fewest = 8 if number[0] in "+(" and len(groups) > 2 else 9
    if n_digits >= _PHONE_DIGITS.stop:
        return _first_number_length(number) if number[0] == "0" and not match["groups"] else 0
    if n_digits < fewest or _DATE.match(number):
        return 0
    if not number.startswith(("+", "00")):
        separators = re.findall("[^0-9]+", number.lstrip("("))
        if len(set(separators[1:])) > 1:
            return 0
    if match["groups"]:
        return 0 if _is_number_list(match, [len(group) for group in groups]) else whole(match)
    return 0 if number[0] == "(" and _is_range(groups[-2:]) else whole(match)


def _first_number_length(numbers: str) -> int:
    """Length of the groups that make the first number of a row: as many as one number can have."""
    n_digits = length = 0
    for group in re.finditer("[0-9]+", numbers):
        n_digits += len(group[0])
        if n_digits in _PHONE_DIGITS:
            length = group.end()
    return length


def _called_length(match: re.Match[str]) -> int:
    """Length of a number of six digits or more that the words beside it call a phone number."""
    number = match["number"]
    groups = re.findall("[0-9]+", number)
    if _DATE.match(number) or _YEARS.fullmatch(number) or _is_range(groups) or is_reference(match):
        return 0
    if re.fullmatch(r"[0-9]{1,3}(?:\.[0-9]{3})+|[0-9]+[.][0-9]{1,2}", number):
        return 0
    is_called = ends_with(before(match, 64), _CALLED) or _SAID_AFTER.match(match.string, match.end())
    return whole(match) if is_called else 0


def _is_range(groups: list[str]) -> bool:
    """Whether two numbers are the ends of a range: 500-1000 is one, 555-1200 is not."""
    return len(groups) == 2 and groups[0].endswith("0") and groups[1].endswith("00")


def _is_number_list(match: re.Match[str], lengths: list[int]) -> bool:
    """Whether groups of digits are rather several numbers, one in thousands or a document's."""
    if len(set(lengths)) == 1 and lengths != [3, 3, 3]:
        return True
    if match["between"] == "-":
        return lengths == [3, 2, 4]  # a US social security number that nobody was given
    before_it, after_it = match.string[: match.start()][-2:], match.string[match.end() :][:2]
    goes_on = re.fullmatch("[0-9] ", before_it) or re.fullmatch(" [0-9]", after_it)
    return goes_on is not None or (len(lengths) > 3 and set(lengths[1:]) == {3})


PHONES = (
    Detector("phone", _PHONE, _phone_length, 7, 7),
    Detector("phone", _CANDIDATE, _called_length, 6, 6),
)
