"""Which documents count: repeats, near copies and floods are kept, and not counted."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise

import numpy as np
import polars as pl

REPEAT_OF_AUTHOR = "repeat of its author"
NEAR_COPY = "near copy"
AUTHOR_FLOOD = "flood of one author"
DAY_FLOOD = "flood of one day"

_LONG_TEXT_WORDS = 30
_SHINGLE_WORDS = 3
_SIMILAR = 0.8
_BANDS, _ROWS = 14, 4
"""At a similarity of .8 one pair in 1,600 shares no band; at .5 four pairs in ten share none."""

_WORDS_AT_ONCE = 2_000_000
_PAIRS_AT_ONCE = 20_000
_ROUNDS = 30
_HISTORY_DAYS = 28
_BUSIEST_DAYS = 91
_FLOOD_MEDIANS, _FLOOD_DOCUMENTS, _KEPT_MEDIANS, _KEPT_AT_LEAST = 10, 50, 3, 10


def mark_repeats(documents: pl.DataFrame, *, max_per_author_day: int = 10) -> pl.DataFrame:
    """Say for each document whether it counts, and if not, why and for which one it stands aside.

    The first of several is the one with the earliest `created_at` (null last), then the smallest id. What a
    flood leaves out is out even where a repeat points to it.

    Args:
        documents: Columns `document_id`, `source`, `author` (null: unknown), `text`, `text_hash`, `day`
            (null: unknown) and `created_at`, in any order.
        max_per_author_day: Documents of one author that count in one source on one day.

    Returns:
        Columns `document_id`, `not_counted_reason` (null: counted) and `repeat_of`, sorted by `document_id`.
    """
    rows = (
        documents.sort("created_at", "document_id", nulls_last=True)
        .with_row_index("nth")
        .join(_folded_texts(documents), on="text_hash", how="left", nulls_equal=True)
        .select("nth", "document_id", "source", "author", "text_hash", "day", "folded", "n_words")
        .sort("nth")
    )
    repeats = _repeats_of_authors(rows)
    left = rows.join(repeats, on="nth", how="anti")
    copies = _near_copies(left, documents)
    of = pl.concat([repeats, copies])
    # A repeat of what proves to be a copy stands aside for the same document as that copy.
    of = of.join(copies.select(first="nth", final="first"), on="first", how="left").with_columns(
        first=pl.coalesce("final", "first")
    )
    left = left.join(copies, on="nth", how="anti")
    floods = _author_floods(left, max_per_author_day)
    floods = pl.concat([floods, _day_floods(left.join(floods, on="nth", how="anti"))])
    ids = rows.select(first="nth", repeat_of="document_id")
    reasons = pl.concat([of.select("nth", "reason", "first"), floods], how="diagonal").join(
        ids, on="first", how="left"
    )
    return (
        rows.join(reasons, on="nth", how="left")
        .select("document_id", not_counted_reason="reason", repeat_of="repeat_of")
        .sort("document_id")
    )


def _folded_texts(documents: pl.DataFrame) -> pl.DataFrame:
    """Per `text_hash` a hash of the text without case, punctuation and spaces, and its number of words."""
    words = _words(pl.col("text"))
    return (
        documents.select("text_hash", "text")
        .unique("text_hash")
        .with_columns(words=words)
        .select(
            "text_hash",
            # A text of punctuation alone is itself.
            folded=pl.when(pl.col("words") == "").then("text").otherwise("words").hash(seed=1),
            n_words=pl.when(pl.col("words") == "")
            .then(0)
            .otherwise(pl.col("words").str.count_matches(" ") + 1),
        )
    )


def _words(text: pl.Expr) -> pl.Expr:
    """Folded words with one space between them; a character of a script without spaces is a word."""
    return (
        text.fill_null("")
        .str.normalize("NFKC")
        .str.to_lowercase()
        .str.replace_all(r"[\p{Han}\p{Hiragana}\p{Katakana}\p{Thai}]", " $0 ")
        .str.replace_all(r"[\p{P}\s]+", " ")
        .str.strip_chars()
    )


def _repeats_of_authors(rows: pl.DataFrame) -> pl.DataFrame:
    """Columns `nth`, `first` and `reason` of what a known author had written before, in any source."""
    known = rows.filter(pl.col("author").is_not_null())
    return (
        known.select("nth", first=pl.col("nth").min().over("author", "folded"))
        .filter(pl.col("nth") != pl.col("first"))
        .with_columns(reason=pl.lit(REPEAT_OF_AUTHOR))
    )


def _near_copies(rows: pl.DataFrame, documents: pl.DataFrame) -> pl.DataFrame:
    """Columns `nth`, `first` and `reason` of long texts that are, almost, an earlier one's."""
    long = rows.filter(pl.col("n_words") >= _LONG_TEXT_WORDS)
    long = long.select("nth", "document_id", first=pl.col("nth").min().over("folded"))
    same = long.filter(pl.col("nth") != pl.col("first")).select("nth", "first")
    distinct = long.filter(pl.col("nth") == pl.col("first")).select("nth", "document_id")
    if distinct.is_empty():
        return same.with_columns(reason=pl.lit(NEAR_COPY))
    distinct = distinct.join(documents.select("document_id", "text"), on="document_id").sort("nth")
    of = _similar_to(distinct["text"])
    nth = distinct["nth"].to_numpy()
    copy = np.flatnonzero(of != np.arange(len(of)))
    similar = pl.DataFrame({"nth": nth[copy], "first": nth[of[copy]]}, schema=same.schema)
    same = same.join(similar.select(first="nth", final="first"), on="first", how="left").select(
        "nth", first=pl.coalesce("final", "first")
    )
    return pl.concat([same, similar]).with_columns(reason=pl.lit(NEAR_COPY))


