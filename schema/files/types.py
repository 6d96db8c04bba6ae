"""Files in the graph: what callers send along with a request, and where they send large ones."""

from __future__ import annotations

from datetime import datetime
from typing import Any, Final

import strawberry
from graphql import GraphQLError, ValueNode
from strawberry.types.scalar import ScalarDefinition

from schema.files.service import IncomingFile
from schema.scalars import URL
from schema.user_errors import UserError

_HINT: Final = (
    "a file of a GraphQL multipart request: null in `variables`, and named in the request's `map`"
)


def _parsed(value: object) -> IncomingFile:
    """Nothing but the reader of multipart requests makes such a value; JSON cannot."""
    if not isinstance(value, IncomingFile):
        raise ValueError(f"Upload must be {_HINT}")
    return value


def _literal(node: ValueNode, variables: dict[str, Any] | None = None) -> IncomingFile:
    raise GraphQLError(f"Upload must be {_HINT}. It cannot stand in the document.", node)


def _never(value: object) -> str:
    raise TypeError("a file is never part of an answer")


#: The scalar's Python type, and its definition.
UPLOAD: Final[dict[object, ScalarDefinition]] = {
    IncomingFile: strawberry.scalar(
        name="Upload",
        description=f"{_HINT[0].upper()}{_HINT[1:]}.",
        specified_by_url="https://github.com/jaydenseric/graphql-multipart-request-spec",
        serialize=_never,
        parse_value=_parsed,
        parse_literal=_literal,
    )
}


@strawberry.input(description="A file that will be sent.")
class CreateUploadInput:
    filename: str = strawberry.field(
        description="Its name. Paths and characters that cannot be shown are taken out of it."
    )
    content_type: str = strawberry.field(
        description="Its media type, as far as it is known; what it really is, its content tells."
    )
    size: int = strawberry.field(description="In bytes.")


@strawberry.type(
    description="A place for one file. Its bytes are sent to `url` by tus 1.0 (PATCH from the "
    "offset that HEAD tells), in as many pieces as it takes; then its `id` goes into `uploadIds`."
)
class UploadTarget:
    id: strawberry.ID = strawberry.field(description="What `uploadIds` calls it.")
    url: URL = strawberry.field(
        description="Where to send the bytes. It holds the right to do so: no token is needed, and "
        "nobody else should see it."
    )
    expires_at: datetime = strawberry.field(
        description="When it is removed, unless a case has it by then."
    )


@strawberry.type(description="Where to send the file, or what to put right.")
class CreateUploadPayload:
    upload: UploadTarget | None = strawberry.field(
        default=None, description="Where to send it. Null when it would not be taken."
    )
    user_errors: list[UserError] = strawberry.field(
        default_factory=list, description="What to put right; empty when it was done."
    )
