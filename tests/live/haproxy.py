"""Debian's HAProxy with the configuration in `deploy/`, on free ports of loopback."""

from __future__ import annotations

import ssl
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx

from tests.live.machine import ROOT
from tests.live.processes import free_port, started, wait_until
from tests.live.smtp import make_certificate

CONFIGURATION = ROOT / "deploy" / "haproxy.cfg"


@dataclass(frozen=True, slots=True)
class Proxy:
    """port: for TLS, plain: without. context: knows its certificate."""

    port: int
    plain: int
    context: ssl.SSLContext

    @property
    def url(self) -> str:
        return f"https://127.0.0.1:{self.port}"

    def client(self, address: str = "127.0.0.1") -> httpx.Client:
        """A client with an address of its own."""
        transport = httpx.HTTPTransport(verify=self.context, local_address=address)
        return httpx.Client(transport=transport, base_url=self.url, trust_env=False, timeout=30)


@contextmanager
def haproxy(folder: Path, gateways: tuple[str, str], **more: str) -> Iterator[Proxy]:
    """Runs inside the block. gateways: 127.0.0.1:8001. more: what the environment says."""
    certificate = make_certificate(folder / "portal.pem")
    port, plain = free_port(), free_port()
    environment = {
        "PORTAL_HTTP": f"127.0.0.1:{plain}",
        "PORTAL_HTTPS": f"127.0.0.1:{port}",
        "PORTAL_CERTIFICATE": str(certificate),
        "PORTAL_GATEWAY_1": gateways[0],
        "PORTAL_GATEWAY_2": gateways[1],
        **more,
    }
    context = ssl.create_default_context(cafile=str(certificate))
    proxy, log = Proxy(port, plain, context), folder / "haproxy.log"
    with started(["haproxy", "-W", "-f", str(CONFIGURATION)], log, environment) as process:
        wait_until(lambda: _is_ready(proxy), process, log)
        yield proxy


def _is_ready(proxy: Proxy) -> bool:
    try:
        with proxy.client() as client:
            return client.get("/health/live").is_success
    except httpx.TransportError:
        return False
