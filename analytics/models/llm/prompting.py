"""How a prompt becomes text: instructions first, then data between marks that the data cannot forge."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable, Sequence
from pathlib import Path

from analytics.models.llm.protocol import Prompt

_CONTROL = re.compile(
    r"<\|[^<>|]{0,40}\|>"  # <|im_start|>, <|endoftext|>, <|eot_id|>
    r"|<</?[A-Z]{2,8}>>"  # <<SYS>>
    r"|\[/?(?:INST|SYSTEM_PROMPT|AVAILABLE_TOOLS|TOOL_CALLS|TOOL_RESULTS)\]"
    r"|</?(?:s|bos|eos|pad|unk|start_of_turn|end_of_turn|think|tool_call|tool_response)>"
    r"|<｜[^<>｜]{0,40}｜>",
    re.IGNORECASE,
)
_ROLE = re.compile(r"^[ \t]*(system|assistant|user|human)[ \t]*:", re.IGNORECASE | re.MULTILINE)


def neutralise(text: str) -> str:
    """A text in which nothing reads as a control token or as a turn of a conversation.

    A control token loses its marks and keeps its word; a role at the start of a line loses its colon.
    """
    text = _CONTROL.sub(lambda found: f"({re.sub(r'[^0-9A-Za-z_]+', ' ', found[0]).strip()})", text)
    return _ROLE.sub(r"\1 -", text)


def fence_of(pieces: Sequence[str]) -> str:
    """A mark that occurs in none of the pieces, and is the same for the same pieces."""
    together = "\n".join(pieces)
    nth = 0
    while True:
        code = hashlib.sha256(f"{nth}\n{together}".encode("utf-8", "surrogatepass")).hexdigest()[:6]
        if code not in together:
            return code
        nth += 1


def render_data(pieces: Sequence[str]) -> str:
    """The data part of a prompt: the pieces on lines of their own between two marks."""
    code = fence_of(pieces)
    return f"[text {code}]\n" + "\n".join(pieces) + f"\n[end {code}]"


def fit(prompt: Prompt, count: Callable[[str], int], max_tokens: int) -> tuple[list[str], bool]:
    """The pieces that a model can read of a prompt, whole ones, neutralised; and whether something was cut.

    Args:
        prompt: What is asked.
        count: Tokens of a text.
        max_tokens: Most tokens of instructions and pieces together.
    """
    pieces = [neutralise(piece) for piece in prompt.pieces]
    left = max_tokens - count(prompt.instructions) - _MARKS
    if sum(map(len, pieces)) <= left:  # no token is shorter than a character
        return pieces, False
    kept: list[str] = []
    for piece in pieces:
        n_tokens = count(piece) + 1
        if n_tokens > left:
            break
        kept.append(piece)
        left -= n_tokens
    if not kept and pieces:
        return [_shorten(pieces[0], count, left)], True
    return kept, len(kept) < len(pieces)


_MARKS = 24
"""Tokens of the marks around the data and of a conversation's template."""


def _shorten(text: str, count: Callable[[str], int], max_tokens: int) -> str:
    """The beginning of a text, up to a word's end, that is short enough."""
    while text and (n_tokens := count(text)) > max(1, max_tokens):
        n_characters = min(len(text) - 1, int(len(text) * max(1, max_tokens) / n_tokens))
        shorter = text[:n_characters]
        text = shorter.rpartition(" ")[0] or shorter
    return text


def read_prompt(name: str) -> str:
    """The instructions of a step: `prompts/<name>.md`, which is a part of the step's recipe."""
    return (Path(__file__).parent / "prompts" / f"{name}.md").read_text(encoding="utf-8").strip()
