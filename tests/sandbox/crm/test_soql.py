"""The statements that the CRM reads, and those that it refuses, each with the vendor's code."""

from collections.abc import Iterator
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from sandbox.crm import ids, moments
from sandbox.crm.errors import Refusal
from sandbox.crm.objects import tables
from sandbox.crm.query import Queries
from sandbox.crm.soql import Comparison, Junction, Negation, parse
from sandbox.database import Database, create, insert

TODAY = date(2026, 3, 16)
BASE = "/services/data/v60.0"
BRAZILIANS = "SELECT Id FROM crm_Contact WHERE AccountId = '001SB00000HRZTQAE5'"
BY_BRAZILIANS = f"ContactId IN ({BRAZILIANS})"


@pytest.fixture(scope="module")
def queries(built: Path) -> Iterator[Queries]:
    database = Database(built)
    yield Queries(database, lambda: TODAY)
    database.close()


@pytest.fixture
def sql(database: Database) -> Database:
    """The same rows, to be asked in SQL."""
    return database


def rows(queries: Queries, statement: str) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = queries.first_page(statement, BASE, 2_000)["records"]
    return found


def found_ids(queries: Queries, statement: str) -> set[str]:
    return {row["Id"] for row in rows(queries, statement)}


def count(queries: Queries, condition: str) -> int:
    found = queries.first_page(f"SELECT COUNT() FROM Case WHERE {condition}", BASE, 200)
    total: int = found["totalSize"]
    return total


def code(queries: Queries, statement: str) -> tuple[str, str]:
    with pytest.raises(Refusal) as refused:
        queries.first_page(statement, BASE, 2_000)
    assert refused.value.status == 400
    return refused.value.code, refused.value.message


def test_a_statement_is_read_into_its_parts() -> None:
    read = parse(
        "select Id, Account.Name, (SELECT Id FROM CaseComments) from Case c where not "
        "(c.Subject like 'a%' and IsClosed = false) order by CreatedDate desc nulls last, Id "
        "limit 26 offset 50"
    )
    assert [getattr(one, "path", None) for one in read.select] == [
        ("Id",),
        ("Account", "Name"),
        None,
    ]
    assert (read.source.path, read.alias, read.limit, read.offset) == (("Case",), "c", 26, 50)
    assert isinstance(read.where, Negation)
    assert isinstance(read.where.part, Junction)
    assert [part.operator for part in read.where.part.parts if isinstance(part, Comparison)] == [
        "like",
        "=",
    ]
    assert [(one.field.path, one.descending, one.nulls_last) for one in read.order] == [
        (("CreatedDate",), True, True),
        (("Id",), False, False),
    ]


