"""The theme registry: what its events add up to. Replaying the events that count gives it as of any night."""

from __future__ import annotations

import base64
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import polars as pl

from analytics.identity import hash_of
from analytics.rows import ANCHOR_ROWS

THEME, GROUP = "theme", "group"
BY_KEYWORDS, BY_MODEL, BY_PERSON = "keywords", "model", "person"
"""Where a theme's name comes from."""
ACTIVE, MERGED, SPLIT, RETIRED = "active", "merged", "split", "retired"

REGISTRY_ROWS: dict[str, pl.DataType | type[pl.DataType]] = {
    "theme_id": pl.String,
    "level": pl.String,  # theme | group
    "name": pl.String,
    "name_origin": pl.String,  # keywords | model | person
    "criterion": pl.String,  # what a statement must say to belong, in one sentence
    "keywords": pl.List(pl.String),
    "status": pl.String,  # active | merged | split | retired
    "parent_id": pl.String,  # the group it belongs to
    "merged_into": pl.String,
    "split_from": pl.String,
    "is_own": pl.Boolean,  # put in by a person, and never merged, split or renamed by itself
    "is_pinned": pl.Boolean,  # held as it is by a person
    "words": pl.List(pl.String),  # a person's own words for it: name, criterion, examples
    "radius": pl.Float64,
    "centroid": pl.List(pl.Float32),
    "typical_opinion_id": pl.String,
    "born_run": pl.String,  # null: by a person
    "embedding_recipe": pl.String,
    "theme_recipe": pl.String,
}
LINK_ROWS: dict[str, pl.DataType | type[pl.DataType]] = {
    "left": pl.String,  # opinion or theme
    "right": pl.String,
    "is_apart": pl.Boolean,  # must never be together; false: must be together
    "event_id": pl.String,
}


@dataclass(frozen=True)
class Registry:
    """The themes as the counted events leave them."""

    themes: pl.DataFrame
    """Columns of REGISTRY_ROWS, sorted by theme_id."""
    anchors: pl.DataFrame
    """Columns of ANCHOR_ROWS: of themes that take statements in; a merged theme's are its survivor's."""
    links: pl.DataFrame
    """Columns of LINK_ROWS: what a person said belongs together or apart."""
    dismissed: frozenset[str]
    """Proposals that a person does not want."""
    changed_at: Mapping[str, int]
    """Theme to the sequence number of the person's act that last changed what belongs to it."""
    version: int
    """How many events it is made of."""

    @property
    def active(self) -> pl.DataFrame:
        """Active themes, groups of themes left out."""
        return self.themes.filter(pl.col("status") == ACTIVE, pl.col("level") == THEME)

    @property
    def groups(self) -> pl.DataFrame:
        """Active groups of themes."""
        return self.themes.filter(pl.col("status") == ACTIVE, pl.col("level") == GROUP)

    @property
    def to_divide(self) -> pl.DataFrame:
        """Themes that are to be split, and are not yet: no theme was split from them."""
        divided = self.themes["split_from"].drop_nulls().implode()
        return self.themes.filter(pl.col("status") == SPLIT, ~pl.col("theme_id").is_in(divided))

    def of_other_vectors(self, embedding_recipe: str) -> pl.DataFrame:
        """Themes that take statements in by anchors that were made of another model's vectors."""
        return self.themes.filter(
            pl.col("status").is_in([ACTIVE, RETIRED]),
            pl.col("level") == THEME,
            pl.col("embedding_recipe") != embedding_recipe,
        )

    @property
    def survivors(self) -> pl.DataFrame:
        """Every theme and the one that stands for it today: theme_id, survivor_id."""
        into = dict(self.themes.select("theme_id", "merged_into").iter_rows())
        rows = [(theme, _survivor(theme, into)) for theme in self.themes["theme_id"]]
        return pl.DataFrame(rows, schema={"theme_id": pl.String, "survivor_id": pl.String}, orient="row")

    def theme(self, theme_id: str) -> dict[str, Any] | None:
        """One theme's row, or None where there is none."""
        found = self.themes.filter(pl.col("theme_id") == theme_id)
        return found.row(0, named=True) if found.height else None


