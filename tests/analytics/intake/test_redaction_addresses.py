"""Street addresses and postal boxes in the languages that write them with a number."""

from __future__ import annotations

import pytest

from analytics.intake.redaction import redact

ADDRESSES = [
    "12 Main Street, Apt 4",
    "12 Main Street, Apt 4, Springfield, IL 62704",
    "742 Evergreen Terrace",
    "350 5th Ave, New York, NY 10118",
    "27 High Street, London SW1A 1AA",
    "1600 Amphitheatre Pkwy, Mountain View, CA 94043",
    "15 Church Place, Suite 210",
    "P.O. Box 1234, Austin, TX 78701",
    "PO Box 77",
    "PSC 1437, Box 3833 APO AA 66791",
    "Hauptstraße 5, 10115 Berlin",
    "Lindenweg 12a, D-50667 Köln",
    "Berliner Str. 7",
    "Musterstr. 3",
    "Postfach 10 12 34, 60001 Frankfurt",
    "12 rue de la Paix, 75002 Paris",
    "14 bis, avenue des Champs-Élysées, 75008 Paris",
    "rue de la Paix 3",
    "12, rue du moulin",
    "BP 123, 75001 Paris",
    "Calle Mayor 5, 3º B, 28013 Madrid",
    "C/ Gran Vía 28",
    "Avenida de la Constitución, 12",
    "Rua Augusta 1508",
    "Via Roma 12, 00184 Roma",
    "Piazza del Duomo 1",
    "Keizersgracht 123, 1015 CJ Amsterdam",
    "Kalverstraat 92",
    "Drottninggatan 10, 111 51 Stockholm",
    "ul. Marszałkowska 10/12, 00-590 Warszawa",
    "Váci utca 12.",
    "Atatürk Caddesi No: 5",
    "улица Ленина, д. 10",
    "서울시 강남구 테헤란로 123",
    "北京市朝阳区建国路88号",
    "東京都渋谷区神南1-2-3",
]

PUBLIC = [
    "a 2 TB hard drive and a 64 GB Flash Drive",
    "a 3 way street, 5 star place, 10 miles down the road, 2 blocks from the street",
    "a 500 GB Seagate Drive, out of the box 5 stars, box 12",
    "10 Downing Street, 221B Baker Street, the film 21 Jump Street.",
    "the 2010 Wall Street, Revolutionary Road 2",
    "auf Platz 1, Parkplatz 3, Arbeitsplatz 2, Käufer 5, Boxspring 5, Colgate 3, Umweg 2",
    "via Bluetooth 4 oder via USB 3. Via Bluetooth 5 it works",
    "5 place de choix, 3 cours",
    "the Office Suite 2016, Creative Suite 6",
    "BP 120 over 80",
    "아이폰으로 3",
    "快递到济南市区2-3天",
    "version 5 of the road map in 2019",
]


@pytest.mark.parametrize("address", ADDRESSES)
def test_an_address_is_replaced_whole(address: str) -> None:
    for before, after in [("", ""), ("I live at ", " and wait"), ("(", ")"), ("To:\n", "\nThanks")]:
        assert redact(f"{before}{address}{after}") == (f"{before}[address]{after}", {"address": 1})


@pytest.mark.parametrize("text", PUBLIC)
def test_what_only_looks_like_an_address_stays(text: str) -> None:
    assert redact(text) == (text, {})


def test_small_letters_need_a_phrase_that_says_address() -> None:
    assert redact("i live at 12 main street.") == ("i live at [address].", {"address": 1})
    assert redact("saw 12 main street shows") == ("saw 12 main street shows", {})


def test_the_sentence_after_an_address_stays() -> None:
    text = "I live at 742 Evergreen Terrace. It is nice."
    assert redact(text) == ("I live at [address]. It is nice.", {"address": 1})
