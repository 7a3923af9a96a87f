"""Known people's names: which of a store's many occur in which text, and the pattern that replaces them."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable
from functools import lru_cache

import polars as pl

_SHORTEST_SINGLE = 4
_TOKEN = re.compile(r"[^\W\d_]+")
_TITLE = re.compile(
    r"^(?:(?:mr|mrs|ms|miss|mx|dr|prof|sir|herr|frau|mme|mlle|monsieur|madame|señora?|sra?|sig"
    r"|dott)(?:\.\s*|\s+))+",
    re.IGNORECASE,
)
_NOBODY = frozenset(
    (
        "a able address admin alexa alt amazon an and android anonymous anonymus apple art baby bean "
        "beauty best "
        "better black blue bon bonne book books boss brave bright bueno buyer candy card cash chance "
        "charm cheap "
        "clean clear client cliente clients cloud coffee consumer cool cotton craft crazy customer "
        "customers dad "
        "daddy day deal design dream early easy echo email engel ever fair family fan fast favor fine "
        "fire first "
        "flash flower fresh friend friendly fun game gamer garden gentle girl glass gold golden good google "
        "grandma grandpa great green guest gut handy happy hard home house hunt i iban id ip ipad iphone "
        "item "
        "just kind kindle king kunde kundin lady large light little long love lovely lover loves lucky mate "
        "maybe me member members mom money more mother music my name national neu nice night noble none "
        "null of "
        "perfect phone pink pretty price product quality queen quick rainbow reader ready real red reviewer "
        "royal samsung sandy satisfied savage school sharp shop shopper short simple sky small smart soldier "
        "sony star stars story strong summer sun sunny super sure sweet tablet teacher test thank thanks the "
        "time tiny top total town travel treasure tree true trust unique unknown url user users very victory "
        "visitor wall water waters way white wild winner wise wonder work world worth yellow your "
    ).split()
)
"""What placeholders say, what shops call people who gave no name, and words that people choose for one."""

_WORDS = _NOBODY | frozenset(
    (
        "alegre amber angel april archer arrow ash aurora autumn baker bamboo barber bark bass bauer bear "
        "beau "
        "bell bella belle berg berry bill bird bishop blanc blanco blessing bond bounty bow brand bravo "
        "brook "
        "brown buck bush butcher butler campo carpenter casa castle charity chase cherry church clay "
        "cliff cook "
        "cooper coral cruz crystal daisy dale dawn dean delgado destiny diamond dolly dove drake duke "
        "earnest "
        "east emerald faith farmer father fern field fisher flor flora ford forest fox frank free frost "
        "fuller "
        "gay gene ginger glory goodman grace grand grant gray grey gross grow guy hall harmony hart harvest "
        "haven hazel head heart heath heather heaven hello henna herb hill holly honest honey honor hope "
        "hunter "
        "iris iron ivory ivy jack jade jasmine jean jewel jolly joy june jung junior justice kaiser klein "
        "knight "
        "koch kurz könig lake lance land lane lang lark laurel lavender law lee leon leroy liberty lily lord "
        "lotus luck luz major man mar mark marsh marshal martin mason mercier mercury mercy merry mike mile "
        "miller mint misty moon moore moreno morning myrtle north nova ocean olive opal page paris park "
        "parker "
        "patience paz peace pearl penny pepper petit piper plum pollen poppy porter power precious pride "
        "prime "
        "prince princess purple rain ranger raven reed reyes rich richter river robin rock rocky rosa rose "
        "rosemary roy rubio ruby rush sage sailor santo santos shepherd silver skipper smith snow sol sommer "
        "song south spring stark sterling stern stone storm street sunday swift tailor tanner taylor temple "
        "thorn tiger torres tower turner twin valentine valley verity viola violet vogel walker walls ward "
        "weaver weber west wife will willow winter wolf wood woods young "
    ).split()
)
"""First and last names that are also words."""


class NameIndex:
    """Finds in texts the names of a store's known users.

    What counts as a name that can be found: two words or more, unless all of them are words that people
    choose for a nickname ("Happy Customer"); or one single word of four letters or more that is no common
    word. Only letters count, and no title such as "Dr.". A first name alone is never taken for the person of
    a full name. In scripts without spaces between words, three characters or more count as a full name.
    """

    def __init__(self, names: Iterable[str]) -> None:
        """Index names; those that cannot be found are left out, and of two that read alike one stays."""
        self._named: dict[str, str] = {}
        for name in sorted(set(names)):
            for form in _forms(name):
                self._named.setdefault(form, name)
        self._forms = pl.Series(list(self._named), dtype=pl.String).implode()

    def find(self, texts: pl.Series) -> list[tuple[str, ...]]:
        """The known names in each text, sorted; an empty tuple where there is none, as for null.

        Args:
            texts: Strings in normal form C.
        """
        found: list[tuple[str, ...]] = [()] * len(texts)
        if not self._named:
            return found
        # Letters between single spaces: a match of " anna schmidt " ends where words end.
        letters = pl.Series([" "]) + texts.str.to_lowercase().str.replace_all(r"[^\p{L}\p{M}]+", " ") + " "
        hits = letters.str.extract_many(self._forms, overlapping=True)
        for nth in (hits.list.len().fill_null(0) > 0).arg_true():
            text = texts[nth]
            names = {self._named[form] for form in hits[nth]}
            found[nth] = tuple(sorted(name for name in names if _occurs(name, text)))
        return found


def _occurs(name: str, text: str) -> bool:
    pattern = name_pattern((name,))
    return pattern is not None and pattern.search(text) is not None


@lru_cache(maxsize=65_536)
def name_pattern(names: tuple[str, ...]) -> re.Pattern[str] | None:
    """The pattern of some names, in either order and any case, or None where none of them can be found.

    "Anna Schmidt" is also "Schmidt, Anna"; "Anna Maria Schmidt" is also "Anna Schmidt".
    """
    orders = {order for name in names for order in _orders(name)}
    if not orders:
        return None
    # The longest first, so that a part of a name does not win over the whole.
    ordered = sorted(orders, key=lambda order: (-sum(map(len, order)), order))
    return re.compile(
        "|".join(_order_pattern(order) for order in ordered),
        re.IGNORECASE,
    )


def _order_pattern(order: tuple[str, ...]) -> str:
    joined = r"[\s.,'’-]{1,3}".join(map(re.escape, order))
    if _is_unspaced(order):
        return joined
    return rf"(?<!\w)(?<!\[){joined}(?!\w)"


def _forms(name: str) -> list[str]:
    """How a name reads between single spaces, in lower case; where words have no spaces, by itself."""
    orders = _orders(name)
    return ["".join(order) if _is_unspaced(order) else f" {' '.join(order)} " for order in orders]


def _orders(name: str) -> list[tuple[str, ...]]:
    """The orders of a name's words in which it is looked for; none where it cannot be found."""
    name = _TITLE.sub("", unicodedata.normalize("NFC", name).strip().lower())
    last, comma, first = name.partition(",")
    tokens = tuple(_TOKEN.findall(f"{first} {last}" if comma else name))
    if len(tokens) == 1:
        is_long = len(tokens[0]) >= _SHORTEST_SINGLE or _is_unspaced(tokens)
        return [tokens] if is_long and tokens[0] not in _WORDS else []
    if all(token in _NOBODY or len(token) == 1 for token in tokens):
        return []
    orders = [tokens, (tokens[-1], *tokens[:-1])]
    if len(tokens) > 2 and min(len(tokens[0]), len(tokens[-1])) > 1:
        orders += [(tokens[0], tokens[-1]), (tokens[-1], tokens[0])]
    return [order for order in dict.fromkeys(orders) if not _NOBODY.issuperset(order)]


def _is_unspaced(tokens: tuple[str, ...]) -> bool:
    """Whether a name is one word of three characters or more, all of them Chinese, Japanese or Korean."""
    return len(tokens) == 1 and re.fullmatch("[\u3040-\u30ff\u4e00-\u9fff가-힣]{3,}", tokens[0]) is not None
