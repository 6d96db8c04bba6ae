"""The command line: serve, token, schema, check, sandbox; see operators.py for the rest."""

from __future__ import annotations

import argparse
import asyncio
import gc
import logging
import os
import socket
import sys
from collections.abc import Sequence
from functools import partial
from pathlib import Path

import msgspec
import uvloop

from connectors.catalog import BrokenConnector, UnknownConnector
from connectors.port.errors import SourceError
from gateway import heap, telemetry
from gateway.access.files import SecretFileError
from gateway.app import open_gateway
from gateway.child import Child, ChildError
from gateway.database.engine import DatabaseError
from gateway.entrance import open_tokens
from gateway.http.server import serve
from gateway.identity.settings import MailSettingsError
from gateway.operations.manifest import ManifestError
from gateway.operators import add_commands
from gateway.settings import DEFAULT_FILE, Settings, SettingsError, read
from schema.cases.catalogue import CatalogueError
from schema.root import SCHEMA
from schema.support.desks import DesksError

#: What a person can put right; anything else is ours and ends in a stack trace.
_TOLD = (
    SettingsError,
    CatalogueError,
    DesksError,
    UnknownConnector,
    BrokenConnector,
    msgspec.ValidationError,
    ChildError,
    DatabaseError,
    MailSettingsError,
    SecretFileError,
    ManifestError,
)

#: New objects after which Python looks for garbage: one answer of many records makes fewer.
_YOUNG = 5_000
#: Two people of different companies in the sandbox.
_EXAMPLES = ("ana.torres@andina.example", "luis.rojas@pacifico.example")


def main(arguments: Sequence[str] | None = None) -> None:
    """Runs one command; ends the process with 2 and a sentence when it cannot."""
    options = _parser().parse_args(arguments)
    if getattr(options, "run", None) is not _serve:
        gc.enable()  # `serve` does so when it has started
    try:
        if "command" in options:
            asyncio.run(options.command(options, _settings(options)))
        elif "with_gateway" in options:
            _with_gateway(options)
        else:
            options.run(options)
    except _TOLD as error:
        sys.exit(f"portal-gateway: {error}")
    except KeyboardInterrupt:
        sys.exit(0)  # how `serve` is meant to be stopped


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="portal-gateway", description="One GraphQL API for a customer portal."
    )
    _add_config(parser, DEFAULT_FILE)
    commands = parser.add_subparsers(required=True, metavar="command")

    serve = commands.add_parser("serve", help="answer requests")
    serve.add_argument("--host", default="127.0.0.1")
    serve.add_argument("--port", type=_port, default=8000)
    serve.add_argument(
        "--latency",
        action="append",
        default=[],
        metavar="SPEC",
        help="of the sandbox: 80ms",
    )
    serve.add_argument(
        "--fail",
        action="append",
        default=[],
        metavar="SPEC",
        help="of the sandbox: crm=503",
    )
    serve.set_defaults(run=_serve)

    token = commands.add_parser("token", help="print an access token for a person, by e-mail")
    token.add_argument("email")
    token.set_defaults(run=_token)

    schema = commands.add_parser("schema", help="print the schema")
    schema.set_defaults(run=lambda _: print(SCHEMA.as_str()))

    check = commands.add_parser("check", help="read the settings and ask each system")
    check.set_defaults(run=_check)

    sandbox = commands.add_parser("sandbox", help="the sandbox's data")
    sandbox.add_argument("action", choices=["reset"], help="reset: make it anew")
    sandbox.set_defaults(run=_sandbox)

    add_commands(commands)
    for command in commands.choices.values():
        # Also behind the command; without a default, so that it does not undo the one before.
        _add_config(command, argparse.SUPPRESS)
    return parser


def _port(text: str) -> int:
    if not text.isascii() or not text.isdigit() or not 0 <= int(text[:9]) <= 65_535:
        raise argparse.ArgumentTypeError(f"{text!r} is no port: 0 to 65535")
    return int(text)


def _add_config(parser: argparse.ArgumentParser, default: Path | str) -> None:
    parser.add_argument(
        "--config", type=Path, default=default, help="settings, by default portal.toml"
    )


def _serve(options: argparse.Namespace) -> None:
    listener = _listener(options.host, options.port)
    url = f"http://{options.host}:{listener.getsockname()[1]}"
    sandbox = _start_sandbox(options)
    try:
        environment = {**os.environ, **({"SANDBOX_URL": sandbox.url} if sandbox else {})}
        settings = read(options.config, environment).listening(url)
        telemetry.configure(settings.server.log_level)
        uvloop.run(
            _answer(
                settings, listener, _banner(url, options.config, sandbox, _mail_folder(settings))
            )
        )
    finally:
        if sandbox:
            sandbox.stop()


async def _answer(settings: Settings, listener: socket.socket, banner: str) -> None:
    gateway = await open_gateway(settings)

    async def finish() -> None:
        await gateway.finish()
        # What the start made stays. Looking through all of it for garbage would stop everybody for
        # a tenth of a second, every time; once now, too, for a thousand of 160,000 objects.
        gc.freeze()
        gc.set_threshold(_YOUNG, 10, 10)
        gc.enable()
        heap.keep_freed()

    await serve(
        gateway.app,
        listener,
        settings.connections,
        direct=gateway.direct,
        trusts=gateway.entrance.origins.trusts,
        message_bytes=settings.server.max_body_kilobytes * 1024,
        ping_seconds=settings.sockets.ping_seconds,
        begun=partial(print, banner, flush=True),
        finish=finish,
        drain=gateway.drain,
    )


