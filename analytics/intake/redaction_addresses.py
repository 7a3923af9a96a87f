"""Street addresses and postal boxes of the languages that write them with a number.

Conservative: a street needs its number, a name in capitals and a word that says street; words that also mean
something else (Place, Drive, Platz) need a postcode, a flat or a phrase such as "lives at" beside them.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from analytics.intake.redaction_detector import Detector, before, ends_with, whole

_CAPITAL = "A-ZÀ-ÖØ-ÞĀĂĄĆĈĊČĎĐĒĔĖĘĚĜĞĠĢĤĦĨĪĬĮİĴĶĹĻĽŁŃŅŇŌŎŐŒŔŖŘŚŜŞŠŢŤŦŨŪŬŮŰŲŴŶŸŹŻŽΑ-ΩΆΈ-ΏА-ЯЁ"
_WORD = r"[^\W\d_]+(?:['’.-][^\W\d_]+)*\.?"
_NAME = rf"[{_CAPITAL}][^\W\d_]*(?:['’-][^\W\d_]+)*\.?"
_TOWN = rf"(?:(?:St|Ste|Mt|Bad|San)\.? )?[{_CAPITAL}][^\W\d_]*(?:['’-][^\W\d_]+)*"
_STOP = r"(?![^\W_])(?![.,][0-9])"
"""A house number's end."""

_UNIT = (
    r"(?:[,\s>]{1,4}(?:(?i:apt|apartment|suite|ste|unit|flat|floor|fl|room|rm|building|bldg)\.?\s?#?|#\s?)"
    r"(?:[0-9]{1,5}[A-Za-z]?|[A-Z]-?[0-9]{0,4})(?![A-Za-z0-9]))"
)
_POSTCODE = (
    r"(?:[0-9]{5}(?:-[0-9]{4})?|[A-Z]{1,2}[0-9][0-9A-Z]?\s?[0-9][A-Z]{2}"
    r"|[A-Z][0-9][A-Z]\s?[0-9][A-Z][0-9]|[0-9]{4}"
    r"(?=$|[\s.,;!?]))(?![A-Za-z0-9])"
)
_TOWNS = rf"(?:[,\s>]{{1,4}}\(?{_TOWN}\)?){{1,5}}"
_TAIL = (
    # Springfield, IL 62704 · London SW1A 1AA · Springfield, IL
    rf"(?P<tail>{_TOWNS}[,\s>]{{1,4}}{_POSTCODE}"
    rf"|,\s{{1,2}}{_TOWN}(?:\s{_TOWN})?,\s{{1,2}}[A-Z]{{2}}(?![A-Za-z])"
    # 10115 Berlin · D-10115 Berlin · 1012 AB Amsterdam · 114 55 Stockholm
    rf"|[,\s]{{1,3}}(?:(?:[A-Z]{{1,2}}-)?[0-9]{{3}}\s?[0-9]{{1,2}}(?:-[0-9]{{3}})?(?:\s[A-Z]{{2}})?"
    rf"|[0-9]{{2}}-[0-9]{{3}})"
    rf"\s{{1,2}}{_TOWN}(?:[ -]{_TOWN}){{0,2}})?"
)

