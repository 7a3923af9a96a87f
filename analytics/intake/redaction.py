"""Personal data that has a form, found by pattern and checksum and replaced by its kind.

Precise rather than greedy: prices, dates, sizes, versions of three parts and order numbers stay.
"""

from __future__ import annotations

import ipaddress
import re
from collections import Counter
from collections.abc import Callable

REDACTION_VERSION = 1

# Boundaries are spelled out: \w has the letters of every script, and where a script sets no spaces a number
# stands right beside one.
_EMAIL = re.compile(
    r"[A-Za-z0-9À-ɏ_+%-](?:[A-Za-z0-9À-ɏ_.+%-]{0,62}[A-Za-z0-9À-ɏ_+%-])?"
    r"@(?:[A-Za-z0-9À-ɏ](?:[A-Za-z0-9À-ɏ-]{0,61}[A-Za-z0-9À-ɏ])?\.){1,8}[A-Za-z]{2,24}"
)

_IBAN = re.compile(r"(?<![A-Za-z0-9])[A-Za-z]{2}[0-9]{2}(?:[ -]?[A-Za-z0-9]){11,30}")
_IBAN_LENGTHS = dict(
    re.findall(
        r"([A-Z]{2})([0-9]{2})",
        "AD24 AE23 AL28 AT20 AZ28 BA20 BE16 BG22 BH22 BI27 BR29 BY28 CH21 CR22 CY28 CZ24 DE22 DJ27 "
        "DK18 DO28 EE20 EG29 ES24 FI18 FK18 FO18 FR27 GB22 GE22 GI23 GL18 GR27 GT28 HN28 HR21 HU28 "
        "IE22 IL23 IQ23 IS26 IT27 JO30 KW30 KZ20 LB28 LC32 LI21 LT20 LU20 LV21 LY25 MC27 MD24 ME22 "
        "MK19 MN20 MR27 MT31 MU30 NI28 NL18 NO15 OM23 PK24 PL28 PS29 PT25 QA29 RO24 RS22 RU33 SA24 "
        "SC31 SD18 SE24 SI19 SK24 SM27 SO23 ST25 SV28 TL23 TN24 TR26 UA29 VA22 VG24 XK20 YE30",
    )
)
"""Country to length of its account number (SWIFT registry)."""

_CARD = re.compile(
    r"(?<![0-9A-Za-z])(?<![0-9][.,-])"
    r"(?:[0-9]{13,19}"
    r"|[0-9]{4}([ -])[0-9]{4}\1[0-9]{4}\1[0-9]{1,4}(?:\1[0-9]{1,3})?"
    r"|[0-9]{4}([ -])[0-9]{6}\2[0-9]{4,5})"
    r"(?![0-9A-Za-z])(?![.,-][0-9])"
)

_OCTET = "(?:25[0-5]|2[0-4][0-9]|1[0-9]{2}|[1-9]?[0-9])"
_IPV4 = re.compile(rf"(?<![A-Za-z0-9_.]){_OCTET}(?:\.{_OCTET}){{3}}(?![A-Za-z0-9_])(?!\.[0-9])")
_IPV6 = re.compile(
    r"(?<![A-Za-z0-9_:.])(?:[0-9A-Fa-f]{0,4}:){2,7}[0-9A-Fa-f]{0,4}(?:\.[0-9]{1,3}){0,3}(?![A-Za-z0-9_:])"
)

_PHONE = re.compile(
    r"(?<![A-Za-z0-9_$€£¥])(?<![0-9][.,:/-])(?:"
    # International: a plus, then digits in any grouping.
    r"(?<!\+)\+ ?[0-9](?:[ .()/-]{0,2}[0-9]){8,14}"
    # North American: (415) 555-2671, 1-415-555-2671.
    r"|(?:(?:00)?1[ .-]?)?(?:\([2-9][0-9]{2}\) ?|[2-9][0-9]{2}[ .-])[0-9]{3}[ .-][0-9]{4}"
    # Area code in parentheses, or a leading zero, and then groups.
    r"|\([0-9]{2,5}\) ?[0-9]{2,8}(?:[ .-][0-9]{2,5}){0,3}"
    r"|(?:\(0[0-9]{1,4}\)|0[0-9]{1,4})(?:[ ./-][0-9]{2,8}){1,5}"
    # Three groups or more with one separator.
    r"|(?P<groups>[0-9]{2,5}(?P<between>[ -])[0-9]{2,5}(?:(?P=between)[0-9]{2,5}){1,3})"
    # Local: 555-1234.
    r"|(?P<local>[2-9][0-9]{2}-[0-9]{4})"
    r")(?P<extension> ?(?:x|ext\.? ?)[0-9]{1,6})?(?![A-Za-z0-9_])(?![.,:/-][0-9])",
    re.IGNORECASE,
)
_DATE = re.compile(
    r"(?:19|20)[0-9]{2}[ ./-](?:0?[1-9]|1[0-2])[ ./-](?:0?[1-9]|[12][0-9]|3[01])(?![0-9])"
    r"|(?:0?[1-9]|[12][0-9]|3[01])[ ./-](?:0?[1-9]|[12][0-9]|3[01])[ ./-](?:19|20)[0-9]{2}(?![0-9])"
)
_PHONE_DIGITS = range(9, 16)

_MAYBE_PRIVATE = re.compile(r"[0-9@]")

