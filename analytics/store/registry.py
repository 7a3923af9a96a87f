"""The theme registry: what its events add up to. Replaying the events that count gives it as of any night."""

from __future__ import annotations

import base64
import json
from typing import Any

import numpy as np
import polars as pl

REGISTRY_ROWS: dict[str, pl.DataType | type[pl.DataType]] = {
    "theme_id": pl.String,
    "name": pl.String,
    "keywords": pl.List(pl.String),
    "status": pl.String,  # active | merged | split | retired
    "parent_id": pl.String,
    "radius": pl.Float64,
    "centroid": pl.List(pl.Float32),
    "typical_opinion_id": pl.String,
    "born_run": pl.String,
    "embedding_recipe": pl.String,
    "theme_recipe": pl.String,
}


def pack_vector(vector: np.ndarray) -> str:
    """A float32 vector as text, for an event's content."""
    return base64.b64encode(np.asarray(vector, dtype="<f4").tobytes()).decode("ascii")


def unpack_vector(text: str) -> np.ndarray:
    """The float32 vector that `pack_vector` wrote."""
    return np.frombuffer(base64.b64decode(text), dtype="<f4")


def born_event(
    theme: dict[str, Any], *, cause: str, embedding_recipe: str, theme_recipe: str
) -> dict[str, Any]:
    """The event by which a theme enters the registry.

    Args:
        theme: theme_id, name, keywords, centroid, radius, typical_opinion_id.
        cause: Why: "discovery".
        embedding_recipe: Recipe of the vectors that the centroid was made of.
        theme_recipe: Recipe of the discovery.
    """
    content = {
        "name": theme["name"],
        "keywords": list(theme["keywords"]),
        "centroid": pack_vector(np.asarray(theme["centroid"], dtype=np.float32)),
        "radius": theme["radius"],
        "typical_opinion_id": theme["typical_opinion_id"],
        "cause": cause,
        "embedding_recipe": embedding_recipe,
        "theme_recipe": theme_recipe,
    }
    return {"kind": "born", "theme_id": theme["theme_id"], "content": content}


def replay(events: pl.DataFrame) -> pl.DataFrame:
    """The registry after the given events, in their order: columns of REGISTRY_ROWS, sorted by theme_id.

    Args:
        events: As `State.theme_events` returns them.
    """
    themes: dict[str, dict[str, Any]] = {}
    for event in events.iter_rows(named=True):
        content = json.loads(event["content"])
        if event["kind"] == "born":
            themes[event["theme_id"]] = {
                "theme_id": event["theme_id"],
                "name": content["name"],
                "keywords": content["keywords"],
                "status": "active",
                "parent_id": None,
                "radius": content["radius"],
                "centroid": unpack_vector(content["centroid"]).tolist(),
                "typical_opinion_id": content.get("typical_opinion_id"),
                "born_run": event["run_id"],
                "embedding_recipe": content["embedding_recipe"],
                "theme_recipe": content["theme_recipe"],
            }
        elif event["theme_id"] in themes:
            theme = themes[event["theme_id"]]
            if event["kind"] == "renamed":
                theme["name"] = content["name"]
            else:
                theme["status"] = "active" if event["kind"] == "revived" else event["kind"]
    return pl.DataFrame(list(themes.values()), schema=REGISTRY_ROWS).sort("theme_id")
