"""The command line of themes: `nightloom theme …`."""

from __future__ import annotations

import argparse
from collections.abc import Callable
from pathlib import Path
from typing import Any

from analytics.settings import Settings
from flows.people_commands import Told


def add_theme_commands(commands: Any) -> None:
    """Add `theme` and what follows it to the parser; `say` of the parsed arguments does it."""
    theme = commands.add_parser("theme", help="name, merge, split, pin, link and add themes")
    acts = theme.add_subparsers(dest="theme_command", required=True, metavar="ACT")

    def act(name: str, say: Callable[[Settings, argparse.Namespace], Told], help_text: str) -> Any:
        added = acts.add_parser(name, help=help_text, description=help_text)
        added.add_argument("--config", type=Path, default=Path("nightloom.toml"), help="settings file")
        added.add_argument("--json", action="store_true", help="print JSON instead of text")
        added.set_defaults(say=say)
        return added

    which = {"metavar": "THEME", "help": "its name, its id, or the beginning of its id"}
    add = act("add", _add, "put in a theme of your own, and see 20 statements it takes in")
    add.add_argument("phrase", metavar="PHRASE", help="its name")
    add.add_argument("--examples", nargs="+", default=[], metavar="TEXT", help="what customers might say")
    add.add_argument("--criterion", help="what a statement must say to belong, in one sentence")
    add.add_argument("--parent", metavar="GROUP", help="name of the group of themes it belongs to")
    add.add_argument("--preview", action="store_true", help="show what it would take in; write nothing")

    taxonomy = act("import", _import, "put in themes of your own from a file")
    taxonomy.add_argument("file", type=Path, help="CSV: name, criterion, examples (a | b), parent")
    taxonomy.add_argument(
        "--preview", action="store_true", help="show what they would take in; write nothing"
    )

    preview = act(
        "preview", _preview, "20 statements of a theme: the nearest, some between, some at its edge"
    )
    preview.add_argument("theme", **which)

    remove = act("remove", _remove, "say which statements do not belong to a theme of your own")
    remove.add_argument("theme", **which)
    remove.add_argument("--others-belong", action="store_true", help="all else in its preview belongs")
    remove.add_argument("opinions", nargs="*", metavar="OPINION", help="id, or the beginning of it")

    rename = act("rename", _rename, "give a theme another name")
    rename.add_argument("theme", **which)
    rename.add_argument("name", metavar="NAME")
    rename.add_argument("--criterion", help="what a statement must say to belong, in one sentence")

    merge = act("merge", _merge, "put themes into another one, which keeps its id and name")
    merge.add_argument("themes", nargs="+", **which)
    merge.add_argument("--into", required=True, **which)

    act("split", _split, "divide a theme in two by its statements").add_argument("theme", **which)

    pin = act("pin", _pin, "hold a theme as it is: nothing is proposed for it")
    pin.add_argument("theme", **which)
    pin.add_argument("--undo", action="store_true", help="let it go again")

    retire = act("retire", _retire, "show a theme no more")
    retire.add_argument("theme", **which)
    retire.add_argument("--undo", action="store_true", help="show it again")

    link = act("link", _link, "say that two statements, or a statement and a theme, belong together")
    link.add_argument("left", metavar="OPINION|THEME")
    link.add_argument("right", metavar="OPINION|THEME")
    link.add_argument("--apart", action="store_true", help="they do not; two themes are then never merged")
    link.add_argument("--undo", action="store_true", help="take back what was said of the two")

    proposal = {"metavar": "PROPOSAL", "help": "its id, or the beginning of it"}
    act("accept", _accept, "do what a proposal says").add_argument("proposal", **proposal)
    act("dismiss", _dismiss, "do not make a proposal again").add_argument("proposal", **proposal)

    table = act("table", _table, "themes against the labels of a segment, such as help-desk tags")
    table.add_argument("label", metavar="SEGMENT", help="a column mapped under segments")


def _add(settings: Settings, arguments: argparse.Namespace) -> Told:
    from flows.theme_own import tell_add

    return tell_add(
        settings,
        arguments.phrase,
        criterion=arguments.criterion,
        examples=arguments.examples,
        parent=arguments.parent,
        only_preview=arguments.preview,
    )


def _import(settings: Settings, arguments: argparse.Namespace) -> Told:
    from flows.theme_own import tell_import

    return tell_import(settings, arguments.file, only_preview=arguments.preview)


def _preview(settings: Settings, arguments: argparse.Namespace) -> Told:
    from flows.theme_own import tell_preview

    return tell_preview(settings, arguments.theme)


def _remove(settings: Settings, arguments: argparse.Namespace) -> Told:
    from flows.theme_own import tell_remove

    return tell_remove(settings, arguments.theme, arguments.opinions, others_belong=arguments.others_belong)


def _table(settings: Settings, arguments: argparse.Namespace) -> Told:
    from flows.theme_own import tell_table

    return tell_table(settings, arguments.label)


def _rename(settings: Settings, arguments: argparse.Namespace) -> Told:
    from flows.theme_commands import tell_rename

    return tell_rename(settings, arguments.theme, arguments.name, arguments.criterion)


def _merge(settings: Settings, arguments: argparse.Namespace) -> Told:
    from flows.theme_commands import tell_merge

    return tell_merge(settings, arguments.themes, arguments.into)


def _split(settings: Settings, arguments: argparse.Namespace) -> Told:
    from flows.theme_commands import tell_split

    return tell_split(settings, arguments.theme)


def _pin(settings: Settings, arguments: argparse.Namespace) -> Told:
    from flows.theme_commands import tell_pin

    return tell_pin(settings, arguments.theme, unpin=arguments.undo)


def _retire(settings: Settings, arguments: argparse.Namespace) -> Told:
    from flows.theme_commands import tell_retire

    return tell_retire(settings, arguments.theme, revive=arguments.undo)


def _link(settings: Settings, arguments: argparse.Namespace) -> Told:
    from flows.theme_commands import tell_link

    return tell_link(settings, arguments.left, arguments.right, apart=arguments.apart, undo=arguments.undo)


def _accept(settings: Settings, arguments: argparse.Namespace) -> Told:
    from flows.theme_commands import tell_accept

    return tell_accept(settings, arguments.proposal)


def _dismiss(settings: Settings, arguments: argparse.Namespace) -> Told:
    from flows.theme_commands import tell_dismiss

    return tell_dismiss(settings, arguments.proposal)
