"""Who asks, in which language and from where, and the answer to what they ask: the same for every
way in, be it a POST, a WebSocket or a stream of events."""

from __future__ import annotations

import asyncio
import math
from collections.abc import Awaitable, Callable, Mapping
from typing import Any, TypeVar

import msgspec
from graphql import OperationType

from connectors.port.errors import SourceError
from gateway.access.callers import Callers, UnknownAccount
from gateway.access.claims import InvalidToken
from gateway.access.rates import Level, Rates, RateSettings
from gateway.access.token_endpoint import Attempts
from gateway.access.verifier import Verifier
from gateway.audit import Audit
from gateway.audit import Outcome as Noted
from gateway.http import languages
from gateway.http.audience import Audience
from gateway.http.headers import Head
from gateway.http.origins import Origins
from gateway.http.refusals import Refusal
from gateway.operations import errors
from gateway.operations.answers import WholeAnswers
from gateway.operations.parts import InParts, deferrable
from gateway.operations.requests import Outcome, Request
from gateway.operations.run import Operations, Ready
from gateway.operations.subscriptions import Subscription, Subscriptions
from schema.context import Caller, Context
from schema.errors import InputError
from schema.identity.service import Origin
from schema.nodes import key_of
from schema.texts import N_, say

T = TypeVar("T")

#: With it a program says for which account it acts, by global id.
ACTING_FOR = "portal-acting-for"
#: With it a caller hears what an operation costs and what is left of their rate.
ASKS_COST = "portal-cost"
#: Refused tokens of one source and minute that the audit tells of: it must not be filled by whoever
#: sends rubbish.
_TOLD = 10

#: Makes the surroundings of one operation: who asks, the language of texts, the locale of content,
#: and where the request comes from.
MakeContext = Callable[[Caller | SourceError | None, str, str, Origin], Context]


class Visitor(msgspec.Struct, frozen=True):
    """Somebody who may ask. who: an error where somebody proved who they are and the CRM could not
    tell whose data they may see, None where nobody says. language: of texts for people; locale: of
    content, BCP 47. hears_cost: answers tell what they cost."""

    who: Caller | SourceError | None
    origin: Origin
    language: str
    locale: str
    hears_cost: bool = False


