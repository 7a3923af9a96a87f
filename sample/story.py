"""What the store tells: which topic and product play which part, and in which weeks.

Weeks count from 0, the first of the store. The story is written for 26 weeks; later weeks go on as the last.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from random import Random
from typing import Any

from sample.customers import COUNTRIES
from sample.language import topics

SOURCES = ("reviews", "tickets", "survey")
WEEKLY = {"reviews": 112, "tickets": 36, "survey": 42}
"""Documents of an ordinary week; of the tickets it is the threads."""

DEFECT = {"reviews": 10, "tickets": 6, "survey": 4}
DEFECT_WITHOUT_SURVEYS = {"reviews": 13, "tickets": 7, "survey": 0}
RETURNS = {"reviews": 6, "tickets": 3, "survey": 1}
BORN_IN_WEEK = 22
BORN = ({"reviews": 4, "tickets": 3, "survey": 2}, {"reviews": 8, "tickets": 5, "survey": 2})
"""Documents of the newborn theme in its first week and in the later ones."""

FADING = {"reviews": 6, "tickets": 5, "survey": 3}
LOVED_ORDERS = 2
"""Orders a week of the item that a segment loves."""


@dataclass(frozen=True)
class Story:
    """Who plays which part at one seed."""

    defect_topic: str
    defect_item: str
    onset: int
    fading_topic: str
    fades_from: int
    faded_by: int
    newborn_topic: str
    returns_topic: str
    loved_item: str
    loved_topic: str
    segment: tuple[str, str]
    """Column of the users and its value."""
    silent_day: int
    """Day, counted from 0, from which no survey answer comes."""
    flood_day: int
    copies_day: int
    copies_item: str

    @cached_property
    def planted(self) -> set[str]:
        """Topics that chance does not pick."""
        return {self.defect_topic, self.fading_topic, self.newborn_topic, self.returns_topic} | {
            name for name, topic in topics().items() if topic.get("role") in ("defect", "newborn")
        }


def choose_story(seed: int, items: list[dict[str, str]]) -> Story:
    """Cast topics and products."""
    rng = Random(f"{seed}/story")

    def topic_of(role: str) -> str:
        return rng.choice([name for name, topic in topics().items() if topic.get("role") == role])

    def item_for(topic: str, *others: str) -> str:
        kinds = topics()[topic]["kinds"]
        return rng.choice(
            [item["item_id"] for item in items if item["kind"] in kinds and item["item_id"] not in others]
        )

    defect_topic = topic_of("defect")
    defect_item = item_for(defect_topic)
    loved_topic = rng.choice(["comfortable", "cooks_well", "easy_setup"])
    loved_item = item_for(loved_topic, defect_item)
    segment = ("plan", "club plus") if rng.random() < 0.4 else ("country", rng.choice([*COUNTRIES][1:]))
    fades_from = rng.randint(6, 9)
    return Story(
        defect_topic=defect_topic,
        defect_item=defect_item,
        onset=14 + rng.randint(-2, 2),
        fading_topic=topic_of("fading"),
        fades_from=fades_from,
        faded_by=fades_from + rng.randint(6, 8),
        newborn_topic=topic_of("newborn"),
        returns_topic=topic_of("returns"),
        loved_item=loved_item,
        loved_topic=loved_topic,
        segment=segment,
        silent_day=23 * 7 + rng.randint(0, 6),
        flood_day=9 * 7 + rng.randint(-14, 14),
        copies_day=17 * 7 + rng.randint(-10, 14),
        copies_item=rng.choice(
            [item["item_id"] for item in items if item["item_id"] not in (defect_item, loved_item)]
        ),
    )


def weights_of_items(seed: int, items: list[dict[str, str]], story: Story) -> list[float]:
    """How often each item is bought: few a lot, many a little, the one with the defect most of all."""
    rng = Random(f"{seed}/weights")
    weights = {item["item_id"]: max(0.7, rng.lognormvariate(0, 0.7)) for item in items}
    weights[story.defect_item] = 6.0
    weights[story.loved_item] = 0.012
    return list(weights.values())


def planned_topics(
    story: Story, week: int, source: str, mended_from: int | None, rng: Random
) -> list[tuple[str | None, str | None]]:
    """Topics that documents of this week name first, each with its item where only one will do."""
    silent = week * 7 >= story.silent_day
    planned: list[tuple[str | None, str | None]] = []
    if week >= story.onset:
        rate = (DEFECT_WITHOUT_SURVEYS if silent or week * 7 + 6 >= story.silent_day else DEFECT)[source]
        count = rate + rng.randint(0, 2) if rate else 0
        if mended_from is not None and week >= mended_from:
            count = int(source == "reviews" and rng.random() < 0.5)
        planned += [(story.defect_topic, story.defect_item)] * count
    if week < story.fades_from:
        left = 1.0
    else:
        left = max(0.0, 1 - (week - story.fades_from + 1) / (story.faded_by - story.fades_from))
    planned += [(story.fading_topic, None)] * round(FADING[source] * left)
    if week >= BORN_IN_WEEK:
        planned += [(story.newborn_topic, None)] * BORN[week > BORN_IN_WEEK][source]
    planned += [(story.returns_topic, None)] * RETURNS[source]
    if source == "reviews":
        planned += [(story.loved_topic, story.loved_item)] * rng.randint(1, 2)
    return planned


def tell(story: Story, weeks: int, mended_from: int | None) -> dict[str, Any]:
    """The parts that are played within this many weeks, for the truth."""
    told: dict[str, Any] = {
        "fading": {
            "topic": story.fading_topic,
            "full_until_week": story.fades_from,
            "gone_from_week": story.faded_by,
        },
        "returns": {"topic": story.returns_topic},
        "loved": {"item": story.loved_item, "topic": story.loved_topic, "segment": list(story.segment)},
    }
    if weeks > story.onset:
        told["defect"] = {"topic": story.defect_topic, "item": story.defect_item, "onset_week": story.onset}
        if mended_from is not None and mended_from < weeks:
            told["defect"]["mended_from_week"] = mended_from
    if weeks > BORN_IN_WEEK:
        told["newborn"] = {"topic": story.newborn_topic, "first_week": BORN_IN_WEEK}
    return told
