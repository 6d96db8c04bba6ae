"""Requests that two readers could read in two ways, or that are none, by what they are; with the
status that each is answered with. What is inside of one must never be answered."""

from __future__ import annotations

_POST = b"POST / HTTP/1.1\r\nHost: a\r\n"
_GET = b"GET / HTTP/1.1\r\nHost: a\r\n"
_CHUNKED = _POST + b"Transfer-Encoding: chunked\r\n\r\n"
#: What must never be answered, as it is inside of another request.
_INNER = b"GET /smuggled HTTP/1.1\r\nHost: a\r\n\r\n"

SHAPES: dict[str, tuple[int, bytes]] = {
    "both lengths": (
        400,
        _POST + b"Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n" + _INNER,
    ),
    "both lengths the other way": (
        400,
        _POST + b"Transfer-Encoding: chunked\r\nContent-Length: 5\r\n\r\n0\r\n\r\n" + _INNER,
    ),
    "a length twice": (400, _POST + b"Content-Length: 1\r\nContent-Length: 1\r\n\r\nx"),
    "two lengths": (400, _POST + b"Content-Length: 1\r\nContent-Length: 40\r\n\r\nx" + _INNER),
    "a list of lengths": (400, _POST + b"Content-Length: 1, 1\r\n\r\nx"),
    "a length with a sign": (400, _POST + b"Content-Length: +1\r\n\r\nx"),
    "a negative length": (400, _POST + b"Content-Length: -1\r\n\r\nx"),
    "a length past all numbers": (400, _POST + b"Content-Length: 99999999999999999999999\r\n\r\n"),
    "a hexadecimal length": (400, _POST + b"Content-Length: 0x1\r\n\r\nx"),
    "a space before the colon": (400, _POST + b"Content-Length : 1\r\n\r\nx"),
    "a folded header": (400, _GET + b"X-A: b\r\n c\r\n\r\n"),
    "a folded coding": (400, _POST + b"Transfer-Encoding:\r\n chunked\r\n\r\n0\r\n\r\n"),
    "another coding": (501, _POST + b"Transfer-Encoding: identity\r\n\r\n" + _INNER),
    "a coding more": (501, _POST + b"Transfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n"),
    "chunked not last": (400, _POST + b"Transfer-Encoding: chunked, gzip\r\n\r\n0\r\n\r\n"),
    "almost chunked": (501, _POST + b"Transfer-Encoding: xchunked\r\n\r\n0\r\n\r\n"),
    "two codings": (
        400,
        _POST + b"Transfer-Encoding: chunked\r\nTransfer-Encoding: identity\r\n\r\n0\r\n\r\n",
    ),
    "chunked in HTTP/1.0": (
        400,
        b"POST / HTTP/1.0\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
    ),
    "a chunk of 0x1": (400, _CHUNKED + b"0x1\r\nx\r\n0\r\n\r\n"),
    "a chunk of -1": (400, _CHUNKED + b"-1\r\nx\r\n0\r\n\r\n"),
    "a chunk of +1": (400, _CHUNKED + b"+1\r\nx\r\n0\r\n\r\n"),
    "a space behind a chunk's size": (400, _CHUNKED + b"1 \r\nx\r\n0\r\n\r\n"),
    "a chunk past all numbers": (400, _CHUNKED + b"fffffffffffffffff\r\nx\r\n0\r\n\r\n"),
    "a chunk's line that ends early": (400, _CHUNKED + b"1\nx\r\n0\r\n\r\n"),
    "a chunk longer than it says": (400, _CHUNKED + b"1\r\nxy0\r\n\r\n" + _INNER),
    "a chunk's extension with a line end": (400, _CHUNKED + b"1;a\nb\r\nx\r\n0\r\n\r\n"),
    "headers behind the body": (400, _CHUNKED + b"0\r\nX: y\r\n\r\n"),
    "line feeds alone": (400, b"GET / HTTP/1.1\nHost: a\n\n"),
    "a carriage return alone": (400, b"GET / HTTP/1.1\r\nHost: a\rX: b\r\n\r\n"),
    "a zero byte": (400, _GET + b"X: a\x00b\r\n\r\n"),
    "no host": (400, b"GET / HTTP/1.1\r\n\r\n"),
    "two hosts": (400, _GET + b"Host: b\r\n\r\n"),
    "HTTP/2.0": (505, b"GET / HTTP/2.0\r\nHost: a\r\n\r\n"),
    "HTTP/1.2": (400, b"GET / HTTP/1.2\r\nHost: a\r\n\r\n"),
    "HTTP/0.9": (505, b"GET /\r\n\r\n"),
    "a tunnel": (400, b"CONNECT a:80 HTTP/1.1\r\nHost: a\r\n\r\n" + _INNER),
    "another protocol with a body": (
        400,
        _POST + b"Connection: Upgrade\r\nUpgrade: h2c\r\nContent-Length: 3\r\n\r\nabc" + _INNER,
    ),
    "a WebSocket with a body": (
        400,
        _POST + b"Connection: Upgrade\r\nUpgrade: websocket\r\nContent-Length: 3\r\n\r\nabc",
    ),
    "a WebSocket with a long header": (
        431,
        _GET + b"Connection: Upgrade\r\nUpgrade: websocket\r\nX: " + b"a" * 9_000 + b"\r\n\r\n",
    ),
    "bytes in the address": (400, b"GET /\xff HTTP/1.1\r\nHost: a\r\n\r\n"),
    "a space in the address": (400, b"GET /a b HTTP/1.1\r\nHost: a\r\n\r\n"),
    "TLS": (400, b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03"),
    "any bytes": (400, bytes(range(256))),
    "too many headers": (431, _GET + b"".join(b"x%d: y\r\n" % n for n in range(100)) + b"\r\n"),
    "a large header": (431, _GET + b"X: " + b"a" * 40_000 + b"\r\n\r\n"),
    "a long address": (431, b"GET /" + b"a" * 40_000 + b" HTTP/1.1\r\nHost: a\r\n\r\n"),
    "a header that does not end": (431, _GET + b"X: " + b"a" * 40_000),
    "a header without a colon": (400, _GET + b"foo\r\n\r\n"),
    "a header without a name": (400, _GET + b": x\r\n\r\n"),
}
