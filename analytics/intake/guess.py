"""What a file that nobody has described seems to hold: kind, mapping and settings, with reasons."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Any
from zoneinfo import available_timezones

import polars as pl

from analytics.intake.guess_kind import NEEDED, ROLES, guess_kind
from analytics.intake.guess_names import is_question, name_match, name_rank, normal_name
from analytics.intake.guess_roles import SURE, Candidate, assign_roles, candidates_of
from analytics.intake.guess_values import (
    FEW_VALUES,
    Profile,
    as_text,
    date_order,
    profile_columns,
    rating_scale,
)
from analytics.intake.languages import UNKNOWN, detect_languages
from analytics.settings import Kind

N_TEXTS_FOR_LANGUAGE = 200
MAX_SEGMENTS = 6
MAX_COLUMNS = 200
"""Columns behind these are not looked at."""


@dataclass(frozen=True)
class Guess:
    """One guessed value, how sure it is, and what it rests on."""

    value: Any
    confidence: float
    reason: str

    @property
    def is_sure(self) -> bool:
        """Whether it may stand without a person's look."""
        return self.confidence >= SURE


@dataclass(frozen=True)
class SourceGuess:
    """What one file seems to be."""

    name: str
    kind: Guess
    """A kind of source, or None where it is none."""
    columns: dict[str, Guess] = field(default_factory=dict)
    """Role to column; `segments` to a tuple of columns."""
    settings: dict[str, Guess] = field(default_factory=dict)
    """Keys of a source beside its columns: time_zone, language, rating_scale, uses, question."""
    notes: tuple[str, ...] = ()
    """What was seen and is not mapped."""

    @property
    def problem(self) -> str | None:
        """Why no source can be made of it as it is, if so."""
        if self.kind.value is None:
            return f"nothing to map: {self.kind.reason}"
        missing = [role for role in NEEDED[self.kind.value] if role not in self.columns]
        if not missing:
            return None
        told = {
            "id": "no column tells its rows apart; add one to the file, such as a number or a code",
            "created_at": "no column says when it happened; add one, since lists are judged over time",
        }
        why = "; ".join(told.get(role, f"no column could be its {role}") for role in missing)
        return f"{self.kind.value} without {' and '.join(missing)}: {why}"

    @property
    def unsure(self) -> dict[str, Guess]:
        """The guesses that a person should look at, by key."""
        named = {"kind": self.kind, **self.settings}
        named |= {f"columns.{role}": guess for role, guess in self.columns.items()}
        return {key: guess for key, guess in named.items() if not guess.is_sure}


def guess_source(name: str, frame: pl.DataFrame) -> SourceGuess:
    """Guess what a file is from its first rows.

    Args:
        name: The file's stem; its words are a hint.
        frame: The first rows, text or typed.
    """
    if (told := _names_are_values(frame.columns)) is not None:
        return SourceGuess(name, Guess(None, 0.8, told))
    if frame.is_empty():
        return SourceGuess(name, Guess(None, 0.9, "it has no rows"))
    looked_at = frame.select(frame.columns[:MAX_COLUMNS])
    profiles = profile_columns(looked_at)
    candidates = candidates_of(profiles)
    kind, confidence, reason = guess_kind(name, profiles, candidates)
    guessed = Guess(kind, confidence, reason)
    if kind is None:
        return SourceGuess(name, guessed)
    if kind in ("items", "users"):
        candidates = _with_own_keys(kind, profiles, candidates)
    roles = assign_roles(candidates, ROLES[kind], NEEDED[kind])
    if kind == "items" and "id" not in roles and candidates["id"]:
        # Where names are all there is, they are both what a list shows and what texts refer to.
        roles = {"id": candidates["id"][0], **roles}
    if kind == "documents":
        roles = _with_ambiguous_name(roles, profiles)
    guess = _described(SourceGuess(name, guessed), roles, looked_at, profiles)
    if frame.width > MAX_COLUMNS:
        note = f"of its {frame.width:,} columns only the first {MAX_COLUMNS} were looked at"
        guess = replace(guess, notes=(*guess.notes, note))
    return guess


def _names_are_values(names: list[str]) -> str | None:
    """Why the first line seems to be a row like any other, if it does."""
    if any(names == [str(nth + first) for nth in range(len(names))] for first in (0, 1)):
        return None
    cells = pl.Series(names, dtype=pl.String).str.strip_chars()
    number = cells.str.contains(r"^[+-]?\d+(?:[.,]\d+)?$")
    # A year may head a column of a table; a day, an address or a sentence with its full stop does not.
    value = cells.str.contains(r"^\d{1,4}[-/.]\d{1,2}[-/.]\d{1,4}\b|^\S+@\S+\.\w+$|^https?://|^.{40,}[.!]$")
    n_values = number.to_list().count(True) + value.to_list().count(True)
    if n_values >= 2 or (value.any() and len(names) <= 3):
        shown = ", ".join(repr(name[:30]) for name in names[:3])
        return f"its first line ({shown}) holds values, not names; put a line that names the columns first"
    return None


