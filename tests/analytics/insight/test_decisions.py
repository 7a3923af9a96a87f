"""Decisions: ranked by size, tone and change, with evidence of their kind, in episodes of the journal."""

from datetime import date, timedelta

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from analytics import identity
from analytics.insight.decisions import NOT_ENOUGH, Ranked, rank_decisions
from analytics.insight.shares import newcombe_difference, wilson
from analytics.rows import EPISODE_ROWS, JOURNAL_ROWS
from analytics.settings import DecisionSettings

AS_OF = date(2018, 6, 20)
NO_EPISODES = pl.DataFrame(schema=EPISODE_ROWS)
SETTINGS = DecisionSettings(recent_days=10, max_decisions=3, max_quotes=2)


class Store:
    """Documents and statements added one by one; each document by an author of its own unless told."""

    def __init__(self) -> None:
        self.documents: list[tuple[str, date | None, int | None, bool]] = []
        self.opinions: list[tuple[str, str, str, str, str, float]] = []
        self.unquotable: list[str] = []

    def document(self, days_ago: int | None = 0, *, author: int | None = -1, covered: bool = True) -> str:
        name = f"d{len(self.documents):04d}"
        day = None if days_ago is None else AS_OF - timedelta(days=days_ago)
        self.documents.append((name, day, len(self.documents) if author == -1 else author, covered))
        return name

    def say(
        self, theme: str, label: str, quote: str = "", similarity: float = 0.5, **document: object
    ) -> str:
        opinion = f"o{len(self.opinions):04d}"
        text = quote or f"Number {len(self.opinions)} is what it is."
        name = self.document(**document)  # type: ignore[arg-type]
        self.opinions.append((opinion, name, label, text, theme, similarity))
        return opinion

    def fill(self, n: int, days_ago: int | None = 0) -> "Store":
        for _ in range(n):
            self.document(days_ago)
        return self

    def frames(self) -> tuple[pl.DataFrame, pl.DataFrame, pl.DataFrame, pl.DataFrame]:
        documents = pl.DataFrame(
            self.documents,
            schema={"document_id": pl.String, "day": pl.Date, "author": pl.Int32, "is_covered": pl.Boolean},
            orient="row",
        ).with_columns(may_quote=~pl.col("document_id").is_in(self.unquotable))
        rows = pl.DataFrame(
            self.opinions,
            schema={
                "opinion_id": pl.String,
                "document_id": pl.String,
                "sentiment_label": pl.String,
                "quote": pl.String,
                "theme_id": pl.String,
                "similarity": pl.Float64,
            },
            orient="row",
        )
        themes = rows.select("theme_id").unique()
        return themes, rows.drop("theme_id", "similarity"), rows, documents

    def rank(
        self, settings: DecisionSettings = SETTINGS, earlier: pl.DataFrame = NO_EPISODES, run_id: str = "run1"
    ) -> Ranked:
        return rank_decisions(
            *self.frames(), settings, as_of=AS_OF, min_authors=3, run_id=run_id, earlier=earlier
        )


def three_kinds() -> Store:
    store = Store()
    for label in ("negative", "negative", "neutral", "positive"):
        store.say("broken", label)
    for label in ("positive", "positive", "positive", "neutral"):
        store.say("loved", label)
    for label in ("negative", "positive", "neutral", "neutral"):
        store.say("mixed", label)
    return store.fill(28).fill(40, days_ago=10)


def test_figures_by_hand() -> None:
    ranked = three_kinds().rank()
    assert ranked.decisions.schema == pl.Schema(JOURNAL_ROWS["decision"])
    assert ranked.evidence.schema == pl.Schema(JOURNAL_ROWS["decision_evidence"])
    row = ranked.decisions.row(by_predicate=pl.col("theme_id") == "broken", named=True)
    low, high = wilson(4, 40)
    change, change_low, change_high = newcombe_difference(4, 40, 0, 40)
    assert row == {
        "decision_id": identity.decision_id("fix", "all", "broken", 1),
        "rank": 1,
        "kind": "fix",
        "subject": "all",
        "theme_id": "broken",
        "episode": 1,
        "score": round(round(float(low), 6) * 0.75, 6),  # half of it negative, and no sure growth
        "window_start": AS_OF - timedelta(days=9),
        "window_end": AS_OF,
        "n_documents": 4,
        "n_covered": 40,
        "n_authors": 4,
        "share": 0.1,
        "share_low": round(float(low), 6),
        "share_high": round(float(high), 6),
        "negative_share": 0.5,
        "positive_share": 0.25,
        "change": round(float(change), 6),
        "change_low": round(float(change_low), 6),
        "change_high": round(float(change_high), 6),
        "evidence": "enough",
        "first_run": "run1",
    }


def test_kinds_and_ranks() -> None:
    rows = three_kinds().rank().decisions.sort("rank").select("rank", "kind", "theme_id").rows()
    assert rows == [(1, "fix", "broken"), (2, "watch", "mixed"), (3, "keep", "loved")]


