"""portal.toml and the environment, read once and passed in.

A string may hold `${NAME}`, which stands for the environment variable of that name: secrets stay
out of the file. Paths are relative to the file.
"""

from __future__ import annotations

import os
import re
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, Literal
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import msgspec

from gateway.access.issuers import IssuerSettings
from gateway.access.rates import RateSettings
from gateway.access.tokens import LONGEST_LEEWAY
from gateway.files.settings import FilesSettings
from gateway.http.audience import Audience
from gateway.http.guard import ConnectionSettings
from gateway.http.lasting import SocketSettings
from gateway.identity.settings import IdentitySettings
from gateway.operations.answers import AnswerSettings
from gateway.operations.limits import LimitSettings
from gateway.operations.persisted import DocumentSettings
from gateway.sources.freshness import CacheSettings
from gateway.submissions.settings import SubmissionSettings

#: What the embedded default is read from.
DEFAULT_FILE = Path("portal.toml")

#: The environment variable that says where the gateway's own database is, whatever the file says.
_DATABASE = "DATABASE_URL"
#: The one that says where what processes share is.
_REDIS = "REDIS_URL"
_ORIGIN = re.compile(r"https?://[a-z0-9.-]+(:[0-9]{1,5})?|https?://\[[0-9a-f:]+\](:[0-9]{1,5})?")
_VARIABLE = re.compile(r"\$\{([A-Z][A-Z0-9_]*)\}")


class SettingsError(ValueError):
    """A setting that is missing or wrong; the text names file and key."""


