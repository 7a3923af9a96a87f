"""Check digits and dates of birth of national identity, tax and social security numbers.

Each function takes a number in the form of its country, without separators and in capitals.
"""

from __future__ import annotations

from collections.abc import Sequence

from analytics.intake.redaction_detector import digits_of, passes_luhn

_DNI_LETTERS = "TRWAGMYFPDXBNJZSQVHLCKE"
_ODD_VALUES = "1 0 5 7 9 13 15 17 19 21 1 0 5 7 9 13 15 17 19 21 2 4 18 20 11 3 6 8 12 14 16 10 22 25 24 23"
_ITALIAN_ODD = dict(
    zip(
        "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ",
        map(int, _ODD_VALUES.split()),
        strict=True,
    )
)
_VERHOEFF_SWAPS = (1, 5, 7, 6, 2, 8, 3, 0, 9, 4)
_DAYS = (31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31)


def _is_date(month: int, day: int) -> bool:
    return 1 <= month <= 12 and 1 <= day <= _DAYS[month - 1]


def _weighted(digits: Sequence[int], weights: Sequence[int]) -> int:
    return sum(digit * weight for digit, weight in zip(digits, weights, strict=False))


def is_ssn(number: str) -> bool:
    """US social security or taxpayer number: no area 000 or 666, no group 00, no serial 0000."""
    return number[:3] not in ("000", "666") and number[3:5] != "00" and number[5:] != "0000"


def is_nino(number: str) -> bool:
    """UK national insurance number: its prefix."""
    return number[:2] not in ("BG", "GB", "KN", "NK", "NT", "TN", "ZZ")


def is_nhs(number: str) -> bool:
    """UK health service number."""
    digits = digits_of(number)
    return (11 - _weighted(digits, range(10, 1, -1)) % 11) % 11 == digits[9]


def is_mod_11_10(number: str) -> bool:
    """ISO 7064, MOD 11,10."""
    product = 10
    *digits, check = digits_of(number)
    for digit in digits:
        product = ((digit + product) % 10 or 10) * 2 % 11
    return (11 - product) % 10 == check


def is_german_tax(number: str) -> bool:
    """German tax id: of its first ten digits one comes twice or thrice and every other at most once."""
    counts = sorted(map(number[:10].count, set(number[:10])))
    return number[0] != "0" and counts[-1] in (2, 3) and counts[-2] == 1 and is_mod_11_10(number)


def is_dni(number: str) -> bool:
    """Spanish DNI, or NIE with its first letter standing for a digit."""
    return _DNI_LETTERS[int(number[:-1].translate(str.maketrans("XYZ", "012"))) % 23] == number[-1]


def is_codice_fiscale(number: str) -> bool:
    """Italian tax code."""
    odd = sum(_ITALIAN_ODD[character] for character in number[:15:2])
    even = sum(int(c) if c.isdigit() else ord(c) - 65 for c in number[1:15:2])
    return chr(65 + (odd + even) % 26) == number[15]


def is_nir(number: str) -> bool:
    """French social security number; Corsican departments count as 19 and 18."""
    body = number[:13].replace("2A", "19").replace("2B", "18")
    return 97 - int(body) % 97 == int(number[13:])


def is_bsn(number: str) -> bool:
    """Dutch citizen number."""
    digits = digits_of(number)
    return _weighted(digits, (9, 8, 7, 6, 5, 4, 3, 2, -1)) % 11 == 0 and any(digits)


def is_belgian(number: str) -> bool:
    """Belgian register number, of either century."""
    body, check = int(number[:9]), int(number[9:])
    return (97 - body % 97 == check) or (97 - (2_000_000_000 + body) % 97 == check)


def is_swedish(number: str) -> bool:
    """Swedish personal or coordination number."""
    digits = digits_of(number)[-10:]
    day = 10 * digits[4] + digits[5]
    return passes_luhn(digits) and _is_date(10 * digits[2] + digits[3], day - 60 if day > 60 else day)