def _described(
    guess: SourceGuess, roles: dict[str, Candidate], frame: pl.DataFrame, profiles: list[Profile]
) -> SourceGuess:
    """The guess with the given columns and everything that follows from them."""
    columns = {role: Guess(one.column, one.confidence, one.reason) for role, one in roles.items()}
    by_name = {profile.name: profile for profile in profiles}
    settings: dict[str, Guess] = {}
    notes: list[str] = []
    if guess.kind.value in ("documents", "interactions"):
        if "created_at" in columns:
            columns["created_at"], settings["time_zone"] = _times(columns["created_at"], by_name, frame)
        if "rating" in columns:
            settings["rating_scale"] = _scale(columns["rating"], by_name)
    if guess.kind.value == "documents":
        settings |= _about_texts(guess.name, columns, frame)
        notes += _said_of_documents(columns, profiles)
    if guess.kind.value == "items":
        notes += _said_of_items(columns, profiles)
    if guess.kind.value != "interactions":
        segments = _segments(profiles, {one.value for one in columns.values()})
        if segments is not None:
            columns["segments"] = segments
    nested = [profile.name for profile in profiles if profile.is_nested]
    notes += [f"{name!r} holds lists or records and is not read" for name in nested]
    return replace(guess, columns=columns, settings=settings, notes=tuple(notes))


def _with_own_keys(
    kind: Kind, profiles: list[Profile], candidates: dict[str, list[Candidate]]
) -> dict[str, list[Candidate]]:
    """Candidates in which an item's or user's own key counts as the row's id, and its name as a title."""
    role = "item" if kind == "items" else "user"
    keys = [profile for profile in profiles if name_match(role, profile.name) == 1.0]
    ids = {one.column: one for one in candidates["id"]}
    changed = dict(candidates)
    for profile in keys:
        if profile.is_nested or profile.n_filled < 2 or not (profile.is_token or profile.name in ids):
            continue
        repeats = profile.n_filled - profile.n_distinct
        empty = profile.n_rows - profile.n_filled
        whole = repeats == 0 and empty == 0
        seen = "all values differ" if whole else f"{repeats} values are repeats, {empty} rows have none"
        fit = 0.97 if whole else 0.85 if repeats == 0 and profile.fill >= 0.9 else 0.0
        if fit:
            rank = 1.0 if normal_name(profile.name).endswith("id") else 0.5
            ids[profile.name] = Candidate(
                profile.name, fit, f"its name; {seen}", rank - profile.position / 1e4
            )
    # A catalogue has short texts of many kinds, such as opening hours; the name must say which describes.
    changed["text"] = [one for one in candidates["text"] if one.is_sure]
    if kind == "items" and not ids:
        for profile in profiles:
            is_whole = profile.distinct_share == 1 and profile.fill == 1 and profile.n_filled > 1
            if is_whole and name_match("thing", profile.name) == 1 and not profile.is_nested:
                reason = "no column holds ids, and all these names differ"
                ids[profile.name] = Candidate(profile.name, 0.7, reason, -profile.position / 1e4)
    changed["id"] = sorted(ids.values(), key=lambda one: (-round(one.confidence, 2), -one.preference))
    if kind == "items":
        titles = [
            Candidate(
                profile.name, 0.9, "its name", name_rank("thing", profile.name) - profile.position / 1e4
            )
            for profile in profiles
            if name_match("thing", profile.name) == 1.0
            and profile.letter_share > 0.5
            and not profile.is_nested
        ]
        kept = [one for one in candidates["title"] if one.column not in {title.column for title in titles}]
        changed["title"] = sorted(
            [*kept, *titles], key=lambda one: (-round(one.confidence, 2), -one.preference)
        )
    return changed


def _with_ambiguous_name(roles: dict[str, Candidate], profiles: list[Profile]) -> dict[str, Candidate]:
    """A bare `name` beside texts is a writer's or a thing's; which, its values can only hint at."""
    used = {one.column for one in roles.values()}
    for profile in profiles:
        if normal_name(profile.name) == "name" and profile.name not in used and not profile.is_nested:
            is_thing = profile.distinct_share < 0.3 or ("user" in roles and "item" not in roles)
            role = "item" if is_thing else "user"
            if role not in roles or not roles[role].is_sure:
                seen = f"{profile.n_distinct:,} different values in {profile.n_filled:,}"
                reason = f"a name beside texts could be a person's or a thing's; {seen}"
                return {**roles, role: Candidate(profile.name, 0.6, reason)}
    for profile in profiles:
        is_key = normal_name(profile.name) == "id" and profile.is_token and profile.distinct_share < 0.9
        if is_key and profile.name not in used and "item" not in roles:
            reason = "an id that repeats beside texts could be that of what they are about"
            return {**roles, "item": Candidate(profile.name, 0.6, reason)}
    return roles


