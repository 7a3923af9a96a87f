"""What all three sources share: who writes about which order, and what they say."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from random import Random
from typing import Any

from sample.customers import PRIVATE_KINDS, Customer, private_detail
from sample.language import Writer, clashes, fits, in_voice, read_words, topics
from sample.shop import Order, Shop, moment
from sample.story import Story


@dataclass
class Said:
    """One sentence with what it is about; a sentence about nothing in particular has no topic."""

    sentence: str
    topic: str | None = None
    polarity: int = 0

    def row(self) -> dict[str, Any]:
        """As the truth keeps it."""
        return {"topic": self.topic, "polarity": self.polarity, "sentence": self.sentence}


@dataclass
class Draft:
    """One text before it has an id."""

    at: datetime
    customer: Customer
    item: str | None
    order: Order | None
    said: list[Said]
    private: list[tuple[str, str]] = field(default_factory=list)
    """Kinds and values of personal data in it."""

    marks: dict[str, Any] = field(default_factory=dict)
    """What is planted in it, for the truth."""


class Truth:
    """What was planted, by document."""

    def __init__(self) -> None:
        self.documents: dict[str, dict[str, list[dict[str, Any]]]] = {
            "reviews": {},
            "tickets": {},
            "survey": {},
        }
        self.german: dict[str, list[str]] = {source: [] for source in self.documents}
        self.mail: dict[str, dict[str, Any]] = {}
        self.personal: list[dict[str, str]] = []
        self.malformed: list[dict[str, Any]] = []
        self.oddities: list[dict[str, str]] = []
        self.flood: dict[str, Any] = {}
        self.copies: dict[str, Any] = {}
        self.own_repeats: dict[int, list[str]] = {}
        self.loved: list[str] = []
        self.erased: dict[str, Any] = {}

    def note(self, source: str, document: str, draft: Draft) -> None:
        """Enter a document."""
        self.documents[source][document] = [said.row() for said in draft.said]
        if draft.customer.language == "de":
            self.german[source].append(document)
        for kind, value in draft.private:
            self.personal.append({"source": source, "document": document, "type": kind, "value": value})


class Scene:
    """The state of the store between weeks."""

    def __init__(self, seed: int, start: datetime, story: Story, shop: Shop, mended_from: int | None) -> None:
        self.seed, self.start, self.story, self.shop, self.mended_from = seed, start, story, shop, mended_from
        self.writers = {language: Writer(language, seed) for language in ("en", "de")}
        self.truth = Truth()
        self._n_private = 0

    def rng(self, part: str, week: int) -> Random:
        """The chance of one part in one week."""
        return Random(f"{self.seed}/{part}/{week}")

    def in_week(self, week: int, rng: Random) -> datetime:
        """A local time in a week."""
        return moment(self.start + timedelta(weeks=week, days=rng.randrange(7)), rng)

    def kind(self, item: str) -> str:
        """The item's kind."""
        return self.shop.items[item]["kind"]

    def items_for(self, topic: str | None) -> list[str]:
        """Items that can be about the topic; the one that few see is named by its segment only."""
        return [
            item
            for item in self.shop.items
            if item != self.story.loved_item and (topic is None or fits(topic, self.kind(item)))
        ]

    def order_about(
        self, week: int, topic: str | None, item: str | None, rng: Random, *, keep: bool = False
    ) -> tuple[Customer, str, Order | None]:
        """Who writes about the topic, and of which item; without an order where nobody has one.

        An order that is not kept is not picked again.
        """
        names = [item] if item is not None else self.items_for(topic)
        shelves = [self.shop.recent[name] for name in names if self.shop.recent[name]]
        if not shelves:
            members = self.shop.members(self.start + timedelta(weeks=week))
            return rng.choice(members), rng.choice(names), None
        shelf = rng.choices(shelves, [len(orders) for orders in shelves])[0]
        order = rng.choice(shelf)
        if not keep:
            order.reviewed = True
            shelf.remove(order)
        return order.customer, order.item, order

    def more_topics(self, source: str, first: str | None, item: str, count: int, rng: Random) -> list[str]:
        """The planned topic first, then what comes to mind."""
        chosen = [first] if first else []
        known = topics()
        while len(chosen) < count:
            weights = {
                name: topic[source]
                for name, topic in known.items()
                if source in topic
                and name not in self.story.planted
                and name not in chosen
                and fits(name, self.kind(item))
                and not clashes(name, chosen)
            }
            if chosen:
                alike = known[chosen[0]]["polarity"]
                for name in weights:
                    weights[name] *= 2.5 if known[name]["polarity"] == alike else 1
            chosen.append(rng.choices(list(weights), list(weights.values()))[0])
        return chosen

    def say(self, customer: Customer, item: str, chosen: Sequence[str], rng: Random) -> list[Said]:
        """A sentence or two on each topic, in the customer's voice."""
        writer = self.writers[customer.language]
        said: list[Said] = []
        before = 0
        for topic in chosen:
            polarity = topics()[topic]["polarity"]
            for number in range(2 if rng.random() < 0.2 else 1):
                sentence = writer.sentence(topic, self.kind(item), rng, polarity)
                if before * polarity < 0 and number == 0 and rng.random() < 0.6:
                    sentence = writer.turn(sentence, polarity, rng)
                said.append(Said(in_voice(sentence, customer.voice, rng), topic, polarity))
            before = polarity
        return said

    def detail(self, customer: Customer, rng: Random) -> Said:
        """Something about the writer."""
        return Said(in_voice(self.writers[customer.language].detail(rng), customer.voice, rng))

    def let_slip(self, draft: Draft, rng: Random) -> None:
        """Add a sentence with something private to a draft; the kinds take turns."""
        kind = PRIVATE_KINDS[self._n_private % len(PRIVATE_KINDS)]
        self._n_private += 1
        value = private_detail(kind, draft.customer, rng)
        patterns = read_words("people.toml")["private_" + draft.customer.language][kind]
        sentence = self.writers[draft.customer.language].once(patterns, rng, {"value": value})
        if sentence.startswith(value[:1].upper()) and not sentence.startswith(value[:1]):
            sentence = value[:1] + sentence[1:]
        draft.said.append(Said(sentence))
        draft.private.append((kind, value))

    def day_of(self, at: datetime) -> int:
        """Days since the start."""
        return (at - self.start).days
