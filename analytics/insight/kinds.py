"""What a statement is for: to complain, to praise, to ask for something, to ask."""

from __future__ import annotations

import polars as pl

PROBLEM, PRAISE, REQUEST, QUESTION = "problem", "praise", "request", "question"

_ASKS_FOR = (
    r"(?i)\b(please|wish|would be (nice|great|good|better|helpful)|would like|would love|i'd (like|love)"
    r"|if only|hope(fully)? (you|they|the|it|this|that|to)|should (have|be|include|offer|add|come"
    r"|provide|allow)|could (you|be improved|use)|needs? (to|a|an|more|better)|we need|i need you)\b"
)
"""English wordings of requests; other languages have none of the kind."""


def statement_kind(quote: str, label: str) -> pl.Expr:
    """problem, praise, request or question; null where a statement is none of them.

    Args:
        quote: Column of the statement's words.
        label: Column of its sentiment: negative, neutral or positive.
    """
    words = pl.col(quote).str.strip_chars()
    return (
        pl.when(words.str.contains(r"[?？][\"'”’)\]]*$"))
        .then(pl.lit(QUESTION))
        .when(words.str.contains(_ASKS_FOR))
        .then(pl.lit(REQUEST))
        .when(pl.col(label) == "negative")
        .then(pl.lit(PROBLEM))
        .when(pl.col(label) == "positive")
        .then(pl.lit(PRAISE))
    )
