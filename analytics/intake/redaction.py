"""Personal data found by form, checksum and known names, and replaced by its kind.

Precise rather than greedy: prices, dates, sizes, versions and order numbers stay. What each kind looks like
stands in the modules beside this one.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from functools import cache

from analytics.intake.redaction_accounts import ACCOUNTS
from analytics.intake.redaction_addresses import address_detectors
from analytics.intake.redaction_detector import Check, Detector
from analytics.intake.redaction_ids import IDS
from analytics.intake.redaction_names import name_pattern
from analytics.intake.redaction_network import IPV4, LINKS, MACHINES, may_hold_link, may_hold_machine
from analytics.intake.redaction_phones import PHONES

REDACTION_VERSION = 2

KINDS = ("email", "phone", "card", "iban", "ip", "url", "national-id", "name", "address")
"""What a placeholder can say: `[email]`, `[phone]` and so on."""

_NUMBERS = (
    IPV4,
    # A long national number may pass for a card by chance, and the beginning of a card for a short one.
    *(detector for detector in IDS if detector.n_digits >= 13),
    *ACCOUNTS,
    *(detector for detector in IDS if detector.n_digits < 13),
    *PHONES,
)
_MANY_DIGITS = 1 + max(detector.n_digits for detector in _NUMBERS)
_RUN = re.compile(r"[0-9](?:[ ./()–-]{0,3}[0-9]){3,}")

_DIGIT = re.compile("[0-9]")


def redact(text: str, names: Sequence[str] = ()) -> tuple[str, dict[str, int]]:
    """Replace personal data by its kind: `[email]`, `[phone]`, `[national-id]` and so on.

    Args:
        text: Any text, in normal form C.
        names: Full names of known users that may stand in it, as `NameIndex.find` gives them.

    Returns:
        The text, and how many of each kind were replaced; redacting the text again changes nothing.
    """
    named = name_pattern(tuple(names)) if names else None
    detectors = _detectors_for(text, named)
    if not detectors:
        return text, {}
    counts: Counter[str] = Counter()
    n_before = -1
    while counts.total() > n_before:
        n_before = counts.total()
        for kind, pattern, check, *_ in detectors:
            text, n_replaced = _replace(text, pattern, check, f"[{kind}]")
            if n_replaced:
                counts[kind] += n_replaced
        # A replacement may free what stood too close to it.
        if counts.total() > n_before:
            detectors = _detectors_for(text, named)
    return text, dict(sorted(counts.items()))


def redact_each(texts: Sequence[str]) -> list[str]:
    """Redact many texts by form alone: item titles, and what a model wrote."""
    return [redact(text)[0] for text in texts]


def _detectors_for(text: str, named: re.Pattern[str] | None) -> list[Detector]:
    """The detectors that a text can meet, judged cheaply, in the order in which they are tried."""
    detectors = list(LINKS) if may_hold_link(text) else []
    if _DIGIT.search(text):
        if may_hold_machine(text):
            detectors += MACHINES
        n_digits = sum(map(text.count, "0123456789"))
        lowered = text.lower()
        if n_digits > 3:
            detectors += (
                number
                for number in _numbers_within(min(n_digits, _MANY_DIGITS), _longest_run(text))
                if not number.hints or number.may_match(lowered)
            )
        detectors += address_detectors(text, lowered)
    if named is not None:
        detectors.append(Detector("name", named))
    return detectors


@cache
def _numbers_within(n_digits: int, n_run: int) -> tuple[Detector, ...]:
    return tuple(number for number in _NUMBERS if number.n_digits <= n_digits and number.n_run <= n_run)


def _longest_run(text: str) -> int:
    """How many digits the longest number of a text has, spaces and punctuation within it left out."""
    runs = (sum(map(run.count, "0123456789")) for run in _RUN.findall(text))
    return min(max(runs, default=3), _MANY_DIGITS)


def _replace(text: str, pattern: re.Pattern[str], check: Check, placeholder: str) -> tuple[str, int]:
    match = pattern.search(text)
    pieces: list[str] = []
    at = n_replaced = 0
    while match:
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
