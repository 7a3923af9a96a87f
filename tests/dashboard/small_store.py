"""A small store made by code: published generations of 6 themes, 3 decisions and 12 weeks."""

from __future__ import annotations

import shutil
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import polars as pl

from analytics import identity
from analytics.store.generation import Content, check_generation, write_generation
from analytics.store.pointer import Entry, Pointer, move_pointer, read_pointer
from analytics.tables import TABLES

Rows = list[dict[str, Any]]

HOSTILE = (
    "<script>alert('x')</script> and [x](http://evil.example) cost $x$, :material/home: is **b** broken."
)
STATEMENTS = [
    ("battery · charge · hours", "fix", "The battery is empty after two hours."),
    ("zip **b** $x$ <i>x</i>", "watch", HOSTILE),
    ("screen · bright · sharp", "keep", "The screen is bright and sharp."),
    ("delivery · late · week", None, "The parcel came a week late."),
    ("sound · clear · loud", None, "The sound is clear and loud enough."),
    ("price · value · money", None, "It is good value for the money."),
]
"""Name of each theme, kind of its decision, and the words that customers use."""

STOPPED = "Source survey <b> has delivered nothing for 8 days: no claim rests on it; check the *feed*."
"""What is said of a source on hold; its words must do nothing."""

SIZES = [(3.0, 1.8, 4.9), (None, 6.0, None), (0.4, 0.2, 0.8)]
"""How often each decision's theme is said, by how often it was, with its interval; null: it is new."""

N_WEEKS = 12
PLACES = [
    ("all", "all", "all", 1),
    ("channel", "web", "all", 2),
    ("channel", "shop", "all", 3),
    ("all", "all", "reviews", 1),
    ("channel", "shop", "reviews", 3),
]
"""Segment and source of the cells of every theme, and which part of all documents they hold."""

SETTINGS = """
[store]
data_dir = "data"
min_authors = {min_authors}

[[sources]]
name = "reviews"
kind = "documents"
path = "reviews.csv"
language = "en"
columns = {{ id = "id", text = "text" }}
"""


class SmallStore:
    """A data_dir and its settings file; each generation is made once and copied from `shelf`."""

    def __init__(self, root: Path, shelf: Path):
        self.shelf = shelf
        self.data_dir = root / "data"
        self.published = self.data_dir / "published"
        self.config = root / "nightloom.toml"
        root.mkdir(exist_ok=True)
        self.set_min_authors(3)

    def set_min_authors(self, min_authors: int) -> None:
        self.config.write_text(SETTINGS.format(min_authors=min_authors))

    def build(
        self, as_of: date, *, n_documents: int = 60, has_decisions: bool = True, is_first: bool = False
    ) -> Entry:
        """Write and check a generation; nothing is published yet."""
        run = identity.run_id(as_of, 1)
        entry = Entry(f"{as_of.isoformat()}-{run[:8]}-1", run, 1, as_of)
        made = self.shelf / f"{entry.generation}-{n_documents}-{has_decisions}-{is_first}"
        if not made.exists():
            tables = tables_of(as_of, run, n_documents, has_decisions)
            tables["run"] = tables["run"].tail(1 if is_first else 2)
            check_generation(made, write_generation(made, Content(tables, {}), {"run_id": run}))
        shutil.copytree(made, self.published / entry.generation, copy_function=shutil.copyfile)
        return entry

    def publish(self, as_of: date, **what: Any) -> Entry:
        """Build a generation and move the pointer to it."""
        entry = self.build(as_of, **what)
        move_pointer(self.published, read_pointer(self.published).advanced_to(entry))
        return entry

    def point_at(self, entry: Entry) -> None:
        """Move the pointer to a built generation."""
        move_pointer(self.published, Pointer(entry))


def sentence(name: str, kind: str, as_of: date) -> str:
    """Sentence of a decision; names its night."""
    return f"{kind.capitalize()} “{name}” as of {as_of.isoformat()}."


def sentences(as_of: date) -> list[str]:
    """Sentences of a night's decisions, by rank."""
    return [sentence(name, kind, as_of) for name, kind, _ in STATEMENTS if kind]


