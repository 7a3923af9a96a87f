"""Ratings in whatever form a source keeps them in, as numbers on its scale."""

from __future__ import annotations

import polars as pl

_NUMBER = r"[0-9]+(?:[.,][0-9]+)?"
_COMMA = r"^[+-]?[0-9]+,[0-9]+$"
_SHARE = rf"^(?<top>{_NUMBER})\s*(?:/|out of|of)\s*(?<bottom>{_NUMBER})(?:\s*(?:stars?|points?))?$"
_COUNTED = rf"^({_NUMBER})\s*(?:stars?|points?|★|⭐)$"
_DRAWN = r"^(?<full>[★⭐]+)\u{FE0F}?(?<half>½)?(?<empty>☆*)$"
_THOUSANDS_FROM = 1_000


def read_ratings(values: pl.Series, scale: tuple[float, float]) -> pl.Series:
    """Ratings as numbers, whether they lie on the scale or not; null where a value is no rating.

    Text is a number with a point or a comma, a share of the scale's highest rating ("4/5", "4 out of 5"), or
    stars, counted ("4 stars") or drawn ("★★★★☆").

    Args:
        values: Numbers or text.
        scale: Lowest and highest rating.
    """
    if values.dtype.is_numeric():
        return values.cast(pl.Float64).fill_nan(None)
    texts = values.cast(pl.String).str.strip_chars()
    numbers = texts.cast(pl.Float64, strict=False)
    odd = numbers.is_null() & texts.is_not_null() & (texts != "")
    if odd.any():
        others = texts.filter(odd).alias("text").to_frame().select(_other_forms(scale[1])).to_series()
        numbers = numbers.scatter(odd.arg_true(), others)
    return numbers.to_frame("n").select(pl.when(pl.col("n").is_finite()).then("n")).to_series()


def _other_forms(high: float) -> pl.Expr:
    text = pl.col("text").str.to_lowercase()
    share, drawn = text.str.extract_groups(_SHARE).struct, text.str.extract_groups(_DRAWN).struct
    with_comma = _number(text.str.extract(f"({_COMMA})"))
    full = drawn.field("full").str.replace_all("\ufe0f", "").str.len_chars()
    empty = drawn.field("empty").str.len_chars()
    half = pl.when(drawn.field("half").is_not_null()).then(0.5).otherwise(0.0)
    fits = (empty.fill_null(0) == 0) | (full + empty + half.ceil() == high)
    return pl.coalesce(
        # "1,234" is more than a thousand where the scale goes that far.
        with_comma if high < _THOUSANDS_FROM else pl.lit(None, pl.Float64),
        pl.when(_number(share.field("bottom")) == high).then(_number(share.field("top"))),
        _number(text.str.extract(_COUNTED)),
        pl.when(fits).then(full + half),
    )


def _number(text: pl.Expr) -> pl.Expr:
    return text.str.replace(",", ".", literal=True).cast(pl.Float64, strict=False)