_ENGLISH = re.compile(
    r"[0-9](?<![0-9A-Za-z_$€£#.,/:-][0-9])[0-9]{0,4}(?:[-/][0-9]{1,4})?[A-Za-z]?,?"
    rf"(?P<words>(?:\s(?:{_WORD}|[0-9]{{1,3}}(?:st|nd|rd|th|ST|ND|RD|TH))){{1,4}}?)\s"
    r"(?P<type>(?i:street|st|avenue|ave|av|road|rd|boulevard|blvd|lane|ln|drive|dr|court|ct|terrace"
    r"|parkway|pkwy"
    r"|highway|hwy|crescent|cres|close|way|place|pl|square|sq|circle|cir|trail|mews|gardens|grove|hill"
    r"|row|walk"
    r"|plaza|pike|quay|heights|alley))(?![^\W_])\.?"
    rf"(?:,?\s[NSEW]{{1,2}}(?![^\W_])\.?)?(?P<unit>{_UNIT}){{0,2}}{_TAIL}"
)
_FAMOUS = {
    "10 downing street", "221b baker street", "1600 pennsylvania avenue", "21 jump street", "22 jump street",
    "10 cloverfield lane", "84 charing cross road",
}  # fmt: skip
"""Where nobody lives: titles and seats of government."""
_FIRM_TYPES = {
    "street", "st", "avenue", "ave", "av", "road", "rd", "boulevard", "blvd", "lane", "ln", "terrace",
    "parkway", "pkwy", "crescent", "cres", "drive", "dr",
}  # fmt: skip
_PLAIN_TYPES = {
    "street",
    "avenue",
    "road",
    "boulevard",
    "lane",
    "drive",
    "court",
    "st",
    "ave",
    "rd",
    "blvd",
    "ln",
}
_NOT_STREETS = set(
    "a an and any are at bad best block blocks bumpy but by cross dirt down for from good great hard his "
    "flash "
    "thumb usb disk disc tape pen optical external internal portable backup gb tb mb state test dvd cd "
    "way star "
    "wheel long main-road mile miles minute minutes hour hours day days my near nice no of off office old "
    "on one "
    "or our out over per quiet side steps that the their this times to under up was we were with your "
    "year years "
    "is in it i creative seagate sandisk kingston security lb oz inch inches bedroom bed people kids guys "
    "lane "
    "new-road open bike street road memory film movie book version".split()
)
_RESIDES = re.compile(
    r"(?:\baddress(?: is|:| of [\w .&-]{1,40} is)?:?|\b(?:live|lives|lived|living|reside|resides|located"
    r"|based|meet"
    r"|office is|shipped|delivered|deliver it|deliver|send it|sent|send|moved|come over|return)"
    r"(?: \w+)? (?:at|in|on|to)|\bat)\s*$",
    re.IGNORECASE,
)
_ENDS = re.compile(r"\s*(?:$|[.,;:!?\n)]|in |and |to |on |for |by |with |last |after |before )")


def _english_length(match: re.Match[str]) -> int:
    words, kind = match["words"].split(), match["type"].lower()
    if any(word.lower().strip(".,") in _NOT_STREETS for word in words):
        return 0
    if " ".join(match[0].lower().strip(".").replace(",", "").split()) in _FAMOUS:
        return 0
    sure = match["unit"] or match["tail"]
    ends_sentence = match[0].endswith(".") and not sure and len(kind) > 4
    length = whole(match) - ends_sentence
    resides = ends_with(before(match, 64), _RESIDES)
    capitals = all(not word[0].islower() for word in [*words, match["type"]])
    if not capitals:
        firm = kind in _PLAIN_TYPES and len(words) <= 3
        ends = _ENDS.match(match.string, match.end()) is not None
        return length if firm and (match["unit"] or (resides and ends)) else 0
    number = match[0].split()[0].rstrip(",")
    is_year = re.fullmatch(r"(?:19|20)[0-9]{2}", number) is not None
    firm = kind in _FIRM_TYPES and not is_year
    return length if sure or resides or firm else 0


_WITH_UNIT = re.compile(
    r"[0-9](?<![0-9A-Za-z_$€£#.,/:-][0-9])[0-9]{0,4}[A-Za-z]?,?(?P<words>(?:\s(?:"
    + _WORD
    + r"|[0-9]{1,5}\.?)){1,7}?)"
    r"[,\s>]{1,4}(?i:apt|apartment|suite|ste)\.?\s?#?[0-9]{1,5}[A-Za-z]?(?![A-Za-z0-9])" + _TAIL
)


def _with_unit_length(match: re.Match[str]) -> int:
    words = [word.strip(".,").lower() for word in match["words"].split()]
    return 0 if _NOT_STREETS.intersection(words) or all(map(str.isdigit, words)) else whole(match)


