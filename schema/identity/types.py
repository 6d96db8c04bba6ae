"""Inputs and answers of getting in."""

from __future__ import annotations

from datetime import datetime

import strawberry

from schema.access import MembershipRole
from schema.context import Context
from schema.customers.types import Viewer
from schema.scalars import EmailAddress
from schema.user_errors import UserError

_ERRORS = "What to put right; empty when it was done."


def _errors() -> list[UserError]:
    return strawberry.field(default_factory=list, description=_ERRORS)  # type: ignore[no-any-return]


@strawberry.type(description="What a client keeps of having signed in.")
class Session:
    access_token: str = strawberry.field(
        description="Send it with every request: `Authorization: Bearer ...`."
    )
    refresh_token: str = strawberry.field(
        description="Spend it on `refreshSession` before `expiresAt`: it works once."
    )
    expires_at: datetime = strawberry.field(description="When the access token ends.")


def _viewer(session: Session | None, context: Context) -> Viewer | None:
    # Who signed in is who asks from here on: see `admitted`.
    return context.caller if session else None  # type: ignore[return-value]


@strawberry.input(description="Who signs in.")
class SignInInput:
    email: EmailAddress = strawberry.field(description="The address that was invited.")
    password: str = strawberry.field(description="The person's own.")


@strawberry.type(description="A session, or why there is none.")
class SignInPayload:
    session: Session | None = strawberry.field(default=None, description="To go on with.")
    user_errors: list[UserError] = _errors()

    @strawberry.field(description="Who signed in.")
    def viewer(self, info: strawberry.Info) -> Viewer | None:
        return _viewer(self.session, info.context)


@strawberry.input(description="Which session goes on.")
class RefreshSessionInput:
    refresh_token: str = strawberry.field(
        description="The latest one. One that was spent before ends the session everywhere."
    )


@strawberry.type(description="The session with new tokens, or why it does not go on.")
class RefreshSessionPayload:
    session: Session | None = strawberry.field(default=None, description="To go on with.")
    user_errors: list[UserError] = _errors()


@strawberry.input(description="Which session ends.")
class SignOutInput:
    refresh_token: str = strawberry.field(description="Its latest one.")


@strawberry.type(description="That the session has ended.")
class SignOutPayload:
    user_errors: list[UserError] = _errors()


@strawberry.input(description="Who forgot the password.")
class RequestPasswordResetInput:
    email: EmailAddress = strawberry.field(description="Where the code goes.")


@strawberry.type(description="The same for every address.")
class RequestPasswordResetPayload:
    message: str = strawberry.field(description="What to show the person.")
    user_errors: list[UserError] = _errors()


@strawberry.input(description="The code that came by mail.")
class VerifyPasswordResetCodeInput:
    email: EmailAddress = strawberry.field(description="Where it went.")
    code: str = strawberry.field(description="As the mail shows it.")


@strawberry.type(description="Proof that the code was right, or why it was not.")
class VerifyPasswordResetCodePayload:
    reset_token: str | None = strawberry.field(
        default=None, description="Spend it on `resetPassword`, once."
    )
    user_errors: list[UserError] = _errors()


@strawberry.input(description="A new password in place of a forgotten one.")
class ResetPasswordInput:
    reset_token: str = strawberry.field(description="From `verifyPasswordResetCode`.")
    new_password: str = strawberry.field(description="From now on.")


@strawberry.type(description="That the password is set. All sessions have ended.")
class ResetPasswordPayload:
    message: str | None = strawberry.field(default=None, description="What to show the person.")
    user_errors: list[UserError] = _errors()


@strawberry.input(description="A new password in place of the one in use.")
class ChangePasswordInput:
    current_password: str = strawberry.field(description="Until now.")
    new_password: str = strawberry.field(description="From now on.")


@strawberry.type(description="That the password is set. All other sessions have ended.")
class ChangePasswordPayload:
    message: str | None = strawberry.field(default=None, description="What to show the person.")
    user_errors: list[UserError] = _errors()


@strawberry.input(description="Whom to invite, for which company.")
class InviteContactInput:
    account_id: strawberry.ID = strawberry.field(description="The company.")
    email: EmailAddress = strawberry.field(description="Where the link goes.")
    name: str = strawberry.field(description="Full name.")
    job_title: str | None = strawberry.field(default=None, description="What they do there.")
    phone: str | None = strawberry.field(default=None, description="Telephone number.")
    role: MembershipRole = strawberry.field(description="What they may do for the company.")


@strawberry.type(description="That a mail with a link is on its way, or why not.")
class InviteContactPayload:
    expires_at: datetime | None = strawberry.field(
        default=None, description="When the link stops working: 48 hours from now."
    )
    user_errors: list[UserError] = _errors()


@strawberry.input(description="An invitation, taken up.")
class AcceptInvitationInput:
    token: str = strawberry.field(description="From the link in the mail.")
    password: str = strawberry.field(description="The person's own, from now on.")


@strawberry.type(description="A session, or why there is none.")
class AcceptInvitationPayload:
    session: Session | None = strawberry.field(default=None, description="To go on with.")
    user_errors: list[UserError] = _errors()

    @strawberry.field(description="Who signed in.")
    def viewer(self, info: strawberry.Info) -> Viewer | None:
        return _viewer(self.session, info.context)
