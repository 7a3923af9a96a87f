"""Which columns could hold which role, by header and by values, with how sure that is."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace

import polars as pl

from analytics.intake.guess_names import (
    NAMED_ROLES,
    is_nameless,
    is_question,
    name_match,
    name_rank,
    normal_name,
    tells_about,
)
from analytics.intake.guess_values import FEW_VALUES, LANGUAGE_TAGS, Profile, rating_scale
from analytics.intake.macros import customer_speech

SURE = 0.75
"""A guess below this is called unsure."""
MAPPED = 0.5
"""A guess below this is not made, unless a source cannot be without it."""


@dataclass(frozen=True)
class Candidate:
    """A column that could hold a role."""

    column: str
    confidence: float
    reason: str
    preference: float = 0.0
    """Decides between equally sure candidates; higher goes first."""
    fill: float = 1.0

    @property
    def is_sure(self) -> bool:
        """Whether the column may be taken without a person's look."""
        return self.confidence >= SURE


_CHANNELS = frozenset(
    "email e-mail mail phone chat web app api sms twitter facebook whatsapp store form".split()
)
_ACTS = frozenset(
    "order purchase buy view click cart addtocart add_to_cart transaction return wishlist like play rent "
    "download bestellung retoure achat compra".split()
)


def candidates_of(profiles: list[Profile]) -> dict[str, list[Candidate]]:
    """For every role the columns that could hold it, likeliest first."""
    found = {}
    for role, fit in _FITS.items():
        options = [_candidate(role, fit, profile) for profile in profiles if _is_readable(profile)]
        known = [option for option in options if option is not None]
        found[role] = sorted(known, key=lambda one: (-round(one.confidence, 2), -one.preference))
    return found


def _is_readable(profile: Profile) -> bool:
    return not profile.is_nested and profile.n_filled > 0


_RIVALS = tuple(role for role in NAMED_ROLES if role not in ("thing", "goods"))
_VALUES_ALONE = {
    "id": 0.8, "text": 0.8, "created_at": 0.78, "url": 0.8, "user": 0.8, "item": 0.5, "rating": 0.6,
    "title": 0.5, "language": 0.65, "thread": 0.0, "speaker": 0.8, "channel": 0.65, "question": 0.6,
    "kind": 0.65, "name": 0.55,
}  # fmt: skip
"""How sure values alone make a role, where the header says nothing."""

_ASKS_FOR_A_COUNT = (
    r"(?i)\W*(?:how (?:many|much|old|long)|(?:in )?wh(?:at|ich) year|"
    r"wie (?:viele?|alt|lange)|combien|cu[aá]nt)"
)

_Fit = Callable[[Profile, bool], tuple[float, str]]
"""Of a column, and whether its header names the role: how well the values fit (0 to 1), and what was seen."""


def _candidate(role: str, fit: _Fit, profile: Profile) -> Candidate | None:
    named = name_match(role, profile.name)
    suits, seen = fit(profile, named > 0)
    if suits <= 0:
        return None
    if named:
        confidence = 0.97 * named * suits
        reason = f"its name; {seen}"
    else:
        confidence = _VALUES_ALONE[role] * suits * min(1.0, 0.5 + profile.n_filled / 40)
        if not is_nameless(profile.name):
            confidence *= 0.5 if tells_about(profile.name) else 0.9
        reason = f"its values: {seen}"
    rival = max((name_match(other, profile.name) for other in _rivals(role, profile)), default=0.0)
    if rival > named + 0.15 or (role == "title" and named < 1 and name_match("thing", profile.name) == 1):
        confidence *= 0.4
    if confidence < 0.15:
        return None
    preference = name_rank(role, profile.name) - profile.position / 1e4
    if role == "text":
        preference = min(profile.words, 200) * profile.fill + preference
    return Candidate(profile.name, round(confidence, 3), reason, preference, profile.fill)


def _rivals(role: str, profile: Profile) -> Iterator[str]:
    """Other things that a header may name, as far as the values could be that."""
    for other in _RIVALS:
        fit = _FITS.get(other)
        if other != role and (fit is None or fit(profile, True)[0] > 0.5):
            yield other


def _id(profile: Profile, is_named: bool) -> tuple[float, str]:
    is_code = profile.mean_words <= 1.3 and profile.mean_chars <= 64 and not profile.is_date
    if not is_code or profile.fill < 0.99 or (profile.is_number and profile.whole_share < 1):
        return 0.0, ""
    if (
        max(profile.url_share, profile.email_share) > 0.5
        or profile.distinct_share < 0.98
        or profile.n_filled < 2
    ):
        return 0.0, ""
    if profile.n_distinct == profile.n_filled and profile.fill == 1:
        by_chance = not is_named and _differs_by_chance(profile)
        return (0.6 if by_chance else 1.0), f"all {profile.n_filled:,} values differ"
    repeated = profile.n_filled - profile.n_distinct
    return 0.85, f"{repeated:,} of {profile.n_filled:,} values are repeats"


