"""Turns HTML that others wrote into HTML that a page may show, or into plain text. Pure: no I/O.

What is kept is an allow-list: text, headings, lists, tables, figures, links and images. Scripts,
styles, frames, forms, comments, classes, ids and event handlers go; of scripts and their kind the
content goes too.
"""

from __future__ import annotations

import html
import re
from urllib.parse import urljoin, urlsplit

import nh3

_BLOCKS = {"blockquote", "br", "figcaption", "figure", "hr", "p", "pre"}
_HEADINGS = {"h1", "h2", "h3", "h4", "h5", "h6"}
_LISTS = {"dd", "dl", "dt", "li", "ol", "ul"}
_TABLES = {"caption", "table", "tbody", "td", "tfoot", "th", "thead", "tr"}
_WORDS = {"a", "abbr", "b", "cite", "code", "em", "i", "img", "kbd", "mark", "q", "samp"}
_MARKS = {"del", "ins", "s", "small", "strong", "sub", "sup", "u"}
#: Elements that stay. Others are taken away and leave their text.
TAGS = frozenset(_BLOCKS | _HEADINGS | _LISTS | _TABLES | _WORDS | _MARKS)
#: Attributes that stay, by element. `rel` is ours and is added to each link.
ATTRIBUTES = {
    "a": {"href", "title"},
    "abbr": {"title"},
    "img": {"src", "alt", "title", "width", "height"},
    "ol": {"start"},
    "td": {"colspan", "rowspan"},
    "th": {"colspan", "rowspan", "scope"},
}
SCHEMES = frozenset({"http", "https", "mailto"})

# Elements whose content is no text for a reader.
_CODE = {"math", "noscript", "script", "style", "svg", "template", "title", "xmp"}
_FOREIGN = {"embed", "iframe", "noembed", "noframes", "object", "select", "textarea"}
_SILENT = frozenset(_CODE | _FOREIGN)
_NUMBERS = frozenset({"width", "height", "start", "colspan", "rowspan"})
_SCOPES = frozenset({"row", "col", "rowgroup", "colgroup"})
# Where a reader sees a new line, so that plain text does not glue two words together.
_BREAKS = re.compile(
    r"</?(?:p|div|br|hr|li|ul|ol|dl|dt|dd|tr|td|th|table|h[1-6]|blockquote|pre|figure|figcaption"
    r"|section|article|header|footer)\b",
    re.IGNORECASE,
)


class Sanitiser:
    """Sanitises what one site publishes.

    base_url: the site's address: relative links and images are resolved against it. An image may
    come from any host by https, and by http from the site's own host alone.
    """

    def __init__(self, base_url: str) -> None:
        self._base = base_url.rstrip("/") + "/"
        self._host = urlsplit(self._base).netloc.lower()
        self._cleaner = nh3.Cleaner(
            tags=set(TAGS),
            clean_content_tags=set(_SILENT),
            # Without "*" the library would let `lang` and `title` pass on any element.
            attributes={"*": set(), **{tag: set(names) for tag, names in ATTRIBUTES.items()}},
            attribute_filter=self._attribute,
            url_schemes=set(SCHEMES),
            link_rel="noopener",
        )

    def clean(self, markup: str) -> str:
        """HTML that holds nothing but the allowed elements, attributes and addresses."""
        return self._cleaner.clean(markup).strip()

    def image(self, url: str | None) -> str | None:
        """The absolute address of an image that a page may load, else None."""
        parts = _split(self._base, url)
        if parts is None:
            return None
        address, scheme, host = parts
        trusted = scheme == "https" or (scheme == "http" and host == self._host)
        return address if trusted and host else None

    def _attribute(self, tag: str, name: str, value: str) -> str | None:
        if name == "src":
            return self.image(value)
        if name == "href":
            return self._link(value)
        if name in _NUMBERS:
            return value if value.isascii() and value.isdigit() and len(value) <= 4 else None
        if name == "scope":
            return value if value in _SCOPES else None
        return value

    def _link(self, value: str) -> str | None:
        # Ids are taken away, so a place inside the page leads nowhere.
        parts = None if value.startswith("#") else _split(self._base, value)
        return parts[0] if parts and parts[1] in SCHEMES else None


def _split(base: str, url: str | None) -> tuple[str, str, str] | None:
    """Address, scheme and host; None for what is no address."""
    if not url or any(character <= " " or character == "\x7f" for character in url.strip()):
        return None
    try:
        address = urljoin(base, url.strip())
        parts = urlsplit(address)
    except ValueError:
        return None
    return address, parts.scheme.lower(), parts.netloc.lower()


def plain(markup: str) -> str:
    """The text of HTML on one line: without elements, entities resolved once, spaces collapsed."""
    apart = _BREAKS.sub(r" \g<0>", markup)
    text = nh3.clean(apart, tags=set(), clean_content_tags=set(_SILENT), link_rel=None)
    return " ".join(html.unescape(text).split())