_COMPOUND = re.compile(
    rf"(?<![^\W_])(?P<prefix>(?:{_NAME}[ -]){{0,2}}?[{_CAPITAL}][^\W\d_]{{2,}}?-?)"
    r"(?:(?P<firm>stra(?:ß|ss)e|str\.|str(?= )|allee|gasse|chaussee|weg|platz|straat|laan|gracht|dijk"
    r"|steenweg|plein"
    r"|gatan|vägen|gränd|veien|vegen|vej|katu)"
    r"|(?P<weak>ring|damm|ufer|hof|markt|dreef|gade|gata|gate|tie|graben|steig|hafen|singel|plaats|kade"
    r"|kuja|tee))"
    rf"\s?(?P<number>[0-9]{{1,4}}\s?[a-zA-Z]?(?:\s?[-/]\s?[0-9]{{1,4}})?){_STOP}(?P<unit>{_UNIT}){{0,2}}{_TAIL}"
)
_SPACED = re.compile(
    rf"(?<![^\W_])(?:[Aa]n? der |[Aa]m |[Ii]n der |[Zz]ur )?(?:{_NAME}[ -]){{1,3}}"
    rf"(?:Stra(?:ß|ss)e|Str\.|Allee|Weg|Platz|Gasse|Ring|Damm|Ufer|Chaussee|utca|útja|út|u\.|tér|körút"
    rf"|krt\.|rkp\."
    r"|Caddesi|Cad\.|Sokak|Sokağı|Sok\.|gate|gata|väg|vei|allé|terrasse)"
    rf"(?:,?\s(?:No\.?:?\s?)?|\s)[0-9]{{1,4}}\s?[a-zA-Z]?(?:\s?[-/]\s?[0-9]{{1,4}})?\.?{_STOP}"
    rf"(?P<unit>{_UNIT}){{0,2}}{_TAIL}"
)
_NO_STREET_PREFIX = re.compile(
    r"(?:um|aus|rück|hin|heim|fuß|fuss|rad|wander|arbeits|schul|rettungs|flucht|holz|lebens|versand|liefer"
    r"|transport|mittel|nor|halb|ab|unter|park|stell|sitz|steh|spiel|camping|zelt|speicher|tabellen|schlaf"
    r"|studien|listen|fahrrad|sport|golf|fußball|tennis|flug|liege|ausbildungs|rang|lager|bau|markt|spitzen"
    r"|autobahn|bundes|landes|land|staats|kreis|schnell|milch|daten|sack|einbahn)$",
    re.IGNORECASE,
)


def _compound_length(match: re.Match[str]) -> int:
    sure = match["unit"] or match["tail"]
    own = re.split(r"[ -]", match["prefix"])[-1] or match["prefix"]
    if sure or " " in match["prefix"] or "-" in match["prefix"]:
        return whole(match) if sure or match["firm"] else 0
    return whole(match) if match["firm"] and not _NO_STREET_PREFIX.match(own) else 0


_FRENCH_LINK = r"(?:(?:de la|de l['’]|des|du|de|d['’]|la|les|le|l['’]|aux|au|à la|à|et|en|sur|sous)\s?)"
_FRENCH = re.compile(
    r"[0-9](?<![0-9A-Za-z_$€£#.,/:-][0-9])[0-9]{0,3}(?:\s?(?:bis|ter|quater|[A-Da-d]))?,?\s"
    r"(?i:(?P<firm>rue|boulevard|bd|bld|bvd|impasse|quai|chemin|allée|allées|faubourg|fbg|sentier|montée)"
    r"|avenue|av|place|route|cours|square|passage|esplanade|promenade)\.?\s"
    rf"(?P<link>{_FRENCH_LINK}{{0,3}})(?P<name>{_WORD}(?:[ -](?:{_FRENCH_LINK})?{_NAME}){{0,4}}){_TAIL}"
)
_FRENCH_AFTER = re.compile(
    r"(?<![^\W_])(?i:rue|avenue|boulevard|bd|impasse|quai|chemin|allée|route|place|cours|square"
    r"|faubourg)\.?\s"
    rf"(?P<link>{_FRENCH_LINK}{{0,3}})(?P<name>{_WORD}(?:[ -](?:{_FRENCH_LINK})?{_NAME}){{0,4}})"
    rf",?\s[0-9]{{1,4}}(?:\s?(?:bis|ter|[A-Da-d]))?{_STOP}(?P<unit>{_UNIT}){{0,2}}{_TAIL}"
)


def _french_length(match: re.Match[str]) -> int:
    """Length of a French address: a name in capitals, or after a firm word (rue) one behind an article."""
    if match["name"][0].isupper():
        return whole(match) if match["firm"] or match["link"] or match["tail"] else 0
    return whole(match) if match["firm"] and match["link"] else 0


def _french_after_length(match: re.Match[str]) -> int:
    is_rue = match[0][:3].lower() == "rue"
    if match["name"][0].isupper():
        return whole(match) if is_rue or match["link"] or match["tail"] or match["unit"] else 0
    return whole(match) if is_rue and match["link"] else 0


