"""What the commands `erase` and `object` do, and what they say."""

from __future__ import annotations

import getpass
from dataclasses import asdict
from typing import Any

from analytics.errors import StoreError
from analytics.identity import author_key
from analytics.settings import Settings
from analytics.store.layout import Store
from analytics.store.lock import hold
from analytics.store.state import ERASURES, OBJECTIONS

Told = tuple[str, dict[str, Any] | list[dict[str, Any]]]
"""The same as text and as what JSON is made of."""


def tell_erasure(settings: Settings, user_id: str | None, document_id: str | None) -> Told:
    """Erase a person or a document, and say what went."""
    from flows.people_erasing import erase

    erased = erase(settings, who=getpass.getuser(), user_id=user_id, document_id=document_id)
    found = (
        f"{erased.n_documents} documents, {erased.n_opinions} opinions, "
        f"{erased.n_interactions} interactions, {erased.n_users} rows of users"
    )
    if not (erased.gone or erased.n_documents or erased.n_interactions or erased.n_users):
        found = "nothing of it is in this store (check the id)"
    lines = [f"erased {erased.subject}: {found}"]
    lines += [f"  {part:<32} {n_rows:>8} rows" for part, n_rows in erased.gone.items()]
    lines += [f"  rewritten {name}, manifest sha256 {digest}" for name, digest in erased.manifests.items()]
    lines.append(
        "it stays out, whatever the sources deliver; aggregates follow with the next night: nightloom run"
    )
    return "\n".join(lines), asdict(erased)


def tell_objection(settings: Settings, user_id: str, withdraw: bool) -> Told:
    """Record that a person objects to lists and training, or no longer does."""
    with hold(settings.data_dir):
        store = Store(settings.data_dir)
        try:
            key = author_key(store.key, user_id)
            is_new = store.state.record_objection(who=getpass.getuser(), author_key=key, withdraw=withdraw)
        finally:
            store.state.close()
    said = "no longer objects" if withdraw else "objects"
    then = (
        "lists and training may use them again"
        if withdraw
        else "no list is made for them, none learns from them"
    )
    text = f"author:{key} {said}{'' if is_new else ', as was known'}; from the next night on {then}"
    return text, {"subject": f"author:{key}", "objects": not withdraw, "is_new": is_new}


def tell_log(settings: Settings, what: str) -> Told:
    """The log of erasures or of objections, oldest first: at, who, kind, subject, and what went."""
    if not (settings.data_dir / "state.sqlite").exists():
        raise StoreError(f"{settings.data_dir} holds no state; check --config, or run `nightloom run` first")
    state = Store(settings.data_dir).state
    try:
        entries = state.log({"erase": ERASURES, "object": OBJECTIONS}[what])
    finally:
        state.close()
    lines = []
    for entry in entries:
        lines.append(f"{entry['at']}  {entry['who']:<12}  {entry['kind']:<20}  {entry['subject']}")
        lines += [f"    {part:<32} {n_rows:>8} rows" for part, n_rows in entry.get("gone", {}).items()]
        lines += [f"    {name}  {digest}" for name, digest in entry.get("manifests", {}).items()]
    return "\n".join(lines) or "none", entries
