"""Bank accounts and payment cards."""

from __future__ import annotations

import re

from analytics.intake.redaction_detector import Detector, around, digits_of, passes_luhn, whole

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
    r"(?<![0-9A-Za-z])(?<![0-9][.-])"
    r"(?:[0-9]{12,19}"
    r"|[0-9]{4}([ .-])[0-9]{4}\1[0-9]{4}\1[0-9]{1,4}(?:\1[0-9]{1,3})?"
    r"|[0-9]{4}([ .-])[0-9]{6}\2[0-9]{4,5})"
    r"(?![0-9A-Za-z])(?![.-][0-9])"
)
_CARD_WORD = re.compile(
    r"(?<![^\W_])(?:cards?|cc|visa|mastercard|maestro|amex|debit|\w*karten?|cartes?|tarjetas?|carta|cartão)"
    r"(?![^\W_])",
    re.IGNORECASE,
)


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
    """Length of a card number: its Luhn checksum, and for the short lengths something more.

    Thirteen to fifteen digits begin with an issuer's digit; twelve (Maestro) stand near a word for a card.
    """
    digits = digits_of(match[0])
    if not passes_luhn(digits) or not any(digits):
        return 0
    if len(digits) == 12:
        return whole(match) if _CARD_WORD.search(around(match, 40, 24)) else 0
    issuers = {13: ("4",), 14: ("3",), 15: ("3", "5", "6", "1800", "2131")}.get(
        len(digits), tuple("123456789")
    )
    return whole(match) if "".join(map(str, digits)).startswith(issuers) else 0


ACCOUNTS = (
    Detector("iban", _IBAN, _iban_length, 10, 6),
    Detector("card", _CARD, _card_length, 12, 12),
)
