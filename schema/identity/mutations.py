"""The ways in, as the portal's help text tells them."""

from __future__ import annotations

from datetime import UTC
from typing import Annotated, Any

import strawberry

from connectors.port.errors import SourceError
from connectors.port.records import AccountRef
from connectors.port.records import MembershipRole as Role
from schema.access import CONTACTS_INVITE, Anonymous, Authorized, MembershipRole
from schema.context import Context
from schema.customers.loaders import accounts_by_id
from schema.errors import NotAllowed
from schema.identity import service, types
from schema.identity.service import IdentityService, Invitation, Origin, Problem, ProblemCode
from schema.nodes import key_of
from schema.price import Cost, asks
from schema.texts import N_
from schema.user_errors import Bounds, told, user_errors
from schema.words import ascii_lower

#: Most characters of what is taken in. Passwords have a policy of their own below this.
EMAIL, PASSWORD, TOKEN, CODE, NAME, PHONE, TITLE = 254, 1_024, 2_048, 64, 80, 40, 128

_ROLES = {Role.ADMIN: N_("administrator"), Role.MEMBER: N_("member"), Role.READER: N_("reader")}
#: Passwords are hashed at full cost.
_HASHES = Cost(weight="100")
_INPUT = strawberry.argument(description="What is needed for it.")


@strawberry.type
class IdentityMutations:
    @strawberry.mutation(
        description="Sign in with address and password.",
        directives=[Anonymous(), _HASHES],
        metadata=asks("customers"),
    )
    @told(types.SignInPayload)
    async def sign_in(
        self,
        info: strawberry.Info,
        input: Annotated[types.SignInInput, _INPUT],  # noqa: A002
    ) -> types.SignInPayload | None:
        bounds = Bounds()
        bounds.secret("email", input.email, EMAIL)
        bounds.secret("password", input.password, PASSWORD)
        bounds.check()
        kept, origin = _kept(info.context)
        session = await kept.sign_in(input.email, input.password, origin)
        return types.SignInPayload(session=await _admitted(info.context, session))

    @strawberry.mutation(
        description="Go on with a session: new tokens for the latest refresh token.",
        directives=[Anonymous()],
        metadata=asks("customers"),
    )
    @told(types.RefreshSessionPayload)
    async def refresh_session(
        self,
        info: strawberry.Info,
        input: Annotated[types.RefreshSessionInput, _INPUT],  # noqa: A002
    ) -> types.RefreshSessionPayload | None:
        bounds = Bounds()
        bounds.secret("refreshToken", input.refresh_token, TOKEN)
        bounds.check()
        kept, origin = _kept(info.context)
        session = await kept.refresh(input.refresh_token, origin)
        return types.RefreshSessionPayload(session=_shown(session))

    @strawberry.mutation(
        description="End a session at once, with all its tokens. One that has ended is no problem.",
        directives=[Anonymous()],
    )
    @told(types.SignOutPayload)
    async def sign_out(
        self,
        info: strawberry.Info,
        input: Annotated[types.SignOutInput, _INPUT],  # noqa: A002
    ) -> types.SignOutPayload | None:
        bounds = Bounds()
        bounds.secret("refreshToken", input.refresh_token, TOKEN)
        bounds.check()
        kept, origin = _kept(info.context)
        await kept.sign_out(input.refresh_token, origin)
        return types.SignOutPayload()

    @strawberry.mutation(
        description="Ask for a code by mail. Answers the same for every address, so that it tells "
        "no one which addresses have access.",
        directives=[Anonymous()],
    )
    async def request_password_reset(
        self,
        info: strawberry.Info,
        input: Annotated[types.RequestPasswordResetInput, _INPUT],  # noqa: A002
    ) -> types.RequestPasswordResetPayload | None:
        context: Context = info.context
        kept, origin = _kept(context)
        message = context.say(
            N_(
                "If this address has access to the portal, a mail with a code is on its way. Look "
                "among the unwanted mail too."
            )
        )
        try:
            bounds = Bounds()
            bounds.secret("email", input.email, EMAIL)
            bounds.check()
            await kept.request_reset(input.email, context.language, origin)
        except service.Problems as raised:
            errors = user_errors(context, raised.problems)
            return types.RequestPasswordResetPayload(message=message, user_errors=errors)
        return types.RequestPasswordResetPayload(message=message)

    @strawberry.mutation(
        description="Turn the code of the mail into a token that sets a new password.",
        directives=[Anonymous()],
    )
    @told(types.VerifyPasswordResetCodePayload)
    async def verify_password_reset_code(
        self,
        info: strawberry.Info,
        input: Annotated[types.VerifyPasswordResetCodeInput, _INPUT],  # noqa: A002
    ) -> types.VerifyPasswordResetCodePayload | None:
        bounds = Bounds()
        bounds.secret("email", input.email, EMAIL)
        code = bounds.text("code", input.code, CODE, needed=True) or ""
        bounds.check()
        kept, origin = _kept(info.context)
        token = await kept.verify_reset(input.email, code, origin)
        return types.VerifyPasswordResetCodePayload(reset_token=token)

    @strawberry.mutation(
        description="Set a new password in place of a forgotten one. Ends all sessions.",
        directives=[Anonymous(), _HASHES],
    )
    @told(types.ResetPasswordPayload)
    async def reset_password(
        self,
        info: strawberry.Info,
        input: Annotated[types.ResetPasswordInput, _INPUT],  # noqa: A002
    ) -> types.ResetPasswordPayload | None:
        bounds = Bounds()
        bounds.secret("resetToken", input.reset_token, TOKEN)
        bounds.secret("newPassword", input.new_password, PASSWORD)
        bounds.check()
        kept, origin = _kept(info.context)
        await kept.reset_password(input.reset_token, input.new_password, origin)
        message = info.context.say(N_("Your password was changed. Sign in with it."))
        return types.ResetPasswordPayload(message=message)

    @strawberry.mutation(
        description="Set a new password in place of the one in use. Ends all other sessions.",
        directives=[Authorized(), _HASHES],
    )
    @told(types.ChangePasswordPayload)
    async def change_password(
        self,
        info: strawberry.Info,
        input: Annotated[types.ChangePasswordInput, _INPUT],  # noqa: A002
    ) -> types.ChangePasswordPayload | None:
        context: Context = info.context
        bounds = Bounds()
        bounds.secret("currentPassword", input.current_password, PASSWORD)
        bounds.secret("newPassword", input.new_password, PASSWORD)
        bounds.check()
        kept, origin = _kept(context)
        caller = context.required_caller()
        await kept.change_password(caller, input.current_password, input.new_password, origin)
        return types.ChangePasswordPayload(message=context.say(N_("Your password was changed.")))

    @strawberry.mutation(
        description="Let a person in: a mail with a link that works once, for 48 hours.",
        directives=[
            Authorized(role=MembershipRole.ADMIN, of="input.accountId", scope=CONTACTS_INVITE)
        ],
        metadata=asks("customers"),
    )
    @told(types.InviteContactPayload)
    async def invite_contact(
        self,
        info: strawberry.Info,
        input: Annotated[types.InviteContactInput, _INPUT],  # noqa: A002
    ) -> types.InviteContactPayload | None:
        return await _invite(info.context, input)

    @strawberry.mutation(
        description="Take up an invitation: set a password and sign in. Works once.",
        directives=[Anonymous(), _HASHES],
        metadata=asks("customers"),
    )
    @told(types.AcceptInvitationPayload)
    async def accept_invitation(
        self,
        info: strawberry.Info,
        input: Annotated[types.AcceptInvitationInput, _INPUT],  # noqa: A002
    ) -> types.AcceptInvitationPayload | None:
        bounds = Bounds()
        bounds.secret("token", input.token, TOKEN)
        bounds.secret("password", input.password, PASSWORD)
        bounds.check()
        kept, origin = _kept(info.context)
        session = await kept.accept_invitation(input.token, input.password, origin)
        return types.AcceptInvitationPayload(session=await _admitted(info.context, session))


