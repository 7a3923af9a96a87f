"""Encodings of text files: told from what they hold, overridden by the settings."""

from __future__ import annotations

import io
import json
from pathlib import Path

import pytest
from reading import read, refusal, source

from analytics.intake.encodings import find_encoding

TEXTS = {
    "german": [
        "Größe passt, schöne Farbe",
        "Für den Preis völlig in Ordnung",
        "Gerät läuft nicht – 5 € zurück",
    ],
    "french": [
        "Très bon produit, livré à temps",
        "Qualité décevante, je l'ai renvoyé",
        "déjà cassé à l'arrivée",
    ],
    "polish": [
        "Bardzo dobry produkt, polecam każdemu",
        "Przesyłka dotarła późno, obsługa słaba",
        "Świetna jakość",
    ],
    "czech": ["Skvělý výrobek, děkuji", "Zboží přišlo poškozené", "Můžu jen doporučit, příště znovu"],
    "turkish": ["Çok güzel bir ürün, teşekkürler", "Kargo geç geldi, şişe kırıktı", "fiyatı iyi değil"],
    "russian": ["Отличный телефон, очень доволен", "Доставка опоздала на три дня", "Плохое качество, вернул"],
    "greek": ["Πολύ καλό προϊόν, ευχαριστώ", "Η παράδοση άργησε", "δεν το προτείνω"],
    "japanese": [
        "とても良い商品です。配達も早かった",
        "画面が割れていました",
        "バッテリーがすぐ切れる、残念",
    ],
    "chinese": ["质量很好，物流也很快", "屏幕有点暗，客服态度不错", "不推荐，用了两天就坏了"],
    "taiwan": ["品質很好，物流也很快", "螢幕有點暗，客服態度不錯", "不推薦，用了兩天就壞了"],
    "korean": ["품질이 좋고 배송도 빨라요", "화면이 조금 어두워요", "이틀 만에 고장났습니다, 추천 안 해요"],
}
ENCODINGS = [
    *[(language, "utf-8") for language in TEXTS],
    *[(language, "utf-8-sig") for language in ("german", "chinese")],
    *[(language, wide) for language in TEXTS for wide in ("utf-16", "utf-16-le", "utf-16-be")],
    ("german", "utf-32"),
    ("german", "cp1252"),
    ("french", "cp1252"),
    ("french", "cp850"),
    ("french", "mac-roman"),
    ("polish", "cp1250"),
    ("polish", "iso8859-2"),
    ("czech", "cp1250"),
    ("turkish", "cp1254"),
    ("russian", "cp1251"),
    ("russian", "koi8-r"),
    ("greek", "cp1253"),
    ("japanese", "shift_jis"),
    ("japanese", "euc_jp"),
    ("chinese", "gb18030"),
    ("chinese", "gb2312"),
    ("taiwan", "big5"),
    ("korean", "euc_kr"),
    ("korean", "cp949"),
]


@pytest.mark.parametrize(("language", "encoding"), ENCODINGS)
def test_a_file_is_read_in_the_encoding_it_is_written_in(
    tmp_path: Path, language: str, encoding: str
) -> None:
    texts = TEXTS[language]
    lines = "".join(f'{nth},"{text}"\r\n' for nth, text in enumerate(texts))
    (tmp_path / "s.csv").write_bytes(f"id,text\r\n{lines}".encode(encoding))
    rows, rejected = read(source(), tmp_path / "s.csv")
    assert rejected.is_empty()
    assert rows["text"].to_list() == texts
    objects = [json.dumps({"id": nth, "text": text}, ensure_ascii=False) for nth, text in enumerate(texts)]
    (tmp_path / "s.jsonl").write_bytes("\n".join(objects).encode(encoding))
    assert read(source(), tmp_path / "s.jsonl")[0]["text"].to_list() == texts


