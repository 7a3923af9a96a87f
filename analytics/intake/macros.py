"""Macros: blocks of text that a company's own people send again and again, found over the whole store."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator

import polars as pl

SALUTATION = re.compile(
    r"\s*(?:hi|hello|hey|dear|servus|good (?:morning|afternoon|evening|day)|hallo|liebe[rs]?|guten (?:tag|"
    r"morgen|abend)|"
    r"moin|sehr geehrte[rs]?|bonjour|bonsoir|ch[eè]re?|hola|estimad[oa]s?|buen[oa]s (?:días|tardes|noches)|"
    r"querid[oa]|beste|geachte|ciao|buongiorno|gentile)\b[^,!.?\n]{0,60}(?:[,!]|\n|$)\s*",
    re.IGNORECASE,
)
_PARAGRAPH = re.compile(r"(?:(?!\n[^\S\n]*\n).)+", re.DOTALL)
_SENTENCE_END = re.compile(r"(?<=[.!?…])[\"'”’)\]]*\s+|(?<=:)\s*\n|\n(?=[^\S\n]*(?:[-*•]|\d{1,2}[.)])\s)")
_DIGITS = re.compile(r"\d+")
_NO_WORD = re.compile(r"[\W_]+")
_PARAGRAPH_WORDS = 4
_SENTENCE_WORDS = 6
_WORDS_MASK = 15
"""The low four bits of a block's number say how many words it has, 15 for more."""

_COMMON_SPEECH_WORDS = 8
_COMMON_SPEECH_THREADS = 3
_OPENING_SHARE = 0.2
"""Above this share of its threads, a block that opens threads is what customers say themselves."""


_THREADED_SHARE = 0.1
"""Below this share of threads with several documents, a document is a thread and tells no order."""


def block_number(text: str) -> int | None:
    """Number of one block: equal for texts that differ in case, digits, punctuation, spaces or salutation.

    Returns:
        An unsigned 64-bit number whose low four bits are the number of words, at most 15; None without words.
    """
    text = text[match.end() :] if (match := SALUTATION.match(text)) else text
    words = _NO_WORD.sub(" ", _DIGITS.sub("0", text.casefold())).split()
    if not words:
        return None
    digest = hashlib.blake2b(" ".join(words).encode("utf-8", "surrogatepass"), digest_size=8).digest()
    return int.from_bytes(digest, "big") & ~_WORDS_MASK | min(len(words), _WORDS_MASK)


def n_words(block: int) -> int:
    """How many words a block has, 15 for 15 and more."""
    return block & _WORDS_MASK


def paragraphs(text: str) -> Iterator[tuple[int, int, int]]:
    """Paragraphs of four words or more as (start, end, number)."""
    for found in _PARAGRAPH.finditer(text):
        number = block_number(found[0])
        if number is not None and n_words(number) >= _PARAGRAPH_WORDS:
            yield found.start(), found.end(), number


def sentences(text: str, start: int, end: int) -> Iterator[tuple[int, int, int]]:
    """Sentences of six words or more within a paragraph as (start, end, number)."""
    salutation = SALUTATION.match(text, start, end)
    at = salutation.end() if salutation else start
    for found in [*_SENTENCE_END.finditer(text, at, end), None]:
        stop = found.end() if found else end
        number = block_number(text[at:stop])
        if number is not None and n_words(number) >= _SENTENCE_WORDS:
            yield at, stop, number
        at = stop


def macro_spans(text: str, recurring: frozenset[int]) -> list[tuple[int, int]]:
    """Where recurring blocks stand in a text: whole paragraphs, or sentences of others."""
    spans: list[tuple[int, int]] = []
    for start, end, number in paragraphs(text):
        if number in recurring:
            spans.append((start, end))
        else:
            spans += [(a, b) for a, b, sentence in sentences(text, start, end) if sentence in recurring]
    return spans


def find_recurring(blocks: pl.DataFrame, *, min_threads: int = 5, min_share: float = 0.005) -> pl.DataFrame:
    """Which blocks of which documents are not their writers' own words.

    A block that an agent wrote is foreign in a customer's message, unless it is a short one that customers
    write by themselves in other threads ("Thank you for your help"). Where nobody is known to be an agent
    or a customer, a block of six words or more is foreign once it stands in enough threads, unless it
    opens threads: an answer is never the first message.

    Args:
        blocks: Columns `document_id`, `thread` (null: a thread of its own), `speaker` (null, "customer" or
            "agent"), `block` (UInt64, as `block_number`); optional `created_at`, which keeps what an agent
            only repeated after the customer. Other columns are ignored.
        min_threads: Fewest distinct threads of a macro where no speaker is known.
        min_share: Fewest threads as a share of all threads without speakers.

    Returns:
        Columns `document_id` and `block`, distinct, sorted.
    """
    frame = blocks.select(
        "document_id",
        pl.coalesce("thread", "document_id").alias("thread"),
        pl.col("speaker").cast(pl.String),
        pl.col("block").cast(pl.UInt64),
        (pl.col("created_at") if "created_at" in blocks.columns else pl.lit(None)).alias("at"),
        (pl.col("block").cast(pl.UInt64) & pl.lit(_WORDS_MASK, pl.UInt64)).alias("n_words"),
    )
    found = pl.concat([_agents_words(frame), _often_sent(frame, min_threads, min_share)])
    return found.unique().sort("document_id", "block")


