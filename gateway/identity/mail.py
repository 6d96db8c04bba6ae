"""The two ways by which mails leave: a mail server, or a folder for those who have none yet."""

from __future__ import annotations

import asyncio
import ipaddress
import os
import re
import sys
from collections.abc import Callable
from email.message import EmailMessage
from pathlib import Path
from typing import Protocol

from gateway.identity.settings import MailSettingsError, Smtp

#: Most mails that stay in the folder; the oldest are removed.
_KEPT = 500
_PERMANENT = 500


class NotSent(Exception):
    """A mail that did not leave. The text is ours. for_good: trying again is of no use."""

    def __init__(self, text: str, *, for_good: bool = False) -> None:
        super().__init__(text)
        self.for_good = for_good


class Sender(Protocol):
    """A way out."""

    async def send(self, message: EmailMessage, gist: str) -> None:
        """gist: the one line that matters. Raises NotSent."""
        ...


class SmtpSender:
    """Gives mails to a server, one connection each. Raises MailSettingsError when made."""

    def __init__(self, settings: Smtp) -> None:
        if settings.security == "none" and settings.password and not _is_here(settings.host):
            raise MailSettingsError(
                'identity.mail.smtp: a password needs security = "starttls" or "tls"'
            )
        self._settings = settings

    async def send(self, message: EmailMessage, gist: str) -> None:
        import aiosmtplib

        settings = self._settings
        try:
            async with asyncio.timeout(settings.timeout):
                refused, _ = await aiosmtplib.send(
                    message,
                    hostname=settings.host,
                    port=settings.port,
                    username=settings.user,
                    password=settings.password,
                    use_tls=settings.security == "tls",
                    start_tls=settings.security == "starttls",
                    cert_bundle=settings.authorities,
                    timeout=settings.timeout,
                    # Without it the library asks the resolver for this machine's name, and waits.
                    local_hostname="localhost",
                )
        except aiosmtplib.SMTPRecipientsRefused as error:
            codes = [each.code for each in error.recipients]
            raise _refused(codes) from None
        except (aiosmtplib.SMTPException, OSError, TimeoutError) as error:
            # Its text may hold what the server said, and with it the address: only its kind.
            raise NotSent(f"the mail server failed: {type(error).__name__}") from None
        if refused:
            raise _refused([answer.code for answer in refused.values()])


class FolderSender:
    """Writes mails as .eml files, and tells the line that matters."""

    def __init__(self, folder: Path, tell: Callable[[str], None] | None = None) -> None:
        self._folder, self._tell, self._written = folder, tell or _tell, 0

    async def send(self, message: EmailMessage, gist: str) -> None:
        try:
            path = await asyncio.to_thread(self._write, message)
        except OSError as error:
            raise NotSent(f"the mail could not be written: {type(error).__name__}") from None
        self._tell(f"{gist}\n  {path}" if gist else str(path))

    def _write(self, message: EmailMessage) -> Path:
        self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        day = re.sub(r"\D", "", message["Date"].datetime.isoformat()[:19])
        number = re.sub(r"[^\w.]", "", message["Message-ID"].partition("@")[0])
        path = self._folder / f"{day}-{number}.eml"
        handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(handle, "wb") as file:
            file.write(message.as_bytes())
        for old in sorted(self._folder.glob("*.eml"))[:-_KEPT]:
            old.unlink(missing_ok=True)
        return path


def _tell(text: str) -> None:
    sys.stderr.write(f"{text}\n")
    sys.stderr.flush()


def _is_here(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def _refused(codes: list[int]) -> NotSent:
    for_good = bool(codes) and min(codes) >= _PERMANENT
    return NotSent("the mail server refused the recipient", for_good=for_good)
