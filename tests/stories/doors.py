"""What the stories of access share: the documents of a portal's pages, and a mailbox to look into."""

from __future__ import annotations

import asyncio
import email.policy
import re
import sqlite3
from dataclasses import dataclass
from datetime import timedelta
from email import message_from_bytes
from email.message import EmailMessage
from pathlib import Path
from typing import Any

from gateway.access import staff
from sandbox.people import CUSTOMERS
from schema.nodes import to_global
from tests.stories.portal import ANA, Portal

ANDINA = str(to_global("Account", CUSTOMERS[0].crm_id))
PACIFICO = str(to_global("Account", CUSTOMERS[1].crm_id))
EVA = "eva.rios@andina.example"
PASSWORD = "Cordillera-verde-27"
OTHER = "Arrecife-lento-81"

_ERRORS = "userErrors { code message field retryAt }"
_SESSION = "session { accessToken refreshToken expiresAt }"
INVITE = f"mutation($input: InviteContactInput!) {{ inviteContact(input: $input) {{ expiresAt {_ERRORS} }} }}"
ACCEPT = f"""mutation($input: AcceptInvitationInput!) {{ acceptInvitation(input: $input) {{
  {_SESSION} viewer {{ name email memberships {{ role account {{ name }} }} }} {_ERRORS} }} }}"""
SIGN_IN = f"""mutation($input: SignInInput!) {{ signIn(input: $input) {{
  {_SESSION} viewer {{ name contact {{ jobTitle }} }} {_ERRORS} }} }}"""
REFRESH = f"mutation($input: RefreshSessionInput!) {{ refreshSession(input: $input) {{ {_SESSION} {_ERRORS} }} }}"
SIGN_OUT = f"mutation($input: SignOutInput!) {{ signOut(input: $input) {{ {_ERRORS} }} }}"
FORGOTTEN = f"""mutation($input: RequestPasswordResetInput!) {{
  requestPasswordReset(input: $input) {{ message {_ERRORS} }} }}"""
VERIFY = f"""mutation($input: VerifyPasswordResetCodeInput!) {{
  verifyPasswordResetCode(input: $input) {{ resetToken {_ERRORS} }} }}"""
RESET = f"mutation($input: ResetPasswordInput!) {{ resetPassword(input: $input) {{ message {_ERRORS} }} }}"
CHANGE = f"mutation($input: ChangePasswordInput!) {{ changePassword(input: $input) {{ message {_ERRORS} }} }}"
PROFILE = f"""mutation($input: UpdateProfileInput!) {{ updateProfile(input: $input) {{
  contact {{ name givenName familyName phone jobTitle locale }} {_ERRORS} }} }}"""
ME = "{ viewer { name memberships { role } } cases(first: 1) { nodes { number } } }"


@dataclass(frozen=True, slots=True)
class Mail:
    """One mail, by what people see of it."""

    message: EmailMessage

    @property
    def subject(self) -> str:
        return str(self.message["Subject"])

    @property
    def text(self) -> str:
        return self._part("plain")

    @property
    def html(self) -> str:
        return self._part("html")

    @property
    def link_token(self) -> str:
        found = re.search(r"https?://\S+token=(\S+)", self.text)
        assert found, self.text
        return found[1]

    @property
    def code(self) -> str:
        found = re.search(r"^(\d{6})$", self.text, re.MULTILINE)
        assert found, self.text
        return found[1]

    def _part(self, kind: str) -> str:
        part = self.message.get_body((kind,))
        assert part is not None
        return str(part.get_content()).replace("\r\n", "\n")


def mails(portal: Portal, address: str) -> list[Mail]:
    """What lies in the folder for an address, oldest first."""
    found = []
    for path in sorted(
        Path(portal.folder, "mail").glob("*.eml"), key=lambda p: p.stat().st_mtime_ns
    ):
        message = message_from_bytes(path.read_bytes(), policy=email.policy.default)
        assert isinstance(message, EmailMessage)
        if address in str(message["To"]):
            found.append(Mail(message))
    return found


async def mail_to(portal: Portal, address: str, number: int = 1) -> Mail:
    """The mail with this number to an address, waited for a little while."""
    for _ in range(500):
        found = mails(portal, address)
        if len(found) >= number:
            return found[number - 1]
        await asyncio.sleep(0.02)
    raise AssertionError(f"no mail number {number} to {address}")


async def do(portal: Portal, document: str, **values: Any) -> Any:
    """What a mutation answers. by and bearer, where given, say who asks; the rest is its input."""
    who = {name: values.pop(name) for name in ("by", "language") if name in values}
    bearer = values.pop("bearer", None)
    answer = await portal.ask(document, {"input": values}, token=bearer, **{"by": None, **who})
    [payload] = answer.data.values()
    return payload


async def invited(
    portal: Portal, address: str = EVA, role: str = "MEMBER", account: str = ANDINA, by: str = ANA
) -> Mail:
    """Somebody is invited; the mail they get."""
    before = len(mails(portal, address))
    name = "Eva Ríos" if address == EVA else address.partition("@")[0]
    payload = await do(
        portal, INVITE, by=by, accountId=account, email=address, name=name, role=role
    )
    assert payload["userErrors"] == []
    return await mail_to(portal, address, before + 1)


async def member(portal: Portal, address: str = EVA, role: str = "MEMBER") -> Any:
    """Somebody who was invited and has set a password; their session."""
    mail = await invited(portal, address, role)
    payload = await do(portal, ACCEPT, token=mail.link_token, password=PASSWORD)
    assert payload["userErrors"] == []
    return payload["session"]


async def later(portal: Portal, **time: float) -> None:
    """Time passes, and what every second is asked is asked."""
    portal.clock.now += timedelta(**time)
    entrance = portal.gateway.entrance
    assert entrance.identity is not None
    await entrance.revocations.catch_up(entrance.identity.ended_since)


async def asks(portal: Portal, token: str) -> int:
    """The status of an answer to a question with this token."""
    headers = {"authorization": f"Bearer {token}"}
    response = await portal.client.post("/graphql", json={"query": ME}, headers=headers)
    return response.status_code


async def in_crm(portal: Portal, sql: str, *values: object) -> None:
    """Somebody at the supplier changes something in the CRM."""

    def change() -> None:
        connection = sqlite3.connect(portal.folder / "sandbox.sqlite", timeout=5)
        with connection:
            assert connection.execute(sql, values).rowcount > 0
        connection.close()

    await asyncio.to_thread(change)


async def program(portal: Portal, *scopes: str) -> str:
    """The token of a program that may do this."""
    secret = await staff.add(portal.folder / "staff.json", "erp-sync", scopes)
    form = {"grant_type": "client_credentials"}
    answer = await portal.client.post("/oauth/token", data=form, auth=("erp-sync", secret))
    assert answer.status_code == 200, answer.text
    return str(answer.json()["access_token"])