def _similar_to(texts: pl.Series) -> np.ndarray:
    """For each text the position of the first kept text it is similar to, or its own: int64 (n_texts,).

    A text is kept unless a kept one before it is similar: at least .8 of Jaccard over the 3-word shingles.
    Candidates share a band of MinHash values (Broder 1997; banding as Leskovec et al., Mining of Massive
    Datasets, 3.4), and each is checked exactly.
    """
    shingles, starts = _shingles(texts)
    bands = _band_keys(shingles, starts)
    of = np.arange(texts.len())
    undecided = of.copy()
    for _ in range(_ROUNDS):
        if not len(undecided):
            break
        leaders = _leaders(bands[undecided], undecided)
        settled = (leaders == undecided[:, None]).all(axis=1)
        is_settled = np.zeros(texts.len(), dtype=bool)
        is_settled[undecided[settled]] = True
        later, band = np.nonzero(is_settled[leaders] & ~settled[:, None])
        numbers = _distinct(undecided[later] * texts.len() + leaders[later, band])
        pairs = np.column_stack(np.divmod(numbers, texts.len()))
        similar = pairs[_jaccard(pairs, shingles, starts) >= _SIMILAR]
        # Pairs are sorted: the first of a text is its earliest match.
        copies, at = np.unique(similar[:, 0], return_index=True)
        of[copies] = similar[at, 1]
        undecided = undecided[~settled & ~np.isin(undecided, copies)]
    return of


def _leaders(bands: np.ndarray, positions: np.ndarray) -> np.ndarray:
    """The earliest position with the same key, per text and band: int64 (n_texts, n_bands)."""
    leaders = np.empty(bands.shape, dtype=np.int64)
    for band in range(bands.shape[1]):
        _, first, inverse = np.unique(bands[:, band], return_index=True, return_inverse=True)
        leaders[:, band] = positions[first[inverse]]
    return leaders


