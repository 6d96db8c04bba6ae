"""What a password must be."""

from __future__ import annotations

from typing import Literal

import pytest
from argon2 import PasswordHasher

from gateway.identity.passwords import open_passwords, problem_with
from schema.identity.service import ProblemCode
from tests.gateway.identity.house import CHEAP

EMAIL = "constructora@andina.example"


@pytest.mark.parametrize(
    ("password", "code"),
    [
        ("", ProblemCode.TOO_SHORT),
        ("x" * 9, ProblemCode.TOO_SHORT),
        ("e\N{COMBINING ACUTE ACCENT}" * 9, ProblemCode.TOO_SHORT),
        ("x" * 1025, ProblemCode.TOO_LONG),
        ("\N{GRINNING FACE}" * 1025, ProblemCode.TOO_LONG),
        ("x" * 1_000_000, ProblemCode.TOO_LONG),
        (EMAIL, ProblemCode.INVALID),
        (f" {EMAIL.upper()} ", ProblemCode.INVALID),
        ("Constructora", ProblemCode.INVALID),
        ("1234567890", ProblemCode.INVALID),
        ("Contraseña123", ProblemCode.INVALID),
        ("CONTRASEN\N{COMBINING TILDE}A123", ProblemCode.INVALID),
        ("qwertyuiop", ProblemCode.INVALID),
        ("with a\nline break", ProblemCode.INVALID),
        ("with half a letter \ud83d", ProblemCode.INVALID),
    ],
)
def test_what_is_refused(password: str, code: ProblemCode) -> None:
    problem = problem_with(password, EMAIL, "newPassword")
    assert problem is not None
    assert (problem.code, problem.field) == (code, ("input", "newPassword"))
    assert not password or password not in repr(problem)


@pytest.mark.parametrize(
    "password", ["x" * 10, "x" * 1024, "\N{GRINNING FACE}" * 1024, "tres tristes tigres"]
)
def test_what_is_taken(password: str) -> None:
    assert problem_with(password, EMAIL, "newPassword") is None


@pytest.mark.anyio
async def test_every_keyboard_writes_the_same_password() -> None:
    passwords = await open_passwords(CHEAP, "some secret")
    kept = await passwords.hash("caf\N{LATIN SMALL LETTER E WITH ACUTE} con leche")
    assert kept.startswith("$argon2id$")
    assert await passwords.verify(kept, "cafe\N{COMBINING ACUTE ACCENT} con leche")
    assert not await passwords.verify(kept, "cafe con leche")
    assert not await passwords.verify("no hash at all", "cafe con leche")
    await passwords.close()


@pytest.mark.anyio
async def test_nobodys_password_takes_the_same_work(monkeypatch: pytest.MonkeyPatch) -> None:
    """Both are compared with a hash of the same cost."""
    compared: list[str] = []

    class Listening(PasswordHasher):
        def verify(self, hash: str | bytes, password: str | bytes) -> Literal[True]:  # noqa: A002
            compared.append(str(hash))
            return super().verify(hash, password)

    monkeypatch.setattr("gateway.identity.passwords.PasswordHasher", Listening)
    passwords = await open_passwords(CHEAP, "some secret")
    await passwords.verify(await passwords.hash("of somebody"), "a guess")
    await passwords.verify(None, "a guess")
    await passwords.close()
    assert [kept.rsplit("$", 2)[0] for kept in compared] == ["$argon2id$v=19$m=8,t=1,p=1"] * 2


@pytest.mark.anyio
async def test_nobodys_password_is_never_right() -> None:
    """Not even the one that stands in for it."""
    passwords = await open_passwords(CHEAP, "some secret")
    assert not await passwords.verify(None, "some secret")
    await passwords.close()
