"""Keywords and names of themes: the words that set one theme's statements apart from the others'."""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterable, Iterator, Mapping

import polars as pl

from analytics.insight.sentences import UNSPACED

MAX_KEYWORDS = 8
NAME_WORDS = 3

_STOP_WORDS = frozenset(
    """
    a about above after again all almost already also although always am an and another any anyone anything
    are aren arent around as at away back be because been before being below between both but by came can
    cannot cant come could couldn couldnt did didn didnt do does doesn doesnt doing don done dont down
    during each either else enough etc even ever every everyone everything far few first for from further
    get gets getting go goes going gone got had hadn hadnt has hasn hasnt have haven havent having he her
    here hers herself him himself his how however i id if ill im in into is isn isnt it its itself ive just
    keep kept know last least less let like ll lot lots made make makes many may maybe me might mine more
    most much must my myself need needs never no nor not nothing now of off often ok okay on once one ones
    only onto or other others our ours ourselves out over own per perhaps please put quite rather re really
    said same say says see seem seems shall she should shouldn shouldnt since so some someone something
    sometimes somewhat soon still such take than that thats the their theirs them themselves then there
    theres these they theyll theyre theyve thing things think this those though through thus to together too
    took toward try trying two under until up upon us use used uses using ve very via want wanted wants was
    wasn wasnt way we wed well went were weren werent weve what whatever when where whether which while who
    whole whom whose why will with within without won wont would wouldn wouldnt yes yet you youd youll your
    youre yours yourself youve
    """.split()
)
_TOKEN = re.compile(rf"[{UNSPACED}]+|[^\W\d_]\w*(?:'[^\W\d_]+)?")
_PLACEHOLDER = re.compile(r"\[[a-z]+(?:-[a-z]+)?\]")
"""What stands where personal data stood, such as [email]; nobody's word."""
_UNSPACED_START = re.compile(f"[{UNSPACED}]")
_LENGTHS = range(2, 31)


def terms_of(text: str) -> set[str]:
    """The words of a text that say something, and pairs of them that stand side by side; lower case.

    In scripts without spaces between words every two characters side by side are a term.
    """
    terms: set[str] = set()
    before = ""
    for token in _tokens(_PLACEHOLDER.sub(" . ", text.casefold().replace("’", "'"))):
        if len(token) in _LENGTHS and token.replace("'", "") not in _STOP_WORDS:
            terms.add(token)
            if before and before != token:
                terms.add(f"{before} {token}")
            before = token
        else:
            before = ""
    return terms


def _tokens(text: str) -> Iterator[str]:
    end = 0
    for match in _TOKEN.finditer(text):
        token = match[0]
        if match.start() > end + 1:
            yield ""  # more than a space between two words: no pair
        if _UNSPACED_START.match(token):
            for first, second in itertools.pairwise(token):
                yield first + second
                yield ""
        else:
            yield token.removesuffix("'s")
        end = match.end()


def find_keywords(statements: pl.DataFrame, *, min_authors: int) -> dict[int, list[str]]:
    """Keywords of each group by class-based TF-IDF (Grootendorst 2022) in its BM25 form, most telling first.

    Args:
        statements: Columns group, author (null: all such count as one author), quote.
        min_authors: A word that fewer distinct authors of the group use could give one of them away.

    Returns:
        For every group up to 8 keywords, none contained in another.
    """
    terms = statements.with_columns(
        pl.Series("term", [sorted(terms_of(quote)) for quote in statements["quote"]], pl.List(pl.String))
    ).explode("term", empty_as_null=False)
    counted = terms.group_by("group", "term").agg(n=pl.len(), n_authors=pl.col("author").n_unique())
    mean_terms = terms.height / max(1, counted["group"].n_unique())
    n_all = pl.col("n").sum().over("term")
    rarity = (((mean_terms - n_all).clip(0) + 0.5) / (n_all + 0.5)).log1p()
    scored = (
        counted.with_columns(score=(pl.col("n") * rarity).round(6))
        .filter(pl.col("n_authors") >= min_authors)
        .sort(["group", "score", "term"], descending=[False, True, False])
    )
    found: dict[int, list[str]] = {group: [] for group in statements["group"].unique().sort()}
    for group, term in scored.select("group", "term").iter_rows():
        chosen = found[group]
        if len(chosen) < MAX_KEYWORDS and not any(term in other or other in term for other in chosen):
            chosen.append(term)
    return found


def name_themes(keywords: Mapping[str, list[str]], taken_names: Iterable[str] = ()) -> dict[str, str]:
    """A name for each theme id, no two made of the same words; earlier ones choose first.

    Args:
        keywords: Theme to its keywords, most telling first.
        taken_names: Names that other themes have.
    """
    names: dict[str, str] = {}
    taken = {frozenset(name.split(", ")) for name in taken_names}
    for theme, words in keywords.items():
        choices = itertools.combinations(words, min(NAME_WORDS, len(words)))
        free = next((words for words in choices if words and frozenset(words) not in taken), None)
        if free is None:
            first = ", ".join(words[:NAME_WORDS]) or "theme"
            names[theme] = f"{first} {theme[:8]}"
        else:
            taken.add(frozenset(free))
            names[theme] = ", ".join(free)
    return names