def is_danish(number: str) -> bool:
    """Danish number given before 2007."""
    digits = digits_of(number)
    dated = _is_date(10 * digits[2] + digits[3], 10 * digits[0] + digits[1])
    return dated and _weighted(digits, (4, 3, 2, 7, 6, 5, 4, 3, 2, 1)) % 11 == 0


def is_danish_date(number: str) -> bool:
    """Numbers given since 2007 have no check digit."""
    return _is_date(int(number[2:4]), int(number[:2]))


def is_norwegian(number: str) -> bool:
    """Norwegian birth number."""
    digits = digits_of(number)
    return (
        _is_date(10 * digits[2] + digits[3], 10 * (digits[0] % 4) + digits[1])
        and _weighted(digits, (3, 7, 6, 1, 8, 9, 4, 5, 2, 1)) % 11 == 0
        and _weighted(digits, (5, 4, 3, 2, 7, 6, 5, 4, 3, 2, 1)) % 11 == 0
    )


def is_finnish(number: str) -> bool:
    """Finnish identity code."""
    dated = _is_date(int(number[2:4]), int(number[:2]))
    check = "0123456789ABCDEFHJKLMNPRSTUVWXY"[int(number[:6] + number[-4:-1]) % 31]
    return dated and check == number[-1]


def is_pesel(number: str) -> bool:
    """Polish PESEL."""
    digits = digits_of(number)
    month = (10 * digits[2] + digits[3]) % 20
    dated = _is_date(month, 10 * digits[4] + digits[5])
    return dated and _weighted(digits, (1, 3, 7, 9, 1, 3, 7, 9, 1, 3, 1)) % 10 == 0


def is_czech(number: str) -> bool:
    """Czech or Slovak birth number."""
    dated = _is_date(int(number[2:4]) % 50 % 20, int(number[4:6]))
    return dated and (int(number) % 11 == 0 or (int(number[:9]) % 11 == 10 and number[9] == "0"))


def is_romanian(number: str) -> bool:
    """Romanian personal code."""
    digits = digits_of(number)
    rest = _weighted(digits, (2, 7, 9, 1, 4, 6, 3, 5, 8, 2, 7, 9)) % 11
    return (
        digits[0] > 0
        and _is_date(int(number[3:5]), int(number[5:7]))
        and (1 if rest == 10 else rest) == digits[12]
    )


def is_baltic(number: str) -> bool:
    """Estonian and Lithuanian personal code."""
    digits = digits_of(number)
    rest = _weighted(digits, (1, 2, 3, 4, 5, 6, 7, 8, 9, 1)) % 11
    if rest == 10:
        rest = _weighted(digits, (3, 4, 5, 6, 7, 8, 9, 1, 2, 3)) % 11 % 10
    return _is_date(int(number[3:5]), int(number[5:7])) and rest == digits[10]


def is_swiss(number: str) -> bool:
    """Swiss AHV number."""
    return _weighted(digits_of(number), (1, 3) * 6 + (1,)) % 10 == 0


def is_austrian(number: str) -> bool:
    """Austrian insurance number."""
    digits = digits_of(number)
    check = _weighted(digits, (3, 7, 9, 0, 5, 8, 4, 2, 1, 6)) % 11
    return check == digits[3] and _is_date(int(number[6:8]), int(number[4:6]))


def is_irish(number: str) -> bool:
    """Irish PPS number."""
    extra = ord(number[8]) - 64 if len(number) == 9 and number[8] != "W" else 0
    rest = (_weighted(digits_of(number[:7]), range(8, 1, -1)) + 9 * extra) % 23
    return "WABCDEFGHIJKLMNOPQRSTUV"[rest] == number[7]


def is_portuguese(number: str) -> bool:
    """Portuguese NIF."""
    digits = digits_of(number)
    rest = 11 - _weighted(digits, range(9, 1, -1)) % 11
    return (0 if rest > 9 else rest) == digits[8]


def is_snils(number: str) -> bool:
    """Russian SNILS."""
    return _weighted(digits_of(number), range(9, 0, -1)) % 101 % 100 == int(number[9:])