class Access(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Who is let in. issuer and audience: of our own tokens. key: file of the keys that sign them,
    made when it is missing. token_minutes: how long one lives. membership_seconds: how long what
    the CRM says of a person is believed. leeway: seconds that clocks may differ. issuers: others
    whose tokens are taken. embedded: whether people sign in here, with a password; what it needs
    is in the table `identity`. staff: file of the programs that may ask for tokens."""

    issuer: str = "http://127.0.0.1:8000"
    audience: str = "portal"
    key: str = "var/keys/signing.json"
    token_minutes: int = 60
    membership_seconds: float = 60.0
    leeway: Annotated[int, msgspec.Meta(ge=0, le=LONGEST_LEEWAY)] = 30
    issuers: list[IssuerSettings] = []
    embedded: bool = False
    staff: str = "var/keys/staff.json"


class SourcesTable(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Which system answers for what: names of tables under `systems`. None: nobody does."""

    customers: str | None = None
    cases: str | None = None
    orders: str | None = None
    news: str | None = None
    questions: str | None = None


class Texts(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """default_language: for callers who name none that we have. time_zone: of days that callers
    name, where no desk tells. catalogue, desks: the files of the graph's own data."""

    default_language: Literal["es", "en", "pt"] = "es"
    time_zone: str = "UTC"
    catalogue: str = "content/catalogue.toml"
    desks: str = "content/desks.toml"

    def __post_init__(self) -> None:
        try:
            ZoneInfo(self.time_zone)
        except (ZoneInfoNotFoundError, ValueError, OSError):
            raise ValueError(f"`time_zone`: there is no time zone {self.time_zone!r}") from None


class Sandbox(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Whether `serve` starts the sandbox, and where its data lives. `${SANDBOX_URL}` then stands
    for its address."""

    enabled: bool = False
    database: str = "var/sandbox.sqlite"


class Server(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """max_body_kilobytes: of a request without files. log_level: of the structured log.
    trusted_proxies: addresses or networks whose X-Forwarded-For is believed. origins: of pages
    elsewhere that may ask from a browser. graphiql: whether there is the page for people.
    introspection: who may look at the schema. metrics: whether `/metrics` tells what is counted.
    public_url: the gateway's own address as clients know it, for links; None: where it listens."""

    max_body_kilobytes: Annotated[int, msgspec.Meta(ge=1)] = 256
    log_level: Literal["DEBUG", "INFO", "WARNING", "ERROR"] = "INFO"
    trusted_proxies: list[str] = []
    origins: list[str] = []
    graphiql: bool = True
    introspection: Audience = Audience.EVERYONE
    metrics: bool = False
    public_url: str | None = None

    def __post_init__(self) -> None:
        for origin in self.origins:
            if not _ORIGIN.fullmatch(origin):
                raise ValueError(
                    f"`origins`: {origin!r} is no origin; write https://portal.example, without a "
                    "path and without a slash at the end"
                )
        if self.public_url is not None and not self.public_url.startswith(("http://", "https://")):
            raise ValueError("`public_url`: an http or https address is needed")


class ExecutionSettings(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """compiled: whether operations run by plans; without, all run on graphql-core, to the same
    answers. incremental: whether `@defer` is in the schema."""

    compiled: bool = True
    incremental: bool = False


class Settings(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The whole of portal.toml. systems: each table is its connector's to read."""

    systems: dict[str, dict[str, Any]]
    sources: SourcesTable
    access: Access = Access()
    identity: IdentitySettings = IdentitySettings()
    files: FilesSettings = FilesSettings()
    submissions: SubmissionSettings = SubmissionSettings()
    texts: Texts = Texts()
    sandbox: Sandbox = Sandbox()
    server: Server = Server()
    connections: ConnectionSettings = ConnectionSettings()
    sockets: SocketSettings = SocketSettings()
    limits: LimitSettings = LimitSettings()
    execution: ExecutionSettings = ExecutionSettings()
    rates: RateSettings = RateSettings()
    cache: CacheSettings = CacheSettings()
    answers: AnswerSettings = AnswerSettings()
    documents: DocumentSettings = DocumentSettings()
    #: What processes share: the URL of a Redis or Valkey, "" where each has its own.
    redis: str = ""
    #: The folder that relative paths start from: where the file lies.
    root: str = "."

    @property
    def public_url(self) -> str:
        """The gateway's address, as clients know it."""
        return self.server.public_url or self.access.issuer

    def listening(self, url: str) -> Settings:
        """The settings of a gateway that listens there."""
        if self.server.public_url:
            return self
        server = msgspec.structs.replace(self.server, public_url=url)
        return msgspec.structs.replace(self, server=server)

    def path(self, relative: str) -> Path:
        """A path of the file, made absolute."""
        return (Path(self.root) / relative).resolve()


def read(path: Path, environment: Mapping[str, str] | None = None) -> Settings:
    """The settings of a file. Raises SettingsError, which names file and key."""
    try:
        raw = tomllib.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise SettingsError(f"{path}: there is no such file") from None
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise SettingsError(f"{path}: {error}") from None
    return parse(raw, path, environment)


def parse(raw: dict[str, Any], path: Path, environment: Mapping[str, str] | None) -> Settings:
    """The settings of a parsed file. path: where it lies, for messages and relative paths."""
    variables = os.environ if environment is None else environment
    filled = _fill({**raw, "root": str(path.parent)}, variables, path, "$")
    if variables.get(_DATABASE):
        filled["identity"] = {**filled.get("identity", {}), "database": variables[_DATABASE]}
    if variables.get(_REDIS):
        filled["redis"] = variables[_REDIS]
    try:
        settings = msgspec.convert(filled, Settings)
    except msgspec.ValidationError as error:
        raise SettingsError(f"{path}: {error}") from None
    for noun in SourcesTable.__struct_fields__:
        system = getattr(settings.sources, noun)
        if system is not None and system not in settings.systems:
            raise SettingsError(
                f"{path}: sources.{noun} names the system {system!r}, but there is no table "
                f"[systems.{system}]"
            )
    return settings


def _fill(value: Any, variables: Mapping[str, str], path: Path, key: str) -> Any:
    if isinstance(value, dict):
        return {k: _fill(v, variables, path, f"{key}.{k}") for k, v in value.items()}
    if isinstance(value, list):
        return [_fill(v, variables, path, f"{key}[{i}]") for i, v in enumerate(value)]
    if not isinstance(value, str):
        return value

    def replace(match: re.Match[str]) -> str:
        name = match[1]
        if name not in variables:
            raise SettingsError(
                f"{path}: {key.removeprefix('$.')} needs the environment variable {name}"
            )
        return variables[name]

    return _VARIABLE.sub(replace, value)
