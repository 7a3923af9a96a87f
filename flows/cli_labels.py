"""The command line of labels: `nightloom label`."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

from analytics.settings import Settings
from flows.cli_values import count
from flows.people_commands import Told


def add_label_commands(commands: Any) -> None:
    """Add `label` and what follows it to the parser; `say` of the parsed arguments does it."""
    help_text = "say of drawn documents whether they say what a theme is; without more, asks one by one"
    label = commands.add_parser("label", help=help_text, description=help_text)
    label.add_argument("--config", type=Path, default=Path("nightloom.toml"), help="settings file")
    label.add_argument("--json", action="store_true", help="print JSON instead of text")
    label.set_defaults(say=_ask)
    acts = label.add_subparsers(dest="label_command", metavar="ACT")

    draw = acts.add_parser("draw", help="draw pairs of a document and a theme to label")
    draw.add_argument("--n", type=count, default=200, help="how many (default 200)")
    draw.add_argument("--theme", metavar="THEME", help="of this theme only: its name, id, or beginning of it")
    draw.add_argument("--out", type=Path, metavar="FILE", help="write those without an answer to a CSV file")
    draw.set_defaults(say=_draw)

    read = acts.add_parser("read", help="take in the answers of a CSV file that draw wrote")
    read.add_argument("file", type=Path, metavar="FILE", help="with yes or no in column says_it")
    read.set_defaults(say=_read)
    for act in (draw, read):
        act.add_argument("--config", type=Path, default=argparse.SUPPRESS, help="settings file")
        act.add_argument("--json", action="store_true", default=argparse.SUPPRESS, help="print JSON")


def _ask(settings: Settings, arguments: argparse.Namespace) -> Told:
    from flows.label_commands import tell_asked

    return tell_asked(settings)


def _draw(settings: Settings, arguments: argparse.Namespace) -> Told:
    from flows.label_commands import tell_draw

    return tell_draw(settings, arguments.n, arguments.theme, arguments.out)


def _read(settings: Settings, arguments: argparse.Namespace) -> Told:
    from flows.label_commands import tell_read

    return tell_read(settings, arguments.file)
