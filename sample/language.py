"""How customers write: a topic and an item in, a sentence out, hardly ever the same one twice."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Sequence
from functools import cache
from pathlib import Path
from random import Random
from typing import Any

HERE = Path(__file__).resolve().parent
FILES = {"en": "english.toml", "de": "german.toml"}
LONG = 8
"""A sentence of this many words is written only once in a store."""

_TRIES = 60
_TOKEN = re.compile(r"[\[\]|]|\{[a-z_]+\}|[^\[\]|{}]+")

Pattern = list["str | list[Pattern]"]
"""Text and {slots} in order; a list is one of several patterns."""


@cache
def parse(pattern: str) -> Pattern:
    """Read `a [b|c] {slot}`; brackets may stand in brackets."""
    stack: list[list[Pattern]] = [[[]]]
    for token in _TOKEN.findall(pattern):
        if token == "[":
            stack.append([[]])
        elif token == "]":
            choice = stack.pop()
            stack[-1][-1].append(choice)
        elif token == "|" and len(stack) > 1:
            stack[-1].append([])
        else:
            stack[-1][-1].append(token)
    return stack[0][0]


@cache
def read_words(name: str) -> dict[str, Any]:
    """One of the word files beside this module."""
    with (HERE / name).open("rb") as file:
        return tomllib.load(file)


def topics() -> dict[str, dict[str, Any]]:
    """Every topic with its polarity, kinds and weights."""
    return read_words("topics.toml")["topics"]


def fits(topic: str, kind: str) -> bool:
    """Whether an item of this kind can be praised or blamed for the topic."""
    kinds = topics()[topic]["kinds"]
    return kinds == ["*"] or kind in kinds


def clashes(topic: str, others: Sequence[str]) -> bool:
    """Whether nobody would name the topic beside one of the others."""
    return any(topic in pair and set(pair) & set(others) for pair in read_words("topics.toml")["conflicts"])


def mood(stars: int) -> str:
    """What a number of stars says."""
    return "good" if stars > 3 else "bad" if stars < 3 else "middling"


def capitalised(text: str) -> str:
    """The text with a capital letter first."""
    return text[:1].upper() + text[1:]


def _most(choices: list[str], rng: Random) -> list[str]:
    """Three quarters of the choices; all of a few."""
    return rng.sample(choices, len(choices) * 3 // 4) if len(choices) > 7 else choices


class Writer:
    """Turns topics into sentences of one language; remembers the long ones so that none comes twice.

    Each seed knows other patterns and fillers: it leaves a quarter of them out.
    """

    def __init__(self, language: str, seed: int) -> None:
        self.language = language
        self.words = read_words(FILES[language])
        self.used: set[str] = set()
        chooser = Random(f"{seed}-{language}")
        self.patterns = {
            topic: _most(said["patterns"], chooser) for topic, said in self.words["topics"].items()
        }
        self.slots = {name: _most(fillers, chooser) for name, fillers in self.words["slots"].items()}
        self.around = {
            name: _most(self.words["around"][name], chooser)
            for name in ("leads", "tails_bad", "tails_good", "details")
        }

    def fill(self, pattern: str, rng: Random, values: dict[str, str]) -> str:
        """One text that the pattern allows; `values` are slots known to the caller."""
        return "".join(self._parts(parse(pattern), rng, values))

    def _parts(self, pattern: Pattern, rng: Random, values: dict[str, str]) -> list[str]:
        parts: list[str] = []
        for part in pattern:
            if isinstance(part, list):
                parts += self._parts(rng.choice(part), rng, values)
            elif part[0] != "{":
                parts.append(part)
            elif part[1:-1] in values:
                parts.append(values[part[1:-1]])
            elif part == "{price}":
                parts.append(str(rng.randint(11, 289)))
            else:
                parts += self._parts(parse(rng.choice(self.slots[part[1:-1]])), rng, values)
        return parts

    def once(self, patterns: Sequence[str], rng: Random, values: dict[str, str], end: str = ".") -> str:
        """A sentence of one of the patterns that was not written before, unless it is short."""
        text = ""
        for _ in range(_TRIES):
            text = capitalised(self.fill(rng.choice(patterns), rng, values)) + end
            if self._is_new(text):
                break
        return text

    def _is_new(self, text: str) -> bool:
        if len(text.split()) < LONG:
            return True
        if text in self.used:
            return False
        self.used.add(text)
        return True

    def sentence(self, topic: str, kind: str, rng: Random, polarity: int) -> str:
        """Something that a customer says about the topic."""
        around = self.around
        tails = around["tails_bad" if polarity < 0 else "tails_good"] if polarity else []
        asks = self.language == "en" and topic == "invoice_question"
        text = ""
        for attempt in range(_TRIES):
            core = self.fill(rng.choice(self.patterns[topic]), rng, self.nouns(kind))
            if not asks and rng.random() < 0.5 + attempt / _TRIES:
                lead = self.fill(rng.choice(around["leads"]), rng, {})
                core = lead + (capitalised(core) if self.language == "de" else core)
            if tails and rng.random() < 0.42 + attempt / _TRIES:
                core += self.fill(rng.choice(tails), rng, {})
            text = capitalised(core) + rng.choices([".", "!", ""], [88, 9, 3])[0]
            if self._is_new(text):
                break
        return text

    def nouns(self, kind: str) -> dict[str, str]:
        """The item by its noun, as the patterns name it."""
        thing, article, noun = read_words("topics.toml")["kinds"][kind]
        accusative = "den" if article == "der" else article
        return {"thing": thing, "der": f"{article} {noun}", "der_obj": f"{accusative} {noun}"}

    def turn(self, sentence: str, polarity: int, rng: Random) -> str:
        """The sentence as one that turns from blame to praise or back."""
        turn = rng.choice(self.words["around"]["turns_good" if polarity > 0 else "turns_bad"])
        if self.language == "de" or turn.rstrip().endswith(":"):
            return turn + sentence
        first = sentence.split(maxsplit=1)[0]
        stays = first == "I" or first in self.words["slots"]["weekday"] or first[1:2].isupper()
        return turn + (sentence if stays else sentence[0].lower() + sentence[1:])

    def detail(self, rng: Random) -> str:
        """A sentence about the writer that names no topic."""
        return self.once(self.around["details"], rng, {})

    def closing(self, stars: int, rng: Random) -> str:
        """A few last words."""
        return capitalised(rng.choice(self.words["around"][mood(stars)])) + rng.choice([".", ".", "!"])

    def headline(self, topic: str | None, stars: int, rng: Random) -> str:
        """A headline of the topic, or one that fits the stars."""
        said = self.words["topics"][topic]["headlines"] if topic else None
        return rng.choice(said or self.words["around"]["headlines_" + mood(stars)])

    def plain(self, stars: int, rng: Random) -> str:
        """A whole text of a word or two."""
        return rng.choice(self.words["around"]["plain_" + mood(stars)])

    def short(self, topic: str | None, rng: Random) -> str:
        """An answer of a word or two."""
        return rng.choice(
            self.words["topics"][topic]["short"] if topic else self.words["around"]["short_nothing"]
        )


def in_voice(sentence: str, voice: str, rng: Random) -> str:
    """The sentence as somebody writes who never presses shift, mistypes, or shouts."""
    if voice == "small":
        return sentence.lower().removesuffix(".")
    if voice == "loud":
        return sentence.upper()
    if voice == "hasty" and rng.random() < 0.5:
        words = sentence.split(" ")
        long = [index for index, word in enumerate(words) if len(word) > 5 and word.isalpha()]
        if long:
            index = rng.choice(long)
            word = words[index]
            place = rng.randint(1, len(word) - 3)
            words[index] = word[:place] + word[place + 1] + word[place] + word[place + 2 :]
        return " ".join(words)
    return sentence
