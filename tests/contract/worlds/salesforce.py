"""The sandbox's CRM: five accounts, 300 cases, and knowledge as questions and as news."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any
from urllib.parse import unquote

import httpx

from connectors.port.scope import AccountRef
from tests.contract import boxed
from tests.contract.world import Facts, Filter, World, connectors

SETTINGS: dict[str, Any] = {
    "url": boxed.URL,
    "login": {
        "grant": "client_credentials",
        "client_id": "sandbox-client",
        "client_secret": "sandbox-secret",
    },
    "knowledge": {"serves": ["questions", "news"]},
    "writes": {},
}

_PREFIXES = {
    "contact": "003",
    "case": "500",
    "open_case": "500",
    "discussed_case": "500",
    "changed_case": "500",
    "case_with_files": "500",
    "comment": "00a",
    "article": "ka0",
    "question": "ka0",
}
_TEXT = re.compile(r"'(?:[^'\\]|\\.)*'", re.DOTALL)
_ACCOUNTS = ", ".join(f"'{one.crm_id}'" for one in boxed.OWN)


def prepare(database: Path) -> None:
    """Cases that were opened in one moment, two about one order, two people of one name."""
    cases = f"FROM crm_Case WHERE AccountId IN ({_ACCOUNTS})"
    chosen = f"SELECT Id {cases} ORDER BY Id LIMIT 6 OFFSET 40"
    first, last = (
        f"SELECT {which}(Order_Number__c) {cases} AND Order_Number__c > ''"
        for which in ("min", "max")
    )
    moment = "'2026-05-05T10:00:00.000+0000'"
    boxed.change(
        database,
        (
            f"UPDATE crm_Case SET CreatedDate = {moment} WHERE Id IN ({chosen})",
            f"UPDATE crm_Case SET Order_Number__c = ({first}) WHERE Order_Number__c = ({last})",
            "UPDATE crm_Contact SET Name = 'Ana 100% Uno_Dos' WHERE Name LIKE 'Bianca%'",
            "UPDATE crm_Contact SET Name = 'Ana 100% Uno_Dos' WHERE Name LIKE 'Rafael%'",
        ),
    )


def world(database: Path) -> World:
    return World(
        connector=connectors()["salesforce"],
        settings=SETTINGS,
        facts=_facts(database),
        transport=lambda: boxed.way(database),
        apart=lambda: boxed.apart(database),
        is_login=lambda request: request.url.path.endswith("/oauth2/token"),
        writes=_writes,
        calls={"attachment_content": 2},
        given={
            "Case": frozenset({"contact_id"}),
            "cases_by_order": frozenset({"contact_id", "order_number", "created_at"}),
            # Which of several languages a slug leads to, is told by the language.
            "news_by_slug": frozenset({"slug", "locale"}),
        },
        structure=_structure,
    )


def _writes(request: httpx.Request) -> bool:
    if request.url.path.endswith("/composite"):
        parts = json.loads(request.content)["compositeRequest"]
        return any(part["method"] != "GET" for part in parts)
    return "/sobjects/" in request.url.path and request.method != "GET"


def _structure(request: httpx.Request) -> object:
    """Queries without the texts in them."""
    if request.method == "POST":
        parts = json.loads(request.content)["compositeRequest"]
        return sorted({_bare(part["url"]) for part in parts})
    return [_bare(request.url.raw_path.decode())]


def _bare(address: str) -> str:
    path, _, query = address.partition("?q=")
    return path + "?" + _TEXT.sub("?", unquote(query))


def _unknown(kind: str, number: int) -> Any:
    if kind == "account_ref":
        return AccountRef(f"001ZZ0000{number:06}AAA", f"9{number:07}", "CO")
    if kind == "attachment":
        return f"500ZZ0000{number:06}AAA-069ZZ0000{number:06}AAA"
    if kind == "order_of_case":
        return f"99{number:06}"
    if kind == "slug":
        return f"no-such-slug-{number}"
    return f"{_PREFIXES.get(kind, '001')}ZZ0000{number:06}AAA"


def _facts(database: Path) -> Facts:
    def found(accounts: Any) -> dict[str, list[Any]]:
        ids = ", ".join(f"'{one.crm_id}'" for one in accounts)
        owned = f"AccountId IN ({ids})"
        cases = f"SELECT Id FROM crm_Case WHERE {owned}"
        comments = f"FROM crm_CaseComment WHERE IsPublished AND ParentId IN ({cases})"
        links = "FROM crm_ContentDocumentLink WHERE Visibility = 'AllUsers'"
        links += f" AND LinkedEntityId IN ({cases})"
        changes = f"FROM crm_CaseHistory WHERE Field = 'Status' AND CaseId IN ({cases})"
        about = f"FROM crm_Case WHERE Order_Number__c > '' AND {owned}"
        select = {
            "account": f"Id FROM crm_Account WHERE Id IN ({ids})",
            "contact": f"Id FROM crm_Contact WHERE {owned}",
            "email": f"Email FROM crm_Contact WHERE {owned}",
            "case": f"Id FROM crm_Case WHERE {owned}",
            "open_case": f"Id FROM crm_Case WHERE NOT IsClosed AND {owned}",
            "order_of_case": f"Order_Number__c {about} GROUP BY 1 ORDER BY count(*) DESC, 1",
            "discussed_case": f"DISTINCT ParentId {comments}",
            "changed_case": f"DISTINCT CaseId {changes}",
            "case_with_files": f"DISTINCT LinkedEntityId {links}",
            "comment": f"Id {comments}",
            "attachment": f"LinkedEntityId || '-' || ContentDocumentId {links}",
        }
        keys = {kind: boxed.column(database, f"SELECT {sql}") for kind, sql in select.items()}
        return keys | {"account_ref": [boxed.ref(one) for one in accounts]}

    public = "FROM crm_Knowledge__kav WHERE PublishStatus = 'Online' AND IsVisibleInCsp"
    shared = {
        "article": boxed.column(database, f"SELECT Id {public}"),
        "question": boxed.column(database, f"SELECT Id {public} AND Language = 'es'"),
        "slug": boxed.column(database, f"SELECT DISTINCT UrlName {public}"),
    }
    hidden = boxed.column(
        database,
        "SELECT Id FROM crm_Knowledge__kav WHERE PublishStatus <> 'Online' OR NOT IsVisibleInCsp",
    )
    own, foreign = found(boxed.OWN), found(boxed.FOREIGN)
    number = "SELECT CaseNumber FROM crm_Case WHERE Id = ?"
    numbers = [boxed.column(database, number, one["case"][0])[0] for one in (own, foreign)]
    return Facts(
        scope=boxed.SCOPE,
        others=boxed.OTHERS,
        own=own | shared,
        foreign=foreign | {"article": hidden, "question": hidden, "slug": []},
        unknown=_unknown,
        queries={"contacts_by_account": {"account_id": boxed.OWN[1].crm_id}},
        filters={
            "contacts_by_account": [
                Filter({"account_id": boxed.OWN[1].crm_id}, {"account_id": boxed.FOREIGN[0].crm_id})
            ],
            "find_cases": [
                Filter({"number": numbers[0]}, {"number": numbers[1]}),
                Filter(
                    {"order_numbers": (own["order_of_case"][0],)},
                    {"order_numbers": (foreign["order_of_case"][0],)},
                ),
            ],
        },
        totals={
            "find_cases": len(own["case"]),
            "find_news": len(shared["article"]),
            "find_questions": len(shared["question"]),
        },
    )
