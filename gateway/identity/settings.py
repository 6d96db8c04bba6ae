"""The table [identity] of portal.toml: how long things last, how often they may be tried, and by
which way mails leave."""

from __future__ import annotations

from typing import Literal

import msgspec


class MailSettingsError(ValueError):
    """A mail server that mails cannot be given to safely; the text says which setting to change."""


class Passwords(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """How passwords are hashed (argon2id). passes, memory_kib and lanes: its cost; after a change,
    each password is hashed anew when its owner signs in. workers: hashes at the same time.
    waiting: hashes that may wait for a worker; with more, people are asked to come back."""

    passes: int = 2
    memory_kib: int = 65_536
    lanes: int = 1
    workers: int = 2
    waiting: int = 64


class Limits(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """How often something may be tried within `minutes`. address: for one e-mail address. source:
    from one client address (IPv6: one /64)."""

    minutes: float = 15
    sign_in_address: int = 10
    sign_in_source: int = 100
    request_reset_address: int = 3
    request_reset_source: int = 20
    verify_reset_address: int = 15
    verify_reset_source: int = 60
    accept_source: int = 60
    invite_address: int = 5
    invite_by: int = 100


class Smtp(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A mail server. security: "tls" from the first byte, "starttls" (refused if the server offers
    none), or "none", which takes no password except on this machine. authorities: a file of the
    certificates that sign the server's, None for the system's. timeout: seconds a mail."""

    host: str
    port: int = 587
    security: Literal["tls", "starttls", "none"] = "starttls"
    user: str | None = None
    password: str | None = None
    authorities: str | None = None
    timeout: float = 30.0

    def __repr__(self) -> str:
        return f"Smtp({self.host!r}, {self.port}, {self.security!r})"


class Mail(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Mails to people. sender_name, sender_address: who they come from. smtp: None writes them to
    `folder` and prints their links. give_up_hours: how long a mail is tried."""

    sender_name: str = "Portal"
    sender_address: str = "no-reply@portal.example"
    folder: str = "var/mail"
    smtp: Smtp | None = None
    give_up_hours: float = 24


class IdentitySettings(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The embedded identity service. database: SQLite or PostgreSQL, also for the audit's table.
    audit_file: the audit as lines of JSON. portal_url: where the portal's pages are; the link of
    an invitation is that with `invitation_path`. sessions end after `session_days`, or after
    `idle_days` without a refresh; of more than `sessions_per_person` the oldest ends."""

    database: str = "sqlite:///var/identity.sqlite"
    audit_file: str = "var/audit.jsonl"
    portal_url: str = "http://127.0.0.1:8000"
    #: After the #, so that the token never stands in a server's log or in a Referer header.
    invitation_path: str = "/invitation#token={token}"
    invitation_hours: float = 48
    code_minutes: float = 15
    code_tries: int = 5
    reset_token_minutes: float = 15
    session_days: float = 30
    idle_days: float = 7
    sessions_per_person: int = 10
    passwords: Passwords = Passwords()
    limits: Limits = Limits()
    mail: Mail = Mail()

    def __repr__(self) -> str:
        # The database's address holds its password.
        return f"IdentitySettings(portal_url={self.portal_url!r})"
