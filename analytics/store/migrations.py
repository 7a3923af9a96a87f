"""Numbered migrations of the state database: the nth brings schema n-1 to n; none is ever edited."""

from __future__ import annotations

MIGRATIONS: tuple[tuple[str, ...], ...] = (
    (
        "CREATE TABLE schema_version (version INTEGER NOT NULL)",
        """
        CREATE TABLE entry (
            sequence INTEGER PRIMARY KEY AUTOINCREMENT,
            at VARCHAR NOT NULL,
            who VARCHAR NOT NULL,
            kind VARCHAR NOT NULL,
            subject VARCHAR NOT NULL,
            run_id VARCHAR,
            content VARCHAR NOT NULL
        )
        """,
        "CREATE INDEX entry_kind ON entry (kind, run_id)",
    ),
)
