"""Identity: the hashes by which documents, opinions, themes, runs and lake rows are known."""

from __future__ import annotations

import hashlib
import hmac
import json
from collections.abc import Iterable, Sequence
from datetime import date, datetime
from typing import Any

import orjson
import polars as pl

HASH_HEX = 32
"""Length of every id: the first 16 bytes of a sha256, as hex."""


def canonical_json(value: Any) -> str:
    """JSON with sorted keys, no spaces and UTF-8; dates in ISO form, NaN as null."""
    return _canonical_bytes(value).decode("utf-8", "surrogatepass")


def _canonical_bytes(value: Any) -> bytes:
    try:
        return orjson.dumps(value, option=orjson.OPT_SORT_KEYS)
    except orjson.JSONEncodeError:
        # Lone surrogates, which a broken source may hold, are no UTF-8 to orjson.
        plain = json.dumps(value, sort_keys=True, ensure_ascii=False, separators=(",", ":"), default=_iso)
        return plain.encode("utf-8", "surrogatepass")


def _iso(value: Any) -> str:
    if isinstance(value, datetime | date):
        return value.isoformat()
    raise TypeError(f"{type(value).__name__} has no canonical form")


def hash_of(value: Any) -> str:
    """First 16 bytes of sha256 over the canonical JSON of `value`, as 32 hex characters."""
    return hashlib.sha256(_canonical_bytes(value)).digest()[:16].hex()


def hash_each(values: Iterable[Any]) -> list[str]:
    """`hash_of` for each value, in order."""
    return [hash_of(value) for value in values]


def lake_key(recipe: str, value: Any) -> str:
    """Key of the lake row that answers `value` under `recipe`."""
    return hash_of([recipe, value])


def lake_keys(recipe: str, values: Iterable[Any]) -> list[str]:
    """`lake_key` for each value, in order."""
    return [hash_of([recipe, value]) for value in values]


def document_id(source: str, source_id: str) -> str:
    """Identity of a document: the same row of the same source, whatever its text says today."""
    return hash_of([source, source_id])


def opinion_id(document: str, quote: str, nth: int, aspect: str | None = None) -> str:
    """Identity of an opinion: its words in its document, not its offsets, so that re-cleaning keeps it."""
    return hash_of([document, quote, nth, aspect or ""])


def run_id(as_of: date, nth: int) -> str:
    """Identity of the `nth` run (from 1) of the night `as_of`."""
    return hash_of([as_of.isoformat(), nth])


def theme_id(run: str, smallest_founding_opinion: str) -> str:
    """Identity of a theme found by a run."""
    return hash_of([run, smallest_founding_opinion])


def group_id(run: str, smallest_founding_opinion: str) -> str:
    """Identity of a group of themes found by a run."""
    return hash_of([run, "group", smallest_founding_opinion])


def proposal_id(kind: str, themes: Iterable[str]) -> str:
    """Identity of a proposal: the same kind about the same themes, whatever night makes it."""
    return hash_of([kind, sorted(themes)])


def brief_id(kind: str, subject: str) -> str:
    """Identity of the brief about a theme, an item or the night."""
    return hash_of(["brief", kind, subject])


def decision_id(kind: str, subject: str, theme: str, episode: int) -> str:
    """Identity of a decision: an episode of one kind about one subject and theme."""
    return hash_of([kind, subject, theme, episode])


def author_key(secret: bytes, user_id: str) -> str:
    """Keyed hash of a user id; without the key of the store it cannot be computed or guessed."""
    return hmac.new(secret, user_id.encode("utf-8", "surrogatepass"), hashlib.sha256).digest()[:16].hex()


def fold_of(identifier: str, n_folds: int) -> int:
    """A fixed fold in [0, n_folds) for an identifier, the same in every store."""
    return int(hash_of(["fold", identifier])[:8], 16) % n_folds


def stage_seed(seed: int, stage: str) -> int:
    """A 32-bit seed for one stage, from the one seed of the store."""
    return int(hash_of([seed, stage])[:8], 16)


def frame_digest(frame: pl.DataFrame, *, key: Sequence[str], leave_out: Iterable[str] = ()) -> str:
    """Digest of a table: sha256 over its rows sorted by key, floats rounded to 9 significant digits.

    Args:
        frame: The rows, in any order.
        key: Columns that identify a row.
        leave_out: Run facts, which two runs of the same night may differ in.
    """
    columns = sorted(set(frame.columns) - set(leave_out))
    floats = [name for name in columns if frame.schema[name].is_float()]
    rows = frame.sort(list(key)).select(columns)
    # Adding zero makes -0.0 and 0.0 the same number.
    rows = rows.with_columns(pl.col(floats).cast(pl.Float64).round_sig_figs(9) + 0.0)
    digest = hashlib.sha256(canonical_json(columns).encode())
    for block in rows.iter_slices(50_000):
        digest.update(block.write_ndjson().encode("utf-8", "surrogatepass"))
    return digest.hexdigest()
