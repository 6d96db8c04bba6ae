"""The door of a gateway that trusts one other issuer."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from gateway.access.tokens import Tokens
from gateway.access.verifier import Verifier
from tests.gateway.access.forged import FIRST, ISSUER, Clock, World, issuer_of, own_tokens, public


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def world() -> World:
    return World({ISSUER: [public(FIRST, use="sig", alg="RS256")]})


@pytest.fixture
def own(clock: Clock) -> Tokens:
    return own_tokens(clock)


@pytest.fixture
async def verifier(own: Tokens, world: World, clock: Clock) -> AsyncIterator[Verifier]:
    opened = Verifier(own, [issuer_of(world, clock)])
    yield opened
    await opened.close()
