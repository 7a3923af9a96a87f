"""National identity, tax and social security numbers, by form, date of birth and check digits.

A form that nothing else has is enough where its check digits hold. Bare runs of digits that one number in
fifty or more would pass need a word near them that names the document.
"""

from __future__ import annotations

import re
from collections.abc import Callable

from analytics.intake import redaction_checksums as checks
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

_Valid = Callable[[str], bool]
"""Whether a match, without its separators and in capitals, passes its checks."""


def _has_form(_: str) -> bool:
    return True


def _id(
    pattern: str,
    valid: _Valid,
    n_digits: int,
    named: str = "",
    *,
    n_run: int = -1,
    hints: tuple[str, ...] = (),
    case: bool = True,
) -> Detector:
    """A national number; with `named`, one of these words must stand near it."""
    word = re.compile(rf"(?<![^\W_])(?:{named})(?![^\W_])", re.IGNORECASE) if named else None

    def length(match: re.Match[str]) -> int:
        if not valid(re.sub(r"[^0-9A-Za-zÑ]", "", match[0]).upper()):
            return 0
        if word is None:
            return 0 if is_reference(match) else whole(match)
        return whole(match) if word.search(around(match, 64, 24)) else 0

    number = re.compile(f"{START}(?:{pattern}){END}", 0 if case else re.IGNORECASE)
    return Detector("national-id", number, length, n_digits, n_digits if n_run < 0 else n_run, hints)


_NUMBERS = (
    _id(r"[0-9]{3}-[0-9]{2}-[0-9]{4}", checks.is_ssn, 9),
    _id(r"[0-9]{3}[ .]?[0-9]{2}[ .]?[0-9]{4}", checks.is_ssn, 9, "ssn|social security(?: number)?|itin"),
    _id(
        r"[A-CEGHJ-PR-TW-Z][A-CEGHJ-NPR-TW-Z](?:[0-9]{6}| [0-9]{6} |(?: [0-9]{2}){3} )[A-D]",
        checks.is_nino,
        6,
    ),
    _id(
        r"[A-Z]{2}(?:[ -]?[0-9]{2}){3}[ -]?[A-D]",
        checks.is_nino,
        6,
        "nino|national insurance|ni number",
        case=False,
    ),
    _id(r"[0-9]{3}[ -]?[0-9]{3}[ -]?[0-9]{4}", checks.is_nhs, 10, "nhs"),
    _id(r"[0-9]{2} ?[0-9]{3} ?[0-9]{3} ?[0-9]{3}|[0-9]{11}", checks.is_german_tax, 11),
    _id(r"(?:[0-9]{8}|[0-9]{2}\.[0-9]{3}\.[0-9]{3}|[XYZ][ -]?[0-9]{7})[ -]?[A-HJ-NP-TV-Z]", checks.is_dni, 7),
    _id(r"[XYZ0-9][ -]?[0-9]{7}[ -]?[A-HJ-NP-TV-Z]", checks.is_dni, 7, "dni|nie|nif", case=False),
    _id(
        r"[A-Z]{6}[0-9LMNP-V]{2}[ABCDEHLMPRST][0-9LMNP-V]{2}[A-Z][0-9LMNP-V]{3}[A-Z]",
        checks.is_codice_fiscale,
        7,
        n_run=2,
        case=False,
    ),
    _id(
        r"[1-478] ?[0-9]{2} ?[0-9]{2} ?(?:[0-9]{2}|2[AB]) ?[0-9]{3} ?[0-9]{3} ?[0-9]{2}",
        checks.is_nir,
        14,
        n_run=8,
    ),
    _id(
        r"[0-9]{9}|(?:[0-9]{4}[ .][0-9]{2}|[0-9]{3}[ .][0-9]{3})[ .][0-9]{3}",
        checks.is_bsn,
        9,
        "bsn|burgerservice\\w*|sofi\\w*|burger service nummer",
    ),
    _id(r"[0-9]{2}\.[01][0-9]\.[0-3][0-9]-[0-9]{3}[.-][0-9]{2}", checks.is_belgian, 11),
    _id(
        r"[0-9]{11}", checks.is_belgian, 11, "rijksregister\\w*|insz|niss|registre national|national register"
    ),
    _id(r"(?:(?:19|20)[0-9]{2}|[0-9]{2})[0-9]{4}[-+][0-9]{4}", checks.is_swedish, 10),
    _id(r"(?:19|20)?[0-9]{10}", checks.is_swedish, 10, "person\\w*nummer|personnr|pnr|samordningsnummer"),
    _id(r"[0-3][0-9][01][0-9]{3}-[0-9]{4}", checks.is_danish, 10),
    _id(r"[0-3][0-9][01][0-9]{3}[- ]?[0-9]{4}", checks.is_danish_date, 10, "cpr\\w*|cpr-?\\w*|personnummer"),
    _id(r"[0-7][0-9][0-9]{4} ?[0-9]{5}", checks.is_norwegian, 11),
    _id(r"[0-3][0-9][01][0-9]{3}[-+A-FU-Y][0-9]{3}[0-9A-FHJ-NPR-Y]", checks.is_finnish, 9, n_run=6),
    _id(r"[0-9]{11}", checks.is_pesel, 11, "pesel"),
    _id(r"[0-9]{2}[0-8][0-9][0-3][0-9]/[0-9]{4}", checks.is_czech, 10),
    _id(r"[1-9][0-9]{12}", checks.is_romanian, 13),
    _id(r"[1-8][0-9]{10}", checks.is_baltic, 11, "isikukood\\w*|asmens kod\\w*|personal code"),
    _id(r"[0-9]{11}", checks.is_mod_11_10, 11, "oib|osobni identifikacijski broj"),
    _id(r"756[. ]?[0-9]{4}[. ]?[0-9]{4}[. ]?[0-9]{2}", checks.is_swiss, 13),
    _id(r"[1-9][0-9]{3} [0-3][0-9][01][0-9]{3}", checks.is_austrian, 10),
    _id(
        r"[1-9][0-9]{3}[ -]?[0-3][0-9][01][0-9]{3}",
        checks.is_austrian,
        10,
        "svnr|sv-?nummer|sozialversicherung\\w*",
    ),
    _id(
        r"[0-9]{7}[A-W][ABHWTX]?", checks.is_irish, 7, "ppsn?|pps number|personal public service", case=False
    ),
    _id(r"[1-35689][0-9]{2} ?[0-9]{3} ?[0-9]{3}", checks.is_portuguese, 9, "nif|contribuinte"),
    _id(r"[0-9]{3}-[0-9]{3}-[0-9]{3}[ -][0-9]{2}", checks.is_snils, 11),
    _id(r"[1-9][0-9]{10}", checks.is_turkish, 11, "t\\.?c\\.?|tckn|kimlik\\w*"),
    _id(r"[0-9]{3}\.[0-9]{3}\.[0-9]{3}-[0-9]{2}", checks.is_cpf, 11),
    _id(r"[0-9]{11}|[0-9]{3}[. ]?[0-9]{3}[. ]?[0-9]{3}[- /]?[0-9]{2}", checks.is_cpf, 11, "cpf"),
    _id(r"[0-9]{3}[ -]?[0-9]{3}[ -]?[0-9]{3}", checks.is_sin, 9, "social insurance|sin (?:number|no|is)"),
    _id(r"[0-9]{3} ?[0-9]{3} ?[0-9]{3}", checks.is_tfn, 9, "tfn|tax file"),
    _id(r"[A-Z][AEIOUX][A-Z]{2}[0-9]{6}[HMX][A-Z]{5}[0-9A-Z][0-9]", checks.is_curp, 7, n_run=6, case=False),
    _id(r"[0-9]{6}[ ]?[0-9]{4}[ ]?[0-9]{3}", checks.is_south_african, 13),
    _id(r"(?<![0-9][ -])[2-9][0-9]{3}([ -])[0-9]{4}\1[0-9]{4}(?![ -][0-9])", checks.is_aadhaar, 12),
    _id(r"[2-9][0-9]{11}", checks.is_aadhaar, 12, "aadhaa?r|adhaa?r|uidai|uid|आधार"),
    _id(
        r"[A-Z]{3}P[A-Z][0-9]{4}[A-Z]",
        _has_form,
        4,
        "pan|permanent account|income tax",
        hints=("pan", "permanent", "income"),
    ),
    _id(r"[1-9][0-9]{16}[0-9Xx]", checks.is_chinese, 17),
    _id(r"[0-9]{6}-[1-8][0-9]{6}", checks.is_korean, 13),
    _id(
        r"[0-9]{6}[1-8][0-9]{6}",
        checks.is_korean,
        13,
        "주민\\S*|주민등록번호|외국인등록번호|rrn|resident registration",
    ),
    _id(r"[0-9]{6}-[0-9]{2}-[0-9]{4}", checks.is_malaysian, 12),
    _id(r"[1-8]-[0-9]{4}-[0-9]{5}-[0-9]{2}-[0-9]", checks.is_thai, 13),
    _id(
        r"[0-9]{4}[ -]?[0-9]{4}[ -]?[0-9]{4}",
        checks.is_my_number,
        12,
        "マイナンバー\\S*|個人番号\\S*|my number",
    ),
    _id(r"[STFGM][0-9]{7}[A-Z]", checks.is_singaporean, 7),
)

