"""The step that recommends: which ranker, whether lists may be published, and the lists."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from datetime import date, timedelta

import polars as pl
import scipy.sparse as sp

from analytics.identity import canonical_json, hash_of, lake_keys, stage_seed
from analytics.store.lake import Stage
from analytics.tables import TABLES
from flows.night import Handle, Night
from flows.recommendation_lists import LISTS, last_lists, make_lists
from flows.recommendation_store import Known, known_of, new_items
from recommender.candidates import MEANING, WORDS, Generators, compare_texts, fit_generators
from recommender.events import Events
from recommender.guard import NO_EVIDENCE, WORSE, Check, check_lists, last_window
from recommender.model import Future, Model, learn_ranker, popular_alone
from recommender.ranker import Ranker
from recommender.rules import Rules

VERSION = 3
"""Raised whenever the same input would give another list."""
RANKER = "ranker"
RANKER_VERSION = 2
"""Raised whenever the same input would give another ranker."""
FIRST = 0
"""Input of the one row that a ranker is."""
_RANKERS = {
    "version": pl.Int64,
    "embedding": pl.String,
    "fitted_by": pl.String,
    "fitted_on": pl.Date,
    "until": pl.Float64,  # time before which everything was that it learned from, in days
    "ranker": pl.String,
}


@dataclass(frozen=True)
class Learned:
    """The ranker of a night, the night that fitted it, and its recipe; all None where there is none."""

    ranker: Ranker | None = None
    fitted_on: date | None = None
    recipe: str | None = None


@dataclass(frozen=True, eq=False)
class Tonight:
    """What is fitted on: all that a night knows, or what was known at a cut."""

    night: Night
    known: Known
    alike: dict[str, sp.csr_matrix]
    """As `compare_texts` returns it."""
    seed: int

    def generators(self, events: Events, now: float) -> Generators:
        """Generators that know the events up to a time."""
        return fit_generators(
            events,
            self.known.catalogue,
            half_life_days=self.night.settings.recommendations.half_life_days,
            now=now,
            seed=self.seed,
            texts_alike=self.alike,
        )

    def rules(self, events: Events, now: float) -> Rules:
        """What holds for lists that are made of the events up to a time."""
        settings = self.night.settings.recommendations
        return Rules(
            n_listed=settings.list_length,
            is_excluded=self.known.is_excluded,
            variant=self.known.variant,
            is_new=new_items(self.known, events, now, settings.new_days),
            n_new=int(settings.new_share * settings.list_length),
            diversity=settings.diversity,
            alike=self.alike.get(MEANING, self.alike.get(WORDS)),
        )


def recommend_items(night: Night, vectors: Handle) -> Handle:
    """Make a list for every customer, unless lists lose to what is popular: then the last good ones stay.

    Where there are none yet, popular items are listed.
    """
    known = known_of(night)
    seed = stage_seed(night.settings.store.seed, "recommendation")
    tonight = Tonight(night, known, compare_texts(known.catalogue), seed)
    future = last_window(known.events, known.now, known.cut_at)
    learned, check = _learn_and_check(tonight, vectors, future)
    recipe = {
        "stage": "recommendation",
        "version": VERSION,
        "embedding": vectors.recipe,
        "ranker": learned.recipe,
        **night.settings.recommendations.model_dump(mode="json"),
    }
    before = last_lists(night, known)
    lists = before
    is_withheld = check.verdict == WORSE
    if not is_withheld or before["recommendation"].is_empty():
        generators = tonight.generators(known.events, known.now)
        model = popular_alone(generators) if is_withheld else Model(generators, learned.ranker)
        rules = tonight.rules(known.events, known.now)
        lists = make_lists(night, model, known, rules, hash_of(recipe))
    for name in LISTS:
        night.store.journal.write(name, night.made_by, lists[name])
    listed = lists["recommendation"]
    told = {
        "run_id": night.run_id,
        **asdict(check),
        "churn": _churn(before["recommendation"], listed),
        "made_on": listed["made_on"].max(),
        "ranker_fitted_on": learned.fitted_on,
    }
    columns = TABLES["recommendation_check"].columns
    night.store.journal.write("recommendation_check", night.made_by, pl.DataFrame([told], schema=columns))
    return Handle("recommendation", hash_of(recipe), canonical_json(recipe), listed["user_id"].n_unique())


def _learn_and_check(tonight: Tonight, vectors: Handle, future: Future | None) -> tuple[Learned, Check]:
    """Tonight's ranker, and how its lists would have done on the days held out."""
    known = tonight.known
    if future is None:
        generators = tonight.generators(known.events, known.now)
        learned = _choose_ranker(tonight, vectors, known.events, known.now, generators.feature_names)
        return learned, Check(NO_EVIDENCE, 0, None)
    generators = tonight.generators(future.known, future.now)
    learned = _choose_ranker(tonight, vectors, future.known, future.now, generators.feature_names)
    check = check_lists(
        Model(generators, learned.ranker),
        future,
        tonight.rules(future.known, future.now),
        days=round(known.now - future.now, 6),
        n_kept=tonight.night.settings.recommendations.kept_candidates,
        seed=tonight.seed,
    )
    return learned, check