def _differs_by_chance(profile: Profile) -> bool:
    """Whether values that all differ still say no more than that few rows were seen."""
    if profile.wide_share > 0.5:
        return True
    # Of n numbers drawn from a range of r, about n² / 2r pairs are equal; three expected and none seen tells.
    n_equal = profile.n_numbers**2 / (2 * (profile.high - profile.low + 1))
    is_long = profile.low >= 1e5 and profile.epoch_share < 0.95
    return profile.is_number and n_equal < 3 and not is_long


def _text(profile: Profile, is_named: bool) -> tuple[float, str]:
    if profile.is_number or profile.is_date or profile.letter_share < 0.5:
        return 0.0, ""
    if max(profile.url_share, profile.email_share) > 0.5 or profile.distinct_share < (
        0.02 if is_named else 0.2
    ):
        return 0.0, ""
    if profile.words < (1.3 if is_named else 4):
        return 0.0, ""
    seen = f"free text of {profile.words:.0f} words on average"
    if profile.wide_share >= 0.5:
        seen = f"free text of {profile.mean_chars:.0f} characters on average"
    if is_named:
        return min(1.0, 0.8 + profile.words / 20), seen
    return min(1.0, profile.words / 10) * min(1.0, 0.4 + profile.distinct_share), seen


def _title(profile: Profile, is_named: bool) -> tuple[float, str]:
    if profile.is_number or profile.is_date or profile.letter_share < 0.5 or profile.mean_chars > 160:
        return 0.0, ""
    if max(profile.url_share, profile.email_share) > 0.5 or profile.words > 25:
        return 0.0, ""
    seen = f"short text of {profile.words:.0f} words on average"
    if is_named:
        return 1.0, seen
    is_short_text = profile.words >= 1.7 and profile.distinct_share >= 0.3 and profile.person_share < 0.6
    return (1.0 if is_short_text and not profile.distinct else 0.0), seen


def _created_at(profile: Profile, is_named: bool) -> tuple[float, str]:
    form, share = profile.other_date
    if profile.date_share >= 0.9:
        return 1.0, "times" if profile.has_clock else "days"
    if share >= 0.9:
        return 0.7, f"dates of the form {form}, of which {profile.date_share:.0%} can be read as they are"
    if profile.is_number and profile.epoch_share >= 0.95 and profile.whole_share > 0.5:
        return (1.0 if is_named else 0.8), "seconds or milliseconds since 1970"
    return 0.0, ""


def _rating(profile: Profile, is_named: bool) -> tuple[float, str]:
    scale = rating_scale(profile)
    if scale is None:
        return 0.0, ""
    (_, high), both_ends, seen = scale
    if is_named and is_question(profile.name):
        is_count = re.match(_ASKS_FOR_A_COUNT, profile.name) is not None
        return (0.0 if is_count else 1.0 if both_ends and high <= 10 else 0.7), seen
    if is_named:
        return 1.0, seen
    is_few = 3 <= profile.n_numbers <= 21 and profile.n_filled > profile.n_numbers
    return (1.0 if is_few and both_ends and high <= 10 else 0.0), seen


def _who_or_what(profile: Profile, is_named: bool, *, max_words: float, least: int) -> tuple[float, str]:
    if (
        profile.is_date
        or profile.mean_words > max_words
        or profile.mean_chars > 120
        or profile.url_share > 0.5
    ):
        return 0.0, ""
    if profile.is_number and profile.whole_share < 1:
        return 0.0, ""
    seen = f"{profile.n_distinct:,} different values in {profile.n_filled:,}"
    if is_named:
        return (1.0 if profile.n_distinct > 1 or profile.n_filled < 3 else 0.9), seen
    is_key = profile.is_token and least <= profile.n_distinct and profile.distinct_share < 0.98
    return (1.0 if is_key and profile.fill > 0.5 else 0.0), seen


def _user(profile: Profile, is_named: bool) -> tuple[float, str]:
    if profile.email_share >= 0.8:
        return 1.0, "e-mail addresses"
    suits, seen = _who_or_what(profile, is_named, max_words=4, least=10)
    if is_named:
        return suits, seen
    # Writers are many and each writes little; where fewer differ it is rather what they write about.
    return (0.65 if profile.distinct_share >= 0.3 else 0.45) * suits, seen


def _item(profile: Profile, is_named: bool) -> tuple[float, str]:
    if profile.email_share > 0.5:
        return 0.0, ""
    suits, seen = _who_or_what(profile, is_named, max_words=15, least=5)
    if is_named:
        return suits, seen
    if profile.distinct_share > 0.9 or profile.distinct:
        return 0.0, ""
    return (1.0 if profile.distinct_share < 0.3 else 0.7) * suits, seen


def _name(profile: Profile, is_named: bool) -> tuple[float, str]:
    is_person = profile.person_share >= 0.5 or (
        profile.wide_share > 0.5 and profile.mean_chars <= 12 and is_named
    )
    return (1.0 if is_person else 0.0), "capitalised names"


