from __future__ import annotations

from datetime import UTC, date, datetime

import polars as pl

from analytics.rows import ARRIVAL_ROWS, PLACEMENT_ROWS
from analytics.store.journal import Attempt, Journal
from analytics.store.placement import Placement

FIRST, SECOND = Attempt("r1", 1), Attempt("r2", 1)


def arrivals(*rows, kind="documents"):
    columns = [(kind, "reviews", *row) for row in rows]
    return pl.DataFrame(columns, schema=ARRIVAL_ROWS, orient="row")


def test_what_is_live_follows_from_arrivals_changes_and_disappearances(tmp_path):
    journal = Journal(tmp_path)
    journal.write("arrival", FIRST, arrivals(("d1", "k1", "new"), ("d2", "k2", "new"), ("d3", "k3", "new")))
    journal.write(
        "arrival", SECOND, arrivals(("d2", "k2b", "changed"), ("d3", None, "gone"), ("d4", "k4", "new"))
    )
    live = journal.live("documents", [FIRST, SECOND])
    assert live.select("id", "key", "first_seen_run").rows() == [
        ("d1", "k1", "r1"), ("d2", "k2b", "r1"), ("d4", "k4", "r2"),
    ]  # fmt: skip
    assert journal.live("documents", [FIRST])["id"].to_list() == ["d1", "d2", "d3"]
    assert journal.live("items", [FIRST, SECOND]).is_empty()


def test_only_the_attempt_that_is_asked_for_counts(tmp_path):
    journal = Journal(tmp_path)
    journal.write("arrival", Attempt("r1", 1), arrivals(("d1", "k1", "new")))
    journal.write("arrival", Attempt("r1", 2), arrivals(("d2", "k2", "new")))
    assert journal.live("documents", [Attempt("r1", 2)])["id"].to_list() == ["d2"]


def test_attempts_are_counted_by_run_and_by_night(tmp_path):
    journal = Journal(tmp_path)
    assert journal.last_attempt("r1") == 0
    for attempt, minute in ((Attempt("r1", 1), 0), (Attempt("r1", 2), 5), (Attempt("r2", 1), 9)):
        row = {
            "run_id": attempt.run_id,
            "attempt": attempt.attempt,
            "as_of": date(2026, 6, 30),
            "nth": 1,
            "state_sequence": 0,
            "is_limited": False,
            "started_at": datetime(2026, 7, 1, 2, minute, tzinfo=UTC),
        }
        journal.write("attempt", attempt, pl.DataFrame([row]))
    assert journal.last_attempt("r1") == 2
    assert journal.runs_of(date(2026, 6, 30)) == 2
    assert journal.runs_of(date(2026, 7, 1)) == 0
    assert journal.attempts()["run_id"].to_list() == ["r1", "r1", "r2"]


def test_rows_of_a_person_are_dropped_from_every_attempt(tmp_path):
    journal = Journal(tmp_path)
    journal.write("arrival", FIRST, arrivals(("d1", "k1", "new"), ("d2", "k2", "new")))
    journal.write("arrival", SECOND, arrivals(("d1", "k1b", "changed")))
    assert journal.drop_rows("arrival", "id", ["d1"]) == 2
    assert journal.live("documents", [FIRST, SECOND])["id"].to_list() == ["d2"]


def test_placements_are_appended_read_by_attempt_and_dropped_by_opinion(tmp_path):
    def placed(*opinions):
        rows = [(opinion, "t1", 0.7, True, 1, "r", "placed", None) for opinion in opinions]
        return pl.DataFrame(rows, schema=PLACEMENT_ROWS, orient="row")

    log = Placement(tmp_path)
    log.append(FIRST, placed("o2", "o1"))
    log.append(SECOND, placed("o3"))
    assert log.read([FIRST, SECOND])["opinion_id"].to_list() == ["o1", "o2", "o3"]
    assert log.read([SECOND])["opinion_id"].to_list() == ["o3"]
    assert log.drop_opinions(["o1", "o3"]) == 2
    assert log.read([FIRST, SECOND])["opinion_id"].to_list() == ["o2"]
