"""What a file is: texts, a catalogue, people or what they did; or nothing that a night reads."""

from __future__ import annotations

from analytics.intake.guess_names import file_hint, is_nameless, name_match
from analytics.intake.guess_roles import SURE, Candidate, assign_roles
from analytics.intake.guess_values import Profile
from analytics.settings import Kind

ROLES: dict[Kind, tuple[str, ...]] = {
    "documents": (
        "id", "text", "title", "created_at", "rating", "user", "item", "language", "thread", "speaker",
        "channel", "question", "url",
    ),
    "items": ("id", "title", "text"),
    "users": ("id", "name"),
    "interactions": ("user", "item", "created_at", "rating", "kind"),
}  # fmt: skip
"""What a mapping of each kind can hold, beside segments."""

NEEDED: dict[Kind, tuple[str, ...]] = {
    "documents": ("text",),
    "items": ("id",),
    "users": ("id",),
    "interactions": ("user", "item", "created_at"),
}
"""What a mapping of each kind cannot be without."""

_UNSURE = 0.6


def guess_kind(
    stem: str, profiles: list[Profile], candidates: dict[str, list[Candidate]]
) -> tuple[Kind | None, float, str]:
    """The kind of source that a file is, how sure, and why; None where it is none."""
    hint = file_hint(stem)
    nested = [profile.name for profile in profiles if profile.is_nested]
    documents = assign_roles(candidates, ROLES["documents"])
    text = documents.get("text")
    if text is None or (text.confidence < 0.4 and hint != "documents"):
        return _without_texts(stem, hint, profiles, candidates, nested)
    kind, confidence, reason = _with_texts(hint, profiles, candidates, documents)
    if nested:
        shown = ", ".join(repr(name) for name in nested[:3])
        return kind, min(confidence, _UNSURE), f"{reason}; but {shown} holds lists, which are not read"
    return kind, confidence, reason


def _key_of(profiles: list[Profile], candidates: dict[str, list[Candidate]], role: str) -> Profile | None:
    """The column whose name is that of an item's or user's key and whose values all differ."""
    named = [p for p in profiles if name_match(role, p.name) == 1.0 and not p.is_nested and p.fill > 0.9]
    return next((p for p in named if p.distinct_share == 1.0 and p.n_filled > 1 and p.is_token), None)


def _describes(profiles: list[Profile], what: str) -> list[str]:
    return [profile.name for profile in profiles if name_match(what, profile.name) == 1.0]


def _with_texts(
    hint: str | None,
    profiles: list[Profile],
    candidates: dict[str, list[Candidate]],
    found: dict[str, Candidate],
) -> tuple[Kind, float, str]:
    text = found["text"].column
    acts = [role for role in ("user", "rating", "thread", "speaker") if role in found and found[role].is_sure]
    item_key = _key_of(profiles, candidates, "item")
    user_key = _key_of(profiles, candidates, "user")
    goods = _describes(profiles, "goods")
    if hint == "items" and acts == ["user"] and user_key is not None and "created_at" not in found:
        acts = []  # a name of its own for each row of a catalogue is the item's
    if not acts or (acts == ["rating"] and item_key is not None and "created_at" not in found):
        if item_key is not None or hint == "items":
            why = f"each row has its own {item_key.name!r}" if item_key else "so says the file's name"
            sure = 0.9 if item_key is not None and (hint == "items" or goods) else 0.7
            return "items", sure, f"{why}, and nobody wrote or rated"
        if len(goods) >= 2 and hint != "documents" and "created_at" not in found:
            return "items", _UNSURE, f"columns such as {goods[0]!r} and {goods[1]!r} describe goods"
    did = [role for role in ("user", "item", "created_at") if role in found and found[role].is_sure]
    orders = _describes(profiles, "order")
    profile = next(profile for profile in profiles if profile.name == text)
    is_aside = profile.words < 8 or profile.fill < 0.5
    if len(did) == 3 and orders and "rating" not in found and is_aside and hint != "documents":
        why = "is short" if profile.words < 8 else "is mostly empty"
        return "interactions", 0.8, f"{orders[0]!r} tells of orders, and {text!r} {why}"
    n_order_columns = sum(name_match("order", profile.name) > 0 for profile in profiles)
    is_order = len(did) == 3 and n_order_columns >= 2 and "rating" not in found
    if user_key is not None and hint == "users" and "rating" not in found:
        return "users", 0.8, f"each row has its own {user_key.name!r}, and so says the file's name"
    sure = 0.95 if acts or hint == "documents" or "created_at" in found else 0.85
    if not found["text"].is_sure or (is_nameless(text) and hint != "documents"):
        sure = min(sure, 0.7)
    if hint in ("users", "interactions", "items") or (is_order and hint != "documents"):
        sure = min(sure, 0.7)
    return "documents", sure, f"{text!r} holds free text"


def _without_texts(
    stem: str,
    hint: str | None,
    profiles: list[Profile],
    candidates: dict[str, list[Candidate]],
    nested: list[str],
) -> tuple[Kind | None, float, str]:
    if nested:
        shown = ", ".join(repr(name) for name in nested[:3])
        return None, 0.7, f"{shown} holds lists or records, and no column holds one text per row"
    item_key, user_key = _key_of(profiles, candidates, "item"), _key_of(profiles, candidates, "user")
    did = assign_roles(candidates, ROLES["interactions"])
    pair = [did[role] for role in ("user", "item") if role in did]
    if len(pair) == 2 and item_key is None and user_key is None:
        sure = min(one.confidence for one in pair)
        who, what = pair[0].column, pair[1].column
        if sure >= SURE or (hint == "interactions" and "created_at" in did):
            return "interactions", min(0.95, sure), f"{who!r} and {what!r} repeat, and there is no free text"
        if sure >= 0.3 and "created_at" in did and not _has_own_id(profiles, candidates):
            return "interactions", 0.5, f"{who!r} and {what!r} look like keys that repeat, with times"
    if user_key is not None and (item_key is None or hint == "users"):
        return "users", 0.92, f"each row has its own {user_key.name!r}"
    if item_key is not None:
        return "items", 0.9, f"each row has its own {item_key.name!r}"
    if not _has_own_id(profiles, candidates):
        return None, 0.8, "no column holds free text, and no user's and item's keys stand side by side"
    if hint in ("items", "users"):
        return ("items" if hint == "items" else "users"), 0.85, "so says the file's name, and rows have ids"
    people, goods = _describes(profiles, "person"), _describes(profiles, "goods")
    if len(people) >= 2 and len(people) > len(goods):
        return "users", 0.7, f"columns such as {people[0]!r} and {people[1]!r} describe people"
    if len(goods) >= 2 or (goods and candidates["title"]):
        return "items", 0.7, f"columns such as {goods[0]!r} describe goods"
    title = next(iter(candidates["title"]), None)
    if title is not None:
        return "items", 0.5, f"rows have ids and {title.column!r} could be a title"
    return None, 0.6, "rows have ids, but nothing says whether they are people, goods or texts"


def _has_own_id(profiles: list[Profile], candidates: dict[str, list[Candidate]]) -> bool:
    return bool(candidates["id"])