def tables_of(as_of: date, run: str, n_documents: int, has_decisions: bool) -> dict[str, pl.DataFrame]:
    """Frames of every table; those that a page does not read are empty."""
    themes = [identity.theme_id(run, name) for name, _, _ in STATEMENTS]
    documents, opinions = _documents(as_of, run, n_documents)
    decisions, evidence = _decisions(as_of, run, n_documents, themes, opinions) if has_decisions else ([], [])
    briefs, citations = _briefs(as_of, run, themes, documents, opinions)
    rows = {
        "run": _runs(as_of, run, n_documents),
        "document": documents,
        "opinion": opinions,
        "decision": decisions,
        "decision_evidence": evidence,
        "brief": briefs,
        "brief_citation": citations,
        "trend": _trend(as_of, n_documents, themes),
        "theme": _themes(as_of, run, themes, opinions),
        "share": _shares(as_of, themes),
        "item": [
            {"item_id": f"i{n}", "title": f"Kettle {n}", "text": "", "n_documents": 30, "rating_share": 0.5}
            for n in range(2)
        ],
        "opinion_theme": [
            {"opinion_id": row["opinion_id"], "theme_id": themes[row["theme"]], "similarity": 0.9,
             "cause": "discovery", "run_id": run, "registry_version": 6, "event_id": None}
            for row in opinions
        ],
        "change": [
            {"theme_id": themes[1], "subject_kind": "all", "subject": "all", "kind": "falling",
             "since": as_of - timedelta(days=40), "ratio": 0.4, "ratio_low": 0.2, "ratio_high": 0.8,
             "rate_before": 9.0, "rate_after": 3.6, "exposure": "orders", "n_authors": 18, "q_value": 0.01,
             "other_themes": [], "sentence": f"“{STATEMENTS[1][0]}” is said 60 % less often."}
        ],
        "quality": [
            {"run_id": run, "metric": "n_tests", "value": 857.0, "n": 3, "about": "decision"},
            *({"run_id": run, "metric": metric, "value": value, "n": 60, "about": "head fitted on ratings"}
            for metric, value in (("sentiment_balanced_accuracy", 0.81), ("sentiment_macro_f1", 0.79),
                                  ("sentiment_majority_share", 0.62))),
        ],
        "ledger": [
            {"run_id": run, "stage": "embedding", "recipe": "e", "n_calls": 7, "n_answers": 7, "n_failed": 0,
             "n_input_tokens": 0, "n_output_tokens": 0, "usd": 0.0,
             "n_parts": 1, "engine": "openvino", "seconds": 0.4, "load_seconds": 2.0}
        ],
        "quarantine": [
            {"source": "reviews", "position": n, "reason": "no text", "row_hash": "h"} for n in (3, 9)
        ],
        "source": [
            {"source": "reviews", "kind": "documents", "uses": ["insight", "quote"],
             "n_documents": n_documents, "n_covered": n_documents - n_documents // 20,
             "last_day": as_of, "status": "ok", "since": None, "is_held": False,
             "sentence": "Source reviews delivers as expected."},
            {"source": "survey <b>", "kind": "documents", "uses": ["insight"], "n_documents": 0,
             "n_covered": 0, "last_day": as_of - timedelta(days=9), "status": "stopped",
             "since": as_of - timedelta(days=8), "is_held": True, "sentence": STOPPED},
        ],
        "source_day": [
            {"source": "reviews", "day": as_of - timedelta(days=n), "n_arrived": 3 + n % 4, "expected": 4.0,
             "expected_low": 1.0, "expected_high": 9.0, "status": "low" if n == 3 else "ok"}
            for n in range(30)
        ],
        "calendar_event": [
            {"name": "Summer sale", "kind": "promotion", "start": as_of - timedelta(days=9), "end": as_of,
             "sources": []}
        ],
        "document_edit": [
            {"document_id": documents[n]["document_id"], "edit": "redacted", "kind": "email", "n": 1}
            for n in range(0, len(documents), 2)
        ],
    }  # fmt: skip
    return {
        name: pl.DataFrame([[row[key] for key in table.columns] for row in rows.get(name, [])],
                           schema=table.columns, orient="row")
        for name, table in TABLES.items()
    }  # fmt: skip


