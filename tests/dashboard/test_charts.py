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


def test_an_interval_is_drawn_on_the_scale_it_is_given() -> None:
    estimate = pl.DataFrame({"share": [0.2], "share_low": [0.1], "share_high": [0.3]})
    spec = charts.chart_interval(estimate, 0.5).to_dict()
    assert [layer["encoding"]["x"]["field"] for layer in spec["layer"]] == ["share_low", "share"]
    assert {tuple(layer["encoding"]["x"]["scale"]["domain"]) for layer in spec["layer"]} == {(0, 0.5)}


def test_an_axis_holds_every_share_and_never_more_than_all() -> None:
    assert charts.axis_end(pl.Series([0.1, None, 0.5]), pl.Series([0.2])) == pytest.approx(0.54)
    assert charts.axis_end(pl.Series([0.99])) == 1.0
    assert charts.axis_end(pl.Series([], dtype=pl.Float64)) > 0
