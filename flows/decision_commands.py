"""What the commands of `nightloom decision` do, and what they say."""

from __future__ import annotations

import getpass
from datetime import date
from typing import Any

from analytics.intake.redaction import redact_each
from analytics.settings import Settings
from analytics.store import decision_acts
from analytics.store.decision_acts import STATUSES
from flows.decision_desk import open_decision_desk
from flows.people_commands import Told


def tell_accept(settings: Settings, decision: str, reason: str | None) -> Told:
    """Take a decision on."""
    desk = open_decision_desk(settings)
    said = decision_acts.accept_decision(
        desk.store.state, desk.listed, decision, who=_who(), reason=_redacted(reason)
    )
    return _told(said, "taken on", f"once it is done: nightloom decision done {_short(said)}")


def tell_later(settings: Settings, decision: str, until: date | None, reason: str | None) -> Told:
    """Put a decision off."""
    desk = open_decision_desk(settings)
    said = decision_acts.postpone_decision(
        desk.store.state,
        desk.listed,
        decision,
        who=_who(),
        today=desk.today,
        until=until,
        reason=_redacted(reason),
    )
    then = f"it is open again on {until}" if until else f"until: nightloom decision undo {_short(said)}"
    return _told(said, "not now", then)


def tell_wrong(settings: Settings, decision: str, reason: str | None) -> Told:
    """Say that a decision is wrong."""
    desk = open_decision_desk(settings)
    said = decision_acts.reject_decision(
        desk.store.state, desk.listed, decision, who=_who(), reason=_redacted(reason)
    )
    then = f"from the next night on, decisions to {said['kind']} rank a little lower"
    return _told(said, "called wrong", then)


def tell_assign(settings: Settings, decision: str, owner: str, reason: str | None) -> Told:
    """Say who a decision is with."""
    desk = open_decision_desk(settings)
    said = decision_acts.assign_decision(
        desk.store.state, desk.listed, decision, owner, who=_who(), reason=_redacted(reason)
    )
    then = f"once it is done: nightloom decision done {_short(said)}"
    return _told(said, f"with {said['owner']}", then)


def tell_done(settings: Settings, decision: str, on: date | None, reason: str | None) -> Told:
    """Say that what a decision asks for was done."""
    desk = open_decision_desk(settings)
    said = decision_acts.finish_decision(
        desk.store.state,
        desk.listed,
        decision,
        who=_who(),
        today=desk.today,
        on=on,
        reason=_redacted(reason),
    )
    then = "every night from the next on measures whether it worked: nightloom show verdicts"
    return _told(said, f"done on {said['done_on']}", then)


def tell_undo(settings: Settings, decision: str, reason: str | None) -> Told:
    """Take back the last that was said of a decision."""
    desk = open_decision_desk(settings)
    said, act = decision_acts.undo_decision(
        desk.store.state, desk.listed, decision, who=_who(), reason=_redacted(reason)
    )
    was = STATUSES.get(act["kind"], f"with {act.get('owner')}")
    return _told(said, f"no longer {was}", "what was said before that counts again")


def _told(decision: dict[str, Any], now: str, then: str) -> Told:
    sentence = decision["sentence"] or f"a decision to {decision['kind']}, no longer listed"
    names = ("decision_id", "kind", "subject", "theme_id", "owner", "until", "done_on", "reason")
    content = {name: decision[name] for name in names if name in decision}
    return f"{_short(decision)}  {sentence}\n{now}; {then}", {**content, "said": now}


def _redacted(reason: str | None) -> str | None:
    return redact_each([reason])[0] if reason else None


def _short(decision: dict[str, Any]) -> str:
    return str(decision["decision_id"])[:8]


def _who() -> str:
    return getpass.getuser()