def _documents(as_of: date, run: str, n_documents: int) -> tuple[Rows, Rows]:
    """Document n speaks of themes n and n + 1 (mod 6), in week n mod 12; every 20th is not analysed."""
    documents: Rows = []
    opinions: Rows = []
    for n in range(n_documents):
        title, spoken, is_analysed = f"Review {n}", [n % 6, (n + 1) % 6], n % 20 != 19
        text = f"{title}\n\nBought in May. " + " ".join(STATEMENTS[theme][2] for theme in spoken)
        document = identity.document_id("reviews", f"r-{n}")
        documents.append(
            {"document_id": document, "source": "reviews", "source_id": f"r-{n}", "item_id": f"i{n % 2}",
             "author": n, "created_at": datetime.combine(as_of, datetime.min.time(), UTC),
             "day": as_of - timedelta(days=7 * (n % N_WEEKS)), "rating": 1.0 + n % 5,
             "rating_share": (n % 5) / 4, "language": "en" if is_analysed else "de", "title": title,
             "text": text, "thread_id": None, "channel": "web", "question": None,
             "url": f"https://shop.example/r-{n}", "is_counted": True, "not_counted_reason": None,
             "repeat_of": None, "is_covered": is_analysed, "may_quote": n % 7 != 1,
             "segments": [{"name": "channel", "value": "web" if n % 3 else "shop"}],
             "text_hash": identity.hash_of(text), "is_analysed": is_analysed, "first_seen_run": run,
             "not_analysed_reason": None if is_analysed else "language de", "clean_recipe": "c"}
        )  # fmt: skip
        for theme in spoken if is_analysed else ():
            quote, is_bad = STATEMENTS[theme][2], theme in (0, 1, 3)
            opinions.append(
                {"opinion_id": identity.opinion_id(document, quote, 0), "document_id": document,
                 "start": text.index(quote), "end": text.index(quote) + len(quote), "nth": 0, "quote": quote,
                 "aspect": None, "said": None, "kind": "problem", "sentiment": -0.5 if is_bad else 0.5,
                 "sentiment_label": "negative" if is_bad else "positive", "opinion_recipe": "o",
                 "embedding_recipe": "e", "sentiment_recipe": "s", "theme": theme}
            )  # fmt: skip
    return documents, opinions


def _decisions(
    as_of: date, run: str, n_documents: int, themes: list[str], opinions: Rows
) -> tuple[Rows, Rows]:
    """The decisions, by rank, and three quotes under each."""
    decisions: Rows = []
    evidence: Rows = []
    for theme, (name, kind, _) in enumerate(STATEMENTS):
        if kind is None:
            continue
        rank = len(decisions) + 1
        identifier = identity.decision_id(kind, "all", themes[theme], 1)
        size, low, high = SIZES[rank - 1]
        decisions.append(
            {"decision_id": identifier, "rank": rank, "kind": kind, "subject": "all", "item_id": None,
             "segment": None, "theme_id": themes[theme], "other_themes": [], "episode": 1,
             "basis": "change", "finding": "new" if size is None else "rising", "outcome": None,
             "size": size, "size_low": low, "size_high": high, "rate_before": 3.0, "rate_after": 9.0,
             "exposure": "orders", "people_a_month": 12.0, "probability": 0.999,
             "certainty": "very likely" if rank == 1 else "likely", "score": 1 / rank,
             "since": as_of - timedelta(days=27), "window_start": as_of - timedelta(days=27),
             "window_end": as_of, "n_documents": n_documents // (3 + rank), "n_authors": 20 - rank,
             "n_unread": 3, "negative_share": 0.8, "positive_share": 0.2, "first_run": run,
             "sentence": sentence(name, kind, as_of), "action": "Check **it**.",
             "not_heard": "Not heard: 3 texts.", "change_of_mind": "Two weeks of silence."}
        )  # fmt: skip
        quotes = [row for row in opinions if row["theme"] == theme][:3]
        evidence += [
            {"decision_id": identifier, "rank": place, "opinion_id": row["opinion_id"],
             "voice": "dissent" if place == 3 else "representative", "document_id": row["document_id"]}
            for place, row in enumerate(quotes, start=1)
        ]  # fmt: skip
    return decisions, evidence


def _briefs(as_of: date, run: str, themes: list[str], documents: Rows, opinions: Rows) -> tuple[Rows, Rows]:
    """A brief of the night and one of each theme: figures, a quote and a model's sentence."""
    may_quote = {row["document_id"]: row["may_quote"] for row in documents}
    briefs: Rows = []
    citations: Rows = []
    subjects = [("night", "", 0), *(("theme", theme, nth) for nth, theme in enumerate(themes))]
    for kind, subject, about in subjects:
        spoken = [row for row in opinions if row["theme"] == about and may_quote[row["document_id"]]][:2]
        identifier = identity.brief_id(kind, subject)
        said = [
            ("figures", "figures", f"Figures of {as_of.isoformat()}.", 0),
            ("representative", "quote", spoken[0]["quote"], 1),
            ("dissent", "model", "Some **never** saw it <b>leak</b>.", 1),
        ]
        for nth, (voice, origin, text, n_cited) in enumerate(said):
            briefs.append(
                {"brief_id": identifier, "subject_kind": kind, "subject_id": subject, "nth": nth,
                 "voice": voice, "text": text, "origin": origin, "support": None, "n_citations": n_cited,
                 "sentence_key": None, "sentence_recipe": None, "made_run": run, "made_on": as_of,
                 "recipe": "b", "n_opinions": 9, "share": 0.1, "negative_share": 0.8}
            )  # fmt: skip
            citations += [
                {"brief_id": identifier, "nth": nth, "rank": 1, "opinion_id": row["opinion_id"],
                 "document_id": row["document_id"]}
                for row in spoken[:n_cited]
            ]  # fmt: skip
    return briefs, citations


