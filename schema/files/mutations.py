"""Where large files are announced before they are sent."""

from __future__ import annotations

from typing import Annotated

import strawberry

from schema.access import CASES_WRITE, Authorized
from schema.context import Context
from schema.errors import NotAllowed
from schema.files.types import CreateUploadInput, CreateUploadPayload, UploadTarget
from schema.scalars import URL
from schema.texts import N_
from schema.user_errors import told


@strawberry.type
class FileMutations:
    @strawberry.mutation(
        description="Reserve a place for a large file. It is sent afterwards to the address in the "
        "answer, resumable if it breaks off, and then named in `uploadIds`.",
        directives=[Authorized(scope=CASES_WRITE)],
    )
    @told(CreateUploadPayload)
    async def create_upload(
        self,
        info: strawberry.Info,
        input: Annotated[  # noqa: A002
            CreateUploadInput, strawberry.argument(description="The file.")
        ],
    ) -> CreateUploadPayload | None:
        context: Context = info.context
        if context.files is None:
            raise NotAllowed(N_("Files cannot be sent here."))
        target = await context.files.create_upload(
            context.required_caller(), input.filename, input.content_type, input.size
        )
        upload = UploadTarget(
            id=strawberry.ID(target.id), url=URL(target.url), expires_at=target.expires_at
        )
        return CreateUploadPayload(upload=upload)