def _listener(host: str, port: int) -> socket.socket:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    listener = socket.socket(family, socket.SOCK_STREAM)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((host, port))
    except OSError as error:
        listener.close()
        raise SettingsError(
            f"cannot listen on {host}:{port} ({error.strerror}); choose another: "
            f"make serve PORT={port + 1 if port else 8001}"
        ) from None
    listener.set_inheritable(True)
    return listener


def _start_sandbox(options: argparse.Namespace) -> Child | None:
    # Read before the sandbox's address is known: only whether there is one matters here.
    settings = read(options.config, {**os.environ, "SANDBOX_URL": ""})
    if not settings.sandbox.enabled:
        if _spec(options, "latency") or _spec(options, "fail"):
            raise SettingsError("--latency and --fail are for the sandbox, which is not enabled")
        return None
    arguments = ["--db", str(settings.path(settings.sandbox.database)), "--port", "0"]
    for name in ("latency", "fail"):
        for spec in _spec(options, name):
            arguments += [f"--{name}", spec]
    return Child.start([sys.executable, "-m", "sandbox", *arguments])


def _spec(options: argparse.Namespace, name: str) -> list[str]:
    """What `serve` was told for the sandbox; other commands have no such option."""
    return getattr(options, name, [])


def _banner(url: str, config: Path, sandbox: Child | None, mail: Path | None) -> str:
    option = "" if config == DEFAULT_FILE else f" --config {config}"
    lines = [
        "",
        f"  GraphiQL   {url}/graphql",
        f"  GraphQL    {url}/graphql   (POST application/json)",
        f"  Health     {url}/health/live   {url}/health/ready",
    ]
    if sandbox:
        lines.append(f"  Sandbox    {sandbox.url}   (sample CRM, ERP and news site)")
    if mail:
        lines.append(f"  Mail       {mail}   (links and codes are printed here too)")
    people = _EXAMPLES if sandbox else ("someone@company.example",)
    lines += ["", "  Get a token and send it as `Authorization: Bearer <token>`:"]
    lines += [f"    .venv/bin/python -m gateway{option} token {person}" for person in people]
    if mail:
        lines += ["", "  Or sign in with a password, once you are invited:"]
        lines.append(f"    .venv/bin/python -m gateway{option} identity invite {people[0]}")
    lines += ["", "  Stop with Ctrl+C.", ""]
    return "\n".join(lines)


def _mail_folder(settings: Settings) -> Path | None:
    """Where mails are written, if they are."""
    mail = settings.identity.mail
    return settings.path(mail.folder) if settings.access.embedded and not mail.smtp else None


def _settings(options: argparse.Namespace) -> Settings:
    """For what needs none of the systems."""
    return read(options.config, {**os.environ, "SANDBOX_URL": ""})


def _with_gateway(options: argparse.Namespace) -> None:
    """Runs a command that needs the systems, the sandbox among them."""
    logging.disable(logging.CRITICAL)  # what is wrong is told once
    sandbox = _start_sandbox(options)

    async def run(settings: Settings) -> None:
        gateway = await open_gateway(settings, background=False)
        try:
            await options.with_gateway(options, gateway)
        except SourceError as error:
            raise SettingsError(str(error)) from None
        finally:
            await gateway.close()

    try:
        environment = {**os.environ, **({"SANDBOX_URL": sandbox.url} if sandbox else {})}
        asyncio.run(run(read(options.config, environment)))
    finally:
        if sandbox:
            sandbox.stop()


def _token(options: argparse.Namespace) -> None:
    settings = _settings(options)
    if not 3 <= len(options.email) <= 254 or "@" not in options.email:
        raise SettingsError(f"{options.email!r} is no e-mail address")

    async def issue() -> str:
        return (await open_tokens(settings)).issue(options.email)

    print(asyncio.run(issue()))


def _check(options: argparse.Namespace) -> None:
    logging.disable(logging.CRITICAL)  # what is wrong is told below, once
    settings = read(options.config, {"SANDBOX_URL": "http://127.0.0.1:9", **os.environ})

    async def ask() -> int:
        gateway = await open_gateway(settings, background=False)
        failed = 0
        for system in gateway.systems:
            try:
                await system.check()
                print(f"{system.name}: ok")
            except SourceError as error:
                failed += 1
                print(f"{system.name}: {error.code}: {error.message}")
        await gateway.close()
        return failed

    if asyncio.run(ask()):
        sys.exit(1)


def _sandbox(options: argparse.Namespace) -> None:
    settings = read(options.config, {**os.environ, "SANDBOX_URL": ""})
    path = settings.path(settings.sandbox.database)
    Child.run([sys.executable, "-m", "sandbox", "--db", str(path), "--reset"])
    print(f"The sandbox's data was made anew: {path}")
