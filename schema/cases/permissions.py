"""What the viewer may do with a case: by their role, by how it stands, by what is there."""

from __future__ import annotations

from connectors.port import records
from schema.access import CASES_WRITE, MembershipRole, has_role
from schema.context import Context

_OVER = (records.CaseStatus.CLOSED, records.CaseStatus.REJECTED)


def takes_more(case: records.Case) -> bool:
    """Whether anything can be added to it."""
    return case.status not in _OVER


def may_comment(case: records.Case, context: Context) -> bool:
    caller = context.caller
    if caller is None or context.submissions is None or not takes_more(case):
        return False
    if caller.staff and CASES_WRITE not in caller.scopes:
        return False
    return has_role(caller, case.owner.id, MembershipRole.MEMBER)


def may_attach(case: records.Case, context: Context) -> bool:
    return context.files is not None and may_comment(case, context)


def may_close(case: records.Case, context: Context) -> bool:
    return may_comment(case, context)
