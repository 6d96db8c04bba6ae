"""What others wrote becomes harmless: nothing but the allow-list passes."""

from __future__ import annotations

import html
from concurrent.futures import ThreadPoolExecutor
from html.parser import HTMLParser
from urllib.parse import urlsplit

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connectors.kit.html import ATTRIBUTES, SCHEMES, TAGS, Sanitiser, plain

SITE = Sanitiser("http://news.example/blog")


@pytest.mark.parametrize(
    ("markup", "kept"),
    [
        ("<p>a<script>alert(1)</script>b</p>", "<p>ab</p>"),
        ("<p onclick='x()' class='c' id='i' style='color:red' data-x='1'>a</p>", "<p>a</p>"),
        ("<style>p{}</style><p>a</p>", "<p>a</p>"),
        ("<iframe src='https://x.example'>frame</iframe>a", "a"),
        ("<img src=x onerror=alert(1)>", '<img src="http://news.example/blog/x">'),
        ("<img src='data:image/svg+xml;base64,PHN2Zz4='>", "<img>"),
        ("<img src='http://other.example/a.png'>", "<img>"),
        ("<img src='http://news.example.evil.example/a.png'>", "<img>"),
        ("<img src='http://news.example@evil.example/a.png'>", "<img>"),
        ("<img src='//cdn.example/a.png'>", "<img>"),  # by http, like the site it stands on
        ("<img src='https://cdn.example/a.png'>", '<img src="https://cdn.example/a.png">'),
        (
            "<img src='/a.png' width='10' height='50%'>",
            '<img src="http://news.example/a.png" width="10">',
        ),
        ("<a href='javascript:alert(1)'>a</a>", '<a rel="noopener">a</a>'),
        ("<a href=' jAvAsCrIpT&colon;alert(1)'>a</a>", '<a rel="noopener">a</a>'),
        ("<a href='java\tscript:alert(1)'>a</a>", '<a rel="noopener">a</a>'),
        ("<a href='data:text/html,x'>a</a>", '<a rel="noopener">a</a>'),
        ("<a href='vbscript:x'>a</a>", '<a rel="noopener">a</a>'),
        ("<a href='#top'>a</a>", '<a rel="noopener">a</a>'),
        ("<a href='http://[bad'>a</a>", '<a rel="noopener">a</a>'),
        ("<a href='mailto:a@b.example'>a</a>", '<a href="mailto:a@b.example" rel="noopener">a</a>'),
        (
            "<a href='../x' target='_blank' rel='opener'>a</a>",
            '<a href="http://news.example/x" rel="noopener">a</a>',
        ),
        ("<svg><a href='javascript:x'>s</a></svg><math><mi>m</mi></math>a", "a"),
        ("<form action='/x'><input name='q'><button>b</button></form>", "b"),
        ("<object data='x'>o</object><embed src='x'>a", "a"),
        ("<base href='https://evil.example/'><meta http-equiv='refresh'><link rel='x'>a", "a"),
        ("<!-- secret --><p>a</p><!--[if IE]><script>x</script><![endif]-->", "<p>a</p>"),
        ("<div><span>a</span></div>", "a"),
        # A parser without scripts sees a picture there; it is kept as any picture is.
        (
            "<noscript><p title='</noscript><img src=x onerror=alert(1)>'></noscript>a",
            '<img src="http://news.example/blog/x">\'&gt;a',
        ),
        ("<p>unclosed <b>bold", "<p>unclosed <b>bold</b></p>"),
        (
            "<table><tr><td colspan='2' scope='x'>1</td></tr></table>",
            '<table><tbody><tr><td colspan="2">1</td></tr></tbody></table>',
        ),
    ],
)
def test_what_stays(markup: str, kept: str) -> None:
    assert SITE.clean(markup) == kept


class Audit(HTMLParser):
    """Reads markup as a stranger would and fails on all that the allow-list does not name."""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        assert tag in TAGS
        for name, value in attrs:
            assert name in ATTRIBUTES.get(tag, set()) | ({"rel"} if tag == "a" else set())
            if name == "href":
                assert urlsplit(value or "").scheme in SCHEMES
            if name == "src":
                parts = urlsplit(value or "")
                assert parts.scheme == "https" or (parts.scheme, parts.netloc) == (
                    "http",
                    "news.example",
                )

    def handle_comment(self, data: str) -> None:
        raise AssertionError(f"a comment passed: {data!r}")


PIECES = st.sampled_from(
    [
        *("<p>", "</p>", "<b ", "<a href=", "'javascript:x()'", '"https://x.example"', ">", "<"),
        *("<script>", "</script>", "<img src=", "x onerror=y", "<!--", "-->", "<svg>", "<style>"),
        *("&lt;", "&#x6a;avascript:", "<math><mtext>", "</title>", "<iframe srcdoc=", "text", "'"),
        *('"', "/>", "data:text/html,", "\x00", "é", "<table><tr>", "<noscript>", "</p"),
    ]
)


@given(st.lists(PIECES, max_size=25).map("".join))
def test_nothing_else_ever_passes(markup: str) -> None:
    cleaned = SITE.clean(markup)
    Audit().feed(cleaned)
    assert SITE.clean(cleaned) == cleaned


def test_one_sanitiser_serves_many_threads() -> None:
    markup = "<p onclick=x>a<img src='/i.png'></p>" * 200
    with ThreadPoolExecutor(4) as threads:
        assert len(set(threads.map(SITE.clean, [markup] * 16))) == 1


@pytest.mark.parametrize(
    ("url", "image"),
    [
        ("https://cdn.example/a.png", "https://cdn.example/a.png"),
        ("/a.png", "http://news.example/a.png"),
        ("http://NEWS.example/a.png", "http://NEWS.example/a.png"),
        ("http://cdn.example/a.png", None),
        ("https:///a.png", None),
        ("javascript:alert(1)", None),
        ("https://x.example/a b.png", None),
        ("", None),
        (None, None),
    ],
)
def test_images_that_a_page_may_load(url: str | None, image: str | None) -> None:
    assert SITE.image(url) == image


@pytest.mark.parametrize(
    ("markup", "text"),
    [
        ("New plant &#8211; 2024", "New plant – 2024"),
        ("R&amp;D", "R&D"),
        ("&amp;lt;b&amp;gt;", "&lt;b&gt;"),  # once, not twice
        ("a &lt;b&gt; c", "a <b> c"),
        ("<p>one</p><p>two</p>", "one two"),
        ("one<br>two<br/>three", "one two three"),
        ("f<b>oo</b>", "foo"),
        ("<ul><li>a</li><li>b</li></ul>", "a b"),
        ("a&nbsp;\n b<script>x()</script><style>y</style>", "a b"),
        ("5 < 6 > 4", "5 < 6 > 4"),
        ("", ""),
    ],
)
def test_plain_text(markup: str, text: str) -> None:
    assert plain(markup) == text


@given(st.text())
def test_text_survives_its_own_markup(text: str) -> None:
    escaped = plain(html.escape(text.replace("\x00", "")))
    assert escaped.split() == text.replace("\x00", "").split()