def test_the_settings_decide(tmp_path: Path) -> None:
    path = tmp_path / "s.csv"
    path.write_bytes("id,text\n1,Gyűrött doboz, őrült ár\n".replace("z, ő", "z ő").encode("cp1250"))
    assert read(source(encoding="cp1250"), path)[0]["text"].to_list() == ["Gyűrött doboz őrült ár"]
    for name in ("klingon", "base64", "idna", "undefined"):
        assert refusal(path, source(encoding=name)).startswith(
            f"encoding '{name}' is not known; write a name such"
        )
    path.write_bytes(b"id;text\n1;a,b\n")
    assert read(source(delimiter=";"), path)[0]["text"].to_list() == ["a,b"]
    path.write_bytes("id§text\n1§a,b\n".encode())
    assert read(source(delimiter="§"), path)[0]["text"].to_list() == ["a,b"]
    assert refusal(path, source(delimiter='"')).startswith("delimiter '\"' cannot separate fields")


def test_a_character_that_cannot_be_decoded_costs_only_its_line(tmp_path: Path) -> None:
    path = tmp_path / "s.csv"
    path.write_bytes(b"id,text\n1,caf\xe9\n2,\x81\n3,na\xefve\n")
    rows, rejected = read(source(), path)
    assert rows["text"].to_list() == ["café", "naïve"]
    assert rejected.select("position", "reason").rows() == [(3, "line is not cp1252")]
    broken = "id,text\n1,café\n".encode("utf-16") + b"2\x00,\x00\x00\xd8\n\x00" + "3,t\n".encode("utf-16-le")
    path.write_bytes(broken)
    rows, rejected = read(source(), path)
    assert rows["text"].to_list() == ["café", "t"]
    assert rejected.select("position", "reason").rows() == [(3, "line is not utf-16-le")]


def test_rubbish_in_much_plain_text_is_rejected_and_the_rest_read(tmp_path: Path) -> None:
    path = tmp_path / "s.csv"
    plain = "".join(f"{nth},a plain line\n" for nth in range(200))
    path.write_bytes(f"id,text\n{plain}".encode() + b"x,\xff\xfe\x00\x01\x02\n")
    rows, rejected = read(source(), path)
    assert rows.height == 200
    assert rejected["reason"].to_list() == ["line is not UTF-8"]


def test_the_first_line_that_tells_may_come_late() -> None:
    plain = b"an ordinary line of plain text\n" * 40_000
    assert find_encoding(io.BytesIO(plain)) == "utf-8"
    assert find_encoding(io.BytesIO(plain + "café\n".encode() * 3)) == "utf-8"
    assert find_encoding(io.BytesIO(plain + "café, déjà\n".encode("cp1252") * 3)) == "cp1252"


def test_a_binary_file_has_no_encoding() -> None:
    assert find_encoding(io.BytesIO(bytes(range(256)) * 40)) is None


def test_lines_may_end_in_a_carriage_return_alone(tmp_path: Path) -> None:
    for encoding in ("utf-8", "utf-16", "cp1252"):
        (tmp_path / "s.csv").write_bytes('id,text\r1,café\r\r2,"a\rb"\r'.encode(encoding))
        rows, rejected = read(source(), tmp_path / "s.csv")
        assert rejected.is_empty()
        assert rows.select("position", "text").rows() == [(2, "café"), (4, "a\nb")]


@pytest.mark.parametrize("encoding", ["utf-8", "utf-16", "gb18030", "shift_jis", "euc_kr", "utf-32"])
def test_characters_that_lie_across_pieces_are_whole(
    tmp_path: Path, encoding: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("analytics.intake.encodings._PIECE_BYTES", 7)
    text = {"shift_jis": "とても良い商品です", "euc_kr": "품질이 좋고"}.get(encoding, "质量很好")
    rows = "".join(f"{nth},{'x' * (nth % 5)}{text}\n" for nth in range(60))
    (tmp_path / "s.csv").write_bytes(f"id,text\n{rows}".encode(encoding))
    mapped, rejected = read(source(), tmp_path / "s.csv")
    assert rejected.is_empty()
    assert mapped["text"].to_list() == ["x" * (nth % 5) + text for nth in range(60)]
