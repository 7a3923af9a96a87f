"""Charts draw what the frame says: gaps stay gaps, and a single week is still seen."""

from datetime import date, timedelta

import polars as pl
import pytest

from dashboard import charts


def weeks(shares: list[float | None]) -> pl.DataFrame:
    ends = [date(2018, 5, 24) - timedelta(days=7 * n) for n in reversed(range(len(shares)))]
    return pl.DataFrame(
        {
            "window_start": [end - timedelta(days=6) for end in ends],
            "window_end": ends,
            "n_documents": [None if share is None else 10 for share in shares],
            "n_covered": [100] * len(shares),
            "share": shares,
            "share_low": [None if share is None else share - 0.05 for share in shares],
            "share_high": [None if share is None else share + 0.05 for share in shares],
        },
        schema_overrides={name: pl.Float64 for name in ("share", "share_low", "share_high")},
    )


def drawn(spec: dict, kind: str) -> list[list[dict]]:
    """Rows that the layers of one kind of mark draw."""
    layers = [layer for layer in spec["layer"] if layer["mark"]["type"] == kind]
    return [spec["datasets"][(layer.get("data") or spec["data"])["name"]] for layer in layers]


def test_a_week_between_two_gaps_has_a_whisker_and_others_a_band() -> None:
    spec = charts.chart_weeks(weeks([0.2, 0.3, None, 0.4, None])).to_dict()
    assert [row["share"] for row in drawn(spec, "rule")[0]] == [0.4]
    assert [row["share"] for row in drawn(spec, "point")[0]] == [0.2, 0.3, 0.4]
    assert [row["share"] for row in drawn(spec, "area")[0]] == [0.2, 0.3, None, 0.4, None]
    assert {layer["mark"].get("invalid") for layer in spec["layer"]} == {
        None,
        "break-paths-show-path-domains",
    }


def test_a_segment_is_drawn_before_all_documents() -> None:
    spec = charts.chart_weeks(weeks([0.2, 0.3]), weeks([0.5, 0.6])).to_dict()
    quiet, accent = drawn(spec, "line")
    assert [row["share"] for row in quiet] == [0.5, 0.6]
    assert [row["share"] for row in accent] == [0.2, 0.3]
    assert spec["layer"][0]["mark"]["color"] == charts.QUIET
    assert spec["layer"][1]["encoding"]["y"]["scale"]["domain"] == pytest.approx([0, 0.702])


@pytest.mark.parametrize(("none", "is_ratio"), [(1.0, True), (0.0, False)])
def test_a_size_is_drawn_beside_no_effect(none: float, is_ratio: bool) -> None:
    size = pl.DataFrame({"size": [3.0], "size_low": [1.5], "size_high": [9.0]})
    spec = charts.chart_size(size, none=none, is_ratio=is_ratio).to_dict()
    (row,) = next(iter(spec["datasets"].values()))
    assert (row["size"], row["size_low"], row["size_high"], row["none"]) == (3.0, 1.5, 9.0, none)
    scale = spec["layer"][0]["encoding"]["x"]["scale"]
    assert scale["domain"][0] < none
    assert scale["domain"][1] > 9.0
    assert scale["type"] == ("log" if is_ratio else "linear")


def test_an_axis_holds_every_share_and_never_more_than_all() -> None:
    assert charts.axis_end(pl.Series([0.1, None, 0.5]), pl.Series([0.2])) == pytest.approx(0.54)
    assert charts.axis_end(pl.Series([0.99])) == 1.0
    assert charts.axis_end(pl.Series([], dtype=pl.Float64)) > 0


def test_events_are_bands_within_the_weeks() -> None:
    shown = weeks([0.2, 0.3, 0.4])
    first, last = shown["window_start"].min(), shown["window_end"].max()
    assert isinstance(first, date)
    assert isinstance(last, date)
    events = pl.DataFrame(
        {
            "name": ["sale", "long ago"],
            "kind": ["promotion", "launch"],
            "start": [first - timedelta(days=3), first - timedelta(days=90)],
            "end": [first + timedelta(days=2), first - timedelta(days=80)],
        }
    )
    (bands,) = drawn(charts.chart_weeks(shown, None, events).to_dict(), "rect")
    assert [(row["name"], row["start"], row["end"]) for row in bands] == [
        ("sale", f"{first}T00:00:00", f"{first + timedelta(days=2)}T00:00:00")
    ]
    assert drawn(charts.chart_weeks(shown, None, events.tail(1)).to_dict(), "rect") == []