async def _invite(context: Context, wanted: types.InviteContactInput) -> types.InviteContactPayload:
    bounds = Bounds()
    bounds.secret("email", wanted.email, EMAIL)
    name = bounds.text("name", wanted.name, NAME, needed=True) or ""
    phone = bounds.text("phone", wanted.phone, PHONE)
    title = bounds.text("jobTitle", wanted.job_title, TITLE)
    bounds.check()
    kept, origin = _kept(context)
    caller, role = context.required_caller(), Role(wanted.role.name)
    account_id = key_of("input.accountId", wanted.account_id, "Account")
    accounts: Any = await accounts_by_id(context, [account_id], frozenset({"id", "name"}))
    account = accounts[0]
    if account is None:
        raise NotAllowed(N_("You may not do this for this company."))
    email = ascii_lower(wanted.email)
    await _check_role_now(context, account.owner, email, role)
    invitation = Invitation(
        account=account.owner,
        account_name=account.name,
        email=email,
        name=name,
        role=role,
        job_title=title or None,
        phone=phone or None,
    )
    by = caller.email or caller.name
    expires_at = await kept.invite(invitation, by, context.language, origin)
    return types.InviteContactPayload(expires_at=expires_at)


async def _check_role_now(context: Context, account: AccountRef, email: str, role: Role) -> None:
    """Raises Problems for somebody whose role for the account the invitation would change. Nothing
    is written before they accept: who invites learns nothing of people of other companies."""
    known = await context.sources.customers.identity_by_email(email)
    memberships = known.memberships if known and ascii_lower(known.email) == email else ()
    held = [one for one in memberships if one.account.id == account.id]
    today = context.clock().astimezone(UTC).date()
    if not held:
        if context.sources.customer_writer is None:
            raise NotAllowed(N_("People have to be added to the CRM before they are invited."))
        return
    valid = {one.role for one in held if one.holds_on(today)}
    if not valid:
        text = N_("Their relation to the company does not hold today. Our team can renew it.")
        raise service.Problems(Problem(ProblemCode.CONFLICT, text, field=("input", "email")))
    if role not in valid:
        text = N_("This person acts for the company already, as {role}.")
        has = next(one for one in Role if one in valid)
        values = {"role": context.say(_ROLES[has])}
        raise service.Problems(Problem(ProblemCode.CONFLICT, text, values, ("input", "role")))


def _kept(context: Context) -> tuple[IdentityService, Origin]:
    if context.identity is None or context.origin is None:
        raise NotAllowed(N_("People sign in to this portal with another provider."))
    return context.identity, context.origin


async def _admitted(context: Context, session: service.Session) -> types.Session:
    """The session of somebody who proved who they are, and who asks on in this operation."""
    if context.recognise is not None:
        try:
            context.who = await context.recognise(session.access_token)
        except SourceError as error:
            context.who = error  # the session is good; whose data it opens is asked each time
    return _shown(session)


def _shown(session: service.Session) -> types.Session:
    return types.Session(
        access_token=session.access_token,
        refresh_token=session.refresh_token,
        expires_at=session.expires_at,
    )