def _choose_ranker(
    tonight: Tonight, vectors: Handle, events: Events, until: float, feature_names: list[str]
) -> Learned:
    """Choose a ranker: that of an earlier night, unless it is old, knows the days held out or other features.

    Args:
        tonight: What is known.
        vectors: The stage of embeddings.
        events: What was before the days held out: a new ranker learns from it, so that they stay a test.
        until: The end of it.
        feature_names: What generators tell of a candidate.
    """
    night = tonight.night
    oldest = night.as_of - timedelta(days=night.settings.recommendations.refit_every_days)
    kept = _kept_rankers(night).filter(
        pl.col("embedding") == vectors.recipe, pl.col("fitted_on") > oldest, pl.col("until") <= until
    )
    for row in kept.iter_rows(named=True):
        ranker = Ranker.from_text(row["ranker"])
        if list(ranker.feature_names) == feature_names:
            return Learned(ranker, row["fitted_on"], row["recipe"])
    fitted = learn_ranker(events, tonight.generators, seed=tonight.seed, cut_at=tonight.known.cut_at)
    if fitted is None:
        return Learned()
    recipe = {
        "stage": RANKER,
        "version": RANKER_VERSION,
        "embedding": vectors.recipe,
        "fitted_by": night.run_id,
        "fitted_on": night.as_of.isoformat(),
    }
    stage = Stage(RANKER, recipe)
    text = fitted.to_text()
    made = (RANKER_VERSION, vectors.recipe, night.run_id, night.as_of, until, text)
    rows = pl.DataFrame([made], schema=_RANKERS, orient="row")
    keys = lake_keys(stage.recipe_id, [FIRST])
    night.store.lake.keep(stage, rows.with_columns(pl.Series("key", keys)), night.run_id)
    return Learned(Ranker.from_text(text), night.as_of, stage.recipe_id)


def _kept_rankers(night: Night) -> pl.DataFrame:
    """Rankers that nights which count and this one have fitted, the newest first; with their recipe."""
    lake = night.store.lake
    rows = [
        lake.read_all(RANKER, recipe).select(*_RANKERS, recipe=pl.lit(recipe))
        for recipe in lake.recipes(RANKER)
        if lake.parts(RANKER, recipe)
    ]
    found = pl.concat([pl.DataFrame(schema={**_RANKERS, "recipe": pl.String}), *rows])
    counting = [made_by.run_id for made_by in night.counting]
    return found.filter(pl.col("version") == RANKER_VERSION, pl.col("fitted_by").is_in(counting)).sort(
        "fitted_on", "recipe", descending=True
    )


def _churn(before: pl.DataFrame, now: pl.DataFrame) -> float | None:
    """Share of what is listed that was not, of customers who had a list the night before."""
    again = now.join(before, on="user_id", how="semi")
    if again.is_empty():
        return None
    kept = again.join(before, on=["user_id", "item_id"], how="semi").height
    return round(1 - kept / again.height, 6)
