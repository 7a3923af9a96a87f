"""The state: what people decided, registry events, objections and tombstones, with who and when, in order.

A night reads the state at one sequence number, kept in its manifest. Entries that a run wrote are marked with
it and count once `CURRENT` lists that run. Entries hold ids, never text of documents.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import polars as pl
import sqlalchemy as sa

from analytics.errors import SchemaTooNew, StoreError, store_error, writing
from analytics.identity import canonical_json, hash_of
from analytics.store.migrations import MIGRATIONS

THEME_EVENTS = ("born", "renamed", "merged", "split", "retired", "revived", "anchored")
THEME_ACTS = (*THEME_EVENTS, "pinned", "unpinned", "linked", "unlinked", "dismissed")
"""What is read to know the registry: events, and what people say of themes beside them."""
TOMBSTONE, ERASED = "tombstone", "erased"
OBJECTION, WITHDRAWN = "objection", "objection_withdrawn"
ERASURES = (TOMBSTONE, ERASED)
OBJECTIONS = (OBJECTION, WITHDRAWN)
DECISION_ACTS = (
    "decision_accepted",
    "decision_later",
    "decision_wrong",
    "decision_assigned",
    "decision_done",
    "decision_undone",
)
"""What people say of decisions."""
DRAWN, LABELLED = "label_drawn", "labelled"
LABEL_ENTRIES = (DRAWN, LABELLED)
"""A pair of a document and a theme that was drawn to be labelled, and what a person says of it."""

_metadata = sa.MetaData()
_entry = sa.Table(
    "entry",
    _metadata,
    sa.Column("sequence", sa.Integer, primary_key=True, autoincrement=True),
    sa.Column("at", sa.String, nullable=False),
    sa.Column("who", sa.String, nullable=False),
    sa.Column("kind", sa.String, nullable=False),
    sa.Column("subject", sa.String, nullable=False),
    sa.Column("run_id", sa.String),
    sa.Column("content", sa.String, nullable=False),
    sqlite_autoincrement=True,
)
_version = sa.Table("schema_version", _metadata, sa.Column("version", sa.Integer, nullable=False))


def _subject(author_key: str | None, document_id: str | None = None) -> str:
    return f"author:{author_key}" if author_key else f"document:{document_id}"


@contextmanager
def _stated(path: Path) -> Iterator[None]:
    """Turn a database error into its stated error."""
    try:
        yield
    except sa.exc.DatabaseError as error:
        raise store_error(error, path.parent) or StoreError(
            f"{path} cannot be used ({error.orig}); restore it from a backup or repair it with sqlite3"
        ) from error


class State:
    """The state database of one store.

    Raises:
        SchemaTooNew: it was written by a newer version of this program.
        StoreError: it cannot be opened or is not a state database.
    """

    def __init__(self, path: Path):
        self.path = path
        with writing(path.parent):
            path.parent.mkdir(parents=True, exist_ok=True)
        self._engine = sa.create_engine(f"sqlite:///{path}", connect_args={"timeout": 30})
        with _stated(path), self._engine.begin() as connection:
            self._migrate(connection)

    def _migrate(self, connection: sa.Connection) -> None:
        has_version = sa.inspect(connection).has_table("schema_version")
        version = connection.execute(sa.select(_version.c.version)).scalar() if has_version else None
        if (version or 0) > len(MIGRATIONS):
            raise SchemaTooNew(
                f"{self.path} has schema {version}, and this program knows up to {len(MIGRATIONS)}: it was "
                "written by a newer version; update the program, nothing was changed"
            )
        if version == len(MIGRATIONS):
            return
        # Python's sqlite3 opens no transaction before a CREATE: half a schema would stay after a failure.
        connection.exec_driver_sql("BEGIN")
        for statements in MIGRATIONS[version or 0 :]:
            for statement in statements:
                connection.execute(sa.text(statement))
        if version is None:
            connection.execute(_version.insert().values(version=len(MIGRATIONS)))
        else:
            connection.execute(_version.update().values(version=len(MIGRATIONS)))

    def close(self) -> None:
        """Release the database."""
        self._engine.dispose()

    def sequence(self) -> int:
        """The highest sequence number given so far; 0 in an empty state."""
        with _stated(self.path), self._engine.connect() as connection:
            return connection.execute(sa.select(sa.func.max(_entry.c.sequence))).scalar() or 0

    def record_theme_events(self, run_id: str, events: Sequence[dict[str, Any]], *, who: str) -> None:
        """Write a run's registry events, in place of what an earlier attempt of the same run wrote.

        Args:
            run_id: The run; its events count once `CURRENT` lists it.
            events: Each with `kind` (one of THEME_EVENTS), `theme_id` and `content` (a JSON object without
                text of documents).
            who: Who decided: a person's name, or "night".

        Raises:
            StoreError: an event of an unknown kind.
        """
        for event in events:
            if event["kind"] not in THEME_EVENTS:
                raise StoreError(f"{event['kind']!r} is not a theme event; one of {', '.join(THEME_EVENTS)}")
        at = datetime.now(UTC).isoformat(timespec="seconds")
        rows = [
            {
                "at": at,
                "who": who,
                "kind": event["kind"],
                "subject": event["theme_id"],
                "run_id": run_id,
                "content": canonical_json(event["content"]),
            }
            for event in events
        ]
        mine = (_entry.c.run_id == run_id) & _entry.c.kind.in_(THEME_EVENTS)
        with _stated(self.path), self._engine.begin() as connection:
            connection.execute(_entry.delete().where(mine))
            if rows:
                connection.execute(_entry.insert(), rows)

    def theme_events(self, runs: Iterable[str], upto: int) -> pl.DataFrame:
        """Registry events that count, in order: sequence, at, who, kind, theme_id, run_id, content (JSON).

        Args:
            runs: Runs that `CURRENT` lists, and the run under way.
            upto: Sequence number at which a night reads what people did; events of `runs` count whatever
                theirs is.
        """
        of_runs = _entry.c.run_id.in_(list(runs))
        of_people = _entry.c.run_id.is_(None) & (_entry.c.sequence <= upto)
        query = (
            sa.select(_entry)
            .where(_entry.c.kind.in_(THEME_ACTS) & (of_runs | of_people))
            .order_by(_entry.c.sequence)
        )
        schema = {
            "sequence": pl.Int64,
            "at": pl.String,
            "who": pl.String,
            "kind": pl.String,
            "theme_id": pl.String,
            "run_id": pl.String,
            "content": pl.String,
        }
        with _stated(self.path), self._engine.connect() as connection:
            rows = connection.execute(query).all()
        return pl.DataFrame([tuple(row) for row in rows], schema=schema, orient="row")

    def record_theme_act(self, kind: str, theme: str | None, content: Mapping[str, Any], *, who: str) -> str:
        """Write down what a person says of a theme; the next night applies it.

        Args:
            kind: One of THEME_ACTS.
            theme: The theme; None for one born by this act, whose id follows from its sequence number.
            content: A JSON object without text of documents.
            who: The person.

        Returns:
            The theme.
        """
        if kind not in THEME_ACTS:
            raise StoreError(f"{kind!r} is not said of themes; one of {', '.join(THEME_ACTS)}")
        row = self._row(kind, theme or "", who, content)
        with _stated(self.path), self._engine.begin() as connection:
            sequence = connection.execute(_entry.insert().returning(_entry.c.sequence), row).scalar_one()
            if theme is None:
                theme = hash_of([sequence])
                own = _entry.update().where(_entry.c.sequence == sequence)
                connection.execute(own.values(subject=theme))
        return theme

    def record_decision_act(self, kind: str, decision: str, content: Mapping[str, Any], *, who: str) -> None:
        """Write down what a person says of a decision.

        Args:
            kind: One of DECISION_ACTS.
            decision: The decision.
            content: A JSON object without text of documents.
            who: The person.
        """
        if kind not in DECISION_ACTS:
            raise StoreError(f"{kind!r} is not said of decisions; one of {', '.join(DECISION_ACTS)}")
        self._record(kind, decision, who, content)

    def bury(self, *, who: str, author_key: str | None = None, document_id: str | None = None) -> None:
        """Write a tombstone: only an author key or a document id; it keeps their rows from coming back."""
        if (author_key is None) == (document_id is None):
            raise StoreError(
                "a tombstone names either an author or a document, and not both; pass one of them"
            )
        self._record(TOMBSTONE, _subject(author_key, document_id), who, {})

    def record_erased(
        self,
        *,
        who: str,
        author_key: str | None = None,
        document_id: str | None = None,
        gone: Mapping[str, int],
        manifests: Mapping[str, str],
    ) -> None:
        """Write down what a sweep took away.

        Args:
            who: Who asked for it.
            author_key: Whose rows went; or
            document_id: which document.
            gone: Part of the store to how many rows went.
            manifests: Generation to the digest of its new manifest.
        """
        content = {"gone": dict(gone), "manifests": dict(manifests)}
        self._record(ERASED, _subject(author_key, document_id), who, content)

    def record_objection(self, *, who: str, author_key: str, withdraw: bool = False) -> bool:
        """Write down that a person objects to lists and training, or no longer does.

        Returns:
            Whether that was news; nothing is written where it was not.
        """
        if (author_key in self.objecting()) != withdraw:
            return False
        self._record(WITHDRAWN if withdraw else OBJECTION, _subject(author_key), who, {})
        return True

    def objecting(self, upto: int | None = None) -> set[str]:
        """Author keys of those who object at a sequence number; now when it is left out."""
        query = sa.select(_entry.c.subject, _entry.c.kind).where(_entry.c.kind.in_(OBJECTIONS))
        if upto is not None:
            query = query.where(_entry.c.sequence <= upto)
        with _stated(self.path), self._engine.connect() as connection:
            last = dict(tuple(row) for row in connection.execute(query.order_by(_entry.c.sequence)))
        return {subject.removeprefix("author:") for subject, kind in last.items() if kind == OBJECTION}

    def record_each(self, kind: str, contents: Mapping[str, Mapping[str, Any]], *, who: str) -> None:
        """Write down an entry for each subject, all or none.

        Args:
            kind: One of LABEL_ENTRIES.
            contents: Subject to a JSON object without text of documents.
            who: The person.
        """
        if kind not in LABEL_ENTRIES:
            raise StoreError(f"{kind!r} is no kind of label; one of {', '.join(LABEL_ENTRIES)}")
        rows = [self._row(kind, subject, who, content) for subject, content in contents.items()]
        with _stated(self.path), self._engine.begin() as connection:
            if rows:
                connection.execute(_entry.insert(), rows)

    def log(self, kinds: Iterable[str], upto: int | None = None) -> list[dict[str, Any]]:
        """Entries of the given kinds, oldest first: at, who, kind, subject, and what their content says.

        Args:
            kinds: Which kinds.
            upto: Sequence number at which a night reads the state; now when it is left out.
        """
        query = sa.select(_entry).where(_entry.c.kind.in_(list(kinds)))
        if upto is not None:
            query = query.where(_entry.c.sequence <= upto)
        with _stated(self.path), self._engine.connect() as connection:
            rows = connection.execute(query.order_by(_entry.c.sequence)).all()
        return [
            {
                "at": row.at,
                "who": row.who,
                "kind": row.kind,
                "subject": row.subject,
                **json.loads(row.content),
            }
            for row in rows
        ]

    def _record(self, kind: str, subject: str, who: str, content: Mapping[str, Any]) -> None:
        with _stated(self.path), self._engine.begin() as connection:
            connection.execute(_entry.insert(), [self._row(kind, subject, who, content)])

    @staticmethod
    def _row(kind: str, subject: str, who: str, content: Mapping[str, Any]) -> dict[str, Any]:
        return {
            "at": datetime.now(UTC).isoformat(timespec="seconds"),
            "who": who,
            "kind": kind,
            "subject": subject,
            "run_id": None,
            "content": canonical_json(dict(content)),
        }

    def buried(self) -> tuple[set[str], set[str]]:
        """Author keys and document ids that have a tombstone."""
        query = sa.select(_entry.c.subject).where(_entry.c.kind == TOMBSTONE)
        with _stated(self.path), self._engine.connect() as connection:
            subjects = list(connection.execute(query).scalars())
        authors = {subject.removeprefix("author:") for subject in subjects if subject.startswith("author:")}
        documents = {s.removeprefix("document:") for s in subjects if s.startswith("document:")}
        return authors, documents

    def drop_opinions(self, opinion_ids: Iterable[str]) -> int:
        """Take opinion ids out of every entry's content and vacuum; returns how many entries changed."""
        gone = set(opinion_ids)
        n_changed = 0
        with _stated(self.path), self._engine.begin() as connection:
            for row in connection.execute(sa.select(_entry.c.sequence, _entry.c.content)).all():
                content = json.loads(row.content)
                left = {
                    name: [item for item in value if not (isinstance(item, str) and item in gone)]
                    if isinstance(value, list)
                    else value
                    for name, value in content.items()
                    if not (isinstance(value, str) and value in gone)
                }
                if left != content:
                    change = _entry.update().where(_entry.c.sequence == row.sequence)
                    connection.execute(change.values(content=canonical_json(left)))
                    n_changed += 1
        self._vacuum()
        return n_changed

    def drop_subjects(self, kinds: Iterable[str], subjects: Iterable[str]) -> int:
        """Take entries of the given kinds about these subjects out and vacuum; returns how many went."""
        gone = sorted(set(subjects))
        is_theirs = _entry.c.kind.in_(list(kinds)) & (_entry.c.subject == sa.bindparam("gone"))
        n_dropped = 0
        with _stated(self.path), self._engine.begin() as connection:
            for subject in gone:
                n_dropped += connection.execute(_entry.delete().where(is_theirs), {"gone": subject}).rowcount
        if n_dropped:
            self._vacuum()
        return n_dropped

    def _vacuum(self) -> None:
        with _stated(self.path), self._engine.connect() as connection:
            connection.execution_options(isolation_level="AUTOCOMMIT").execute(sa.text("VACUUM"))
