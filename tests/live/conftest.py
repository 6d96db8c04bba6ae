"""Real systems for the live tests, each started once and stopped in the end."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack

import pytest

from tests.live.portal import Gateway, Settings, embedded_default, gateway
from tests.live.tryton.server import TrytonServer, tryton

#: Starts a gateway: of the embedded default with these changes to its settings.
StartGateway = Callable[[Callable[[Settings], None]], Gateway]


@pytest.fixture(scope="session")
def tryton_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[TrytonServer]:
    """One Tryton for reading; a test that stops or changes one starts its own."""
    with tryton(tmp_path_factory.mktemp("tryton")) as server:
        yield server


@pytest.fixture(scope="session")
def start_gateway(tmp_path_factory: pytest.TempPathFactory) -> Iterator[StartGateway]:
    """Gateways over other systems than the sandbox's; they run until the session ends."""
    with ExitStack() as running:

        def start(change: Callable[[Settings], None]) -> Gateway:
            settings = embedded_default()
            change(settings)
            folder = tmp_path_factory.mktemp("gateway")
            return running.enter_context(gateway(folder, settings))

        yield start


@pytest.fixture(scope="session")
def gateway_server(start_gateway: StartGateway) -> Gateway:
    """The gateway as `make serve` runs it, with a sandbox of its own."""
    return start_gateway(lambda settings: None)