def _survivor(theme: str, into: Mapping[str, str | None]) -> str:
    seen = {theme}
    while (following := into.get(theme)) and following in into and following not in seen:
        seen.add(following)
        theme = following
    return theme


def pack_vector(vector: np.ndarray) -> str:
    """A float32 vector as text, for an event's content."""
    return base64.b64encode(np.asarray(vector, dtype="<f4").tobytes()).decode("ascii")


def unpack_vector(text: str) -> np.ndarray:
    """The float32 vector that `pack_vector` wrote."""
    return np.frombuffer(base64.b64decode(text), dtype="<f4")


def pack_anchors(anchors: Iterable[tuple[Any, float]]) -> list[list[Any]]:
    """Anchors (centroid, radius) as an event's content holds them."""
    return [[pack_vector(np.asarray(centroid, dtype=np.float32)), radius] for centroid, radius in anchors]


def write_anchor(centroid: Any, radius: float) -> str:
    """One anchor as text, for a proposal."""
    return json.dumps(pack_anchors([(centroid, radius)])[0])


def read_anchor(text: str) -> tuple[np.ndarray, float]:
    """The anchor that `write_anchor` wrote: centroid and radius."""
    centroid, radius = json.loads(text)
    return unpack_vector(centroid), radius


def theme_event(kind: str, theme_id: str, *, cause: str, **content: Any) -> dict[str, Any]:
    """An event of a night: its kind, the theme, why, and what it changes."""
    return {"kind": kind, "theme_id": theme_id, "content": {"cause": cause, **content}}


def born_event(
    theme: Mapping[str, Any],
    anchors: Iterable[tuple[Any, float]],
    *,
    cause: str,
    embedding_recipe: str,
    theme_recipe: str | None,
    evidence: Mapping[str, Any] | None = None,
) -> dict[str, Any]:
    """The event by which a theme, or a group of themes, enters the registry.

    Args:
        theme: theme_id, name, criterion, keywords, typical_opinion_id; level, parent_id, split_from, is_own
            and words where they are not those of a theme that was found.
        anchors: Centroid and radius of each; none for a group.
        cause: Why: "discovery", "waiting statements", "split", "own theme".
        embedding_recipe: Recipe of the vectors that the anchors were made of.
        theme_recipe: Recipe of the discovery; None for a person's theme.
        evidence: What was measured when it was born.
    """
    content = {
        "level": theme.get("level", THEME),
        "name": theme["name"],
        "criterion": theme["criterion"],
        "keywords": list(theme["keywords"]),
        "typical_opinion_id": theme["typical_opinion_id"],
        "parent_id": theme.get("parent_id"),
        "split_from": theme.get("split_from"),
        "is_own": theme.get("is_own", False),
        "words": list(theme.get("words", ())),
        "anchors": pack_anchors(anchors),
        "embedding_recipe": embedding_recipe,
        "theme_recipe": theme_recipe,
        "evidence": dict(evidence or {}),
    }
    return theme_event("born", theme["theme_id"], cause=cause, **content)


def replay(events: pl.DataFrame) -> Registry:
    """The registry after the given events, in their order.

    An event of a theme that no counted event brought in, or of a person's link whose end was erased, says
    nothing.

    Args:
        events: As `State.theme_events` returns them.
    """
    book = _Book()
    for event in events.iter_rows(named=True):
        book.enter(event, json.loads(event["content"]))
    return book.registry(events.height)