def _times(time: Guess, profiles: dict[str, Profile], frame: pl.DataFrame) -> tuple[Guess, Guess]:
    """The time column, unsure where its dates can be read in two ways, and its time zone."""
    profile = profiles[time.value]
    form, share = profile.other_date
    if share >= 0.9 and "year" not in form[:4]:
        order = date_order(frame[time.value]) if form.startswith("with") else "said"
        if order is None:
            told = f"{time.reason}; which number is the day and which the month is not said"
            time = replace(time, confidence=min(time.confidence, 0.6), reason=told)
        elif order != "said":
            time = replace(time, reason=f"{time.reason}; {order}")
    if profile.is_zoned:
        return time, Guess("UTC", 0.97, "each time says its own offset")
    if profile.is_number and not profile.is_date:
        return time, Guess("UTC", 0.95, "seconds since 1970 are counted in UTC")
    if {"utc", "gmt"} & set(normal_name(profile.name).split("_")):
        return time, Guess("UTC", 0.9, "so says the column's name")
    for other in profiles.values():
        if name_match("zone", other.name) and other.distinct and other.distinct[0] in available_timezones():
            told = f"column {other.name!r} says {other.distinct[0]}"
            if len(other.distinct) == 1:
                return time, Guess(other.distinct[0], 0.85, f"{told} on every row")
            return time, Guess(other.distinct[0], 0.5, f"{told} on most rows, and others")
        if name_match("zone", other.name):
            told = f"column {other.name!r} holds zones per row, which may be the writers'"
            return time, Guess("UTC", 0.4, f"{told}; UTC assumed")
    if not profile.has_clock:
        return time, Guess("UTC", 0.5, "the days carry no clock and no zone; UTC assumed")
    return time, Guess("UTC", 0.4, f"the times carry no zone; UTC assumed; {_quiet_hours(frame[time.value])}")


def _quiet_hours(column: pl.Series) -> str:
    """A hint: the six hours of the clock in which least is written are usually a night."""
    text = as_text(column)
    hours = text.str.extract(r"(\d{1,2}):\d{2}").cast(pl.Int64, strict=False).drop_nulls()
    counts = [int((hours == hour).sum()) for hour in range(24)]
    sums = [sum(counts[(start + more) % 24] for more in range(6)) for start in range(24)]
    start = sums.index(min(sums))
    return f"least is written from {start:02d} to {(start + 6) % 24:02d} o'clock"


def _scale(rating: Guess, profiles: dict[str, Profile]) -> Guess:
    found = rating_scale(profiles[rating.value])
    if found is None:
        return Guess((1.0, 5.0), 0.3, "the ratings seen do not tell; 1 to 5 assumed")
    scale, is_sure, seen = found
    return Guess(scale, 0.92 if is_sure else 0.6, seen)


_PRIVATE = frozenset(
    "ticket tickets case cases email emails chat chats conversation conversations requester helpdesk anfrage "
    "anfragen vorgang vorgaenge nachricht nachrichten".split()
)
_PRIVATE_CHANNELS = frozenset("email e-mail mail chat ticket sms whatsapp messenger helpdesk".split())


def _about_texts(name: str, columns: dict[str, Guess], frame: pl.DataFrame) -> dict[str, Guess]:
    found: dict[str, Guess] = {}
    text = as_text(frame[columns["text"].value])
    if "language" not in columns and text.len():
        found |= _language(text)
    header = str(columns["text"].value)
    if is_question(header) and "question" not in columns:
        sure = min(0.8, columns["text"].confidence)
        found["question"] = Guess(
            header, sure, "the column of the texts is named by the question they answer"
        )
    names = [name, *(str(one.value) for role, one in columns.items() if role in ("id", "user", "thread"))]
    words = {word for one in names for word in normal_name(one).split("_")}
    if "user" in columns:
        # A survey that asks for an address is no letter.
        words -= set(normal_name(str(columns["user"].value)).split("_")) & {"email", "emails"}
    if "thread" in columns or "speaker" in columns:
        found["uses"] = Guess(("insight",), 0.9, "threads of messages are private letters")
    elif words & _PRIVATE:
        word = sorted(words & _PRIVATE)[0]
        found["uses"] = Guess(
            ("insight",), 0.8, f"{word!r} in its names: private letters are not to be quoted"
        )
    elif "channel" in columns:
        came = as_text(frame[columns["channel"].value]).str.to_lowercase()
        share = float(came.is_in(list(_PRIVATE_CHANNELS)).mean() or 0.0)  # type: ignore[arg-type]
        if share >= 0.5:
            told = f"{share:.0%} came as e-mail, chat or the like: private letters are not to be quoted"
            found["uses"] = Guess(("insight",), 0.7, told)
    return found


