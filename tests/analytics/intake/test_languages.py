import polars as pl

from analytics.intake.languages import DECIDED, detect_languages, settle_languages

TEXTS = [
    "The lid leaks every time I pour and the handle gets far too hot to hold.",
    "Der Deckel ist undicht und der Griff wird viel zu heiß, um ihn anzufassen.",
    "뚜껑이 새고 손잡이가 너무 뜨거워요.",
    "盖子漏水，把手太烫了，根本没法用。",
    "10/10 :-)",
]


def test_whole_sentences_are_told_apart() -> None:
    found = detect_languages(TEXTS)
    assert found["language"].to_list() == ["en", "de", "ko", "zh", "und"]
    assert all(confidence >= DECIDED for confidence in found["confidence"].head(4))


def test_a_detection_depends_on_its_text_alone() -> None:
    assert detect_languages(TEXTS).rows() == [detect_languages([text]).row(0) for text in TEXTS]


def frame(*rows: tuple[str, str | None, str, float, list[str]]) -> pl.DataFrame:
    return pl.DataFrame(
        rows, schema=["source", "language", "detected", "confidence", "likeliest"], orient="row"
    )


def test_what_the_row_says_counts_before_what_is_detected() -> None:
    assert settle_languages(frame(("a", "fr", "en", 0.99, [])), {}).to_list() == ["fr"]


def test_a_short_text_is_in_a_language_of_its_source() -> None:
    decided = [("a", None, "en", 0.99, [])] * 8 + [("a", None, "de", 0.99, [])] * 2
    short = ("a", None, "so", 0.2, ["so", "de", "en"])
    assert settle_languages(frame(*decided, short), {"a": "en"}).to_list()[-1] == "de"


def test_a_short_text_of_no_usual_language_is_in_that_of_the_settings_or_the_main_one() -> None:
    decided = [("a", None, "en", 0.99, [])] * 9 + [("b", None, "de", 0.99, [])]
    short = [("a", None, "so", 0.2, ["so"]), ("b", None, "so", 0.2, ["so"])]
    assert settle_languages(frame(*decided, *short), {"b": "nl"}).to_list()[-2:] == ["en", "nl"]


def test_a_source_that_says_nothing_is_unknown() -> None:
    assert settle_languages(frame(("a", None, "und", 0.0, [])), {}).to_list() == ["und"]
