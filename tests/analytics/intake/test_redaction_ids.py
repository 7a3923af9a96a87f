"""National numbers: published examples are found, a wrong check digit or a missing word leaves them."""

from __future__ import annotations

import pytest

from analytics.intake.redaction import redact

NUMBERS = [
    ("United States", "460-89-9847", ""),
    ("United States, taxpayer", "912-70-1234", ""),
    ("United States, in one run", "460899847", "my ssn is"),
    ("United Kingdom", "AB 12 34 56 C", ""),
    ("United Kingdom, health", "943 476 5919", "NHS"),
    ("Germany, tax", "86095742719", ""),
    ("Germany, tax in groups", "86 095 742 719", ""),
    ("Spain", "12345678Z", ""),
    ("Spain, with points", "12.345.678-Z", ""),
    ("Spain, foreigner", "X1234567L", ""),
    ("Italy", "RSSMRA85T10A562S", ""),
    ("Italy, small letters", "rssmra85t10a562s", ""),
    ("France", "255081416802538", ""),
    ("France, in groups", "2 55 08 14 168 025 38", ""),
    ("Netherlands", "111222333", "BSN"),
    ("Belgium", "85.07.30-033.28", ""),
    ("Sweden", "811218-9876", ""),
    ("Sweden, with century", "198112189876", "personnummer"),
    ("Denmark", "211062-5629", "CPR"),
    ("Norway", "29029900157", ""),
    ("Finland", "131052-308T", ""),
    ("Finland, this century", "131052A308T", ""),
    ("Poland", "44051401359", "PESEL"),
    ("Czechia", "780123/3540", ""),
    ("Romania", "1800101221144", ""),
    ("Estonia", "37605030299", "isikukood"),
    ("Croatia", "33392005961", "OIB"),
    ("Switzerland", "756.9217.0769.85", ""),
    ("Austria", "1237 010180", ""),
    ("Ireland", "1234567T", "PPS"),
    ("Portugal", "123456789", "contribuinte"),
    ("Russia", "112-233-445 95", ""),
    ("Turkey", "10000000146", "T.C. kimlik"),
    ("Brazil", "529.982.247-25", ""),
    ("Brazil, in one run", "52998224725", "CPF"),
    ("Canada", "046 454 286", "social insurance"),
    ("Australia", "123 456 782", "TFN"),
    ("Mexico", "HEGG560427MVZRRL04", ""),
    ("South Africa", "8001015009087", ""),
    ("India", "2341 2341 2346", ""),
    ("India, in one run", "234123412346", "Aadhaar"),
    ("India, tax", "ABCPE1234F", "PAN"),
    ("China", "11010519491231002X", ""),
    ("Korea", "900101-1234568", ""),
    ("Malaysia", "800101-01-5678", ""),
    ("Thailand", "1-1017-00230-70-8", ""),
    ("Japan", "1234 5678 9018", "マイナンバー"),
    ("Singapore", "S1234567D", ""),
]


@pytest.mark.parametrize(("country", "number", "named"), NUMBERS)
def test_a_national_number_is_found(country: str, number: str, named: str) -> None:
    for before, after in [("", ""), ("it is ", ", thanks"), ("(", ")")]:
        text = f"{named} {before}{number}{after}".strip()
        expected = f"{named} {before}[national-id]{after}".strip()
        assert redact(text) == (expected, {"national-id": 1}), country


@pytest.mark.parametrize(
    "text",
    [
        "666-12-3456, 460-00-9847, 460-89-0000",  # never given
        "order number 460-89-9847",
        "GB 12 34 56 C, our PN 320008A wheel",
        "86095742718",
        "12345678A and X1234567M",
        "RSSMRA85T10A562T",
        "BSN 111222334",
        "85.07.30-033.29",
        "131052-308U",
        "PESEL 44051401358",
        "780123/3541",
        "756.9217.0769.86",
        "529.982.247-26",
        "2341 2341 2345",
        "2016 2017 2018",
        "110105194912310021",
        "901301-1234568",
        "S1234567E",
        "part 111222333, file 44051401359, item 33392005961",  # check digits alone prove little
    ],
)
def test_a_number_that_fails_its_check_stays(text: str) -> None:
    assert redact(text) == (text, {})


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("My passport number is X1234567.", "My passport number is [national-id]."),
        ("driver's license: D123-4567-8901", "driver's license: [national-id]"),
        ("Reisepass Nr. C01X00T47", "Reisepass Nr. [national-id]"),
    ],
)
def test_a_document_is_found_by_its_name(text: str, expected: str) -> None:
    assert redact(text) == (expected, {"national-id": 1})


def test_a_passport_without_a_number_stays() -> None:
    assert redact("a passport holder for 2 people in 2019") == ("a passport holder for 2 people in 2019", {})