SIZES, COUNTS, BEFORE = st.integers(3, 20), st.integers(0, 20), st.integers(0, 10)


@settings(max_examples=30, deadline=None)
@given(SIZES, SIZES, COUNTS, COUNTS, BEFORE, BEFORE)
def test_score_never_falls_with_size_complaint_or_growth(
    n: int, m: int, negative: int, other: int, before: int, later: int
) -> None:
    def score(size: int, complaints: int, earlier: int) -> float:
        store = Store()
        for nth in range(size):
            store.say("t", "negative" if nth < complaints else "neutral")
        for _ in range(earlier):
            store.say("t", "neutral", days_ago=10)
        ranked = store.fill(40 - size).fill(40 - earlier, days_ago=10).rank()
        return float(ranked.decisions["score"][0])

    small, large = sorted((n, m))
    few, many = sorted((min(negative, small), min(other, small)))
    assert score(small, 0, before) <= score(large, 0, before)
    assert score(small, few, before) <= score(small, many, before)
    assert score(small, few, max(before, later)) <= score(small, few, min(before, later))


def test_sure_growth_adds_to_the_score() -> None:
    store = Store()
    for _ in range(20):
        store.say("t", "positive")
    row = store.fill(20).fill(40, days_ago=10).rank().decisions.row(0, named=True)
    assert row["change"] == 0.5
    assert row["change_low"] > 0.3
    assert row["score"] == pytest.approx(row["share_low"] * 0.25 + row["change_low"], abs=1e-6)


def test_ranks_are_one_to_k_and_equals_go_by_theme() -> None:
    store = Store()
    for theme in ("c", "a", "d", "b"):
        for _ in range(3):
            store.say(theme, "neutral")
    decisions = store.fill(30).rank().decisions.sort("rank")
    assert decisions.select("rank", "theme_id").rows() == [(1, "a"), (2, "b"), (3, "c")]


def test_without_a_window_before_there_is_no_change() -> None:
    store = three_kinds()
    store.documents = [row for row in store.documents if row[1] == AS_OF] + store.documents[-29:]
    decisions = store.rank().decisions
    assert set(decisions["evidence"]) == {NOT_ENOUGH}
    assert decisions["change"].null_count() == decisions["change_low"].null_count() == 3
    assert decisions["window_start"][0] == AS_OF - timedelta(days=9)


def test_a_thin_recent_window_gives_way_to_the_whole_history_and_that_to_all_documents() -> None:
    store = Store()
    for _ in range(3):
        store.say("t", "negative", days_ago=300)
    row = store.fill(20).fill(9, days_ago=100).rank().decisions.row(0, named=True)
    assert (row["window_start"], row["window_end"]) == (AS_OF - timedelta(days=300), AS_OF)
    assert (row["n_documents"], row["n_covered"], row["evidence"]) == (3, 32, NOT_ENOUGH)
    assert row["score"] == pytest.approx(row["share_low"] * 1.25, abs=1e-6)
    undated = Store()
    for _ in range(3):
        undated.say("t", "negative", days_ago=None)
    row = undated.fill(29).rank().decisions.row(0, named=True)
    assert (row["window_start"], row["window_end"]) == (None, None)
    assert (row["n_documents"], row["n_covered"], row["evidence"]) == (3, 32, NOT_ENOUGH)


def test_later_uncovered_and_undated_documents_do_not_count() -> None:
    store = Store()
    for _ in range(3):
        store.say("t", "negative")
    store.say("t", "negative", days_ago=-1)
    store.say("t", "negative", days_ago=None)
    store.say("t", "negative", covered=False)
    row = store.fill(30).rank().decisions.row(0, named=True)
    assert (row["n_documents"], row["n_covered"]) == (3, 33)


@pytest.mark.parametrize(("authors", "n_decisions"), [((1, 2, 3), 1), ((1, 1, 2), 0), ((1, None, None), 0)])
def test_a_decision_needs_enough_distinct_authors(authors: tuple[int | None, ...], n_decisions: int) -> None:
    store = Store()
    for author in authors:
        store.say("t", "negative", author=author)
    ranked = store.fill(30).rank()
    assert ranked.decisions.height == n_decisions
    assert ranked.episodes.height == n_decisions


def test_only_the_themes_given_are_looked_at() -> None:
    themes, *others = three_kinds().frames()
    ranked = rank_decisions(
        themes.filter(pl.col("theme_id") == "loved"),
        *others, SETTINGS, as_of=AS_OF, min_authors=3, run_id="r", earlier=NO_EPISODES,
    )  # fmt: skip
    assert ranked.decisions["theme_id"].to_list() == ["loved"]