@pytest.mark.parametrize(
    ("statement", "expected", "words"),
    [
        ("SELECT Foo FROM Case", "INVALID_FIELD", "No such column 'Foo' on entity 'Case'."),
        (
            "SELECT Account.Foo FROM Case",
            "INVALID_FIELD",
            "No such column 'Foo' on entity 'Account'.",
        ),
        ("SELECT Id FROM Case WHERE Foo__c = 1", "INVALID_FIELD", "No such column 'Foo__c'"),
        ("SELECT Id FROM Case ORDER BY Foo", "INVALID_FIELD", "No such column 'Foo'"),
        ("SELECT Boss.Name FROM Case", "INVALID_FIELD", "Didn't understand relationship 'Boss'"),
        ("SELECT Id, id FROM Case", "INVALID_FIELD", "duplicate field selected: id"),
        ("SELECT Id FROM Cases", "INVALID_TYPE", "sObject type 'Cases' is not supported."),
        ("SELECT Id, (SELECT Id FROM Foo) FROM Case", "INVALID_TYPE", "relationship 'Foo'"),
        (
            "SELECT Id, (SELECT Foo FROM CaseComments) FROM Case WHERE Id = '500SB0000000000'",
            "INVALID_FIELD",
            "No such column 'Foo' on entity 'CaseComment'.",
        ),
        ("SELECT Id FORM Case", "MALFORMED_QUERY", "unexpected token: 'FORM'"),
        ("SELECT Id FROM Case WHERE", "MALFORMED_QUERY", "unexpected token: '<EOF>'"),
        ("SELECT Id FROM Case WHERE Subject = 'a", "MALFORMED_QUERY", "unexpected token: ''a'"),
        ("SELECT Id FROM Case WHERE Subject = 'a\nb'", "MALFORMED_QUERY", "unexpected token"),
        (r"SELECT Id FROM Case WHERE Subject = '\q'", "MALFORMED_QUERY", "Illegal character"),
        (r"SELECT Id FROM Case WHERE Subject = '50\%'", "MALFORMED_QUERY", "Illegal character"),
        ("SELECT Id FROM Case WHERE Type IN ()", "MALFORMED_QUERY", "unexpected token: ')'"),
        (
            "SELECT Id FROM Case WHERE Type = 'a' AND Type = 'b' OR Type = 'c'",
            "MALFORMED_QUERY",
            "unexpected token: 'OR'",
        ),
        (
            "SELECT Id FROM Case WHERE Type = 'a' AND NOT Type = 'b'",
            "MALFORMED_QUERY",
            "unexpected token: 'NOT'",
        ),
        ("SELECT Type FROM Case GROUP BY Type", "MALFORMED_QUERY", "unexpected token: 'GROUP'"),
        ("SELECT Id FROM Case LIMIT x", "MALFORMED_QUERY", "unexpected token: 'x'"),
        ("SELECT Id FROM Case OFFSET 2001", "NUMBER_OUTSIDE_VALID_RANGE", "offset allowed is 2000"),
        (
            "SELECT Id FROM Case WHERE IsClosed = 'true'",
            "INVALID_FIELD",
            "must be of type boolean and should not be enclosed in quotes",
        ),
        (
            "SELECT Id FROM Case WHERE CreatedDate > '2026-01-01'",
            "INVALID_FIELD",
            "must be of type dateTime and should not be enclosed in quotes",
        ),
        (
            "SELECT Id FROM Case WHERE CreatedDate > 2026-01-01",
            "INVALID_FIELD",
            "must be of type dateTime",
        ),
        (
            "SELECT Id FROM Case WHERE Subject = 5",
            "INVALID_FIELD",
            "must be of type string and should be enclosed in quotes",
        ),
        (
            "SELECT Id FROM Case WHERE CreatedDate > 2026-01-01T00:00:00 02:00",
            "MALFORMED_QUERY",
            "unexpected token",
        ),
        (
            "SELECT Id FROM Case WHERE CreatedDate > 2026-02-30T00:00:00Z",
            "MALFORMED_QUERY",
            "invalid date",
        ),
        (
            "SELECT Id FROM Case WHERE CreatedDate = LAST_FULL_MOON",
            "MALFORMED_QUERY",
            "unknown date literal",
        ),
        (
            "SELECT Id FROM Case WHERE Description LIKE '%a%'",
            "INVALID_FIELD",
            "field 'Description' can not be filtered in a query call",
        ),
        (
            "SELECT Id FROM CaseComment WHERE CommentBody = 'a'",
            "INVALID_FIELD",
            "can not be filtered",
        ),
        (
            "SELECT Id FROM Case WHERE Portal_Details__c != null",
            "INVALID_FIELD",
            "can not be filtered",
        ),
        (
            "SELECT Id FROM Case ORDER BY Description",
            "MALFORMED_QUERY",
            "field 'Description' can not be sorted in a query call",
        ),
        (
            "SELECT Id FROM Case WHERE AccountId = 'x'",
            "INVALID_QUERY_FILTER_OPERATOR",
            "invalid ID",
        ),
        (
            "SELECT Id FROM Case WHERE Id LIKE '500%'",
            "INVALID_QUERY_FILTER_OPERATOR",
            "invalid operator on ID field",
        ),
        (
            "SELECT Id FROM Case WHERE Status INCLUDES ('New')",
            "INVALID_QUERY_FILTER_OPERATOR",
            "invalid operator on picklist field",
        ),
        (
            "SELECT Id FROM ContentDocumentLink",
            "MALFORMED_QUERY",
            "ContentDocumentLink requires a filter by a single Id",
        ),
        (
            "SELECT Id FROM ContentDocumentLink WHERE Visibility = 'AllUsers'",
            "MALFORMED_QUERY",
            "ContentDocumentLink requires a filter",
        ),
        (
            "SELECT Id FROM Case WHERE IsClosed = true OR Id IN (SELECT ParentId FROM CaseComment)",
            "MALFORMED_QUERY",
            "Semi join",
        ),
        (
            "SELECT Id FROM Case WHERE Id IN (SELECT ParentId FROM CaseComment LIMIT 5)",
            "MALFORMED_QUERY",
            "semi join",
        ),
        (
            f"SELECT Id FROM Case WHERE {'(' * 200}IsClosed = true{')' * 200}",
            "MALFORMED_QUERY",
            "nested too deeply",
        ),
        (
            f"SELECT Id FROM Case WHERE Subject = '{'a' * 4_001}'",
            "MALFORMED_QUERY",
            "cannot be longer than 4000",
        ),
        (
            f"SELECT Id FROM Case WHERE Subject = 'a'{' ' * 100_000}",
            "MALFORMED_QUERY",
            "cannot be longer than 100,000",
        ),
    ],
)
def test_what_the_vendor_refuses_is_refused(
    queries: Queries, statement: str, expected: str, words: str
) -> None:
    found, message = code(queries, statement)
    assert found == expected
    assert words in message


