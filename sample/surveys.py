"""Survey answers: short, many without a name, until the feed falls silent."""

from __future__ import annotations

from datetime import timedelta
from random import Random

from sample.files import CsvFile
from sample.language import topics
from sample.scene import Draft, Said, Scene
from sample.shop import utc
from sample.story import WEEKLY, planned_topics

COLUMNS = ("answer_id", "question", "answer", "user", "nps", "submitted_at")
QUESTIONS = (
    "What could we do better?",
    "How satisfied are you with your last order?",
    "What is the main reason for your score?",
)
FORMULAS = ("=1+2", "+SUM(A1)", "=cmd|' /C calc'!A0")
NO_SCORES = ("11", "-1", "99", "ten")
NO_DATES = ("2026-13-01 09:00", "", "yesterday")


def add_surveys(scene: Scene, week: int, file: CsvFile) -> None:
    """Write a week of answers into the file; none from the day on which the feed falls silent."""
    rng = scene.rng("survey", week)
    jobs = planned_topics(scene.story, week, "survey", scene.mended_from, rng)
    jobs += [(None, None)] * max(0, WEEKLY["survey"] + rng.randint(-5, 5) - len(jobs))
    drafts = [_answer(scene, week, topic, item, rng) for topic, item in jobs]
    drafts.sort(key=lambda draft: (draft.at, draft.customer.user_id))
    drafts = [draft for draft in drafts if scene.day_of(draft.at) < scene.story.silent_day]
    if not drafts:
        return
    for draft in drafts:
        _enter(scene, draft, file, rng)
    _enter_broken(scene, week, drafts[-1], file, rng)


def _answer(scene: Scene, week: int, topic: str | None, item: str | None, rng: Random) -> Draft:
    customer, item, order = scene.order_about(week, topic, item, rng, keep=True)
    at = scene.in_week(week, rng)
    writer = scene.writers[customer.language]
    chance = rng.random()
    if topic is None and chance < 0.15:
        said = [Said(writer.short(None, rng))]
        chosen: list[str] = []
    else:
        chosen = scene.more_topics("survey", topic, item, rng.choices([1, 2], [80, 20])[0], rng)
        if chance < 0.45:
            chosen = chosen[:1]
            said = [Said(writer.short(chosen[0], rng), chosen[0], topics()[chosen[0]]["polarity"])]
        else:
            said = scene.say(customer, item, chosen, rng)
    if order is not None and scene.story.returns_topic in chosen:
        scene.shop.mentioned(order, at, rng)
    draft = Draft(at, customer, item, order, said)
    if rng.random() < 0.03 and chosen:
        scene.let_slip(draft, rng)
    return draft


def _row(draft: Draft, answer: str, file_id: str, rng: Random) -> list[str]:
    tone = sum(said.polarity for said in draft.said) / len(draft.said)
    score = min(10, max(0, round(6.5 + 3 * tone + rng.gauss(0, 1.2))))
    return [
        file_id,
        rng.choice(QUESTIONS),
        answer,
        draft.customer.user_id if rng.random() < 0.7 else "",
        str(score),
        f"{utc(draft.at):%Y-%m-%d %H:%M}",
    ]


def _enter(scene: Scene, draft: Draft, file: CsvFile, rng: Random) -> None:
    answer_id = file.next_id()
    answer = " ".join(said.sentence for said in draft.said)
    file.add(_row(draft, answer, answer_id, rng))
    scene.truth.note("survey", answer_id, draft)


def _enter_broken(scene: Scene, week: int, near: Draft, file: CsvFile, rng: Random) -> None:
    """By turns a wrong field count, a score out of scale, an impossible date and a formula."""
    turn = week % 4
    last = near.at + timedelta(seconds=1)
    draft = Draft(last, near.customer, near.item, None, [Said(scene.writers["en"].detail(rng))])
    fields = _row(draft, draft.said[0].sentence, file.next_id(), rng)
    note = {"file": file.name, "id": fields[0]}
    if turn == 0:
        line = file.add_line(",".join([fields[0], "What could we do better?", "too slow", ""]))
        scene.truth.malformed.append({**note, "line": line, "what": "wrong_field_count"})
        return
    what, column, values = (
        ("formula", 2, FORMULAS),
        ("rating_out_of_scale", 4, NO_SCORES),
        ("impossible_date", 5, NO_DATES),
    )[turn - 1]
    fields[column] = values[week // 4 % len(values)]
    line = file.add(fields)
    scene.truth.documents["survey"][fields[0]] = [said.row() for said in draft.said] if turn > 1 else []
    if what == "formula":
        scene.truth.oddities.append({"source": "survey", "document": fields[0], "what": "formula"})
    else:
        scene.truth.malformed.append({**note, "line": line, "what": what, "value": fields[column]})