_SOUTHERN_LINK = (
    r"(?:(?:de la|de las|de los|del|de|da|das|dos|do|della|dello|delle|dei|degli|dell['’]|dal|dalla|di"
    r"|d['’]|la|las"
    r"|los|el|l['’]|y|e)\s?)"
)
_SOUTHERN = re.compile(
    r"(?<![^\W_])(?P<type>(?i:calle|cl\.|c/|avenida|avda|av|plaza|pza|paseo|camino|carretera|ctra|ronda"
    r"|rúa|rua|travessa"
    r"|praça|alameda|estrada|camiño|viale|piazza|piazzale|corso|vicolo|largo|strada|vico|lungarno|ulica"
    r"|ul|aleja"
    r"|aleje|λεωφόρος|λεωφ|λ|οδός|улица|ул|проспект|просп|переулок|пер)|Via|via)\.?\s?"
    rf"(?P<name>{_SOUTHERN_LINK}{{0,2}}{_NAME}(?:\s{_SOUTHERN_LINK}{{0,2}}{_NAME}){{0,4}})"
    rf",?\s{{1,2}}(?:n[º°.o]?\.?\s?|núm\.?\s?|nr\.?\s?|д(?:ом"
    rf"|\.)\s?)?[0-9]{{1,5}}[A-Za-z]?(?:/[0-9]{{1,4}})?{_STOP}"
    r"(?:,?\s(?:[0-9]{1,2}\s?[ºª°](?:\s?[A-Z](?![A-Za-z]))?|(?i:piso|int\.?|interno|scala|apto\.?|puerta"
    r"|m\.)\s?[0-9]{1,4}"
    rf"|(?i:bajo|izq\.?|dcha\.?)(?![^\W_]))){{0,3}}(?P<unit>{_UNIT}){{0,2}}{_TAIL}"
)
_NOT_VIA = re.compile(
    r"(?:usb|hdmi|bluetooth|wi-?fi|ios|android|windows|amazon|alexa|kindle|google|apple|app|lan|ethernet"
    r"|type|gps"
    r"|nfc|sms|dhl|ups|ebay|paypal|channel|fire|echo|galaxy|iphone|ipad|mac|vpn|firmware|playstation|xbox"
    r"|netflix)",
    re.IGNORECASE,
)


def _southern_length(match: re.Match[str]) -> int:
    kind = match["type"].lower()
    if match["tail"] or match["unit"]:
        return whole(match)
    if kind in ("largo", "ronda", "av", "plaza", "camino") and " " not in match["name"]:
        return 0
    if kind == "via" and (match["type"] == "via" or _NOT_VIA.match(match["name"])):
        return 0
    return whole(match)


_BOX = re.compile(
    r"(?<![^\W_])(?:"
    rf"(?i:p\.?\s?o\.?\s?box|post office box|postfach|postbus|apartado(?: de correos| postal)?"
    rf"|casella postale"
    r"|caixa postal|box postal|postboks|postilokero|boîte postale)\s?(?:n[º°.o]\.?\s?|#\s?|:\s?)?"
    rf"[0-9]{{1,6}}(?:\s[0-9]{{2,3}}){{0,2}}(?![A-Za-z0-9]){_TAIL}"
    r"|(?i:PSC|Unit|CMR)\s[0-9]{1,5},?\s(?i:Box)\s[0-9]{1,5}(?:[,\s]{1,3}(?i:[AFD]PO)\s(?i:A[AEP])\s[0-9]{5})?"
    r"|(?:(?:USS|USNS|USCGC)\s[\w ]{2,24}\s)?[AFD]PO\sA[AEP]\s[0-9]{5}"
    rf"|(?:BP|B\.P\.|CS)\s[0-9]{{1,5}}[,\s-]{{1,3}}[0-9]{{5}}\s{_NAME}"
    r")"
)

_EAST_ASIAN = re.compile(
    r"[\u4e00-\u9fff]{2,8}[路街道巷](?:[\u4e00-\u9fff0-9]{0,4}弄)?\s?[0-9]{1,5}\s?[号號](?:\s?[0-9]{1,4}\s?[号楼栋室單元单层]){0,4}"
    r"|[가-힣]{1,6}(?:시|도|군|구|동)\s(?:[가-힣]{1,6}[구군읍면동]\s){0,2}[가-힣0-9]{1,10}[로길]\s?[0-9]{1,4}(?:-[0-9]{1,4})?"
    r"(?:번길\s?[0-9]{1,4})?(?![0-9])"
    r"|[\u4e00-\u9fff]{1,8}[都道府県市区町村][\u3040-\u30ff\u4e00-\u9fff]{1,8}[0-9]{1,3}"
    r"(?:丁目\s?[0-9]{1,3}(?:(?:番地?|-|−)[0-9]{1,4})?|[-−][0-9]{1,3}[-−][0-9]{1,4})号?"
)

