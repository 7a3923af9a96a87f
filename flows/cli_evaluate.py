"""The commands that measure quality on files of one's own."""

from __future__ import annotations

import argparse
from collections.abc import Callable
from pathlib import Path
from typing import Any

from analytics.settings import Settings, load_settings
from flows.cli_values import count

Measured = tuple[dict[str, Any], list[str]]
"""What was measured, and the same for people."""


def add_evaluate(commands: Any, act: Callable[[argparse.Namespace], int]) -> None:
    """Add `evaluate` to the parser; `act` calls `measure` of the parsed arguments and prints."""
    evaluate = commands.add_parser("evaluate", help="measure quality on a file of your own; stores nothing")
    what = evaluate.add_subparsers(dest="evaluated", required=True, metavar="WHAT")
    evaluate.set_defaults(act=act)
    themes = what.add_parser("themes", help="how well and how steadily themes are found in its texts")
    themes.add_argument("--config", type=Path, default=Path("nightloom.toml"), help="settings file")
    themes.add_argument("--data", type=Path, required=True, metavar="FILE", help="Parquet, CSV or JSON Lines")
    themes.add_argument("--text", required=True, metavar="COLUMN", help="its column of texts")
    themes.add_argument("--label", metavar="COLUMN", help="its column of labels, which only the measures see")
    themes.add_argument(
        "--granularity", choices=("coarse", "medium", "fine"), help="instead of the settings'"
    )
    themes.add_argument("--seed", type=count, help="instead of the store's")
    themes.add_argument("--json", action="store_true", help="print JSON instead of text")
    themes.set_defaults(measure=_themes)
    extraction = what.add_parser(
        "extraction", help="whether aspects, and what is said of them, are found in marked sentences"
    )
    extraction.add_argument(
        "--data", type=Path, required=True, metavar="FILE", help="Parquet or JSON Lines: text, labels"
    )
    extraction.add_argument(
        "--sentences", type=int, default=300, help="that the language model reads; 0 leaves its path out"
    )
    extraction.add_argument("--config", type=Path, default=Path("nightloom.toml"), metavar="FILE")
    extraction.add_argument("--json", action="store_true", help="print JSON instead of text")
    extraction.set_defaults(measure=_extraction)
    briefs = what.add_parser("briefs", help="how near briefs come to summaries that people wrote")
    briefs.add_argument(
        "--data", type=Path, required=True, metavar="FILE", help="Parquet or JSON Lines: reviews, summaries"
    )
    briefs.add_argument("--no-model", action="store_true", help="leave the language model out")
    briefs.add_argument("--config", type=Path, default=Path("nightloom.toml"), metavar="FILE")
    briefs.add_argument("--json", action="store_true", help="print JSON instead of text")
    briefs.set_defaults(measure=_briefs)
    recommendations = what.add_parser(
        "recommendations", help="how well what customers take is foreseen, beside each generator alone"
    )
    recommendations.add_argument(
        "--interactions",
        type=Path,
        required=True,
        metavar="FILE",
        help="Parquet, CSV or JSON Lines: user_id, item_id, created_at or position, rating",
    )
    recommendations.add_argument("--items", type=Path, metavar="FILE", help="item_id and columns of text")
    recommendations.add_argument(
        "--documents", type=Path, metavar="FILE", help="item_id, text, created_at; read up to the cut"
    )
    recommendations.add_argument(
        "--protocol",
        choices=("temporal", "leave-one-out"),
        default="temporal",
        help="foresee the last tenth of the events by time, or each customer's last item",
    )
    recommendations.add_argument(
        "--no-embedding", action="store_true", help="read texts by their words alone"
    )
    recommendations.add_argument("--seed", type=count, help="instead of the store's")
    recommendations.add_argument("--config", type=Path, default=Path("nightloom.toml"), metavar="FILE")
    recommendations.add_argument("--json", action="store_true", help="print JSON instead of text")
    recommendations.set_defaults(measure=_recommendations)


def _recommendations(arguments: argparse.Namespace) -> Measured:
    from flows.evaluate_recommendations import as_lines, evaluate_recommendations

    settings = (
        load_settings(arguments.config) if arguments.config.exists() else Settings.model_construct(sources=())
    )
    result = evaluate_recommendations(
        settings,
        arguments.interactions,
        arguments.items,
        arguments.documents,
        protocol=arguments.protocol,
        has_embedding=not arguments.no_embedding,
        seed=arguments.seed,
    )
    return result, as_lines(result)


def _extraction(arguments: argparse.Namespace) -> Measured:
    from flows.evaluate_extraction import as_lines, evaluate_extraction_of

    settings = load_settings(arguments.config)
    result = evaluate_extraction_of(settings, arguments.data, n_for_model=arguments.sentences)
    return result, as_lines(result)


def _briefs(arguments: argparse.Namespace) -> Measured:
    from flows.evaluate_briefs import as_lines, evaluate_briefs_of

    settings = load_settings(arguments.config)
    result = evaluate_briefs_of(settings, arguments.data, has_model=not arguments.no_model)
    return result, as_lines(result)


def _themes(arguments: argparse.Namespace) -> Measured:
    from flows.evaluate import as_lines, evaluate_themes

    settings = (
        load_settings(arguments.config) if arguments.config.exists() else Settings.model_construct(sources=())
    )
    result = evaluate_themes(
        settings,
        arguments.data,
        arguments.text,
        arguments.label,
        granularity=arguments.granularity or settings.themes.granularity,
        seed=arguments.seed,
    )
    return result, as_lines(result)
