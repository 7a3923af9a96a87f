"""Which statements say it in words that others use too: only such speak for many.

A word that one author alone uses may be a name, a slip, or planted to be repeated.
"""

from __future__ import annotations

import polars as pl

MIN_USERS = 2
"""A word is common where so many distinct authors of the store use it."""
_WORD = r"[\p{Latin}\p{Cyrillic}\p{Greek}]{3,}"
"""In scripts that are written without spaces, or join words to their endings, every other word is rare."""


def in_common_words(said: pl.DataFrame, quotes: pl.Series) -> pl.Series:
    """Whether every word of a quote is used by others too.

    Args:
        said: Columns author, quote: what is said in the whole store.
        quotes: Some of the quotes.

    Returns:
        Boolean, aligned with `quotes`.
    """
    common = (
        said.select("author", word=_words("quote"))
        .explode("word")
        .drop_nulls()
        .group_by("word")
        .agg(n=pl.col("author").n_unique())
        .filter(pl.col("n") >= MIN_USERS)["word"]
    )
    frame = pl.DataFrame({"quote": quotes}, schema={"quote": pl.String})
    return frame.select(
        _words("quote").list.eval(pl.element().is_in(common.implode())).list.all()
    ).to_series()


def _words(column: str) -> pl.Expr:
    return pl.col(column).str.to_lowercase().str.extract_all(_WORD)