def _distinct(numbers: np.ndarray) -> np.ndarray:
    """Distinct numbers in ascending order, by sorting: for millions `np.unique`, which hashes, is slower."""
    ordered = np.sort(numbers)
    return ordered[np.append(True, ordered[1:] != ordered[:-1])] if len(ordered) else ordered


def _shingles(texts: pl.Series) -> tuple[np.ndarray, np.ndarray]:
    """Distinct shingles of all texts, one text after the other, and where each begins.

    Returns:
        uint32 (n_shingles,) ascending within a text, and int64 (n_texts + 1,).
    """
    found: list[np.ndarray] = []
    counts: list[np.ndarray] = []
    for words in _word_hashes(texts):
        text = words["text"].to_numpy()
        word = words["word"].to_numpy()
        n = len(word) - _SHINGLE_WORDS + 1
        mixed = np.zeros(n, dtype=np.uint64)
        for nth in range(_SHINGLE_WORDS):
            mixed = (mixed ^ word[nth : nth + n]) * np.uint64(0x9E3779B97F4A7C15)
            mixed ^= mixed >> np.uint64(29)
        whole = text[:n] == text[_SHINGLE_WORDS - 1 :]
        keys = _distinct(
            (text[:n][whole].astype(np.uint64) << np.uint64(32)) | (mixed[whole] >> np.uint64(32))
        )
        found.append(keys.astype(np.uint32))
        counts.append(np.bincount((keys >> np.uint64(32)).astype(np.int64), minlength=int(text[-1]) + 1))
    return np.concatenate(found), np.concatenate([[0], np.cumsum(np.concatenate(counts))])


def _word_hashes(texts: pl.Series) -> Iterator[pl.DataFrame]:
    """Columns `text` (position within the block) and `word` (hash), in blocks of bounded size."""
    n_words = texts.str.len_bytes().cum_sum() // (6 * _WORDS_AT_ONCE)
    edges = np.append(np.flatnonzero(np.diff(n_words.to_numpy(), prepend=-1)), texts.len())
    for start, end in pairwise(edges):
        block = pl.DataFrame({"word": texts[int(start) : int(end)]}).with_row_index("text")
        yield (
            block.with_columns(_words(pl.col("word")).str.split(" "))
            .explode("word")
            .with_columns(pl.col("word").hash(seed=2))
        )


