"""The data that every visitor of the sandbox finds, the same for the same day."""

import hashlib
import sqlite3
from collections.abc import Iterator
from datetime import date, timedelta
from itertools import groupby
from operator import itemgetter
from pathlib import Path

import pytest

from sandbox import data, database
from sandbox.people import CUSTOMERS, PEOPLE

TODAY = date(2026, 3, 16)


@pytest.fixture(scope="module")
def path(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("data") / "deep" / "sandbox.sqlite"
    data.build(path, TODAY)
    return path


@pytest.fixture(scope="module")
def rows(path: Path) -> Iterator[sqlite3.Connection]:
    connection = database.connect(path)
    yield connection
    connection.close()


def one(rows: sqlite3.Connection, sql: str) -> int:
    [[found]] = rows.execute(sql).fetchall()
    assert isinstance(found, int)
    return found


def test_customers_and_contacts(rows: sqlite3.Connection) -> None:
    assert len(CUSTOMERS) == one(rows, "SELECT count(*) FROM crm_Account") == 5
    assert len(PEOPLE) == one(rows, "SELECT count(*) FROM crm_Contact") == 12
    countries = rows.execute("SELECT BillingCountryCode FROM crm_Account ORDER BY 1").fetchall()
    assert [code for (code,) in countries] == ["AR", "BR", "CL", "CO", "PE"]


def test_one_contact_acts_for_two_accounts(rows: sqlite3.Connection) -> None:
    acting = rows.execute(
        "SELECT ContactId, count(*) FROM crm_AccountContactRelation WHERE IsActive "
        "AND coalesce(StartDate, '') <= ? AND coalesce(EndDate, '9999') >= ? "
        "GROUP BY 1 HAVING count(*) > 1",
        (TODAY.isoformat(), TODAY.isoformat()),
    ).fetchall()
    [carla] = [person.crm_id for person in PEOPLE if person.also]
    assert acting == [(carla, 2)]
    assert one(rows, "SELECT count(*) FROM crm_AccountContactRelation") == 16
    ended, begins, off = (
        one(rows, f"SELECT count(*) FROM crm_AccountContactRelation WHERE {where}")
        for where in (
            f"EndDate < '{TODAY}'",
            f"StartDate > '{TODAY}'",
            "NOT IsActive",
        )
    )
    assert (ended, begins, off) == (1, 1, 1)


def test_cases_of_every_category_and_state_for_everyone(rows: sqlite3.Connection) -> None:
    assert one(rows, "SELECT count(*) FROM crm_Case") == 300
    kinds = rows.execute("SELECT DISTINCT AccountId, Type, Status FROM crm_Case").fetchall()
    assert len(kinds) == 5 * 5 * 6
    assert one(rows, "SELECT count(DISTINCT Subcategory__c) FROM crm_Case") == 4
    assert one(rows, "SELECT sum((Type = 'Other Request') = (Subcategory__c IS NOT NULL)) "
                     "FROM crm_Case") == 300  # fmt: skip
    first = (TODAY - timedelta(days=731)).isoformat()
    assert one(rows, f"SELECT count(*) FROM crm_Case WHERE CreatedDate BETWEEN '{first}' "
                     f"AND '{TODAY}' AND LastModifiedDate < '{TODAY}'") == 300  # fmt: skip
    assert one(rows, "SELECT sum(IsClosed = (ClosedDate IS NOT NULL)) FROM crm_Case") == 300
    assert 90 <= one(rows, "SELECT count(Order_Number__c) FROM crm_Case") <= 150
    numbers = rows.execute("SELECT CaseNumber FROM crm_Case ORDER BY CreatedDate").fetchall()
    assert [number for (number,) in numbers] == [f"{number:08}" for number in range(1_001, 1_301)]


def test_a_case_names_an_earlier_order_of_its_customer(rows: sqlite3.Connection) -> None:
    strays = rows.execute(
        "SELECT c.CaseNumber FROM crm_Case c JOIN crm_Account a ON a.Id = c.AccountId "
        "LEFT JOIN erp_sales_order o ON ltrim(o.SalesOrder, '0') = c.Order_Number__c "
        "WHERE c.Order_Number__c IS NOT NULL AND (o.SalesOrder IS NULL "
        "OR ltrim(o.SoldToParty, '0') <> a.AccountNumber OR o.SalesOrderDate > c.CreatedDate)"
    ).fetchall()
    # The first cases may be older than the first order of their customer.
    assert len(strays) <= 3
    foreign = rows.execute(
        "SELECT c.CaseNumber FROM crm_Case c JOIN crm_Account a ON a.Id = c.AccountId "
        "WHERE c.Order_Number__c IS NOT NULL AND NOT EXISTS (SELECT 1 FROM erp_sales_order o "
        "WHERE ltrim(o.SalesOrder, '0') = c.Order_Number__c "
        "AND ltrim(o.SoldToParty, '0') = a.AccountNumber)"
    ).fetchall()
    assert foreign == []


def test_a_case_belongs_to_a_contact_who_may_act_for_its_account(rows: sqlite3.Connection) -> None:
    strays = one(
        rows,
        "SELECT count(*) FROM crm_Case c WHERE NOT EXISTS (SELECT 1 "
        "FROM crm_AccountContactRelation r WHERE r.AccountId = c.AccountId "
        "AND r.ContactId = c.ContactId AND r.IsActive)",
    )
    assert strays == 0


def test_comments_and_files(rows: sqlite3.Connection) -> None:
    counts = rows.execute(
        "SELECT count(x.Id) FROM crm_Case c LEFT JOIN crm_CaseComment x ON x.ParentId = c.Id "
        "GROUP BY c.Id"
    ).fetchall()
    assert {count for (count,) in counts} == set(range(7))
    assert one(rows, "SELECT count(*) FROM crm_CaseComment WHERE NOT IsPublished") > 30
    assert one(rows, "SELECT count(*) FROM crm_CaseComment c JOIN crm_User u "
                     "ON u.Id = c.CreatedById WHERE u.ContactId IS NOT NULL") > 100  # fmt: skip
    files = rows.execute("SELECT count(*) FROM crm_ContentDocumentLink GROUP BY LinkedEntityId")
    assert {count for (count,) in files.fetchall()} == {1, 2, 3}
    assert one(rows, "SELECT count(*) FROM crm_ContentVersion v JOIN crm_blob b ON b.Id = v.Id "
                     "WHERE length(b.data) <> v.ContentSize") == 0  # fmt: skip


def test_the_history_of_a_case_leads_to_its_status(rows: sqlite3.Connection) -> None:
    found = rows.execute(
        "SELECT c.Id, c.Status, c.CreatedDate, c.LastModifiedDate, h.OldValue, h.NewValue, "
        "h.CreatedDate FROM crm_Case c JOIN crm_CaseHistory h ON h.CaseId = c.Id "
        "WHERE h.Field = 'Status' ORDER BY c.Id, h.Id"
    ).fetchall()
    assert len(found) > 400
    for _, group in groupby(found, key=itemgetter(0)):
        steps = list(group)
        _, status, created, changed, *_ = steps[0]
        way = [steps[0][4], *(step[5] for step in steps)]
        times = [created, *(step[6] for step in steps)]
        assert [step[4] for step in steps] == way[:-1]
        assert (way[0], way[-1], times[-1]) == ("New", status, changed)
        assert times == sorted(set(times))
    begun = "SELECT count(DISTINCT CaseId) FROM crm_CaseHistory WHERE Field = 'created'"
    assert one(rows, begun) == 300


def test_articles_in_three_languages(rows: sqlite3.Connection) -> None:
    found = rows.execute(
        "SELECT Language, count(*) FROM crm_Knowledge__kav WHERE PublishStatus = 'Online' "
        "AND IsVisibleInCsp GROUP BY 1 ORDER BY 1"
    ).fetchall()
    assert [(language, count >= 6) for language, count in found] == [
        ("en_US", True),
        ("es", True),
        ("pt_BR", True),
    ]


def test_the_other_parts_are_there_too(rows: sqlite3.Connection) -> None:
    assert one(rows, "SELECT count(*) FROM erp_sales_order") == 3_000
    tables = {name for (name,) in rows.execute("SELECT name FROM sqlite_master").fetchall()}
    assert any(name.startswith("site_") for name in tables)


def test_two_builds_for_one_day_are_equal(path: Path, tmp_path: Path) -> None:
    def digest(file: Path) -> str:
        connection = database.connect(file)
        found = hashlib.sha256()
        for line in connection.iterdump():
            found.update(line.encode())
        connection.close()
        return found.hexdigest()

    data.build(tmp_path / "again.sqlite", TODAY)
    assert digest(tmp_path / "again.sqlite") == digest(path)


def test_a_file_is_known_by_its_version(path: Path, tmp_path: Path) -> None:
    assert database.is_current(path)
    assert not database.is_current(tmp_path / "none.sqlite")
    other = tmp_path / "other.sqlite"
    connection = database.connect(other)
    connection.execute("CREATE TABLE t (x)")
    connection.close()
    assert not database.is_current(other)
    other.write_bytes(b"no database at all, but long enough to be looked at" * 40)
    assert not database.is_current(other)


def test_a_build_cut_off_leaves_the_old_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "sandbox.sqlite"
    file.write_text("old")

    def fail(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(data, "fill", fail)
    with pytest.raises(KeyboardInterrupt):
        data.build(file, TODAY)
    assert [(one.name, one.read_text()) for one in tmp_path.iterdir()] == [
        ("sandbox.sqlite", "old")
    ]


def test_a_sandbox_that_is_running_goes_on_with_data_made_anew(tmp_path: Path) -> None:
    path = tmp_path / "sandbox.sqlite"
    data.build(path, date(2026, 11, 18))
    running = database.connect(path)
    try:
        running.execute("UPDATE crm_Account SET Name = 'Changed'")
        running.commit()
        data.build(path, date(2026, 11, 18))
        names = {name for (name,) in running.execute("SELECT Name FROM crm_Account")}
        assert "Changed" not in names
        assert len(names) == 5
        running.execute("UPDATE crm_Account SET Name = 'Kept'")
        running.commit()
    finally:
        running.close()
    again = database.connect(path)
    assert {name for (name,) in again.execute("SELECT Name FROM crm_Account")} == {"Kept"}
    again.close()


def test_a_file_that_is_no_database_is_replaced(tmp_path: Path) -> None:
    path = tmp_path / "sandbox.sqlite"
    path.write_bytes(b"no database " * 1000)
    data.build(path, date(2026, 11, 18))
    connection = database.connect(path)
    assert connection.execute("SELECT count(*) FROM crm_Case").fetchone() == (300,)
    connection.close()
