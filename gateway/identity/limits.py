"""Which tries count for what: per e-mail address and per source."""

from __future__ import annotations

from gateway.identity.addresses import network
from gateway.identity.attempts import Try
from gateway.identity.settings import Limits
from schema.identity.service import Origin


class Tries:
    """The tries of each thing that people do."""

    def __init__(self, limits: Limits) -> None:
        self._limits = limits

    def sign_in_of(self, email: str) -> Try:
        """Guessing at one person's password."""
        return Try("sign in", email, self._limits.sign_in_address)

    def sign_in_from(self, origin: Origin) -> Try:
        """Guessing from one place."""
        return Try("sign in from", network(origin.address), self._limits.sign_in_source)

    def request_of(self, email: str) -> Try:
        """Mails with codes for one address."""
        return Try("request reset", email, self._limits.request_reset_address)

    def request_from(self, origin: Origin) -> Try:
        """Mails with codes that one place asks for."""
        most = self._limits.request_reset_source
        return Try("request reset from", network(origin.address), most)

    def verify_of(self, email: str) -> Try:
        """Guessing at codes of one address, across requests."""
        return Try("verify reset", email, self._limits.verify_reset_address)

    def verify_from(self, origin: Origin) -> Try:
        """Guessing at codes from one place."""
        return Try("verify reset from", network(origin.address), self._limits.verify_reset_source)

    def accept_from(self, origin: Origin) -> Try:
        """Tokens of invitations and resets that one place comes with."""
        return Try("accept from", network(origin.address), self._limits.accept_source)

    def invite_to(self, email: str) -> Try:
        """Invitations that one address gets."""
        return Try("invite", email, self._limits.invite_address)

    def invite_by(self, by: str) -> Try:
        """Invitations that one person sends."""
        return Try("invite by", by, self._limits.invite_by)