class Reception:
    """Receives visitors and answers them."""

    def __init__(
        self,
        operations: Operations,
        verifier: Verifier,
        callers: Callers,
        origins: Origins,
        audit: Audit,
        make_context: MakeContext,
        default_language: str,
        shows_schema: Audience = Audience.EVERYONE,
        rates: Rates | None = None,
        subscriptions: Subscriptions | None = None,
        answers: WholeAnswers | None = None,
    ) -> None:
        self._operations, self._verifier, self._callers = operations, verifier, callers
        self._origins, self._audit = origins, audit
        self._make_context, self._default_language = make_context, default_language
        self._shows_schema, self._rates = shows_schema, rates or Rates(RateSettings(enabled=False))
        self._subscriptions, self._answers = subscriptions, answers
        self._refused = Attempts(allowed=_TOLD)
        self._unfinished: set[asyncio.Task[Outcome]] = set()

    async def receive(self, head: Head) -> Visitor:
        """Who asks. Raises Refusal: 401 for a token that proves nothing, 403 for an account that
        there is not."""
        origin = self._origins.of(head)
        who = await self._who(head.headers, origin)
        language, locale = self._languages(head.headers, who)
        return Visitor(who, origin, language, locale, ASKS_COST in head.headers)

    def language(self, headers: Mapping[str, str]) -> str:
        """The language of texts for people, as far as the headers alone tell."""
        return self._languages(headers, None)[0]

    async def answer(self, visitor: Visitor, request: Request) -> Outcome:
        """The answer to an operation. What nobody foresaw is masked, so nothing is raised."""
        return await self._admitted(visitor, request, self._run)

    async def in_parts(self, visitor: Visitor, request: Request) -> InParts | Outcome:
        """The same for those who read an answer in parts: a query that is to be answered so, not
        run yet, or the answer to what is none."""
        return await self._admitted(visitor, request, self._defer)

    async def begin(self, visitor: Visitor, request: Request) -> Subscription | Outcome:
        """The same for those who can take more than one answer: a subscription that has begun, the
        answer to what is none, or why there is neither."""
        return await self._admitted(visitor, request, self._begin)

    async def renewed(self, head: Head, subscription: Subscription) -> Context | Outcome:
        """The surroundings of one more answer of a subscription, which costs what the first did;
        or its last word. Raises Refusal when the token has ended."""
        visitor = await self.receive(head)
        units = subscription.ready.worth.cost
        level = await self._rates.take(visitor.who, visitor.origin, units)
        if level is not None and level.wait is not None:
            return _too_fast(level, visitor.language)
        return self._context(visitor)

    async def still(self, head: Head) -> None:
        """Raises Refusal, 401, when the token of somebody who was received has ended since. Asks
        no system."""
        authorization = head.headers.get("authorization")
        if not authorization:
            return
        try:
            await self._verifier.check(_bearer(authorization))
        except InvalidToken:
            raise expired() from None
        except SourceError:
            return  # nobody can tell now; whatever is asked tells it

    async def finish(self, seconds: float) -> None:
        """Waits for changes whose askers have left, no longer than that."""
        if self._unfinished:
            await asyncio.wait(tuple(self._unfinished), timeout=seconds)

    async def _admitted(
        self,
        visitor: Visitor,
        request: Request,
        run: Callable[[Visitor, Ready, Level | None], Awaitable[T]],
    ) -> T | Outcome:
        try:
            if isinstance(visitor.who, Caller) and visitor.who.staff:
                await self._tell_staff(visitor.who, request, visitor.origin)
            level = self._rates.waiting(visitor.who, visitor.origin)
            if level is not None:
                return _too_fast(level, visitor.language)
            found, effort = await self._operations.found(request), 1
            ready: Ready | Outcome
            if isinstance(found, Outcome):
                ready = found
            else:
                effort = self._operations.effort(found)
                ready = self._operations.prepare(found, self._shows_schema.includes(visitor.who))
            units = 0 if isinstance(ready, Outcome) else ready.worth.cost
            level = await self._rates.take(visitor.who, visitor.origin, units, effort)
            if level is not None and level.wait is not None:
                return _too_fast(level, visitor.language)
            answer = ready if isinstance(ready, Outcome) else await run(visitor, ready, level)
            if level is not None and isinstance(answer, Outcome):
                return answer.saying(level.headers)
            return answer
        except Exception as error:  # noqa: BLE001 - nothing a caller sends may end in a stack trace
            return Outcome.failed(errors.masked(error, visitor.language), 500)

    async def _run(self, visitor: Visitor, ready: Ready, level: Level | None) -> Outcome:
        if ready.lasts:
            text = "Subscribe by WebSocket, or accept text/event-stream."
            return Outcome.failed(errors.refusal(errors.BAD_REQUEST, text), 406)
        if ready.kind is OperationType.MUTATION:
            # Whoever leaves meanwhile leaves no half of it behind, nor anything out of the audit.
            work = asyncio.create_task(self._operated(visitor, ready, level))
            self._unfinished.add(work)
            work.add_done_callback(self._unfinished.discard)
            return await asyncio.shield(work)
        return await self._operated(visitor, ready, level)

    async def _operated(self, visitor: Visitor, ready: Ready, level: Level | None) -> Outcome:
        if self._answers is not None and not visitor.hears_cost:
            return await self._answers.answer(
                ready, visitor, lambda: self._operations.run(ready, self._context(visitor))
            )
        outcome = await self._operations.run(ready, self._context(visitor))
        if visitor.hears_cost:
            told = {**self._operations.priced(ready), **(_left(level) if level else {})}
            outcome.body.setdefault("extensions", {})["cost"] = told
        return outcome

    async def _defer(
        self, visitor: Visitor, ready: Ready, level: Level | None
    ) -> InParts | Outcome:
        # Whoever hears the price hears it with a whole answer.
        if visitor.hears_cost or not deferrable(ready):
            return await self._run(visitor, ready, level)
        headers = level.headers if level is not None else {}
        return InParts(self._operations.schema, ready, self._context(visitor), headers)

    async def _begin(
        self, visitor: Visitor, ready: Ready, level: Level | None
    ) -> Subscription | Outcome:
        if not ready.lasts or self._subscriptions is None:
            return await self._run(visitor, ready, level)
        return await self._subscriptions.begin(ready, self._context(visitor))

    def _context(self, visitor: Visitor) -> Context:
        return self._make_context(visitor.who, visitor.language, visitor.locale, visitor.origin)

    async def _who(self, headers: Mapping[str, str], origin: Origin) -> Caller | SourceError | None:
        authorization = headers.get("authorization")
        if not authorization:
            return None
        try:
            claims = await self._verifier.check(_bearer(authorization))
        except InvalidToken as refused:
            await self._tell_refused(origin, refused)
            raise expired() from None
        except SourceError as error:
            return error
        acting_for = headers.get(ACTING_FOR) if claims.staff else None
        try:
            key = None if acting_for is None else key_of(ACTING_FOR, acting_for, "Account")
            return await self._callers.caller(claims, key)
        except SourceError as error:
            # News and questions can still be read: what needs the caller tells this error.
            return error
        except (InputError, UnknownAccount):
            await self._audit.note(
                "access.refused",
                who=claims.client_id or claims.subject,
                whose=(acting_for or "-")[:100],
                what=ACTING_FOR,
                origin=origin,
                outcome=Noted.REFUSED,
            )
            raise Refusal(403, "Portal-Acting-For names no account.") from None

    async def _tell_staff(self, who: Caller, request: Request, origin: Origin) -> None:
        whose = " ".join(who.scope.ids) or "-"
        what = request.operation_name or "-"
        await self._audit.note("staff.asked", who=who.name, whose=whose, what=what, origin=origin)

    async def _tell_refused(self, origin: Origin, refused: InvalidToken) -> None:
        if self._refused.wait(origin.address) is not None:
            return
        self._refused.failed(origin.address)
        what = refused.reason or "no bearer token"
        await self._audit.note(
            "token.refused", who="-", what=what, origin=origin, outcome=errors.UNAUTHENTICATED
        )

    def _languages(
        self, headers: Mapping[str, str], who: Caller | SourceError | None
    ) -> tuple[str, str]:
        """The language of texts and the locale of content: what the request asks for, else what
        the person prefers, else the portal's default."""
        header = headers.get("accept-language", "")
        preferred = who.locale if isinstance(who, Caller) else None
        return languages.chosen(header, preferred, self._default_language)


def expired() -> Refusal:
    """What is told of a token that proves nothing, or nothing any more."""
    return Refusal(
        401,
        N_("The access token is not valid or has expired. Sign in again."),
        code=errors.UNAUTHENTICATED,
        headers={"www-authenticate": 'Bearer error="invalid_token"'},
    )


def _too_fast(level: Level, language: str) -> Outcome:
    seconds = max(1, math.ceil(level.wait or 0))
    text = say(language, N_("Too much was asked at once. Try again in {n} s."), {"n": seconds})
    told = errors.refusal(
        errors.RATE_LIMITED, text, retryable=True, retryAfterMs=seconds * 1_000, policy=level.policy
    )
    return Outcome.failed(told, 429, level.headers)


def _left(level: Level) -> dict[str, Any]:
    return {"remaining": level.remaining, "policy": level.policy, "quota": level.quota}


def _bearer(authorization: str) -> str:
    """The token of an Authorization header. Raises InvalidToken."""
    scheme, _, token = authorization.partition(" ")
    if scheme.lower() != "bearer" or not token.strip():
        raise InvalidToken
    return token.strip()
