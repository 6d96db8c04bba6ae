"""Nothing secret is kept, logged, noted or printed; and randomness is what it says."""

from __future__ import annotations

import logging

import pytest

from gateway.identity.addresses import network, plain
from gateway.identity.secrecy import Chance, digest
from tests.gateway.identity.house import ANA, HERE, PASSWORD, House, refused

pytestmark = pytest.mark.anyio


async def test_no_secret_is_anywhere(home: House, caplog: pytest.LogCaptureFixture) -> None:
    """A whole life, then every file of the database, the audit and the log is searched."""
    caplog.set_level(logging.DEBUG)
    logging.getLogger("sqlalchemy.engine").setLevel(logging.INFO)
    token = await home.invited()
    first = await home.identity.accept_invitation(token, PASSWORD, HERE)
    second = await home.identity.refresh(first.refresh_token, HERE)
    await refused(home.identity.refresh(first.refresh_token, HERE))
    signed = await home.identity.sign_in(ANA, PASSWORD, HERE)
    await refused(home.identity.sign_in(ANA, "a wrong guess of mine", HERE))
    code = await home.code()
    reset = await home.identity.verify_reset(ANA, code, HERE)
    await home.identity.reset_password(reset, "otro caballo blanco", HERE)
    await home.identity.sign_out(signed.refresh_token, HERE)
    logging.getLogger("sqlalchemy.engine").setLevel(logging.NOTSET)

    secrets = [token, reset, PASSWORD, "otro caballo blanco", "a wrong guess of mine"]
    for session in (first, second, signed):
        secrets += [session.access_token, *session.refresh_token.split(".")]
    kept = {file.name: file.read_bytes() for file in home.folder.iterdir()}
    assert {"identity.sqlite", "identity.sqlite-wal", "audit.jsonl"} <= kept.keys()
    assert b"identity_person" in caplog.text.encode(), "the log was listened to"
    places = kept | {
        "log": caplog.text.encode(),
        "reprs": repr([first, second, signed, home.identity, home.identity._rooms]).encode(),
        "person": repr(await home.identity.people.by_email(ANA)).encode(),
    }
    for secret in secrets:
        for name, content in places.items():
            assert secret.encode() not in content, f"a secret stands in {name}"
    assert ANA not in caplog.text
    for name in ("log", "audit.jsonl", "reprs"):
        assert code.encode() not in places[name]
    for table in ("reset", "outbox"):
        assert code not in repr(await home.rows(f"identity_{table}"))


async def test_tokens_have_256_bits_and_codes_six_digits() -> None:
    chance = Chance()
    tokens = {chance.token() for _ in range(200)}
    assert len(tokens) == 200
    assert {len(token) for token in tokens} == {43}  # 256 bits in base64
    codes = [chance.code() for _ in range(2000)]
    assert all(len(code) == 6 and code.isdigit() for code in codes)
    assert any(code.startswith("0") for code in codes)
    assert {len(chance.name()) for _ in range(5)} == {32}


async def test_a_digest_takes_whatever_comes() -> None:
    assert len(digest("\ud800")) == 64
    assert digest("a") != digest("b")


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        ("Ana@Andina.example", "ana@andina.example"),
        ("\t a.b+c@d-e.example\r\n", "a.b+c@d-e.example"),
        ("a@xn--andin-0sa.example", "a@xn--andin-0sa.example"),
        ("a@b..example", None),
        ("a@-b.example", None),
        ("a..b@c.example", None),
        ("a@b.example,c@d.example", None),
        ("\N{NO-BREAK SPACE}a@b.example", None),
        ('"a b"@c.example', None),
        ("a" * 64 + "@" + ".".join(["b" * 60] * 4), None),
    ],
)
async def test_addresses_are_compared_in_one_form(written: str, meant: str | None) -> None:
    assert plain(written) == meant


@pytest.mark.parametrize(
    ("client", "counted"),
    [
        ("203.0.113.7", "203.0.113.7"),
        ("::ffff:203.0.113.7", "203.0.113.7"),
        ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"),
        ("unknown", "unknown"),
        ("x" * 999, "x" * 64),
    ],
)
async def test_a_source_is_counted_by_what_one_customer_has(client: str, counted: str) -> None:
    assert network(client) == counted
