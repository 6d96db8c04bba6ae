"""What callers send to open a case, and to add to one."""

from __future__ import annotations

import strawberry

from schema.files.service import IncomingFile

KEY = (
    "Chosen by the client for this one thing, 1 to 100 letters, digits or signs (a UUID is good). "
    "Sent again with the same input it does nothing again and answers the same; with another input "
    "it is a CONFLICT. Left out: the same input by the same caller counts as the same for a while."
)


_FILES = "Files of this same request: a GraphQL multipart request."
_UPLOADS = "Files sent beforehand: ids that `createUpload` gave."


@strawberry.input(description="One filled-in field of the form.")
class CaseDetailInput:
    name: str = strawberry.field(description="The form field's name.")
    value: str = strawberry.field(description="What was filled in; for a CHOICE, its value.")


@strawberry.input(description="A new case. `caseCategories` tells what each category asks for.")
class CreateCaseInput:
    category: str = strawberry.field(description="Its category, by code: see `caseCategories`.")
    description: str = strawberry.field(
        description="What it is about, in full. Lines stay; see `descriptionMaxLength`."
    )
    account_id: strawberry.ID | None = strawberry.field(
        default=None,
        description="For which of the viewer's accounts; may be left out when there is only one.",
    )
    subcategory: str | None = strawberry.field(
        default=None, description="Its subcategory, by code, where its category has some."
    )
    subject: str | None = strawberry.field(
        default=None,
        description="What it is about, in a line of up to 255 characters; the label of its "
        "subcategory or category when left out.",
    )
    details: list[CaseDetailInput] | None = strawberry.field(
        default=None, description="The fields of its form, in any order."
    )
    order_id: strawberry.ID | None = strawberry.field(
        default=None,
        description="The order it is about. It also fills in the form's first ORDER_NUMBER.",
    )
    files: list[IncomingFile] | None = strawberry.field(default=None, description=_FILES)
    upload_ids: list[strawberry.ID] | None = strawberry.field(default=None, description=_UPLOADS)
    idempotency_key: str | None = strawberry.field(default=None, description=KEY)


@strawberry.input(description="Something to say about a case.")
class AddCaseCommentInput:
    case_id: strawberry.ID = strawberry.field(description="Which case.")
    body: str = strawberry.field(description="The text, up to 4,000 bytes of UTF-8. Lines stay.")
    idempotency_key: str | None = strawberry.field(default=None, description=KEY)


@strawberry.input(description="Files for a case; at least one.")
class AddCaseAttachmentsInput:
    case_id: strawberry.ID = strawberry.field(description="Which case.")
    files: list[IncomingFile] | None = strawberry.field(default=None, description=_FILES)
    upload_ids: list[strawberry.ID] | None = strawberry.field(default=None, description=_UPLOADS)
    idempotency_key: str | None = strawberry.field(default=None, description=KEY)


@strawberry.input(description="A case that is over for the customer.")
class CloseCaseInput:
    case_id: strawberry.ID = strawberry.field(description="Which case.")
    comment: str | None = strawberry.field(
        default=None, description="A last word, as in `addCaseComment`."
    )
    idempotency_key: str | None = strawberry.field(default=None, description=KEY)