_NUMBER_FIRST = (
    "street st avenue ave av road rd boulevard blvd lane ln rue bd bld bvd impasse quai chemin allée "
    "allées faubourg "
    "fbg sentier montée apt apartment suite ste"
).split()
_NUMBER_FIRST_CAPITALS = (
    "drive dr court ct terrace parkway pkwy highway hwy crescent cres close way place pl square sq circle "
    "cir trail "
    "mews gardens grove hill row walk plaza pike quay heights alley"
).split()
_NUMBER_FIRST_FRENCH = "place route cours square passage esplanade promenade".split()
_NAME_FIRST = (
    "rue avenue boulevard bd impasse quai chemin allée faubourg calle cl c/ avenida avda av plaza pza "
    "paseo camino "
    "carretera ctra ronda rúa rua travessa praça alameda estrada camiño viale piazza piazzale corso "
    "vicolo largo "
    "strada vico lungarno ulica ul aleja aleje λεωφόρος λεωφ λ οδός улица ул проспект просп переулок пер "
    "via straße "
    "strasse str allee weg platz gasse ring damm ufer chaussee utca útja út tér körút krt rkp caddesi cad "
    "sokak "
    "sokağı sok gata väg vei allé terrasse p.o po p.o.box postfach postbus apartado postale postal postboks "
    "postilokero psc cmr apo fpo dpo office bp b.p"
).split()
_NAME_FIRST_PIECES = ("c/", " u. ", "place d", "route d", "cours d")


def _tokens(words: Sequence[str], *, lower: bool = True) -> frozenset[str]:
    """How words can stand between spaces: in any case or in capitals, with signs before and after."""
    cases = {form for word in words for form in (word.capitalize(), word.upper())}
    cases |= set(words) if lower else set()
    begins, ends = ("", "(", '"', "„", "“", "«"), ("", ".", ",", ".,", ";", ":", ")", "!", "?")
    return frozenset(begin + word + end for begin in begins for word in cases for end in ends)


_NUMBER_FIRST_TOKENS = (
    _tokens(_NUMBER_FIRST) | _tokens(_NUMBER_FIRST_CAPITALS, lower=False) | _tokens(_NUMBER_FIRST_FRENCH)
)
_NAME_FIRST_TOKENS = _tokens(_NAME_FIRST)
_STREET_TOKENS = _NUMBER_FIRST_TOKENS | _NAME_FIRST_TOKENS
_SUFFIXES = tuple(
    (
        "straße strasse str. str allee gasse chaussee weg platz straat laan gracht dijk plein gatan vägen "
        "gränd "
        "veien vegen vej katu ring damm ufer hof markt dreef gade gata gate tie graben steig hafen singel "
        "plaats "
        "kade kuja tee"
    ).split()
)
_DIGITS = re.compile("[0-9]+")
_REACH = 56
"""How many characters at most lie between a house number and its word for a street."""

_NUMBER_FIRST_DETECTORS = (
    Detector("address", _FRENCH, _french_length),
    Detector("address", _ENGLISH, _english_length),
    Detector("address", _WITH_UNIT, _with_unit_length),
)
_NAME_FIRST_DETECTORS = (
    Detector("address", _BOX),
    Detector("address", _FRENCH_AFTER, _french_after_length),
    Detector("address", _SOUTHERN, _southern_length),
    Detector("address", _SPACED),
)
_COMPOUND_DETECTOR = Detector("address", _COMPOUND, _compound_length)
_EAST_ASIAN_DETECTOR = Detector("address", _EAST_ASIAN)


def address_detectors(text: str, lowered: str) -> list[Detector]:
    """The detectors for which a text, given in lower case too, has a number near a word for a street."""
    number_first = name_first = compound = False
    has_street = not _STREET_TOKENS.isdisjoint(text.split())
    for number in _DIGITS.finditer(text):
        start, end = number.span()
        compound = compound or text[max(0, start - 12) : start].rstrip().endswith(_SUFFIXES)
        if has_street:
            words = text[max(0, start - _REACH) : start].split()
            name_first = name_first or not _NAME_FIRST_TOKENS.isdisjoint(words)
            words = text[end : end + _REACH].split()
            number_first = number_first or not _NUMBER_FIRST_TOKENS.isdisjoint(words)
    found: list[Detector] = []
    if name_first or any(piece in lowered for piece in _NAME_FIRST_PIECES):
        found += _NAME_FIRST_DETECTORS
    if number_first:
        found += _NUMBER_FIRST_DETECTORS
    if compound:
        found.append(_COMPOUND_DETECTOR)
    if not text.isascii():
        found.append(_EAST_ASIAN_DETECTOR)
    return found
