"""One plain sentence about the state of a source: what, since when, what it means and what to do."""

from __future__ import annotations

from datetime import date

from analytics.intake.health_changes import Change
from analytics.intake.health_counts import SourceCounts


def state_sentence(counts: SourceCounts, change: Change) -> str:
    """The sentence that stands beside a source."""
    name, since, facts = f"Source {counts.source}", _day(counts.day(change.since)), change.facts
    reason = f" ({change.event.kind} {change.event.name!r} explains it)" if change.event else ""
    if change.status == "stopped":
        what = "nothing" if facts["arrived"] == 0 else "next to nothing"
        return (
            f"{name} has delivered {what} since {since} (about {_count(float(facts['level']))} a day "
            f"expected){reason}: no claim of a fall rests on it; check the feed."
        )
    if change.status == "late":
        return (
            f"{name} has not delivered the days since {since} yet, which is usual for it (up to "
            f"{int(float(facts['lag']))} days late): nothing is held; the days fill up in later nights."
        )
    if change.status == "volume changed":
        return _volume(name, since, change, reason)
    if change.status == "scale changed":
        how = (
            "Ratings are the other way round"
            if "turned" in facts
            else f"Ratings go up to {facts['new']} instead of {facts['old']}"
        )
        return (
            f"{how} in source {counts.source} since {since}: figures on its ratings are on hold; correct "
            "rating_scale, or deliver the new ratings as a source of their own."
        )
    if change.status == "mix changed":
        return _mix(counts.source, since, change)
    if change.status == "collection changed":
        return (
            f"{name} is collected in another way since {since} (more documents and another mix at once, as "
            "when invitations begin): comparisons across that day are on hold; deliver the new part as a "
            "source of its own, or name the event in the calendar."
        )
    if change.status == "too new to tell":
        return (
            f"{name} has delivered since {since} only: four weeks are needed to tell whether it is well; "
            "nothing is held."
        )
    return f"{name} delivers as expected; its newest document is of {_day(counts.last_day)}."


def _volume(name: str, since: str, change: Change, reason: str) -> str:
    ratio, level = float(change.facts.get("ratio", 0)), float(change.facts.get("level", 0))
    much = f"{ratio:.1f} times its usual {_count(level)} a day" if ratio else "more than usual"
    what = f"{name} delivers {much} since {since}{reason}"
    stays = "shares stay comparable and nothing is held, but do not read counts as a"
    if ratio > 1 or not ratio:
        return f"{what}: {stays} rise of a theme."
    advice = "" if change.event else "; check that no part of the feed is missing"
    return f"{what}: {stays} fall{advice}."


def _mix(source: str, since: str, change: Change) -> str:
    facts = change.facts
    moved = f"{100 * float(facts['share']):.0f} % instead of {100 * float(facts['before']):.0f} %"
    what = (
        f"documents in language {facts['name']!r}"
        if facts["kind"] == "language"
        else "documents with a rating"
    )
    return (
        f"Source {source} holds {moved} {what} since {since}: comparisons across that day are on hold; check "
        "what feeds it, or deliver the new part as a source of its own."
    )


def _count(value: float) -> str:
    return f"{value:.0f}" if value >= 10 else f"{value:.1f}"


def _day(day: date) -> str:
    return f"{day.day} {day:%b %Y}"