def _language(profile: Profile, is_named: bool) -> tuple[float, str]:
    tags = [value for value in profile.distinct if re.fullmatch(r"[A-Za-z]{2}(?:[-_][A-Za-z]{2,4})?", value)]
    known = [tag for tag in tags if re.split("[-_]", tag.lower())[0] in LANGUAGE_TAGS]
    if not profile.distinct or len(known) < 0.8 * len(profile.distinct):
        return 0.0, ""
    if not is_named and (len(known) < 2 or any(tag.isupper() for tag in known)):
        return 0.0, ""
    return 1.0, f"language tags such as {known[0]}"


def _thread(profile: Profile, is_named: bool) -> tuple[float, str]:
    if not is_named or not profile.is_token or profile.is_date or profile.distinct_share >= 0.98:
        return 0.0, ""
    if profile.is_number and profile.whole_share < 1:
        return 0.0, ""
    return 1.0, f"{profile.n_filled:,} rows share {profile.n_distinct:,} values"


def _speaker(profile: Profile, is_named: bool) -> tuple[float, str]:
    values = pl.Series(profile.distinct, dtype=pl.String)
    if not 1 <= values.len() <= 12:
        return 0.0, ""
    speech = pl.select(customer_speech(pl.lit(values))).to_series()
    customer, staff = "customer" in speech, "agent" in speech
    seen = f"values such as {', '.join(profile.distinct[:3])}"
    if is_named:
        return (1.0 if customer or staff else 0.6), seen
    return (1.0 if customer and staff else 0.0), seen


def _of_few(known: frozenset[str]) -> _Fit:
    def fit(profile: Profile, is_named: bool) -> tuple[float, str]:
        values = {value.lower() for value in profile.distinct}
        if not 1 <= len(values) <= FEW_VALUES or profile.is_number or profile.mean_words > 4:
            return 0.0, ""
        suits = len(values & known) >= 2 or is_named
        return (1.0 if suits else 0.0), f"values such as {', '.join(profile.distinct[:3])}"

    return fit


def _question(profile: Profile, is_named: bool) -> tuple[float, str]:
    asked = sum(value.rstrip().endswith(("?", "？")) for value in profile.distinct)
    seen = f"{profile.n_distinct:,} different questions"
    if is_named:
        return (1.0 if profile.words >= 3 and profile.distinct_share <= 0.9 else 0.5), seen
    is_asked = profile.distinct and asked >= 0.8 * len(profile.distinct) and profile.distinct_share < 0.5
    return (1.0 if is_asked else 0.0), seen


def _url(profile: Profile, is_named: bool) -> tuple[float, str]:
    is_picture = re.search(r"image|img|photo|avatar|picture|logo|thumb", normal_name(profile.name))
    if is_picture or profile.picture_share > 0.5 or profile.url_share < 0.9 or profile.distinct_share < 0.9:
        return 0.0, ""
    return 1.0, "an address of its own for each row"


_FITS: dict[str, _Fit] = {
    "id": _id,
    "text": _text,
    "title": _title,
    "created_at": _created_at,
    "rating": _rating,
    "user": _user,
    "item": _item,
    "name": _name,
    "language": _language,
    "thread": _thread,
    "speaker": _speaker,
    "channel": _of_few(_CHANNELS),
    "question": _question,
    "url": _url,
    "kind": _of_few(_ACTS),
}

_ALTERNATIVES_MATTER = frozenset({"text", "rating", "id", "user", "item", "created_at", "title"})


def assign_roles(
    candidates: dict[str, list[Candidate]], roles: tuple[str, ...], needed: tuple[str, ...] = ("text",)
) -> dict[str, Candidate]:
    """One column for each role, the surest first; where another would do as well, the guess is unsure."""
    order = sorted(
        ((one, role) for role in roles for one in candidates[role]),
        key=lambda pair: (-round(pair[0].confidence, 2), -pair[0].preference, roles.index(pair[1])),
    )
    taken: dict[str, Candidate] = {}
    for one, role in order:
        if role not in taken and one.column not in {used.column for used in taken.values()}:
            taken[role] = one
    columns = {one.column for one in taken.values() if one.confidence >= MAPPED}
    for role in _ALTERNATIVES_MATTER & set(taken):
        one = taken[role]
        rivals = [other for other in candidates[role] if other.column not in columns]
        near = [
            other
            for other in rivals
            if other.confidence > one.confidence - 0.05 and _is_rival(role, one, other)
        ]
        if near:
            names = ", ".join(repr(other.column) for other in near[:3])
            taken[role] = replace(
                one, confidence=min(one.confidence, 0.7), reason=f"{one.reason}; it could as well be {names}"
            )
    return {
        role: taken[role] for role in roles
        if role in taken and (taken[role].confidence >= MAPPED or role in needed)
    }  # fmt: skip


def _is_rival(role: str, one: Candidate, other: Candidate) -> bool:
    """Whether two candidates that fit alike name different things: with names, only texts and ratings do."""
    by_name = one.reason.startswith("its name")
    if role == "text" and other.fill < one.fill / 2:
        return False  # a remark that few leave beside what each row says
    return not by_name or role in ("text", "rating")
