"""The command line of decisions: `nightloom decision …`."""

from __future__ import annotations

import argparse
from collections.abc import Callable
from pathlib import Path
from typing import Any

from analytics.settings import Settings
from flows.cli_values import day
from flows.people_commands import Told


def add_decision_commands(commands: Any) -> None:
    """Add `decision` and what follows it to the parser; `say` of the parsed arguments does it."""
    decision = commands.add_parser("decision", help="take on, put off, assign and finish decisions")
    acts = decision.add_subparsers(dest="decision_command", required=True, metavar="ACT")

    def act(name: str, say: Callable[[Settings, argparse.Namespace], Told], help_text: str) -> Any:
        added = acts.add_parser(name, help=help_text, description=help_text)
        added.add_argument(
            "decision",
            metavar="DECISION",
            help="its rank in the published night, its id, or the beginning of its id",
        )
        added.add_argument("--reason", metavar="TEXT", help="why; kept with who said it and when")
        added.add_argument("--config", type=Path, default=Path("nightloom.toml"), help="settings file")
        added.add_argument("--json", action="store_true", help="print JSON instead of text")
        added.set_defaults(say=say)
        return added

    act("accept", _accept, "take a decision on")
    later = act("later", _later, "put a decision off")
    later.add_argument("--until", type=day, metavar="DATE", help="open again on this day (YYYY-MM-DD)")
    act("wrong", _wrong, "say that a decision is wrong; its kind then ranks lower")
    act("assign", _assign, "say who a decision is with").add_argument("owner", metavar="OWNER")
    done = act("done", _done, "say that it was done; later nights measure whether it worked")
    done.add_argument("--on", type=day, metavar="DATE", help="the day (YYYY-MM-DD); default: today")
    act("undo", _undo, "take back the last that was said of a decision")


def _accept(settings: Settings, arguments: argparse.Namespace) -> Told:
    from flows.decision_commands import tell_accept

    return tell_accept(settings, arguments.decision, arguments.reason)


def _later(settings: Settings, arguments: argparse.Namespace) -> Told:
    from flows.decision_commands import tell_later

    return tell_later(settings, arguments.decision, arguments.until, arguments.reason)


def _wrong(settings: Settings, arguments: argparse.Namespace) -> Told:
    from flows.decision_commands import tell_wrong

    return tell_wrong(settings, arguments.decision, arguments.reason)


def _assign(settings: Settings, arguments: argparse.Namespace) -> Told:
    from flows.decision_commands import tell_assign

    return tell_assign(settings, arguments.decision, arguments.owner, arguments.reason)


def _done(settings: Settings, arguments: argparse.Namespace) -> Told:
    from flows.decision_commands import tell_done

    return tell_done(settings, arguments.decision, arguments.on, arguments.reason)


def _undo(settings: Settings, arguments: argparse.Namespace) -> Told:
    from flows.decision_commands import tell_undo

    return tell_undo(settings, arguments.decision, arguments.reason)
