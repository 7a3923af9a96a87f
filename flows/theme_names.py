"""Names of themes that are born tonight, as the language model proposes them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import polars as pl

from analytics.identity import hash_of, lake_key
from analytics.insight.naming import (
    MAX_NEW_TOKENS,
    choose_read,
    is_borne_out,
    name_recipe,
    propose_names,
)
from analytics.models.embedding import describe_model
from analytics.models.llm.loading import describe_language_model
from analytics.models.llm.structured import LONGER
from analytics.store.lake import Stage
from analytics.store.registry import ACTIVE, BY_MODEL, RETIRED, THEME
from flows.language import ask_checked, part_size
from flows.theme_book import Book
from flows.theme_changes import Statements


def name_born(book: Book, statements: Statements, events: Sequence[dict[str, Any]]) -> dict[str, int]:
    """Ask for a name for each theme that is born in these events, and take it where it may stand.

    A theme is asked about once, in the night of its birth; where no name stands, its keywords name it.

    Args:
        book: The night's.
        statements: Hold the founders.
        events: Of the night; the name is written into those of births.

    Returns:
        What the language model was asked, and how many names were taken and rejected.
    """
    night = book.night
    born = [one for one in events if one["kind"] == "born" and _may_be_named(one["content"])]
    if night.settings.themes.names != "model" or not born:
        return {}
    card = describe_language_model(night.settings.language_model)
    recipe = name_recipe(card, hash_of(describe_model(night.settings.embedding).recipe()))
    size = part_size(night, "theme_name", (1 + LONGER) * (card.max_input_tokens + MAX_NEW_TOKENS))
    stage = Stage("theme_name", recipe, part_size=size, calls_model=True)
    read = {str(event["theme_id"]): _read(book, statements, event["theme_id"]) for event in born}
    handle = ask_checked(night, stage, [some for some in read.values() if some], propose_names, "names")
    keys = {theme: lake_key(stage.recipe_id, some) for theme, some in read.items()}
    wanted = pl.DataFrame({"key": sorted(set(keys.values()))})
    answers = night.store.lake.read(stage.name, stage.recipe_id, wanted, ["name", "support"])
    proposed = {key: (name, support) for key, name, support in answers.iter_rows()}
    alive = book.registry.themes.filter(pl.col("status").is_in([ACTIVE, RETIRED]))
    names = dict(alive.select("theme_id", "name").iter_rows())
    n_named = 0
    for event in born:
        theme = str(event["theme_id"])
        name, support = proposed.get(keys[theme], (None, 0.0))
        others = [other for one, other in names.items() if one != theme]
        members = statements.under(book, theme).select("author", "quote")
        least = night.settings.store.min_authors
        if name and is_borne_out(name, support, members.iter_rows(), others, min_authors=least):
            event["content"] |= {"name": name, "name_origin": BY_MODEL}
            names[theme] = name
            n_named += 1
    book.see()
    n_answered = sum(key in proposed for key in keys.values())
    return {**handle.facts, "n_named": n_named, "n_names_rejected": n_answered - n_named}


def _may_be_named(content: dict[str, Any]) -> bool:
    return content["level"] == THEME and not content["is_own"]


def _read(book: Book, statements: Statements, theme: str) -> list[str]:
    members = statements.under(book, theme).filter("may_quote")
    quotes = members["quote"].to_list()
    rows = choose_read(statements.vectors_of(members), quotes, members["author"].to_list())
    return [quotes[row] for row in rows]
