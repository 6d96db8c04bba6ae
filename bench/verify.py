"""What it costs to check a token: for the first time, and when it has been checked before.

python -m bench.verify
"""

from __future__ import annotations

import asyncio
import json
import os
import platform
import statistics
import time
from collections.abc import Awaitable, Callable, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path

import httpx
from joserfc import jwt
from joserfc.jwk import ECKey, OKPKey, RSAKey

from connectors.kit.connector import Wiring
from gateway.access.claims import Claims
from gateway.access.issuers import Issuer, IssuerSettings
from gateway.access.revocations import Revocations
from gateway.access.tokens import Tokens
from gateway.access.verifier import Verifier

_ISSUER, _AUDIENCE = "https://login.example", "portal"
_COLD, _WARM, _ROUNDS = 200, 5_000, 5
#: Ended sessions that every check of a session has to be told apart from.
_ENDED = 10_000

Keys = RSAKey | ECKey | OKPKey
Check = Callable[[str], Awaitable[Claims]]


def main() -> None:
    asyncio.run(_measure())


async def _measure() -> None:
    print(f"{_processor()}, {os.cpu_count()} CPUs, {_python()}\n")
    print(f"{'microseconds for one token':34}{'cold':>8}{'warm':>8}{'warm, 99 of 100':>18}")
    tokens = Tokens(ECKey.generate_key("P-256"), "https://p.example", _AUDIENCE, _HOUR, 30, _now)
    own = [tokens.issue_session(f"p{n}@x.example", f"s-{n}")[0] for n in range(_COLD)]
    await _line("our own, ES256, with a session", own, lambda: _own(tokens))
    for algorithm, key in (
        ("RS256", RSAKey.generate_key(2048)),
        ("ES256", ECKey.generate_key("P-256")),
        ("Ed25519", OKPKey.generate_key("Ed25519")),
    ):
        await _other(algorithm, key)


async def _other(algorithm: str, key: Keys) -> None:
    now = int(time.time())
    said = {"iss": _ISSUER, "aud": _AUDIENCE, "email_verified": True, "iat": now, "exp": now + 3600}
    issued = [
        jwt.encode(
            {"alg": algorithm, "kid": "k"},
            {**said, "sub": f"u-{n}", "email": f"p{n}@x.example"},
            key,
            algorithms=[algorithm],
        )
        for n in range(_COLD)
    ]
    await _line(f"of another issuer, {algorithm}", issued, lambda: _foreign(algorithm, key))


async def _line(name: str, tokens: Sequence[str], door: Callable[[], Verifier]) -> None:
    cold: list[float] = []
    warm: list[float] = []
    slow: list[float] = []
    for _ in range(_ROUNDS):
        verifier = door()
        await verifier.check(tokens[0])  # the keys are read once
        cold.append(await _each(verifier.check, tokens[1:]))
        warm.append(await _each(verifier.check, tokens, _WARM // len(tokens)))
        slow.append(await _slow(verifier.check, tokens[0]))
        await verifier.close()
    best = (min(cold), min(warm), statistics.median(slow))
    print(f"{name:34}{best[0]:8.1f}{best[1]:8.1f}{best[2]:18.1f}")


async def _each(check: Check, tokens: Sequence[str], times: int = 1) -> float:
    """Microseconds for one check, on average."""
    began = time.perf_counter()
    for _ in range(times):
        for token in tokens:
            await check(token)
    return (time.perf_counter() - began) * 1e6 / (times * len(tokens))


async def _slow(check: Check, token: str) -> float:
    """Microseconds that 99 of 100 checks do not take longer than."""
    took: list[float] = []
    for _ in range(1000):
        began = time.perf_counter()
        await check(token)
        took.append(time.perf_counter() - began)
    return statistics.quantiles(took, n=100)[-1] * 1e6


def _own(tokens: Tokens) -> Verifier:
    revocations = Revocations(_now)
    for number in range(_ENDED):
        revocations.end(f"ended-{number}", _now() + _HOUR)
    return Verifier(tokens, revocations=revocations)


def _foreign(algorithm: str, key: Keys) -> Verifier:
    published = json.dumps({"keys": [{**key.as_dict(private=False), "kid": "k"}]})
    described = json.dumps({"issuer": _ISSUER, "jwks_uri": f"{_ISSUER}/keys"})

    def answer(request: httpx.Request) -> httpx.Response:
        text = published if request.url.path == "/keys" else described
        return httpx.Response(200, text=text, headers={"content-type": "application/json"})

    settings = IssuerSettings(issuer=_ISSUER, audience=_AUDIENCE, algorithms=[algorithm])
    wiring = Wiring(transport=httpx.MockTransport(answer))
    unused = Tokens(ECKey.generate_key("P-256"), "https://p.example", _AUDIENCE, _HOUR, 30, _now)
    return Verifier(unused, [Issuer.open("login", settings, 30, wiring)])


_HOUR = timedelta(hours=1)


def _now() -> datetime:
    return datetime.now(UTC)


def _processor() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    except OSError:
        return platform.processor() or platform.machine()
    names = (line.partition(":")[2].strip() for line in lines if line.startswith("model name"))
    return next(names, platform.machine())


def _python() -> str:
    return f"{platform.python_implementation()} {platform.python_version()}, {platform.system()}"


if __name__ == "__main__":
    main()
