"""How customers write: topics in, text out."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from random import Random
from typing import Any


@dataclass
class Review:
    """One review while it is made."""

    written: datetime  # local
    user: dict[str, str]
    item: dict[str, str]
    topics: list[str] = field(default_factory=list)
    row: dict[str, Any] = field(default_factory=dict)


class Writer:
    """Turns topics into text; takes the sentences that were used least, so that few come twice."""

    def __init__(self, said: dict[str, Any], rng: Random) -> None:
        self.said = said
        self.topics: dict[str, dict[str, Any]] = said["topics"]
        self.rng = rng
        self.used: Counter[str] = Counter()

    def take(self, pool: Sequence[str]) -> str:
        """One of the least used of the pool."""
        fewest = min(self.used[sentence] for sentence in pool)
        chosen = self.rng.choice([sentence for sentence in pool if self.used[sentence] == fewest])
        self.used[chosen] += 1
        return chosen

    def fits(self, topic: str, kind: str) -> bool:
        """Whether an item of this kind can be praised or blamed for the topic."""
        kinds = self.topics[topic]["kinds"]
        return kinds == ["*"] or kind in kinds

    def sentence(self, topic: str, kind: str) -> str:
        """Something a customer says about the topic."""
        said = self.topics[topic]
        pool = list(said["any"])
        for kinds, sentences in said.get("only", {}).items():
            pool += sentences if kind in kinds.split() else []
        for kinds, sentences in said.get("except", {}).items():
            pool += sentences if kind not in kinds.split() else []
        return self.take(pool)

    def tone(self, topics: Sequence[str]) -> float:
        """Mean polarity, -1 to 1."""
        return sum(self.topics[topic]["polarity"] for topic in topics) / len(topics)

    def body(self, review: Review, stars: int) -> str:
        """The topics in order, with turns between praise and complaint, personal details and a closing."""
        parts, before = [], 0
        for topic in review.topics:
            said, polarity = self.sentence(topic, review.item["kind"]), self.topics[topic]["polarity"]
            if before and polarity != before and self.rng.random() < 0.6:
                turns = self.said["turns"]["to_praise" if polarity > 0 else "to_complaint"]
                said = self.rng.choice(turns) + _uncapitalised(said)
            parts.append(said)
            before = polarity
        details = self.said["details"]
        if self.rng.random() < 0.5:
            about = self.take([*details["any"], *details[review.item["category"]]])
            parts.insert(self.rng.choice([0, 0, 1, len(parts)]), about)
        if self.rng.random() < 0.25:
            parts.append(self.take(self.said["closings"][mood(stars)]))
        if len(parts) > 3 and self.rng.random() < 0.4:
            return " ".join(parts[:2]) + "\n\n" + " ".join(parts[2:])
        return " ".join(parts)

    def headline(self, topics: Sequence[str], stars: int) -> str | None:
        """A headline of the first topic, or one that fits the stars, or none."""
        chance = self.rng.random()
        if chance < 0.12:
            return None
        if topics and chance < 0.75:
            return self.take(self.topics[topics[0]]["headlines"])
        return self.take(self.said["plain"]["headlines_" + mood(stars)])

    def stars(self, topics: Sequence[str]) -> int:
        """Stars that go with the topics, but for a few people who see it otherwise."""
        tone = self.tone(topics)
        stars = 3 + 1.7 * tone + self.rng.gauss(0, 0.6)
        if self.rng.random() < 0.05:
            stars += self.rng.choice([-2, 2])
        return min(5, max(1, round(stars)))


def mood(stars: int) -> str:
    """What a number of stars says."""
    return "good" if stars > 3 else "bad" if stars < 3 else "middling"


def _uncapitalised(sentence: str) -> str:
    first = sentence.split(maxsplit=1)[0]
    keeps = first in ("I", "XL", "GPS") or first.startswith(("I'", "Bluetooth", "Larkfell"))
    return sentence if keeps else sentence[0].lower() + sentence[1:]


def in_some_voice(body: str, rng: Random) -> str:
    """Most write as they were taught; some never press shift, some mistype, a few shout."""
    chance = rng.random()
    if chance < 0.06:
        return body.lower().removesuffix(".")
    if chance < 0.16:
        words = body.split(" ")
        long = [index for index, word in enumerate(words) if len(word) > 5 and word.isalpha()]
        for index in rng.sample(long, min(len(long), rng.randint(1, 2))):
            place = rng.randint(1, len(words[index]) - 3)
            word = words[index]
            words[index] = word[:place] + word[place + 1] + word[place] + word[place + 2 :]
        return " ".join(words)
    if chance < 0.18:
        return body.upper().removesuffix(".") + "!!"
    return body