_Check = Callable[[re.Match[str]], int]
"""How many characters of a match are private, 0 where it only looks so."""


def redact(text: str) -> tuple[str, dict[str, int]]:
    """Replace e-mail and IP addresses and account, card and phone numbers by `[email]`, `[ip]` and so on.

    Returns:
        The text, and how many of each kind were replaced; redacting the text again changes nothing.
    """
    counts: Counter[str] = Counter()
    while _MAYBE_PRIVATE.search(text):
        n_before = counts.total()
        for kind, pattern, check in _kinds_within(text):
            text, n_replaced = _replace(text, pattern, check, f"[{kind}]")
            if n_replaced:
                counts[kind] += n_replaced
        # A replacement may free what stood too close to it.
        if counts.total() == n_before:
            break
    return text, dict(sorted(counts.items()))


def _kinds_within(text: str) -> list[tuple[str, re.Pattern[str], _Check]]:
    """The kinds that a text can hold, judged by its characters alone."""
    n_digits = sum(map(text.count, "0123456789"))
    kinds: list[tuple[str, re.Pattern[str], _Check]] = []
    if "@" in text:
        kinds.append(("email", _EMAIL, _whole))
    if n_digits >= 13:
        kinds.append(("iban", _IBAN, _iban_length))
        kinds.append(("card", _CARD, _card_length))
    if n_digits and text.count(":") >= 2:
        kinds.append(("ip", _IPV6, _ipv6_length))
    if n_digits >= 4 and text.count(".") >= 3:
        kinds.append(("ip", _IPV4, _whole))
    if n_digits >= 7:
        kinds.append(("phone", _PHONE, _phone_length))
    return kinds


def _replace(text: str, pattern: re.Pattern[str], check: _Check, placeholder: str) -> tuple[str, int]:
    pieces: list[str] = []
    n_replaced = at = 0
    match = pattern.search(text)
    while match is not None:
        length = check(match)
        if length:
            pieces += (text[at : match.start()], placeholder)
            at = match.start() + length
            n_replaced += 1
        # Something that fails its check may hold something that passes.
        match = pattern.search(text, at if length else match.start() + 1)
    if not n_replaced:
        return text, 0
    pieces.append(text[at:])
    return "".join(pieces), n_replaced


def _whole(match: re.Match[str]) -> int:
    return match.end() - match.start()


def _iban_length(match: re.Match[str]) -> int:
    """Length of the account number that begins a match, by its country and check digits (ISO 13616)."""
    found = match[0]
    wanted = int(_IBAN_LENGTHS.get(found[:2].upper(), 0))
    places = [place for place, character in enumerate(found) if character.isalnum()]
    if not wanted or len(places) < wanted:
        return 0
    end = places[wanted - 1] + 1
    following = match.string[match.start() + end :][:1]
    if following.isascii() and following.isalnum():
        return 0
    account = "".join(found[place] for place in places[:wanted])
    digits = "".join(str(int(character, 36)) for character in account[4:] + account[:4])
    return end if int(digits) % 97 == 1 else 0


def _card_length(match: re.Match[str]) -> int:
    """Length of a card number: its Luhn checksum, and for the two short lengths the issuer's first digit."""
    digits = [int(character) for character in match[0] if character.isdigit()]
    issuer = {13: 4, 14: 3}.get(len(digits))
    if not 13 <= len(digits) <= 19 or digits[0] == 0 or issuer not in (None, digits[0]):
        return 0
    doubled = [sum(divmod(2 * digit, 10)) for digit in digits[-2::-2]]
    return _whole(match) if (sum(doubled) + sum(digits[-1::-2])) % 10 == 0 else 0


def _ipv6_length(match: re.Match[str]) -> int:
    try:
        ipaddress.IPv6Address(match[0])
    except ValueError:
        return 0
    # "::" and "a::b" are addresses too, but in prose they are punctuation and program code.
    is_plain = "::" not in match[0] or max(map(len, match[0].split(":"))) >= 3
    return _whole(match) if is_plain and any(map(str.isdigit, match[0])) else 0


def _phone_length(match: re.Match[str]) -> int:
    """Length of a phone number: its digits, and that it is no date, no list of numbers and no range."""
    number = match[0].removesuffix(match["extension"] or "")
    groups = re.findall("[0-9]+", number)
    if match["local"]:
        # 500-1000 is a range, 555-1200 a number.
        is_range = groups[0].endswith("0") and groups[1].endswith("00")
        return 0 if is_range else _whole(match)
    if sum(map(len, groups)) not in _PHONE_DIGITS or _DATE.match(number):
        return 0
    if not number.startswith("+"):
        separators = re.findall("[^0-9]+", number.lstrip("("))
        if len(set(separators[1:])) > 1:
            return 0
    if match["groups"]:
        return 0 if _is_number_list(match, [len(group) for group in groups]) else _whole(match)
    return _whole(match)


def _is_number_list(match: re.Match[str], lengths: list[int]) -> bool:
    """Whether groups of digits are rather several numbers, or one in thousands."""
    if len(set(lengths)) == 1 and lengths != [3, 3, 3]:
        return True
    if match["between"] == "-":
        return False
    before, after = match.string[: match.start()][-2:], match.string[match.end() :][:2]
    goes_on = re.fullmatch("[0-9] ", before) or re.fullmatch(" [0-9]", after)
    return goes_on is not None or (len(lengths) > 3 and set(lengths[1:]) == {3})
