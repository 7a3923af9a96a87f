"""E-mail addresses, addresses of machines, and links that carry a password."""

from __future__ import annotations

import ipaddress
import re

from analytics.intake.redaction_detector import Detector, before, whole

_LETTER = "A-Za-zÀ-ɏͰ-ӿ"
_EMAIL = re.compile(
    rf"[{_LETTER}0-9_+%-](?:[{_LETTER}0-9_.+%'-]{{0,62}}[{_LETTER}0-9_+%-])?"
    rf"@(?:[{_LETTER}0-9](?:[{_LETTER}0-9-]{{0,61}}[{_LETTER}0-9])?\.){{1,8}}"
    rf"(?:xn--[A-Za-z0-9-]{{2,20}}|[{_LETTER}]{{2,24}})"
)
_SPELLED_EMAIL = re.compile(
    r"(?<![A-Za-z0-9_.+%-])[A-Za-z0-9_.+%-]{1,64} ?[(\[{] ?at ?[)\]}] ?"
    r"(?:[A-Za-z0-9-]{1,63}(?: ?[(\[{] ?dot ?[)\]}] ?|\.)){1,4}[A-Za-z]{2,24}(?![A-Za-z0-9])",
    re.IGNORECASE,
)

# Links hold no quotes or angle brackets, and end where a script begins that sets no spaces.
_IN_LINK = r"[!#-;=?-~À-ɏ]"
_URL = re.compile(rf"(?<![A-Za-z0-9])[A-Za-z][A-Za-z0-9+.-]{{1,15}}://{_IN_LINK}{{1,2048}}")
_BARE_URL = re.compile(
    r"(?<![A-Za-z0-9.@/_&=?#;%:+-])(?:[A-Za-z0-9-]{1,63}\.){1,6}[A-Za-z]{2,24}(?::[0-9]{1,5})?"
    rf"(?:/[!#-;=@-~À-ɏ]{{0,512}})?\?{_IN_LINK}{{1,2048}}"
)
_LOGIN = re.compile(r"://[^\s/@?#]+@")
_SECRET = re.compile(
    r"[?&#;](?:amp;)?(?:[a-z0-9]{1,16}[_-]?)?"
    r"(?:token|api[_-]?key|secret|passw(?:or)?d|passwd|passphrase|pwd|session|session[_-]?id|signature|jwt"
    r"|(?<=[?&#;_-])(?:key|auth|sid|sig|pass|otp|bearer|credentials?))=[^\s&#]",
    re.IGNORECASE,
)

_OCTET = "(?:25[0-5]|2[0-4][0-9]|1[0-9]{2}|[1-9]?[0-9])"
_IPV4 = re.compile(rf"(?<![A-Za-z0-9_.]){_OCTET}(?:\.{_OCTET}){{3}}(?![A-Za-z0-9_])(?!\.[0-9])")
_VERSION = re.compile(
    r"(?<![^\W_])(?:version|versión|versione|firmware|fw|release|build|update|driver|software|kernel|ios"
    r"|android|windows|chrome|firefox|fire ?os|v|ver|rev)[ .:]*$",
    re.IGNORECASE,
)
_IPV6 = re.compile(
    r"(?<![A-Za-z0-9_:.])(?:[0-9A-Fa-f]{0,4}:){2,7}[0-9A-Fa-f]{0,4}(?:\.[0-9]{1,3}){0,3}(?![A-Za-z0-9_:])"
)
_MAC = re.compile(
    r"(?<![A-Za-z0-9_:.-])(?:[0-9A-Fa-f]{2}(?::[0-9A-Fa-f]{2}){5}|[0-9A-Fa-f]{2}(?:-[0-9A-Fa-f]{2}){5})"
    r"(?![A-Za-z0-9_:-])"
)


def _url_length(match: re.Match[str]) -> int:
    """Length of a link that carries a login, a key or a session, without the sentence's punctuation."""
    link = match[0].rstrip(".,;:!?)]}'’”»")
    return len(link) if _LOGIN.search(link) or _SECRET.search(link) else 0


def _ipv4_length(match: re.Match[str]) -> int:
    """Length of an address that is no version: those of single digits alone are rather one, or a price."""
    is_version = len(match[0]) == 7 or _VERSION.search(before(match, 16))
    return 0 if is_version else whole(match)


def _ipv6_length(match: re.Match[str]) -> int:
    try:
        ipaddress.IPv6Address(match[0])
    except ValueError:
        return 0
    # "::" and "a::b" are addresses too, but in prose they are punctuation and program code.
    is_plain = "::" not in match[0] or max(map(len, match[0].split(":"))) >= 3
    return whole(match) if is_plain and any(map(str.isdigit, match[0])) else 0


def _mac_length(match: re.Match[str]) -> int:
    """Length of a hardware address; with hyphens and no letter it may be any list of numbers."""
    return 0 if "-" in match[0] and not re.search("[A-Fa-f]", match[0]) else whole(match)


LINKS = (
    Detector("url", _URL, _url_length),
    Detector("url", _BARE_URL, _url_length),
    Detector("email", _EMAIL),
    Detector("email", _SPELLED_EMAIL),
)
MACHINES = (
    Detector("ip", _MAC, _mac_length),
    Detector("ip", _IPV6, _ipv6_length),
)
IPV4 = Detector("ip", _IPV4, _ipv4_length, 4, 4, (".",))


def may_hold_link(text: str) -> bool:
    """Whether a text can hold an e-mail address or a link with a password in it."""
    return "@" in text or "=" in text or "at)" in text or "at]" in text


def may_hold_machine(text: str) -> bool:
    """Whether a text can hold an address in hexadecimal groups."""
    return text.count(":") > 1 or text.count("-") > 4
