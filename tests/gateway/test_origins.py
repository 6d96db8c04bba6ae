"""Where a request comes from: nobody can claim to be another by a header."""

from __future__ import annotations

import pytest

from gateway.http.headers import Head
from gateway.http.origins import Origins


def request(peer: str | None, *forwarded: str) -> Head:
    headers = [(b"x-forwarded-for", one.encode()) for one in forwarded]
    headers.append((b"user-agent", b"agent " + b"x" * 1_000))
    client = (peer, 1234) if peer else None
    return Head.of({"type": "http", "headers": headers, "client": client})


@pytest.mark.parametrize(
    ("peer", "forwarded", "address"),
    [
        ("192.0.2.1", (), "192.0.2.1"),
        ("192.0.2.1", ("198.51.100.7",), "192.0.2.1"),
        ("10.0.0.1", (), "10.0.0.1"),
        ("10.0.0.1", ("198.51.100.7",), "198.51.100.7"),
        # What a client wrote itself stands before what the proxy added.
        ("10.0.0.1", ("203.0.113.9, 198.51.100.7",), "198.51.100.7"),
        ("10.0.0.1", ("203.0.113.9", "198.51.100.7, 10.0.0.2"), "198.51.100.7"),
        ("10.0.0.1", ("10.0.0.3, 10.0.0.2",), "10.0.0.3"),
        ("10.0.0.1", ("198.51.100.7, rubbish, 10.0.0.2",), "10.0.0.2"),
        ("10.0.0.1", ("",), "10.0.0.1"),
        ("::ffff:10.0.0.1", ("2001:db8::7",), "2001:db8::7"),
        ("::ffff:192.0.2.1", (), "192.0.2.1"),
        (None, ("198.51.100.7",), "-"),
        ("testclient", ("198.51.100.7",), "-"),
    ],
)
def test_only_known_proxies_are_believed(
    peer: str | None, forwarded: tuple[str, ...], address: str
) -> None:
    assert Origins(["10.0.0.0/8"]).address(request(peer, *forwarded)) == address


def test_nobody_is_believed_by_default() -> None:
    assert Origins().address(request("10.0.0.1", "198.51.100.7")) == "10.0.0.1"


def test_an_origin_is_bounded() -> None:
    origin = Origins().of(request("192.0.2.1"))
    assert (origin.address, len(origin.user_agent)) == ("192.0.2.1", 300)


def test_a_proxy_that_is_no_address_is_named() -> None:
    with pytest.raises(ValueError, match="nonsense"):
        Origins(["nonsense"])