def test_a_refusal_points_at_the_place(queries: Queries) -> None:
    _, message = code(queries, "SELECT Id,\n  Foo FROM Case")
    assert "ERROR at Row:2:Column:3\n" in message
    excerpt, pointer = message.split("\n")[1:3]
    assert excerpt[pointer.index("^") :].startswith("Foo")


@pytest.mark.parametrize(
    ("condition", "where"),
    [
        ("Type = 'query'", "Type = 'Query'"),
        ("Type != 'Query'", "Type <> 'Query'"),
        ("Order_Number__c != '4500001'", "Order_Number__c IS NOT '4500001'"),
        ("Order_Number__c = null", "Order_Number__c IS NULL"),
        ("Order_Number__c = ''", "Order_Number__c IS NULL"),
        ("Order_Number__c <> null", "Order_Number__c IS NOT NULL"),
        ("NOT Order_Number__c LIKE '45%'", "Order_Number__c IS NULL"),
        ("Order_Number__c NOT IN ('4500001', null)", "Order_Number__c IS NOT NULL"),
        ("Type IN ('Query', 'INVOICE CLAIM')", "Type IN ('Query', 'Invoice Claim')"),
        ("Type NOT IN ('Query')", "Type <> 'Query'"),
        ("IsClosed = true AND Type = 'Query'", "IsClosed AND Type = 'Query'"),
        ("IsClosed = true OR Type = 'Query'", "IsClosed OR Type = 'Query'"),
        (
            "(IsClosed = true OR Type = 'Query') AND Priority = 'Low'",
            "(IsClosed OR Type = 'Query') AND Priority = 'Low'",
        ),
        ("CaseNumber LIKE '%1026'", "CaseNumber = '00001026'"),
        ("CaseNumber LIKE '000010_6'", "CaseNumber LIKE '000010_6'"),
        ("Subject LIKE '%¿CUÁNDO%'", "Subject LIKE '%Cuándo%'"),
        (
            "CreatedDate >= 2025-06-01T00:00:00Z AND CreatedDate < 2025-07-01T02:00:00+02:00",
            "CreatedDate LIKE '2025-06-%'",
        ),
        ("CreatedDate = LAST_N_DAYS:30", "CreatedDate >= '2026-02-14'"),
        ("CreatedDate < TODAY", "1"),
        ("CreatedDate = LAST_MONTH", "CreatedDate LIKE '2026-02-%'"),
        ("CreatedDate != THIS_YEAR", "CreatedDate < '2026'"),
        ("Subject > 'p'", "lower(Subject) > 'p'"),
        ("Account.AccountNumber = '17100001'", "AccountId = '001SB00000ANDNAQA1'"),
        ("AccountId = '001SB00000ANDNA'", "AccountId = '001SB00000ANDNAQA1'"),
        ("Contact.Account.BillingCountryCode = 'BR'", BY_BRAZILIANS),
        (
            "Id IN (SELECT ParentId FROM CaseComment WHERE IsPublished = false)",
            "Id IN (SELECT ParentId FROM crm_CaseComment WHERE NOT IsPublished)",
        ),
        (
            "Id NOT IN (SELECT ParentId FROM CaseComment) AND IsClosed = false",
            "Id NOT IN (SELECT ParentId FROM crm_CaseComment) AND NOT IsClosed",
        ),
    ],
)
def test_conditions_find_what_they_say(
    queries: Queries, sql: Database, condition: str, where: str
) -> None:
    [expected] = sql.row(f"SELECT count(*) FROM crm_Case WHERE {where}")
    assert expected > 0
    assert count(queries, condition) == expected