def _language(text: pl.Series) -> dict[str, Guess]:
    seen = text.unique(maintain_order=True)
    step = max(1, seen.len() // N_TEXTS_FOR_LANGUAGE)
    detected = detect_languages(seen.gather_every(step).head(N_TEXTS_FOR_LANGUAGE).to_list())
    sure = detected.filter(pl.col("confidence") >= 0.8, pl.col("language") != UNKNOWN)
    if sure.is_empty():
        return {}
    counts = sure["language"].value_counts(sort=True)
    language, count = counts.row(0)
    share = count / sure.height
    if share < 0.5:
        return {}
    reason = f"{share:.0%} of {sure.height} texts that tell"
    return {"language": Guess(language, 0.9 if share >= 0.9 and sure.height >= 5 else 0.6, reason)}


def _said_of_documents(columns: dict[str, Guess], profiles: list[Profile]) -> list[str]:
    notes = []
    if "id" not in columns:
        notes.append("no column identifies a row: the whole row does, so a changed row counts as new")
    if "user" not in columns:
        notes.append(
            "no column says who wrote: all its texts count as one author, and themes need several; "
            'set anonymous = "distinct" if each row is another person'
        )
    if "created_at" not in columns:
        notes.append("no column says when it was written: its texts count in totals, not in trends")
    used = {one.value for one in columns.values()}
    for profile in profiles:
        if profile.name in used or profile.is_nested:
            continue
        is_text = profile.words >= 4 and profile.letter_share > 0.5
        if name_match("text", profile.name) == 1.0 and is_text:
            notes.append(f"{profile.name!r} holds text too; a source reads one column of texts")
        elif (
            name_match("rating", profile.name)
            and "rating" not in columns
            and not is_question(profile.name)
            and profile.n_filled
            and not profile.is_number
        ):
            notes.append(
                f"{profile.name!r} is named like a rating and holds no plain numbers; it is not mapped"
            )
    return notes


def _said_of_items(columns: dict[str, Guess], profiles: list[Profile]) -> list[str]:
    if "text" in columns:
        return [] if "title" in columns else ["no column is a title: lists show the ids"]
    used = {one.value for one in columns.values()}
    worded = [
        profile.name
        for profile in profiles
        if profile.name not in used
        and not profile.is_nested
        and profile.letter_share > 0.5
        and profile.words >= (4 if "title" in columns else 2)
    ]
    if not worded:
        return []
    shown = " and ".join(map(repr, worded[:2]))
    wanting = "text" if "title" in columns else "title or text"
    return [f"no column is named as its {wanting}; if {shown} should be, map by hand"]


_NO_SEGMENT = ("zone", "thing", "item", "user", "thread", "id", "name")


def _segments(profiles: list[Profile], used: set[str]) -> Guess | None:
    """Columns of few values by which figures can be split."""
    found = []
    for profile in profiles:
        few = 2 <= profile.n_distinct <= min(FEW_VALUES, profile.n_filled // 2)
        is_label = profile.letter_share >= 0.5 or profile.dtype == pl.Boolean or _is_code(profile)
        is_other = profile.name in used or any(name_match(role, profile.name) == 1 for role in _NO_SEGMENT)
        is_plain = not profile.is_date and not profile.is_nested and profile.url_share < 0.1
        if few and is_label and is_plain and not is_other and profile.fill >= 0.5 and profile.mean_words <= 4:
            found.append(profile)
    if not found:
        return None
    kept = tuple(profile.name for profile in found[:MAX_SEGMENTS])
    more = f"; {len(found) - MAX_SEGMENTS} more have" if len(found) > MAX_SEGMENTS else ""
    seen = ", ".join(f"{profile.name} {profile.n_distinct}" for profile in found[:MAX_SEGMENTS])
    n_filled = min(profile.n_filled for profile in found)
    return Guess(kept, 0.8 if n_filled >= 20 else 0.6, f"few different values: {seen}{more}")


def _is_code(profile: Profile) -> bool:
    return not profile.is_number and profile.mean_chars <= 3
