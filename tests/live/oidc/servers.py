"""Running providers on loopback, with keys that the tests choose and change."""

from __future__ import annotations

import base64
import hashlib
import json
import re
import secrets
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import urljoin

import httpx
from joserfc.jwk import RSAKey

from tests.live.machine import run
from tests.live.oidc.installation import CANAILLE, PROVIDER
from tests.live.processes import free_port, started, wait_until

#: Pages of a sign-in at most; more would be a circle.
_MOST_PAGES = 12


def key(name: str) -> RSAKey:
    return RSAKey.generate_key(2048, {"kid": name, "use": "sig", "alg": "RS256"})


class Server:
    """A provider that can be stopped, and started again with other keys on the same address."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.port = folder, free_port()
        self.url = f"http://127.0.0.1:{self.port}"

    def command(self, keys: Sequence[RSAKey]) -> tuple[list[str], dict[str, str]]:
        """What starts it with these keys, of which the first signs, and with what environment."""
        raise NotImplementedError

    @contextmanager
    def running(self, *keys: RSAKey) -> Iterator[None]:
        """Runs inside the block."""
        command, environment = self.command(keys)
        log = self.folder / "provider.log"
        with started(command, log, environment) as process:
            wait_until(self._answers, process, log)
            yield

    def _answers(self) -> bool:
        try:
            path = f"{self.url}/.well-known/openid-configuration"
            return httpx.get(path, trust_env=False).is_success
        except httpx.TransportError:
            return False


class NodeProvider(Server):
    """oidc-provider, see provider.mjs for its clients and people."""

    def command(self, keys: Sequence[RSAKey]) -> tuple[list[str], dict[str, str]]:
        path = self.folder / "keys.json"
        path.write_text(json.dumps({"keys": [one.as_dict(private=True) for one in keys]}))
        return ["node", str(PROVIDER / "provider.mjs"), str(self.port), str(path)], {}

    def program(self, scope: str) -> str:
        """An access token of the program `sync`."""
        form = {"grant_type": "client_credentials", "scope": scope}
        return self._token(("sync", "sync-secret"), form)["access_token"]

    def person(self, email: str) -> dict[str, str]:
        """The tokens of a person who signs in, by the authorization code and PKCE."""
        verifier = secrets.token_urlsafe(32)
        digest = hashlib.sha256(verifier.encode()).digest()
        back = f"{self.url}/back"
        asked = {
            "client_id": "web",
            "response_type": "code",
            "redirect_uri": back,
            "scope": "openid email cases:read",
            "code_challenge": base64.urlsafe_b64encode(digest).rstrip(b"=").decode(),
            "code_challenge_method": "S256",
        }
        form = {
            "grant_type": "authorization_code",
            "code": self._code(asked, email),
            "redirect_uri": back,
            "code_verifier": verifier,
        }
        return self._token(("web", "web-secret"), form)

    def _code(self, asked: dict[str, str], email: str) -> str:
        with httpx.Client(trust_env=False) as browser:
            answer = browser.get(f"{self.url}/auth", params=asked)
            for _ in range(_MOST_PAGES):
                if answer.is_redirect:
                    url = urljoin(str(answer.url), answer.headers["location"])
                    if url.startswith(asked["redirect_uri"]):
                        return httpx.URL(url).params["code"]
                    answer = browser.get(url)
                    continue
                (action,) = re.findall(r'<form[^>]* action="([^"]+)"', answer.text)
                (prompt,) = re.findall(r'name="prompt" value="(\w+)"', answer.text)
                form = {"prompt": prompt, "login": email, "password": "any"}
                answer = browser.post(action, data=form)
        raise RuntimeError(f"no code came; the last page was {answer.url}")

    def _token(self, client: tuple[str, str], form: dict[str, str]) -> dict[str, str]:
        answer = httpx.post(f"{self.url}/token", auth=client, data=form, trust_env=False)
        answer.raise_for_status()
        told: dict[str, str] = answer.json()
        return told


class Canaille(Server):
    """Canaille with one client, `web`, and one person: Ana, whose subject is her contact's id."""

    _PERSON = ("ana", "a long and odd sentence")
    _CLIENT = ("web", "web-secret")

    def fill(self, email: str, contact_id: str) -> None:
        """Makes the database. It takes a while: each step is a program of its own."""
        _, environment = self.command([key("first")])
        user, password = self._PERSON
        client, secret = self._CLIENT
        program = str(CANAILLE / "bin" / "canaille")
        person = ["--user-name", user, "--password", password, "--emails", email]
        person += ["--family-name", "Torres", "--formatted-name", "Ana Torres"]
        person += ["--employee-number", contact_id]
        web = ["--client-id", client, "--client-secret", secret, "--client-name", client]
        web += ["--client-uri", self.url, "--redirect-uris", f"{self.url}/back"]
        web += ["--grant-types", "password", "--response-types", "code"]
        web += ["--token-endpoint-auth-method", "client_secret_basic"]
        for scope in ("openid", "email", "profile"):
            web += ["--scope", scope]
        for command in (
            ["install"],
            ["create", "user", *person],
            ["create", "client", *web],
            # A client is in the audience of its own tokens only when it says so.
            ["set", "client", client, "--audience", client],
        ):
            run([program, *command], "Canaille could not be filled.", environment=environment)

    def command(self, keys: Sequence[RSAKey]) -> tuple[list[str], dict[str, str]]:
        first, *others = [_inline(one) for one in keys]
        config = self.folder / "canaille.toml"
        config.write_text(f"""\
SECRET_KEY = "not a secret"
SERVER_NAME = "127.0.0.1:{self.port}"
PREFERRED_URL_SCHEME = "http"

[CANAILLE]
DATABASE = "sql"

[CANAILLE_SQL]
DATABASE_URI = "sqlite:///{self.folder}/canaille.sqlite"

[CANAILLE_OIDC]
REQUIRE_NONCE = false
ACTIVE_JWKS = [{first}]
INACTIVE_JWKS = [{", ".join(others)}]

[CANAILLE_OIDC.USERINFO_MAPPING]
SUB = "{{{{ user.employee_number }}}}"
""")
        program = str(CANAILLE / "bin" / "canaille")
        bind = ["run", "--bind", f"127.0.0.1:{self.port}"]
        return [program, *bind], {"CANAILLE_CONFIG": str(config)}

    def tokens(self) -> dict[str, str]:
        """The tokens of Ana, for her password."""
        user, password = self._PERSON
        form = {"grant_type": "password", "username": user, "password": password}
        answer = httpx.post(
            f"{self.url}/oauth/token",
            auth=self._CLIENT,
            data={**form, "scope": "openid email profile"},
            trust_env=False,
        )
        answer.raise_for_status()
        told: dict[str, str] = answer.json()
        return told


def _inline(one: RSAKey) -> str:
    """A private key as an inline table of TOML. JSON writes its strings the same way."""
    members = (f"{name} = {json.dumps(value)}" for name, value in one.as_dict(private=True).items())
    return "{" + ", ".join(members) + "}"