def test_multiple_choices_are_searched_one_by_one(queries: Queries) -> None:
    def relations(condition: str) -> int:
        statement = f"SELECT Id, Roles FROM AccountContactRelation WHERE {condition}"
        return len(rows(queries, statement))

    assert relations("Roles INCLUDES ('decision maker;Portal Admin')") == 5
    assert relations("Roles INCLUDES ('Portal Admin')") == 7
    assert relations("Roles INCLUDES ('Portal Member', 'Portal Reader')") == 9
    assert relations("Roles EXCLUDES ('Portal Admin')") == 9
    assert relations("Roles = 'Portal Admin'") == 2
    assert relations("Roles INCLUDES ('Portal')") == 0


def test_dates_without_a_time(queries: Queries) -> None:
    statement = "SELECT ContactId FROM AccountContactRelation WHERE "
    active = "IsActive = true AND (StartDate = null OR StartDate <= TODAY)"
    current = f"{active} AND (EndDate = null OR EndDate >= 2026-03-16)"
    assert len(rows(queries, f"{statement}StartDate > TODAY")) == 1
    assert len(rows(queries, f"{statement}EndDate < 2026-03-16")) == 1
    assert len(rows(queries, f"{statement}{current}")) == 13


def test_order_and_bounds(queries: Queries) -> None:
    statement = "SELECT Id, Order_Number__c, Subject FROM Case ORDER BY "
    ascending = rows(queries, f"{statement}Order_Number__c, Id")
    assert ascending[0]["Order_Number__c"] is None
    last = rows(queries, f"{statement}Order_Number__c NULLS LAST, Id")
    assert last[0]["Order_Number__c"] == min(
        row["Order_Number__c"] for row in last if row["Order_Number__c"]
    )
    assert last[-1]["Order_Number__c"] is None
    subjects = [row["Subject"] for row in rows(queries, f"{statement}Subject DESC")]
    assert subjects == sorted(subjects, key=str.lower, reverse=True)
    descending = rows(queries, f"{statement}Order_Number__c DESC, Id")
    assert descending[0]["Order_Number__c"] is None
    some = rows(queries, f"{statement}Order_Number__c, Id LIMIT 5 OFFSET 10")
    assert some == ascending[10:15]


def test_records_carry_their_parents_and_children(queries: Queries, sql: Database) -> None:
    statement = "SELECT Id, casenumber, IsClosed, ClosedDate, Account.Name FROM Case"
    [case] = rows(queries, f"{statement} WHERE IsClosed = false LIMIT 1")
    assert case["attributes"] == {"type": "Case", "url": f"{BASE}/sobjects/Case/{case['Id']}"}
    assert list(case) == ["attributes", "Id", "CaseNumber", "IsClosed", "ClosedDate", "Account"]
    assert case["IsClosed"] is False
    assert case["Account"]["attributes"]["type"] == "Account"
    [lonely] = sql.row("SELECT Id FROM crm_Case WHERE Id NOT IN "
                       "(SELECT ParentId FROM crm_CaseComment) LIMIT 1")  # fmt: skip
    [busy] = sql.row("SELECT ParentId FROM crm_CaseComment GROUP BY 1 HAVING count(*) > 3 LIMIT 1")
    found = {
        row["Id"]: row["CaseComments"]
        for row in rows(
            queries,
            "SELECT Id, (SELECT CommentBody, CreatedBy.Name, CreatedBy.ContactId FROM CaseComments "
            f"ORDER BY CreatedDate DESC LIMIT 3) FROM Case WHERE Id IN ('{lonely}', '{busy}')",
        )
    }
    assert found[lonely] is None
    assert (found[busy]["totalSize"], found[busy]["done"]) == (3, True)
    newest = sql.row(
        "SELECT CommentBody FROM crm_CaseComment WHERE ParentId = ? ORDER BY CreatedDate DESC",
        (busy,),
    )
    assert found[busy]["records"][0]["CommentBody"] == newest[0]


def test_an_absent_parent_is_null(queries: Queries) -> None:
    statement = "SELECT Name, Contact.Name, Contact.Account.Name FROM User WHERE ContactId = null"
    agents = rows(queries, statement)
    assert len(agents) == 6
    assert {row["Contact"] for row in agents} == {None}