def test_evidence_fits_the_kind_and_comes_from_distinct_authors_most_typical_first() -> None:
    store = Store()
    store.say("t", "positive", similarity=0.99)
    store.say("t", "negative", "Too short this.", similarity=0.98)
    store.say("t", "negative", "word " * 41, similarity=0.97)
    second = store.say("t", "negative", similarity=0.7, author=7)
    first = store.say("t", "negative", similarity=0.8, author=8)
    store.say("t", "negative", similarity=0.6, author=8)
    store.say("t", "negative", "number 4 is what it is", similarity=0.75)  # the words of the first
    third = store.say("t", "negative", similarity=0.6, author=None)
    store.say("t", "negative", similarity=0.6, author=None)
    store.say("t", "negative", similarity=0.95, days_ago=20)
    ranked = store.fill(30).rank(SETTINGS.model_copy(update={"max_quotes": 5}))
    decision = ranked.decisions["decision_id"][0]
    assert ranked.evidence.select("decision_id", "rank", "opinion_id").rows() == [
        (decision, 1, first),
        (decision, 2, second),
        (decision, 3, third),
    ]
    assert store.rank().evidence["opinion_id"].to_list() == [first, second]


def test_a_theme_without_a_quote_to_show_makes_no_decision() -> None:
    store = Store()
    for _ in range(4):
        store.say("t", "negative", "So bad.")
    assert store.fill(30).rank().decisions.is_empty()


def test_episodes_go_on_end_and_begin_again() -> None:
    store, calm = three_kinds(), three_kinds()
    calm.opinions = [row for row in calm.opinions if row[4] != "broken"]
    first = store.rank(run_id="run1")
    on = store.rank(earlier=first.episodes, run_id="run2")
    assert on.decisions.equals(first.decisions)
    assert on.episodes.equals(first.episodes)
    ended = calm.rank(earlier=on.episodes, run_id="run3")
    closed = ended.episodes.row(by_predicate=pl.col("theme_id") == "broken", named=True)
    assert (closed["is_open"], closed["episode"], closed["first_run"]) == (False, 1, "run1")
    again = store.rank(earlier=ended.episodes, run_id="run4")
    row = again.decisions.row(by_predicate=pl.col("theme_id") == "broken", named=True)
    assert (row["episode"], row["first_run"]) == (2, "run4")
    assert row["decision_id"] == identity.decision_id("fix", "all", "broken", 2)
    episodes = again.episodes.select("theme_id", "episode", "is_open").rows()
    assert episodes == [("broken", 1, False), ("broken", 2, True), ("loved", 1, True), ("mixed", 1, True)]
    assert store.rank(earlier=again.episodes.reverse(), run_id="run5").episodes.equals(again.episodes)


def test_an_episode_goes_on_below_the_last_rank_but_does_not_begin_there() -> None:
    one = SETTINGS.model_copy(update={"max_decisions": 1})
    store = three_kinds()
    listed = store.rank()
    shorter = store.rank(one, earlier=listed.episodes, run_id="run2")
    assert shorter.decisions.height == 1
    assert shorter.episodes.equals(listed.episodes)
    assert store.rank(one).episodes["theme_id"].to_list() == ["broken"]


def test_ranking_does_not_depend_on_the_order_of_rows() -> None:
    store = three_kinds()
    ranked = store.rank()
    themes, opinions, opinion_theme, documents = (frame.reverse() for frame in store.frames())
    turned = rank_decisions(
        themes, opinions, opinion_theme, documents, SETTINGS,
        as_of=AS_OF, min_authors=3, run_id="run1", earlier=NO_EPISODES,
    )  # fmt: skip
    assert turned.decisions.equals(ranked.decisions)
    assert turned.evidence.equals(ranked.evidence)
    assert turned.episodes.equals(ranked.episodes)


def test_an_empty_store_has_no_decisions() -> None:
    ranked = Store().rank()
    assert ranked.decisions.is_empty()
    assert ranked.evidence.is_empty()
    assert ranked.episodes.equals(NO_EPISODES)


def test_what_may_be_quoted_stands_before_what_may_not() -> None:
    store = Store().fill(40)
    for n in range(4):
        store.say("t", "negative", f"The lid leaks at number {n}.", similarity=0.9 - n / 10)
    store.unquotable = [store.opinions[0][1]]
    assert store.rank().evidence["opinion_id"].to_list() == ["o0001", "o0002"]


def test_a_quote_with_a_word_that_one_author_alone_uses_is_no_evidence() -> None:
    store = Store().fill(40)
    planted = store.say("t", "negative", "The lid leaks, tell everyone about zqcanary.", similarity=0.99)
    for n in range(4):
        store.say("t", "negative", f"The lid leaks at number {n}.", similarity=0.9 - n / 10)
    ranked = store.rank(SETTINGS.model_copy(update={"max_quotes": 5}))
    assert planted not in ranked.evidence["opinion_id"].to_list()
    assert ranked.evidence.height == 4
