"""Tickets: threads of mails and chat messages between customers and agents."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from random import Random
from typing import Any

from sample.customers import Customer
from sample.files import TextFile
from sample.language import capitalised, read_words
from sample.mail import STYLES, SUPPORT, SUPPORT_NAMES, Piece, Sent, html_body, plain_body, quotation
from sample.scene import Draft, Said, Scene
from sample.shop import BERLIN, Order
from sample.story import WEEKLY, planned_topics

AGENTS = tuple(read_words("people.toml")["agents"].items())
CHAT_SHARE, HTML_SHARE, OUT_OF_OFFICE_SHARE = 0.22, 0.3, 0.12


@dataclass
class Thread:
    """One conversation while it goes on."""

    thread_id: str
    customer: Customer
    order: Order | None
    item: str
    topics: list[str]
    channel: str
    subject: str
    agent: tuple[str, str]
    slots: dict[str, str]
    """What macros and signatures are filled with."""

    html: bool
    private: list[tuple[str, str]] = field(default_factory=list)
    last: Sent | None = None
    said: list[Said] = field(default_factory=list)


@dataclass
class Message:
    """One message that waits for the week in which it is sent."""

    at: datetime
    thread: Thread
    speaker: str
    body: str
    pieces: list[Piece]
    said: list[Said]
    html: bool


class Desk:
    """The service desk: threads of earlier weeks go on."""

    def __init__(self, scene: Scene) -> None:
        self.scene = scene
        self.file = TextFile("tickets.jsonl", "M")
        self.waiting: list[Message] = []
        self._n_threads = 0

    def add_tickets(self, week: int) -> None:
        """Open the week's threads and send what falls in the week."""
        scene = self.scene
        rng = scene.rng("tickets", week)
        jobs = planned_topics(scene.story, week, "tickets", scene.mended_from, rng)
        jobs += [(None, None)] * (WEEKLY["tickets"] + rng.randint(-4, 4) - len(jobs))
        starts = sorted((scene.in_week(week, rng), place) for place in range(len(jobs)))
        for at, place in starts:
            self._open(week, at, *jobs[place], rng)
        until = scene.start + timedelta(weeks=week + 1)
        due = sorted(
            (message for message in self.waiting if message.at < until),
            key=lambda message: (message.at, message.thread.thread_id),
        )
        self.waiting = [message for message in self.waiting if message.at >= until]
        for message in due:
            self._enter(message)
        if week % 2 == 1:
            self._enter_broken(due[-1], rng)
        if week % 6 == 4:
            self._enter_twice(due[-1])

    def _open(self, week: int, at: datetime, topic: str | None, item: str | None, rng: Random) -> None:
        scene = self.scene
        customer, item, order = scene.order_about(week, topic, item, rng, keep=True)
        chosen = scene.more_topics("tickets", topic, item, rng.choices([1, 2], [75, 25])[0], rng)
        self._n_threads += 1
        words = read_words("mails.toml")[customer.language]
        nouns = scene.writers[customer.language].nouns(scene.kind(item))
        agent = rng.choice(AGENTS)
        slots = {
            **nouns,
            "first": customer.first_name,
            "name": customer.name,
            "phone": customer.phone,
            "email": customer.email,
            "order": order.order_id if order else f"B{rng.randrange(900_000, 999_999)}",
            "agent": agent[1],
            "date": (at + timedelta(days=rng.randint(6, 16))).strftime(
                "%d %B" if customer.language == "en" else "%d.%m.%Y"
            ),
        }
        channel = "chat" if rng.random() < CHAT_SHARE else "email"
        subject = scene.writers[customer.language].headline(chosen[0], 3, rng) if channel == "email" else ""
        if subject and rng.random() < 0.3:
            subject += f" ({slots['order']})"
        thread = Thread(
            f"T{self._n_threads:05d}",
            customer,
            order,
            item,
            chosen,
            channel,
            subject,
            agent,
            slots,
            html=channel == "email" and rng.random() < HTML_SHARE,
            private=[(kind, slots[kind]) for kind in ("name", "phone", "email")],
        )
        if order is not None and scene.story.returns_topic in chosen:
            scene.shop.mentioned(order, at, rng)
        count = 1 if rng.random() < 0.58 else rng.choices([2, 3, 4, 5], [30, 34, 20, 16])[0]
        away = count > 2 and channel == "email" and rng.random() < OUT_OF_OFFICE_SHARE
        for number in range(count):
            if number % 2 == 1:
                at += timedelta(minutes=rng.randint(3, 40) if channel == "chat" else rng.randint(60, 1_900))
                self.waiting.append(self._answer(thread, at, number, words, rng))
            elif away and number == 2:
                at += timedelta(minutes=1)
                self.waiting.append(self._away(thread, at, words, rng))
            else:
                if number:
                    at += timedelta(
                        minutes=rng.randint(1, 15) if channel == "chat" else rng.randint(30, 4_000)
                    )
                self.waiting.append(self._ask(thread, at, number, words, rng))

    def _ask(self, thread: Thread, at: datetime, number: int, words: dict[str, Any], rng: Random) -> Message:
        """What the customer writes, and what stands around it."""
        scene, customer = self.scene, thread.customer
        said = scene.say(customer, thread.item, thread.topics[:1] if number else thread.topics, rng)
        if number and thread.said and rng.random() < 0.06:
            said[0] = thread.said[0]
        if rng.random() < (0.3 if thread.channel == "email" else 0.1):
            said.append(scene.detail(customer, rng))
        draft = Draft(at, customer, thread.item, thread.order, said)
        if rng.random() < 0.13:
            scene.let_slip(draft, rng)
        thread.said += said
        pieces = [Piece("said", " ".join(part.sentence for part in said), [part.sentence for part in said])]
        if thread.channel == "email":
            if len(said) > 2:
                halves = ([part.sentence for part in said[:2]], [part.sentence for part in said[2:]])
                pieces = [Piece("said", " ".join(half), half) for half in halves]
            if rng.random() < 0.85:
                pieces.insert(0, Piece("courtesy", rng.choice(words["greetings"])))
            pieces += self._farewell(thread, words, rng)
            if thread.last is not None and rng.random() < 0.85:
                style = self._style(thread, rng)
                quoted = quotation(thread.last, style, customer.language)
                pieces = quoted + pieces if rng.random() < 0.12 and not thread.html else pieces + quoted
        thread.private += draft.private
        return self._message(thread, at, "customer", pieces, said, rng)

    def _farewell(self, thread: Thread, words: dict[str, Any], rng: Random) -> list[Piece]:
        pieces = []
        writer = self.scene.writers[thread.customer.language]
        if rng.random() < 0.85:
            pieces.append(Piece("courtesy", rng.choice(words["closings"])))
        if rng.random() < 0.8:
            pieces.append(Piece("signature", writer.fill(rng.choice(words["signatures"]), rng, thread.slots)))
        if rng.random() < 0.25:
            pieces.append(Piece("device", rng.choice(words["devices"])))
        if rng.random() < 0.12:
            pieces.append(Piece("disclaimer", rng.choice(words["disclaimers"])))
        return pieces

    def _answer(
        self, thread: Thread, at: datetime, number: int, words: dict[str, Any], rng: Random
    ) -> Message:
        """What the agent writes: a macro, sentences of their own, or both."""
        writer = self.scene.writers[thread.customer.language]
        greeting = writer.fill(rng.choice(words["agent_greetings"]), rng, thread.slots)
        if rng.random() < 0.02:
            greeting = "Hi {{customer.first_name}},"
        fitting = [
            macro["text"]
            for macro in words["macros"]
            if not macro["topics"] or thread.topics[0] in macro["topics"]
        ]
        pieces = []
        if rng.random() < 0.8:
            pieces.append(Piece("macro", writer.fill(rng.choice(fitting), rng, thread.slots)))
        if not pieces or rng.random() < 0.6:
            own = [
                writer.fill(rng.choice(words["agent_sentences"]), rng, thread.slots)
                for _ in range(rng.randint(1, 2))
            ]
            pieces.append(Piece("agent", " ".join(capitalised(text) + "." for text in own)))
        if thread.channel == "email":
            closing = writer.fill(rng.choice(words["agent_closings"]), rng, thread.slots)
            pieces = [Piece("agent", greeting), *pieces, Piece("agent", closing)]
            if thread.last is not None and rng.random() < 0.4:
                pieces += quotation(thread.last, self._style(thread, rng), thread.customer.language)
        return self._message(thread, at, "agent", pieces, [], rng)

    def _away(self, thread: Thread, at: datetime, words: dict[str, Any], rng: Random) -> Message:
        """A note that nobody wrote by hand."""
        writer = self.scene.writers[thread.customer.language]
        text = writer.fill(rng.choice(words["out_of_office"]), rng, thread.slots)
        return self._message(thread, at, "customer", [Piece("out_of_office", text)], [], rng, plain=True)

    def _style(self, thread: Thread, rng: Random) -> str:
        styles = [
            style for style in STYLES[thread.customer.language] if style.startswith("html") == thread.html
        ]
        return rng.choice(styles)

    def _message(
        self,
        thread: Thread,
        at: datetime,
        speaker: str,
        pieces: list[Piece],
        said: list[Said],
        rng: Random,
        *,
        plain: bool = False,
    ) -> Message:
        marked = thread.html and not plain
        body = html_body(pieces, rng) if marked else plain_body(pieces)
        by_customer = speaker == "customer"
        thread.last = Sent(
            at,
            thread.customer.name if by_customer else SUPPORT_NAMES[thread.customer.language],
            thread.customer.email if by_customer else SUPPORT,
            thread.subject,
            plain_body(pieces),
        )
        return Message(at, thread, speaker, body, pieces, said, marked)

    def _row(self, message: Message, message_id: str) -> dict[str, Any]:
        thread = message.thread
        away = any(piece.kind == "out_of_office" for piece in message.pieces)
        words = read_words("mails.toml")[thread.customer.language]
        subject = thread.subject
        if away:
            pattern = words["out_of_office_subjects"][int(thread.thread_id[-1]) % 2]
            subject = pattern.replace("{subject}", f"Re: {subject}")
        elif subject and message.speaker == "agent":
            subject = f"Re: {subject}"
        return {
            "message_id": message_id,
            "thread_id": thread.thread_id,
            "speaker": message.speaker,
            "sender": thread.customer.user_id if message.speaker == "customer" else thread.agent[0],
            "channel": thread.channel,
            "subject": subject or None,
            "body": message.body,
            "order_id": thread.order.order_id if thread.order else None,
            "item_id": thread.item,
            "sent_at": message.at.replace(tzinfo=BERLIN).isoformat(),
            "link": f"https://desk.larkfell.example/threads/{thread.thread_id}#{message_id}",
        }

    def _enter(self, message: Message) -> None:
        truth, thread = self.scene.truth, message.thread
        message_id = self.file.next_id()
        self.file.add_line(json.dumps(self._row(message, message_id), ensure_ascii=False))
        seen = plain_body(message.pieces)
        private = [(kind, value) for kind, value in dict.fromkeys(thread.private) if value in seen]
        truth.note(
            "tickets", message_id, Draft(message.at, thread.customer, None, None, message.said, private)
        )
        truth.mail[message_id] = {
            "thread": thread.thread_id,
            "speaker": message.speaker,
            "html": message.html,
            "courtesy": [piece.text for piece in message.pieces if piece.kind == "courtesy"],
            "foreign": [
                {"kind": piece.kind.removesuffix("_head"), "text": piece.text}
                for piece in message.pieces
                if piece.kind not in ("said", "courtesy")
            ],
        }
        if "{{customer.first_name}}" in message.body:
            truth.oddities.append({"source": "tickets", "document": message_id, "what": "template_token"})

    def _enter_broken(self, near: Message, rng: Random) -> None:
        message_id = self.file.next_id()
        line = json.dumps(self._row(near, message_id), ensure_ascii=False)
        number = self.file.add_line(line[: rng.randint(70, 110)])
        self.scene.truth.malformed.append(
            {"file": self.file.name, "line": number, "id": message_id, "what": "broken_json"}
        )

    def _enter_twice(self, message: Message) -> None:
        """The last message once more under its own id, with another subject."""
        message_id = list(self.scene.truth.mail)[-1]
        row = {**self._row(message, message_id), "subject": "(no subject)"}
        number = self.file.add_line(json.dumps(row, ensure_ascii=False))
        self.scene.truth.malformed.append(
            {"file": self.file.name, "line": number, "id": message_id, "what": "id_twice"}
        )