_DOCUMENT = re.compile(
    r"(?=[A-Za-z0-9-]{0,12}[0-9])[A-Za-z0-9](?:[A-Za-z0-9-]{4,16}[A-Za-z0-9])(?![A-Za-z0-9])"
)
_DOCUMENT_NAMED = re.compile(
    r"(?<![^\W_])(?:passport|driv(?:er|ing)(?:['’]?s)? licen[cs]e|reisepass|personalausweis|führerschein"
    r"|passeport|permis de conduire|carte d['’]identité|pasaporte|permiso de conducir|passaporto|patente"
    r"|carta d['’]identità|rijbewijs|paspoort|(?:national )?id card|identity card)"
    r"[ -]?(?:numbers?|num|no|nr|n[°º]|nummer|id)?[ .:#]*(?:(?:is|was|ist|lautet|est|es|è)[ :]*)?$",
    re.IGNORECASE,
)


def _document_length(match: re.Match[str]) -> int:
    """Length of the number of a passport, an identity card or a driving licence, which has only its name."""
    if match.start() and match.string[match.start() - 1].isalnum():
        return 0
    is_number = sum(map(str.isdigit, match[0])) >= 4
    return whole(match) if is_number and ends_with(before(match, 48), _DOCUMENT_NAMED) else 0


IDS = (
    *_NUMBERS,
    Detector(
        "national-id",
        _DOCUMENT,
        _document_length,
        4,
        0,
        (
            "passport",
            "licen",
            "reisepass",
            "ausweis",
            "führerschein",
            "passeport",
            "permis",
            "identi",
            "pasaporte",
            "passaporto",
            "patente",
            "rijbewijs",
            "paspoort",
            "id card",
        ),
    ),
)