class _Book:
    """The registry while its events are entered one by one."""

    def __init__(self) -> None:
        self.themes: dict[str, dict[str, Any]] = {}
        self.anchors: dict[str, list[list[Any]]] = {}
        self.links: dict[tuple[str, str], tuple[bool, str]] = {}
        self.dismissed: set[str] = set()
        self.changed_at: dict[str, int] = {}

    def enter(self, event: Mapping[str, Any], content: Mapping[str, Any]) -> None:
        kind, theme_id = event["kind"], event["theme_id"]
        if kind == "born":
            self._bear(event, content)
        elif kind == "dismissed":
            self.dismissed.add(theme_id)
        elif kind in ("linked", "unlinked"):
            self._link(event, content)
        elif theme_id in self.themes:
            self._change(kind, self.themes[theme_id], content)
        if event["run_id"] is None and kind in ("born", "anchored") and theme_id in self.themes:
            self.changed_at[theme_id] = event["sequence"]

    def _bear(self, event: Mapping[str, Any], content: Mapping[str, Any]) -> None:
        first = content["anchors"][0] if content["anchors"] else None
        self.anchors[event["theme_id"]] = list(content["anchors"])
        self.themes[event["theme_id"]] = {
            **{name: content.get(name) for name in REGISTRY_ROWS},
            "theme_id": event["theme_id"],
            "status": ACTIVE,
            "is_pinned": False,
            "name_origin": content.get("name_origin") or (BY_PERSON if content["is_own"] else BY_KEYWORDS),
            "centroid": unpack_vector(first[0]).tolist() if first else None,
            "radius": first[1] if first else None,
            "born_run": event["run_id"],
        }

    def _change(self, kind: str, theme: dict[str, Any], content: Mapping[str, Any]) -> None:
        if kind == "renamed":
            theme.update({name: content[name] for name in ("name", "criterion") if content.get(name)})
            theme["name_origin"] = BY_PERSON
        elif kind in ("pinned", "unpinned"):
            theme["is_pinned"] = kind == "pinned"
        elif kind == "anchored":
            kept = self.anchors[theme["theme_id"]] if content.get("is_added") else []
            self.anchors[theme["theme_id"]] = [*kept, *content["anchors"]]
            theme["embedding_recipe"] = content["embedding_recipe"]
            centroid, theme["radius"] = self.anchors[theme["theme_id"]][0]
            theme["centroid"] = unpack_vector(centroid).tolist()
        else:
            theme["status"] = ACTIVE if kind == "revived" else kind
            theme["merged_into"] = content.get("into")

    def _link(self, event: Mapping[str, Any], content: Mapping[str, Any]) -> None:
        left, right = content.get("left"), content.get("right")
        if left is None or right is None:
            return
        pair = (min(left, right), max(left, right))
        if event["kind"] == "unlinked":
            self.links.pop(pair, None)
        else:
            self.links[pair] = (bool(content["is_apart"]), hash_of([event["sequence"]]))

    def registry(self, version: int) -> Registry:
        themes = pl.DataFrame(list(self.themes.values()), schema=REGISTRY_ROWS).sort("theme_id")
        into = {theme: row["merged_into"] for theme, row in self.themes.items()}
        anchors = []
        for theme, packed in sorted(self.anchors.items()):
            survivor = _survivor(theme, into)
            if self.themes[survivor]["status"] in (ACTIVE, RETIRED):
                recipe = self.themes[survivor]["embedding_recipe"]
                if self.themes[theme]["embedding_recipe"] == recipe:
                    anchors += [
                        (survivor, unpack_vector(vector).tolist(), radius) for vector, radius in packed
                    ]
        links = [(*pair, *said) for pair, said in sorted(self.links.items())]
        return Registry(
            themes,
            pl.DataFrame(anchors, schema=ANCHOR_ROWS, orient="row"),
            pl.DataFrame(links, schema=LINK_ROWS, orient="row"),
            frozenset(self.dismissed),
            dict(self.changed_at),
            version,
        )


def with_event_ids(events: pl.DataFrame) -> pl.DataFrame:
    """Events with `event_id`: of a run's by what it is in its run, of a person's by its sequence number."""
    nth = pl.int_range(pl.len()).over("run_id", "theme_id", "kind")
    numbered = events.with_columns(nth=nth)
    ids = [
        hash_of([row["sequence"]])
        if row["run_id"] is None
        else run_event_id(row["run_id"], row["theme_id"], row["kind"], row["nth"])
        for row in numbered.iter_rows(named=True)
    ]
    return numbered.with_columns(pl.Series("event_id", ids, pl.String))


def run_event_id(run_id: str, theme_id: str, kind: str, nth: int = 0) -> str:
    """Identity of the `nth` event (from 0) of one kind about one theme in a run."""
    return hash_of([run_id, theme_id, kind, nth])
