"""The command line: `nightloom …`. Results go to stdout, progress and errors to stderr."""

from __future__ import annotations

import argparse
import json
import os
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from analytics.errors import NightloomError, store_error
from analytics.settings import load_settings
from flows.cli_decisions import add_decision_commands
from flows.cli_evaluate import add_evaluate
from flows.cli_labels import add_label_commands
from flows.cli_themes import add_theme_commands
from flows.cli_values import count, day, segment

DONE, FAILED, DEGRADED = 0, 1, 3
SCHEMA_VERSION = 1


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command.

    Returns:
        0 done, 1 a stated error in one line, 2 usage, 3 published but degraded.
    """
    arguments = _parser().parse_args(argv)
    try:
        if hasattr(arguments, "say"):
            return _say(arguments.say(load_settings(arguments.config), arguments), arguments.json)
        return int(arguments.act(arguments))
    except NightloomError as error:
        print(f"nightloom: {error}", file=sys.stderr)
        return FAILED
    except KeyboardInterrupt:
        print("nightloom: stopped; finished parts are kept, run again to go on", file=sys.stderr)
        return 130
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return DONE
    except OSError as error:
        stated = store_error(error, Path(error.filename or "."))
        if stated is None:
            raise
        print(f"nightloom: {stated}", file=sys.stderr)
        return FAILED


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="nightloom", description="Nightly insight from what customers write."
    )
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")

    def command(name: str, act: Any, help_text: str, json_flag: bool = True) -> argparse.ArgumentParser:
        added = commands.add_parser(name, help=help_text, description=help_text)
        added.add_argument("--config", type=Path, default=Path("nightloom.toml"), help="settings file")
        if json_flag:
            added.add_argument("--json", action="store_true", help="print JSON instead of text")
        added.set_defaults(act=act)
        return added

    init = command("init", _init, "write a settings file: of your files, or an example", json_flag=False)
    init.add_argument(
        "files", nargs="*", type=Path, metavar="FILES", help="files or folders whose columns to guess"
    )
    init.add_argument("--force", action="store_true", help="overwrite an existing file")

    command("check", _check, "read every source and say what a night would make of it; writes nothing")

    run = command("run", _run, "run one night: read, analyse, publish", json_flag=False)
    run.add_argument("--as-of", type=day, help="last local day to cover (YYYY-MM-DD); default: yesterday")
    run.add_argument("--limit", type=count, help="take at most this many new documents; publishes nothing")
    run.add_argument(
        "--dry-run", action="store_true", help="say what a night would read and owe; write nothing"
    )

    run.add_argument(
        "--accept-plan",
        action="store_true",
        help="pay for a change of model or prompt that costs more than three times the median night",
    )

    show = command("show", _show, "show what is published")
    show.add_argument("what", choices=sorted(SHOWN), help="what to show")
    show.add_argument("--user", help="recommendations: only this user's")
    show.add_argument("--kind", help="decisions: only this kind (fix, watch, keep, promote)")
    show.add_argument("--about", metavar="THEME_OR_ITEM", help="brief: of a theme or item, by name or id")
    show.add_argument("--segment", type=segment, metavar="NAME=VALUE", help="themes: in one segment")
    show.add_argument("--source", default="all", help="themes: in one source")
    show.add_argument("--weeks", type=int, choices=(1, 4, 13, 26), default=1, help="themes: last weeks")
    show.add_argument("--limit", type=count, help="at most this many rows")
    show.add_argument("--generation", help="a kept generation instead of the active one")

    publish = command("publish", _publish, "list generations, roll back, or build one again")
    what = publish.add_mutually_exclusive_group(required=True)
    what.add_argument("--list", action="store_true", help="list generations: active, earlier, voided")
    what.add_argument(
        "--rollback", action="store_true", help="go back one generation and void the active one's run"
    )
    what.add_argument(
        "--rebuild", metavar="GENERATION", help="build a pruned generation again from what is kept"
    )

    erase = command("erase", _erase, "erase a person or a document from everything that is kept")
    whom = erase.add_mutually_exclusive_group(required=True)
    whom.add_argument("--user", metavar="USER_ID", help="the person, as the sources name them")
    whom.add_argument("--document", metavar="DOCUMENT_ID", help="the document, as its table names it")
    whom.add_argument("--log", action="store_true", help="who erased what, when, and what went")

    objection = command("object", _object, "record that a person objects to lists and training")
    whom = objection.add_mutually_exclusive_group(required=True)
    whom.add_argument("--user", metavar="USER_ID", help="the person, as the sources name them")
    whom.add_argument("--log", action="store_true", help="who objected or withdrew, and when")
    objection.add_argument("--withdraw", action="store_true", help="the person no longer objects")

    add_decision_commands(commands)
    add_theme_commands(commands)
    add_label_commands(commands)
    add_evaluate(commands, act=_evaluate)
    command("status", _status, "say what is published, running or unfinished, and end what a killed run left")
    return parser


def _print_object(content: dict[str, Any]) -> None:
    print(json.dumps({"schema_version": SCHEMA_VERSION, **content}, default=str, ensure_ascii=False))


def _init(arguments: argparse.Namespace) -> int:
    if arguments.files:
        from flows.init import draft_settings

        for line in draft_settings(arguments.files, arguments.config, overwrite=arguments.force):
            print(line)
        return DONE
    from analytics.settings_file import write_default

    write_default(arguments.config, overwrite=arguments.force)
    print(f"wrote {arguments.config}; map your columns in it, then run `nightloom run --dry-run`")
    return DONE


def _check(arguments: argparse.Namespace) -> int:
    from flows.check import check
    from flows.check_text import as_lines

    found = check(load_settings(arguments.config))
    if arguments.json:
        _print_object(found)
        return DONE
    for line in as_lines(found, arguments.config):
        print(line)
    return DONE


def _run(arguments: argparse.Namespace) -> int:
    settings = load_settings(arguments.config)
    if arguments.dry_run:
        from flows.dry_run import foresee

        for line in foresee(settings, arguments.as_of):
            print(line)
        return DONE
    from analytics.store.lock import hold
    from flows.prefect_home import prepare, stating_prefect
    from flows.readiness import check_ready

    # The store is held before Prefect starts its temporary server, so that the server is known to be this
    # run's.
    with hold(settings.data_dir):
        check_ready(settings, arguments.as_of, arguments.limit)
        prepare()
        with stating_prefect():
            from flows.nightly import nightly

            published = nightly(arguments.config, arguments.as_of, arguments.limit, arguments.accept_plan)
    return _conclude(published, arguments.config)


def _conclude(published: dict[str, Any], config: Path) -> int:
    briefing = published.pop("briefing")
    print(briefing)
    is_published = published.pop("is_published")
    verb = "published" if is_published else "built, not published (--limit):"
    note = f"; on hold: {', '.join(published['held_sources'])}" if published["held_sources"] else ""
    note += f"; degraded: {'; '.join(published['degraded'])}" if published["degraded"] else ""
    print(
        f"{verb} {published['generation']}: {published['n_documents']} documents, {published['n_new']} new, "
        f"{published['model_calls']} model calls, {published['seconds']:.0f} s{note}; "
        f"{published.pop('coverage')} {published.pop('lists')}"
    )
    option = "" if config == Path("nightloom.toml") else f" --config {config}"
    page = f"streamlit run dashboard/app.py{' --' if option else ''}{option}"
    if is_published:
        print(f"next: nightloom show decisions{option}, or: {page}")
    else:
        print(f"next: nightloom run{option}, which takes every document and publishes")
    _print_object(published)
    return DEGRADED if published["degraded"] else DONE


SHOWN = {
    "brief": (
        "insights",
        """SELECT subject_kind, subject, nth, voice, origin, text, n_citations, made_on, subject_id
        FROM brief_board WHERE CASE WHEN $about IS NULL THEN subject_kind = 'night'
            ELSE subject_id = $about OR lower(subject) = lower($about) END
        ORDER BY subject_kind DESC, subject_id, nth""",
    ),
    "decisions": (
        "insights",
        "SELECT * FROM decision_board WHERE $kind IS NULL OR kind = $kind ORDER BY rank",
    ),
    "changes": (
        "insights",
        """SELECT c.*, t.name FROM change AS c JOIN theme AS t USING (theme_id)
        ORDER BY c.n_authors DESC, c.theme_id, c.subject""",
    ),
    "drivers": ("insights", "SELECT * FROM driver_board ORDER BY outcome, name"),
    "verdicts": ("insights", "SELECT * FROM verdict ORDER BY done_on DESC, decision_id"),
    "themes": (
        "insights",
        """SELECT b.* EXCLUDE (window_start, window_end, share, share_low, share_high, typical_quote),
            c.window_start, c.window_end, c.n_documents AS n_documents_in, c.n_covered, c.share, c.share_low,
            c.share_high,
            CASE WHEN $segment_name = 'all' AND $source = 'all' THEN b.typical_quote END AS typical_quote
        FROM theme_board AS b LEFT JOIN theme_cell AS c ON c.theme_id = b.theme_id
            AND c.segment_name = $segment_name AND c.segment_value = $segment_value AND c.source = $source
            AND c.n_weeks = $weeks AND c.window_end = (SELECT max(window_end) FROM theme_cell)
        ORDER BY b.n_documents DESC, b.theme_id""",
    ),
    "shares": ("insights", "SELECT * FROM theme_share ORDER BY share DESC, theme_id"),
    "groups": ("insights", "SELECT * FROM theme_group ORDER BY n_documents DESC, theme_id"),
    "waiting": ("insights", "SELECT * FROM not_yet_a_theme"),
    "proposals": ("insights", "SELECT * FROM theme_proposal_board ORDER BY kind, proposal_id"),
    "events": ("insights", "SELECT * FROM theme_history ORDER BY as_of, theme_id, kind, event_id"),
    "recommendations": (
        "customers",
        """SELECT * FROM recommendation WHERE $user IS NULL OR user_id = $user ORDER BY user_id, "rank" """,
    ),
    "quality": ("insights", "SELECT * FROM quality ORDER BY metric, about"),
    "ledger": ("insights", "SELECT * FROM ledger ORDER BY stage"),
    "runs": ("insights", "SELECT * FROM run ORDER BY as_of, nth"),
    "sources": ("insights", "SELECT * FROM source ORDER BY is_held DESC, source"),
}
"""What `show` can show: its database and query."""


def _show(arguments: argparse.Namespace) -> int:
    from analytics.store.read import open_published

    settings = load_settings(arguments.config)
    database, query = SHOWN[arguments.what]
    published = open_published(settings.data_dir, database, arguments.generation)  # type: ignore[arg-type]
    try:
        given = {**vars(arguments), "segment_name": "all", "segment_value": "all"}
        if arguments.segment:
            given["segment_name"], given["segment_value"] = arguments.segment
        filters = ("kind", "user", "about", "segment_name", "segment_value", "source", "weeks")
        values = {name: given[name] for name in filters if f"${name}" in query}
        rows = published.query(query, **values)
    finally:
        published.close()
    rows = rows.head(arguments.limit) if arguments.limit else rows
    if arguments.what == "recommendations":
        from flows.shown_lists import in_words

        rows = in_words(rows, settings.data_dir, published.generation)
    if arguments.json:
        print(json.dumps(rows.to_dicts(), default=str, ensure_ascii=False))
        return DONE
    from flows.printing import as_text

    print(f"{arguments.what} of {published.as_of} ({published.generation})")
    print(as_text(arguments.what, rows))
    return DONE


def _publish(arguments: argparse.Namespace) -> int:
    settings = load_settings(arguments.config)
    published = settings.data_dir / "published"
    from analytics.store.generation import roll_back
    from analytics.store.lock import hold

    if arguments.rebuild:
        from flows.publish import restore

        with hold(settings.data_dir):
            name = restore(settings, arguments.rebuild)
        print(f"built {arguments.rebuild} again as {name}")
    elif arguments.rollback:
        with hold(settings.data_dir):
            pointer = roll_back(published)
        print(f"rolled back to {pointer.active.generation if pointer.active else ''}")
    from flows.printing import generations

    rows = generations(published)
    if arguments.json:
        print(json.dumps(rows, default=str))
    else:
        for row in rows:
            kept = "" if row["is_kept"] else "  (pruned)"
            print(f"{row['state']:<8} {row['as_of']}  {row['generation']}{kept}")
    return DONE


def _erase(arguments: argparse.Namespace) -> int:
    from flows.people_commands import tell_erasure, tell_log

    settings = load_settings(arguments.config)
    if arguments.log:
        return _say(tell_log(settings, "erase"), arguments.json)
    return _say(tell_erasure(settings, arguments.user, arguments.document), arguments.json)


def _object(arguments: argparse.Namespace) -> int:
    from flows.people_commands import tell_log, tell_objection

    settings = load_settings(arguments.config)
    if arguments.log:
        return _say(tell_log(settings, "object"), arguments.json)
    return _say(tell_objection(settings, arguments.user, arguments.withdraw), arguments.json)


def _say(told: tuple[str, dict[str, Any] | list[dict[str, Any]]], as_json: bool) -> int:
    text, content = told
    if not as_json:
        print(text)
    elif isinstance(content, dict):
        _print_object(content)
    else:
        print(json.dumps(content, default=str, ensure_ascii=False))
    return DONE


def _status(arguments: argparse.Namespace) -> int:
    from flows.printing import status_of

    settings = load_settings(arguments.config)
    status = status_of(settings.data_dir)
    if arguments.json:
        _print_object(status)
        return DONE
    for name, value in status.items():
        print(f"{name.replace('_', ' ')}: {'none' if value in (None, [], {}) else value}")
    return DONE


def _evaluate(arguments: argparse.Namespace) -> int:
    result, lines = arguments.measure(arguments)
    if arguments.json:
        _print_object(result)
        return DONE
    for line in lines:
        print(line)
    return DONE


if __name__ == "__main__":
    sys.exit(main())