def _agents_words(frame: pl.DataFrame) -> pl.DataFrame:
    """Blocks of customers' messages that an agent wrote before, in the same thread or in two others."""
    others = frame.filter(pl.col("speaker").ne_missing("agent"), pl.col("n_words") >= _PARAGRAPH_WORDS)
    here = (
        frame.filter(pl.col("speaker") == "agent")
        .group_by("block", "thread")
        .agg(agent_at=pl.col("at").min())
        .with_columns(told=pl.lit(True))
    )
    written = here.group_by("block").agg(n_agent_threads=pl.len())
    said = others.join(written, on="block").join(here, on=["block", "thread"], how="left")
    said = said.with_columns(told=pl.col("told").fill_null(False))
    # What customers say where no agent said it is theirs: any short phrase, or what agents say less often.
    own = (
        said.filter(~pl.col("told"))
        .group_by("block", "n_words", "n_agent_threads")
        .agg(n_own=pl.col("thread").n_unique())
        .filter(
            (pl.col("n_own") > pl.col("n_agent_threads"))
            | ((pl.col("n_words") < _COMMON_SPEECH_WORDS) & (pl.col("n_own") >= _COMMON_SPEECH_THREADS))
        )
    )
    before = pl.col("told") & (pl.col("agent_at") <= pl.col("at")).fill_null(True)
    elsewhere = pl.col("n_agent_threads").cast(pl.Int64) - pl.col("told").cast(pl.Int64) >= 2
    return said.filter(before | elsewhere).join(own, on="block", how="anti").select("document_id", "block")


def _often_sent(frame: pl.DataFrame, min_threads: int, min_share: float) -> pl.DataFrame:
    """Blocks that stand in enough threads and open few of them, where no speaker is known."""
    unknown = frame.filter(pl.col("speaker").is_null())
    needed = max(float(min_threads), min_share * unknown["thread"].n_unique())
    long = unknown.filter(pl.col("n_words") >= _SENTENCE_WORDS)
    often = long.group_by("block").agg(n=pl.col("thread").n_unique()).filter(pl.col("n") >= needed)
    documents = frame.filter(pl.col("at").is_not_null()).select("thread", "document_id", "at").unique()
    by_time = pl.struct("at", "document_id")
    opened = documents.group_by("thread").agg(
        n_documents=pl.len(), first=pl.col("document_id").sort_by(by_time).first()
    )
    if opened.filter(pl.col("n_documents") > 1).height < _THREADED_SHARE * opened.height:
        opened = opened.clear()
    spoken = (
        long.join(opened, on="thread")
        .group_by("block", "thread")
        .agg(opens=(pl.col("document_id") == pl.col("first")).any())
        .group_by("block")
        .agg(share=pl.col("opens").mean())
        .filter(pl.col("share") > _OPENING_SHARE)
    )
    macros = often.join(spoken, on="block", how="anti")
    return long.join(macros, on="block", how="semi").select("document_id", "block")


def likely_agents(messages: pl.DataFrame, *, min_threads: int = 10) -> set[str]:
    """Authors who write in many threads that somebody else began, where no speaker is known.

    Args:
        messages: Columns `thread`, `author` and `created_at`, null where unknown.
        min_threads: Fewest such threads.
    """
    known = messages.select("thread", "author", "created_at").drop_nulls()
    beginners = known.group_by("thread").agg(
        beginner=pl.col("author").sort_by(pl.struct("created_at", "author")).first()
    )
    answers = known.select("thread", "author").unique().join(beginners, on="thread")
    counts = answers.filter(pl.col("author") != pl.col("beginner")).group_by("author").len()
    return set(counts.filter(pl.col("len") >= min_threads)["author"].cast(pl.String))


_CUSTOMER = (
    "customer client user enduser requester requestor reporter buyer guest shopper consumer caller contact "
    "visitor patient member subscriber kunde kundin käufer käuferin gast nutzer anrufer cliente comprador "
    "usuario acheteur klant inbound incoming in received eingehend entrant entrante"
)
_AGENT = (
    "agent agents support supportagent staff admin administrator bot chatbot system automation employee rep "
    "representative operator moderator company business seller vendor merchant assistant helpdesk "
    "servicedesk "
    "customerservice customersupport customercare team advisor mitarbeiter mitarbeiterin bearbeiter berater "
    "kundenservice kundendienst agente empleado soporte conseiller medewerker outbound outgoing out sent "
    "ausgehend sortant saliente"
)


def customer_speech(values: pl.Expr) -> pl.Expr:
    """A speaker column as "customer", "agent" or null for unknown; case, spaces and signs do not matter."""
    folded = values.cast(pl.String).str.to_lowercase().str.replace_all(r"[^\p{L}]+", "")
    names = dict.fromkeys(_CUSTOMER.split(), "customer") | dict.fromkeys(_AGENT.split(), "agent")
    return folded.replace_strict(names, default=None, return_dtype=pl.String)
