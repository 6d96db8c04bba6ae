"""What people are told when the identity service does not do what they asked."""

from __future__ import annotations

from datetime import datetime

from schema.identity.service import Problem, ProblemCode
from schema.texts import N_


def _at(name: str | None) -> tuple[str, ...] | None:
    return ("input", name) if name else None


def wrong_credentials(field: str | None = None) -> Problem:
    text = N_("Address and password do not go together.")
    return Problem(ProblemCode.WRONG_CREDENTIALS, text, field=_at(field))


def wrong_current_password() -> Problem:
    text = N_("This is not your password.")
    return Problem(ProblemCode.WRONG_CREDENTIALS, text, field=_at("currentPassword"))


def wrong_code() -> Problem:
    text = N_("This code is not right. Look at the newest mail.")
    return Problem(ProblemCode.WRONG_CREDENTIALS, text, field=_at("code"))


def code_expired() -> Problem:
    text = N_("This code is not valid any more. Ask for a new one.")
    return Problem(ProblemCode.EXPIRED, text, field=_at("code"))


def code_spent(retry_at: datetime) -> Problem:
    text = N_("Too many wrong codes. Ask for a new one.")
    return Problem(ProblemCode.TOO_MANY_ATTEMPTS, text, field=_at("code"), retry_at=retry_at)


def reset_expired() -> Problem:
    text = N_("This took too long, or it was done already. Ask for a new code.")
    return Problem(ProblemCode.EXPIRED, text, field=_at("resetToken"))


def too_many(retry_at: datetime) -> Problem:
    text = N_("Too many attempts. Wait a while before you try again.")
    return Problem(ProblemCode.TOO_MANY_ATTEMPTS, text, retry_at=retry_at)


def busy(retry_at: datetime) -> Problem:
    text = N_("Too many people are signing in right now. Try again in a moment.")
    return Problem(ProblemCode.TOO_MANY_ATTEMPTS, text, retry_at=retry_at)


def no_customer() -> Problem:
    text = N_(
        "You are who you say, but you act for no commercial customer, so that you cannot use the "
        "portal. If you would like to become a customer, contact us through the link at the "
        "bottom of the page: our team will tell you who the right person is."
    )
    return Problem(ProblemCode.NOT_ALLOWED, text)


def other_provider() -> Problem:
    text = N_("You sign in with another provider. Change your password there.")
    return Problem(ProblemCode.NOT_ALLOWED, text)


def session_over() -> Problem:
    text = N_("Your session has ended. Sign in again.")
    return Problem(ProblemCode.EXPIRED, text, field=_at("refreshToken"))


def no_address(field: str) -> Problem:
    text = N_("This is not an e-mail address that we can write to.")
    return Problem(ProblemCode.INVALID, text, field=_at(field))


def too_long(field: str, most: int) -> Problem:
    text = N_("This is longer than {most} characters.")
    return Problem(ProblemCode.TOO_LONG, text, {"most": most}, _at(field))


def password_too_short(field: str, least: int) -> Problem:
    text = N_("A password needs at least {least} characters.")
    return Problem(ProblemCode.TOO_SHORT, text, {"least": least}, _at(field))


def password_unreadable(field: str) -> Problem:
    text = N_("This password holds characters that cannot be used.")
    return Problem(ProblemCode.INVALID, text, field=_at(field))


def password_is_address(field: str) -> Problem:
    text = N_("Your own address is no password: it is the first that others try.")
    return Problem(ProblemCode.INVALID, text, field=_at(field))


def password_common(field: str) -> Problem:
    text = N_("This password is among the first that others try. Choose another.")
    return Problem(ProblemCode.INVALID, text, field=_at(field))


def invitation_unknown() -> Problem:
    text = N_("This link is not right. Open it from the mail once more, in full.")
    return Problem(ProblemCode.NOT_FOUND, text, field=_at("token"))


def invitation_expired(hours: float) -> Problem:
    text = N_(
        "This invitation has expired: its link works for {hours} hours. Ask whoever invited you, "
        "or our support team, for a new one."
    )
    return Problem(ProblemCode.EXPIRED, text, {"hours": f"{hours:g}"}, _at("token"))


def invitation_used() -> Problem:
    text = N_("This invitation was used already. Sign in with the password that was set.")
    return Problem(ProblemCode.EXPIRED, text, field=_at("token"))


def invitation_replaced() -> Problem:
    text = N_("There is a newer invitation for you. Open the link in the newest mail.")
    return Problem(ProblemCode.EXPIRED, text, field=_at("token"))


def invitation_taken() -> Problem:
    text = N_("This invitation is being used at this moment. Try again in a minute.")
    return Problem(ProblemCode.CONFLICT, text, field=_at("token"))