def _band_keys(shingles: np.ndarray, starts: np.ndarray) -> np.ndarray:
    """MinHash values, four to a key: uint64 (n_texts, n_bands)."""
    rng = np.random.default_rng(2)
    factors = rng.integers(1, 2**63, size=_BANDS * _ROWS, dtype=np.uint64) * np.uint64(2) + np.uint64(1)
    keys = np.zeros((len(starts) - 1, _BANDS), dtype=np.uint64)
    edges = np.searchsorted(starts, np.arange(0, starts[-1] + _WORDS_AT_ONCE, _WORDS_AT_ONCE))
    edges = np.unique(np.append(edges, len(starts) - 1).clip(max=len(starts) - 1))
    for first, last in pairwise(edges):
        block = shingles[starts[first] : starts[last]].astype(np.uint64) + np.uint64(1)
        offsets = starts[first:last] - starts[first]
        for nth, factor in enumerate(factors):
            minima = np.minimum.reduceat(_mix(block, factor), offsets)
            at = keys[first:last, nth // _ROWS]
            at ^= minima
            at *= np.uint64(0x9E3779B97F4A7C15)
    return keys


def _mix(values: np.ndarray, factor: np.uint64) -> np.ndarray:
    """One hash function of a family: multiply, fold, multiply."""
    mixed = values * factor
    mixed ^= mixed >> np.uint64(32)
    mixed *= factor
    return mixed


def _jaccard(pairs: np.ndarray, shingles: np.ndarray, starts: np.ndarray) -> np.ndarray:
    """Exact similarity of pairs of texts: float64 (n_pairs,)."""
    sizes = np.diff(starts)
    similarity = np.empty(len(pairs))
    for first in range(0, len(pairs), _PAIRS_AT_ONCE):
        block = pairs[first : first + _PAIRS_AT_ONCE]
        both = [_keyed(block[:, side], shingles, starts) for side in (0, 1)]
        keys = np.sort(np.concatenate(both))
        shared = keys[1:][keys[1:] == keys[:-1]] >> np.uint64(32)
        common = np.bincount(shared.astype(np.int64), minlength=len(block))
        similarity[first : first + len(block)] = common / (sizes[block[:, 0]] + sizes[block[:, 1]] - common)
    return similarity


def _keyed(texts: np.ndarray, shingles: np.ndarray, starts: np.ndarray) -> np.ndarray:
    """Shingles of the given texts, each with its pair's number above it: uint64."""
    sizes = starts[texts + 1] - starts[texts]
    pair = np.repeat(np.arange(len(texts)), sizes)
    within = np.arange(len(pair)) - np.repeat(np.cumsum(sizes) - sizes, sizes)
    values = shingles[np.repeat(starts[texts], sizes) + within].astype(np.uint64)
    return (pair.astype(np.uint64) << np.uint64(32)) | values


def _author_floods(rows: pl.DataFrame, most: int) -> pl.DataFrame:
    """Columns `nth` and `reason` of what one author wrote in one source beyond `most` documents a day."""
    dated = rows.filter(pl.col("author").is_not_null() & pl.col("day").is_not_null())
    place = pl.col("nth").rank("ordinal").over("source", "author", "day")
    return dated.filter(place > most).select("nth", reason=pl.lit(AUTHOR_FLOOD))


def _day_floods(rows: pl.DataFrame) -> pl.DataFrame:
    """Columns `nth` and `reason` of what a source's flooded days hold beyond their cap, drawn by id."""
    dated = rows.filter(pl.col("day").is_not_null())
    caps = [
        {"source": source, "day": day, "cap": cap}
        for (source,), of_source in dated.group_by(["source"], maintain_order=True)
        for day, cap in _flooded_days(of_source)
    ]
    schema: dict[str, pl.DataType | type[pl.DataType]] = {
        "source": rows.schema["source"],
        "day": rows.schema["day"],
        "cap": pl.UInt32,
    }
    place = pl.col("document_id").rank("ordinal").over("source", "day")
    flooded = dated.join(pl.DataFrame(caps, schema=schema), on=["source", "day"])
    return flooded.filter(place > pl.col("cap")).select("nth", reason=pl.lit(DAY_FLOOD))


def _flooded_days(of_source: pl.DataFrame) -> list[tuple[object, int]]:
    """Days with far more documents than the 28 days before, and how many of each count.

    A source that delivers in batches has a median of nought; its batches are no floods, because a flood is
    also more than twice the busiest of the 91 days before, flooded days at their cap.
    """
    counts = of_source.group_by("day").len().sort("day")
    days = counts["day"].to_physical().to_numpy().astype(np.int64)
    n = counts["len"].to_numpy().astype(np.int64)
    counted = n.copy()
    found: list[tuple[object, int]] = []
    for at in np.flatnonzero((n >= _FLOOD_DOCUMENTS) & (days - days[0] >= _HISTORY_DAYS)):
        recent = n[np.searchsorted(days, days[at] - _HISTORY_DAYS) : at]
        history = np.zeros(_HISTORY_DAYS)
        history[: len(recent)] = recent
        median = max(1.0, float(np.median(history)))
        busiest = counted[np.searchsorted(days, days[at] - _BUSIEST_DAYS) : at].max(initial=0)
        if n[at] > _FLOOD_MEDIANS * median and n[at] > 2 * busiest:
            counted[at] = max(_KEPT_AT_LEAST, int(_KEPT_MEDIANS * median))
            found.append((counts["day"][int(at)], int(counted[at])))
    return found