def test_dates_come_back_with_an_offset_without_colon(queries: Queries) -> None:
    [row] = rows(queries, "SELECT CreatedDate FROM Case LIMIT 1")
    assert row["CreatedDate"].endswith("+0000")
    assert datetime.fromisoformat(row["CreatedDate"]).tzinfo == UTC
    assert moments.read_datetime(row["CreatedDate"]) == row["CreatedDate"]


def test_thousands_of_alternatives_are_one_statement(queries: Queries) -> None:
    many = " OR ".join(f"CaseNumber = '{number:08}'" for number in range(1_001, 3_001))
    assert count(queries, many) == 300
    listed = ", ".join(f"'{ids.numbered('500', number)}'" for number in range(1, 4_001))
    assert count(queries, f"Id IN ({listed})") == 300


def test_keyset_paging_walks_every_case_once(queries: Queries) -> None:
    seen: list[str] = []
    where = ""
    while page := rows(
        queries,
        f"SELECT Id, CreatedDate FROM Case {where} ORDER BY CreatedDate DESC, Id DESC LIMIT 26",
    ):
        seen += [row["Id"] for row in page]
        moment, last = page[-1]["CreatedDate"].replace("+0000", "Z"), page[-1]["Id"]
        where = f"WHERE CreatedDate < {moment} OR (CreatedDate = {moment} AND Id < '{last}')"
    assert len(seen) == len(set(seen)) == 300


# What a caller must do to a text before it may stand between quotes.
ESCAPES = {"\\": "\\\\", "'": "\\'", '"': '\\"', "\n": "\\n", "\r": "\\r", "\t": "\\t",
           "\b": "\\b", "\f": "\\f"}  # fmt: skip
texts = st.text(
    st.characters(exclude_categories=["Cs"], exclude_characters="\x00"), min_size=1, max_size=60
) | st.text(st.sampled_from("aA'\"\\%_ñÑ\n;-()"), min_size=1, max_size=12)


def quoted(text: str) -> str:
    return "'" + "".join(ESCAPES.get(letter, letter) for letter in text) + "'"


def pattern(text: str) -> str:
    escaped = (ESCAPES.get(letter, letter) for letter in text)
    return "'" + "".join(f"\\{one}" if one in "%_" else one for one in escaped) + "'"


@pytest.fixture(scope="module")
def empty() -> Iterator[Database]:
    database = Database(":memory:")
    create(database.connection, tables())
    yield database
    database.close()


def shelf(database: Database, *subjects: str) -> Queries:
    """A CRM with one case for each subject, numbered from one."""
    database.execute("DELETE FROM crm_Case")
    for number, subject in enumerate(subjects, 1):
        row = {"Id": ids.numbered("500", number), "Subject": subject}
        insert(database.connection, "crm_Case", row)
    return Queries(database, lambda: TODAY)


@given(texts, texts)
@example("' OR Id != null OR Subject = '", "x")
@example("\\", "\\\\")
@example("50%", "500")
@example("ÑANDÚ", "ñandú")
@example("a_b", "axb")
def test_a_quoted_text_finds_exactly_its_own_row(empty: Database, text: str, other: str) -> None:
    queries = shelf(empty, text, other)
    expected = {ids.numbered("500", 1)}
    if other.lower() == text.lower():
        expected.add(ids.numbered("500", 2))
    for condition in (f"= {quoted(text)}", f"IN ({quoted(text)})", f"LIKE {pattern(text)}"):
        statement = f"SELECT Id FROM Case WHERE Subject {condition}"
        assert found_ids(queries, statement) == expected, condition
    both = {ids.numbered("500", number) for number in (1, 2)}
    statement = f"SELECT Id FROM Case WHERE Subject != {quoted(text)}"
    assert found_ids(queries, statement) == both - expected


@given(st.text(max_size=80) | st.text(st.sampled_from("SELECT FROM Case WHERE ()',=<> ANDORId")))
@example("SELECT Id FROM Case WHERE ClosedDate > 0000-00-00T00:00:00Z")
@example("SELECT Id FROM ContentVersion WHERE ContentSize = " + "9" * 5_000)
@example("SELECT Id FROM Case LIMIT 99999999999999999999")
def test_no_text_breaks_the_reader(empty: Database, text: str) -> None:
    queries = shelf(empty, "one")
    try:
        records = queries.first_page(text, BASE, 200)["records"]
    except Refusal:
        records = []
    assert len(records) <= 1
