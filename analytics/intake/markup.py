"""HTML as the text that its writer saw: paragraphs and line breaks, quotations marked with ">"."""

from __future__ import annotations

import html
import re

_BLOCKS = (
    "html|body|div|p|table|tbody|thead|tfoot|tr|td|th|ul|ol|li|dl|dt|dd|h[1-6]|hr|pre|blockquote|center|"
    "section|article|header|footer|main|nav|aside|figure|figcaption|address|form|fieldset|title|head"
)
_INLINE = (
    "a|abbr|acronym|b|bdi|bdo|big|cite|code|del|dfn|em|font|i|ins|kbd|label|mark|q|s|samp|small|span|strike|"
    "strong|sub|sup|time|tt|u|var|nobr"
)
_EMPTY = "br|img|meta|link|base|wbr|input|col|area"
_RAW = "script|style|noscript|svg|object|iframe|template|map|colgroup|button|select|textarea|video|audio"
_KNOWN = re.compile(rf"(?:{_BLOCKS}|{_INLINE}|{_EMPTY}|{_RAW}|[ovwmx]:[a-z]+|st1:[a-z]+)", re.IGNORECASE)

_MARKUP = re.compile(
    rf"(<|&lt;)(?=!doctype\s+html|!--|/(?:{_BLOCKS}|{_INLINE}|{_RAW})\s{{0,9}}(?:>|&gt;)"
    rf"|(?:{_BLOCKS}|{_EMPTY})(?:\s{{0,9}}/?(?:>|&gt;)|\s{{1,9}}[a-z:-]{{1,30}}\s{{0,9}}=)"
    rf"|(?:{_INLINE}|{_RAW})\s{{1,9}}[a-z:-]{{1,30}}\s{{0,9}}=)",
    re.IGNORECASE,
)
"""What nobody types by chance: a block's tag, a closing tag, or a tag with an attribute."""

_TOKEN = re.compile(
    r"<!--|<[!?][^<>]*+>"
    r"|<(?P<end>/?)(?P<name>[a-z][a-z0-9]*+(?::[a-z]++)?)(?![\w@.+:-])"
    r"(?:(?P<attributes>(?:[^<>\"']|\"[^\"<]*+\"|'[^'<]*+')*+)>|(?P<broken>[^<>]*+)>)",
    re.IGNORECASE,
)
"""Every alternative ends at the next "<", so that the whole scan is linear."""

_DOCUMENT = re.compile(r"<(?:html|body|div|p|table|tr|td|blockquote|ul|ol|h[1-6])\b", re.IGNORECASE)
_BLOCK_NAME = re.compile(rf"(?:{_BLOCKS})", re.IGNORECASE)
_PARAGRAPHS = {"p", "blockquote", "table", "ul", "ol", "h1", "h2", "h3", "h4", "h5", "h6", "pre"}
_SKIPPED = {"script", "style", "noscript", "svg", "object", "iframe", "template", "title", "head"}
_ATTRIBUTION = re.compile(r"\b(?:gmail_attr|moz-cite-prefix)\b")
_QUOTING = re.compile(r"\b(?:gmail_quote|yahoo_quoted|protonmail_quote|zmail_extra|tutanota_quote)\b")
_REST_QUOTED = re.compile(r"\b(?:OutlookMessageHeader|divRplyFwdMsg|appendonsend|mail-editor-reference)")
_BREAK = re.compile(r"(<br\s{0,9}/?>)[^\S\n]{0,9}\n", re.IGNORECASE)
_HUGE_NUMBER = re.compile(r"&#(?=[0-9]{9}|x[0-9a-f]{9})", re.IGNORECASE)
_SPACES = re.compile(r"\s+")
_LINE_SPACES = re.compile(r"[^\S\n]+")
_ROUNDS = 6
_DEEPEST_QUOTE = 3
_LONGEST_RUIN = 500
"""A tag that the text's end cuts off is dropped up to this length."""


def html_to_text(text: str) -> str:
    """Readable text of an HTML document, of a fragment or of text with stray tags; other text as it is.

    Tags that somebody escaped (`&lt;br&gt;`) are read as tags, for a few rounds; what is nested deeper is
    made plain text, so that a second call changes nothing.
    """
    for nth in range(_ROUNDS):
        if not _MARKUP.search(text):
            return text
        text = _Page(text, flowing=nth == 0 and _DOCUMENT.search(text) is not None).read()
    return _MARKUP.sub(r"\1 ", text)


