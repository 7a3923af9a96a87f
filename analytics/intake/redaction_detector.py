"""What a detector of personal data is, and the checks that several of them share."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from typing import NamedTuple

Check = Callable[[re.Match[str]], int]
"""How many characters of a match, from its start, are private; 0 where it only looks so."""


def whole(match: re.Match[str]) -> int:
    """Length of a match whose form is proof enough."""
    return match.end() - match.start()


class Detector(NamedTuple):
    """One form of personal data.

    What follows the check are cheap conditions that a text must meet before the pattern is tried: it has
    `n_digits` ASCII digits, `n_run` of them in one number (however grouped), and one of the lower-case pieces
    `hints` stands in it.
    """

    kind: str
    pattern: re.Pattern[str]
    check: Check = whole
    n_digits: int = 0
    n_run: int = 0
    hints: tuple[str, ...] = ()

    def may_match(self, lowered: str) -> bool:
        """Whether a text in lower case holds a hint."""
        return any(hint in lowered for hint in self.hints)


# Boundaries of numbers. They are spelled out because \w has the letters of every script, and where a script
# sets no spaces a number stands right beside one.
START = r"(?<![A-Za-z0-9_])(?<![0-9][.:-])"
END = r"(?![A-Za-z0-9_])(?![.:-][0-9])(?!,[0-9]{1,2}(?![0-9]))"

_REFERENCE = re.compile(
    r"(?<![^\W_])(?:"
    # What is never a person's number, whether or not "number" follows.
    r"(?:orders?|invoice|tracking|shipment|reference|ref|serial|sku|asin|isbn|e[ai]n|upc|gtin|imei|rma|part"
    r"|bestellung|auftrag|rechnung|commande|facture|pedido|factura|ordine|fattura|bestelling|factuur"
    r"|encomenda|zamówienie)(?:[ -]?(?:numbers?|num|no|nr|n[°º]|id|code|nummer))?"
    # What needs the word "number" to be one.
    r"|(?:booking|confirmation|reservation|ticket|case|claim|item|article|model|product|account|customer"
    r"|transaction|receipt|policy|contract|tag|bag|baggage|luggage|flight|file|report|member"
    r"|membership)[ -](?:numbers?|num|no|nr|id|code)"
    r"|(?:bestell|auftrags|rechnungs|artikel|serien|kunden|sendungs|vorgangs|vertrags|teile|order|factuur)-?"
    r"(?:nummer|nr|code)"
    r"|n[uú]m(?:ero|éro)? (?:de|di|do) (?:commande|facture|suivi|pedido|factura|ordine|fattura|serie|série)"
    r")[ .:#]*(?:(?:is|was|ist|war|lautet|est|es|è)[ :]*)?[\"'#(]*$"
    r"|(?:订单|訂單|单号|注文|주문|송장)\S{0,3}?[ :：]*$",
    re.IGNORECASE,
)

_ENDING_LETTERS = re.compile(r"[^\W\d_][^\n\w]{0,8}[^\w]{0,8}$")


def before(match: re.Match[str], n_characters: int) -> str:
    """What stands in front of a match."""
    return match.string[max(0, match.start() - n_characters) : match.start()]


def around(match: re.Match[str], n_before: int, n_after: int) -> str:
    """What stands on both sides of a match."""
    return before(match, n_before) + " " + match.string[match.end() : match.end() + n_after]


def is_reference(match: re.Match[str]) -> bool:
    """Whether the words before a number say that it names a thing: an order, an invoice, an article."""
    return ends_with(before(match, 48), _REFERENCE)


def ends_with(text: str, pattern: re.Pattern[str]) -> bool:
    """Whether words in front of a number say what a pattern says; quick where there are no words."""
    return _ENDING_LETTERS.search(text) is not None and pattern.search(text) is not None


def digits_of(text: str) -> list[int]:
    """The ASCII digits of a text."""
    return [int(character) for character in text if character in "0123456789"]


def passes_luhn(digits: Sequence[int]) -> bool:
    """Whether the last digit is the check digit of the others (ISO/IEC 7812-1, annex B)."""
    doubled = [sum(divmod(2 * digit, 10)) for digit in digits[-2::-2]]
    return (sum(doubled) + sum(digits[-1::-2])) % 10 == 0