def _trend(as_of: date, n_documents: int, themes: list[str]) -> Rows:
    """Shares of every theme by week, and in the last four: of all documents, by channel, and in the shop.

    The battery has two authors in one week. The shop has no figure of delivery in four weeks, though enough
    authors: it is hidden so that nobody finds those of the web by subtraction.
    """
    rows: Rows = []
    weeks = [(week, 1) for week in range(N_WEEKS)] + [(0, 4)]
    for theme, identifier in enumerate(themes):
        for name, value, source, part in PLACES:
            for week, n_weeks in weeks:
                covered = n_documents * n_weeks // part
                spoken = covered * (8 + 2 * theme + (N_WEEKS - week) * (theme + 1) % 5) // 40
                authors = 2 if (theme, week) == (0, 4) else spoken
                is_protecting = (theme, value, n_weeks) == (3, "shop", 4)
                rows.append(
                    {"theme_id": identifier, "segment_name": name, "segment_value": value, "source": source,
                     "window_start": as_of - timedelta(days=7 * (week + n_weeks) - 1),
                     "window_end": as_of - timedelta(days=7 * week), "n_authors": authors,
                     "is_shown": authors >= 2 and not is_protecting, "correction": "none",
                     "corrected_share": None, "corrected_low": None, "corrected_high": None,
                     **_share(spoken, covered)}
                )  # fmt: skip
    return rows


def _share(k: int, n: int) -> dict[str, Any]:
    """Share k of n with its Wilson interval."""
    centre, reach = k + 1.9208, 1.96 * (k * (n - k) / n + 0.9604) ** 0.5
    low, high = (centre - reach) / (n + 3.8416), (centre + reach) / (n + 3.8416)
    return {"n_documents": k, "n_covered": n, "share": k / n, "share_low": low, "share_high": high}


def _shares(as_of: date, themes: list[str]) -> Rows:
    """Shares of the last 13 weeks: of three themes, corrected by labels, by those of all, and not."""
    return [
        {"theme_id": identifier, "window_start": as_of - timedelta(days=90), "window_end": as_of,
         "n_labels": n_labels, "n_covered": 600, "n_authors": 90, "share_raw": 0.2,
         "share": share, "share_low": share - 0.03, "share_high": share + 0.03, "correction": correction,
         "right_share": None, "found_share": None}
        for identifier, correction, share, n_labels in zip(
            themes, ("labels", "pooled", "none"), (0.15, 0.16, 0.2), (60, 4, 0), strict=False
        )
    ]  # fmt: skip


def _themes(as_of: date, run: str, themes: list[str], opinions: Rows) -> Rows:
    """Themes by size; the last one, price, is the largest, and the battery the one with most authors."""
    typical = {row["theme"]: row["opinion_id"] for row in reversed(opinions)}
    return [
        {"theme_id": identifier, "level": "theme", "name": STATEMENTS[theme][0],
         "name_origin": "model" if theme == 2 else "keywords",
         "criterion": "says so", "keywords": ["a", "b"], "status": "active", "merged_into": None,
         "split_from": None, "is_own": False, "is_pinned": False, "parent_id": None,
         "radius": 0.5, "born_run": run, "born_on": as_of,
         "typical_opinion_id": typical[theme], "n_opinions": 30, "n_documents": 20 + theme,
         "n_authors": 20 - theme, "negative_share": 0.8, "positive_share": 0.2, "is_shown": True,
         "theme_recipe": "t"}
        for theme, identifier in enumerate(themes)
    ]  # fmt: skip


def _runs(as_of: date, run: str, n_documents: int) -> Rows:
    """The run of the night, and one a week before it."""
    earlier = as_of - timedelta(days=7)
    return [
        {"run_id": identifier, "as_of": day, "nth": 1, "n_documents": n_documents, "n_new": n_new,
         "n_changed": 0, "n_gone": 0, "n_waiting": 0, "n_quarantined": 2, "n_undated": 0,
         "n_not_analysed": n_documents // 20, "n_not_counted": 0,
         "n_waiting_to_be_read": 0, "model_calls": 7, "min_authors": 5, "degraded": [], "attempt": 1,
         "started_at": datetime(2018, 5, 25, tzinfo=UTC), "seconds": 12.5}
        for identifier, day, n_new in (
            (identity.run_id(earlier, 1), earlier, 9), (run, as_of, n_documents)
        )
    ]  # fmt: skip