def is_turkish(number: str) -> bool:
    """Turkish identity number."""
    digits = digits_of(number)
    tenth = (7 * sum(digits[:9:2]) - sum(digits[1:8:2])) % 10
    return digits[0] > 0 and digits[9] == tenth and sum(digits[:10]) % 10 == digits[10]


def is_cpf(number: str) -> bool:
    """Brazilian CPF."""
    digits = digits_of(number)
    first = 10 * _weighted(digits, range(10, 1, -1)) % 11 % 10
    second = 10 * _weighted(digits, range(11, 1, -1)) % 11 % 10
    return len(set(digits)) > 1 and digits[9:] == [first, second]


def is_sin(number: str) -> bool:
    """Canadian social insurance number."""
    return passes_luhn(digits_of(number))


def is_tfn(number: str) -> bool:
    """Australian tax file number."""
    return _weighted(digits_of(number), (1, 4, 3, 7, 5, 8, 6, 9, 10)) % 11 == 0


def is_curp(number: str) -> bool:
    """Mexican CURP."""
    alphabet = "0123456789ABCDEFGHIJKLMNÑOPQRSTUVWXYZ"
    values = [alphabet.index(character) for character in number[:17]]
    dated = _is_date(int(number[6:8]), int(number[8:10]))
    return dated and (10 - _weighted(values, range(18, 1, -1)) % 10) % 10 == int(number[17])


def is_south_african(number: str) -> bool:
    """South African identity number."""
    dated = _is_date(int(number[2:4]), int(number[4:6]))
    return dated and number[10] in "012" and passes_luhn(digits_of(number))


def is_aadhaar(number: str) -> bool:
    """Verhoeff's checksum (1969): digits permuted by place and multiplied in the dihedral group D5."""
    if all(number[place : place + 2] in ("19", "20") for place in (0, 4, 8)):
        return False
    check = 0
    for place, digit in enumerate(reversed(digits_of(number))):
        for _ in range(place % 8):
            digit = _VERHOEFF_SWAPS[digit]
        turn = check + digit if check < 5 else check - digit
        check = turn % 5 + (5 if (check < 5) != (digit < 5) else 0)
    return check == 0


def is_chinese(number: str) -> bool:
    """Chinese resident number (GB 11643)."""
    dated = number[6:8] in ("18", "19", "20") and _is_date(int(number[10:12]), int(number[12:14]))
    rest = _weighted(digits_of(number[:17]), [2**power % 11 for power in range(17, 0, -1)]) % 11
    return dated and "10X98765432"[rest] == number[17]


def is_korean(number: str) -> bool:
    """Korean resident number: its date alone, because numbers given since 2020 have no check digit."""
    return _is_date(int(number[2:4]), int(number[4:6]))


def is_malaysian(number: str) -> bool:
    """Malaysian identity card: a date and a place of birth."""
    return _is_date(int(number[2:4]), int(number[4:6])) and number[6:8] not in ("00", "17", "18", "19", "20")


def is_thai(number: str) -> bool:
    """Thai citizen number."""
    digits = digits_of(number)
    return (11 - _weighted(digits, range(13, 1, -1)) % 11) % 10 == digits[12]


def is_my_number(number: str) -> bool:
    """Japanese My Number."""
    digits = digits_of(number)
    rest = _weighted(digits, (6, 5, 4, 3, 2, 7, 6, 5, 4, 3, 2)) % 11
    return (0 if rest < 2 else 11 - rest) == digits[11]


def is_singaporean(number: str) -> bool:
    """Singaporean NRIC or FIN."""
    offset = {"S": 0, "F": 0, "T": 4, "G": 4, "M": 3}[number[0]]
    rest = (offset + _weighted(digits_of(number), (2, 7, 6, 5, 4, 3, 2))) % 11
    letters = {"S": "JZIHGFEDCBA", "T": "JZIHGFEDCBA", "M": "KLJNPQRTUWX"}.get(number[0], "XWUTRQPNMLK")
    return letters[10 - rest if number[0] == "M" else rest] == number[8]