class _Page:
    """One pass over a page: the lines written so far, and how deep in quotations the reader is."""

    def __init__(self, page: str, *, flowing: bool) -> None:
        # Where line breaks are kept, the one after a <br> stands for the same break.
        self.page = page if flowing else _BREAK.sub(r"\1", page)
        self.flowing = flowing
        self.lines: list[str] = []
        self.words: list[str] = []
        self.quotes: dict[str, list[bool]] = {"blockquote": [], "div": []}
        self.depth = 0
        self.preformatted = 0
        self.rest_quoted = False
        self.gone: set[str] = set()
        self.last_quote = self.page.lower().rfind("<blockquote")

    def read(self) -> str:
        position = 0
        while (token := _TOKEN.search(self.page, position)) is not None:
            name = (token["name"] or "").lower()
            if name and not _KNOWN.fullmatch(name):
                self.write(self.page[position : token.end()])
                position = token.end()
                continue
            self.write(self.page[position : token.start()])
            if token[0] == "<!--":
                position = self.after("-->", token.end())
            elif name in _SKIPPED and not token["end"]:
                position = self.after(f"</{name}", token.end())
            else:
                position = token.end()
                if name:
                    self.tag(name, token)
        end = self.page.rfind("<", position)
        if end < 0 or len(self.page) - end > _LONGEST_RUIN or not _MARKUP.match(self.page, end):
            end = len(self.page)
        self.write(self.page[position:end])
        self.break_line()
        return re.sub(r"\n{3,}", "\n\n", "\n".join(self.lines)).strip()

    def after(self, end: str, start: int) -> int:
        """Where `end` ends; `start` where it never comes, which is looked up once."""
        if end in self.gone:
            return start
        found = re.compile(re.escape(end), re.IGNORECASE).search(self.page, start)
        if found is None:
            self.gone.add(end)
            return start
        return found.end() if end == "-->" else found.start()

    def write(self, raw: str) -> None:
        if not raw:
            return
        text = html.unescape(_HUGE_NUMBER.sub("& #", raw)).replace("\xa0", " ").replace("\r\n", "\n")
        if self.flowing and not self.preformatted:
            self.words.append(_SPACES.sub(" ", text))
            return
        first, *others = text.split("\n")
        self.words.append(first)
        for line in others:
            self.break_line(keep_empty=True)
            self.words.append(line)

    def break_line(self, *, keep_empty: bool = False) -> None:
        line = "".join(self.words)
        self.words.clear()
        line = line.rstrip() if self.preformatted or not self.flowing else _LINE_SPACES.sub(" ", line).strip()
        if line or keep_empty:
            self.lines.append(self.prefix() + line)

    def blank_line(self) -> None:
        self.break_line()
        if self.lines and not self.lines[-1].strip("> "):
            self.lines.pop()
        if self.lines:
            self.lines.append(self.prefix().rstrip())

    def prefix(self) -> str:
        depth = min(self.depth + self.rest_quoted, _DEEPEST_QUOTE)
        return ">" * depth + " " if depth else ""

    def tag(self, name: str, token: re.Match[str]) -> None:
        attributes = token["attributes"] or token["broken"] or ""
        if name == "br":
            self.break_line(keep_empty=True)
        elif name in ("td", "th"):
            self.words.append(" ")
        elif _BLOCK_NAME.fullmatch(name):
            self.block(name, attributes, token.start(), closing=bool(token["end"]))

    def block(self, name: str, attributes: str, position: int, *, closing: bool) -> None:
        self.break_line()
        if name in self.quotes and closing:
            self.quote(name, attributes, position, closing=True)
        if name in _PARAGRAPHS:
            self.blank_line()
        if name == "pre":
            self.preformatted = max(0, self.preformatted + (-1 if closing else 1))
        elif name == "li" and not closing:
            self.words.append("- ")
        elif name in self.quotes and not closing:
            self.quote(name, attributes, position, closing=False)

    def quote(self, name: str, attributes: str, position: int, *, closing: bool) -> None:
        if closing:
            if self.quotes[name]:
                self.depth -= self.quotes[name].pop()
            return
        if _REST_QUOTED.search(attributes):
            self.rest_quoted = True
        quoting = name == "blockquote" or _ATTRIBUTION.search(attributes) is not None
        # Answers between the lines lie within Gmail's division and outside its block quotations.
        quoting |= _QUOTING.search(attributes) is not None and self.last_quote < position
        self.quotes[name].append(quoting)
        self.depth += quoting
