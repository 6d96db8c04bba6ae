"""What the ERP holds: always the same, in every state, and consistent from order to invoice."""

import random
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from datetime import date
from pathlib import Path

import pytest

from sandbox.erp import seed
from sandbox.erp.services import EVERY
from sandbox.people import CUSTOMERS

TODAY = date(2026, 6, 15)


@pytest.fixture
def tables(database: Path) -> Iterator[sqlite3.Connection]:
    with closing(sqlite3.connect(database)) as connection:
        connection.row_factory = sqlite3.Row
        yield connection


def digest(today: date, number: int) -> int:
    """One number for all rows of all tables."""
    with closing(sqlite3.connect(":memory:")) as connection:
        seed(connection, today, random.Random(number))
        named = "SELECT name FROM sqlite_master WHERE type = 'table' ORDER BY name"
        tables = [name for (name,) in connection.execute(named).fetchall()]
        assert all(name.startswith("erp_") for name in tables)
        rows = (connection.execute(f'SELECT * FROM "{name}"').fetchall() for name in tables)
        return hash(tuple(map(tuple, rows)))


def test_the_same_day_and_number_give_the_same_rows() -> None:
    first = digest(TODAY, 1)
    assert first == digest(TODAY, 1)
    assert first != digest(TODAY, 2)


def test_orders_are_numbered_by_day_and_belong_to_known_customers(
    tables: sqlite3.Connection,
) -> None:
    rows = tables.execute("SELECT * FROM erp_sales_order ORDER BY SalesOrder").fetchall()
    assert [row["SalesOrder"] for row in rows] == [f"000{n}" for n in range(4500001, 4503001)]
    days = [row["SalesOrderDate"] for row in rows]
    assert days == sorted(days)
    assert days[-1] <= TODAY.isoformat()
    assert len(set(days)) < 729
    owners = [row["SoldToParty"] for row in rows]
    assert {c.number.zfill(10): owners.count(c.number.zfill(10)) for c in CUSTOMERS} == {
        c.number.zfill(10): 600 for c in CUSTOMERS
    }
    assert {row["TransactionCurrency"] for row in rows} == {c.currency for c in CUSTOMERS}


STATES = {
    "OPEN": "OverallSDProcessStatus = 'A' AND TotalBlockStatus = 'A'",
    "CONFIRMED": "OverallSDProcessStatus = 'B' AND OverallTotalDeliveryStatus = 'A'",
    "IN_DELIVERY": "OverallTotalDeliveryStatus = 'B' AND TotalBlockStatus = 'A'",
    "DELIVERED": "OverallTotalDeliveryStatus = 'C' AND OverallOrdReltdBillgStatus <> 'C'",
    "INVOICED": "OverallOrdReltdBillgStatus = 'C'",
    "BLOCKED": "TotalBlockStatus <> 'A' AND OverallSDDocumentRejectionSts <> 'C'",
    "BLOCKED, delivery": "DeliveryBlockReason <> '' AND OverallSDDocumentRejectionSts <> 'C'",
    "BLOCKED, billing": "HeaderBillingBlockReason <> ''",
    "BLOCKED, credit": "TotalCreditCheckStatus = 'B' AND DeliveryBlockReason = ''",
    "CANCELLED": "OverallSDDocumentRejectionSts = 'C' AND TotalBlockStatus = 'A'",
    "CANCELLED, blocked": "OverallSDDocumentRejectionSts = 'C' AND TotalBlockStatus = 'C'",
    "a rejected line": "OverallSDDocumentRejectionSts = 'B'",
    "nothing to deliver": "OverallTotalDeliveryStatus = '' AND OverallSDDocumentRejectionSts = 'A'",
}


@pytest.mark.parametrize("state", STATES)
def test_every_state_occurs(tables: sqlite3.Connection, state: str) -> None:
    sql = f"SELECT count(*) FROM erp_sales_order WHERE {STATES[state]}"
    assert tables.execute(sql).fetchone()[0] >= 5


def test_each_customer_has_orders_of_each_main_state(tables: sqlite3.Connection) -> None:
    for state in (
        "OPEN",
        "CONFIRMED",
        "IN_DELIVERY",
        "DELIVERED",
        "INVOICED",
        "BLOCKED",
        "CANCELLED",
    ):
        sql = f"SELECT count(DISTINCT SoldToParty) FROM erp_sales_order WHERE {STATES[state]}"
        assert tables.execute(sql).fetchone()[0] == len(CUSTOMERS), state


def none_of(tables: sqlite3.Connection, sql: str) -> None:
    assert [tuple(row) for row in tables.execute(sql).fetchmany(3)] == []


def test_the_net_amount_is_that_of_the_lines_that_were_not_rejected(
    tables: sqlite3.Connection,
) -> None:
    none_of(
        tables,
        """SELECT o.SalesOrder, o.TotalNetAmount, sum(i.NetAmount) AS net FROM erp_sales_order o
        JOIN erp_sales_order_item i ON i.SalesOrder = o.SalesOrder
        AND i.SalesDocumentRjcnReason = '' GROUP BY 1 HAVING net <> o.TotalNetAmount""",
    )


def test_amounts_have_no_more_places_than_their_currency(tables: sqlite3.Connection) -> None:
    none_of(
        tables,
        """SELECT SalesOrder, NetAmount FROM erp_sales_order_item WHERE (NetAmount % 10 <> 0
        OR TaxAmount % 10 <> 0) OR (TransactionCurrency = 'CLP' AND NetAmount % 1000 <> 0)""",
    )


def test_deliveries_add_up_to_the_delivery_status(tables: sqlite3.Connection) -> None:
    rows = tables.execute(
        """SELECT i.SalesOrder, i.DeliveryStatus AS letter, i.RequestedQuantity AS wanted,
        coalesce((SELECT sum(d.ActualDeliveryQuantity) FROM erp_delivery_item d
        WHERE d.ReferenceSDDocument = i.SalesOrder
        AND d.ReferenceSDDocumentItem = i.SalesOrderItem), 0) AS sent,
        s.DeliveredQtyInOrderQtyUnit AS told
        FROM erp_sales_order_item i JOIN erp_schedule_line s USING (SalesOrder, SalesOrderItem)"""
    ).fetchall()
    letters = {(row["letter"], (row["sent"] > 0) + (row["sent"] == row["wanted"])) for row in rows}
    assert letters == {("", 0), ("A", 0), ("B", 1), ("C", 2)}
    assert [tuple(row) for row in rows if row["sent"] != row["told"]] == []


def test_deliveries_are_planned_picked_shipped_and_delivered(tables: sqlite3.Connection) -> None:
    stages = tables.execute(
        """SELECT DISTINCT OverallPickingStatus || OverallGoodsMovementStatus ||
        OverallProofOfDeliveryStatus, ActualGoodsMovementDate IS NOT NULL,
        ProofOfDeliveryDate IS NOT NULL FROM erp_delivery ORDER BY 1"""
    ).fetchall()
    assert [tuple(row) for row in stages] == [
        ("AAA", 0, 0),
        ("CAA", 0, 0),
        ("CCA", 1, 0),
        ("CCC", 1, 1),
    ]
    none_of(
        tables,
        f"""SELECT DeliveryDocument FROM erp_delivery WHERE ActualGoodsMovementDate > '{TODAY}'
        OR ProofOfDeliveryDate < ActualGoodsMovementDate OR LastChangeDate > '{TODAY}'""",
    )


def test_invoices_that_count_bill_each_invoiced_order_exactly(tables: sqlite3.Connection) -> None:
    none_of(
        tables,
        """SELECT o.SalesOrder, o.TotalNetAmount, coalesce(sum(i.NetAmount), 0) AS billed
        FROM erp_sales_order o LEFT JOIN erp_billing_document_item i
        ON i.SalesDocument = o.SalesOrder AND i.BillingDocument IN (SELECT BillingDocument
        FROM erp_billing_document WHERE SDDocumentCategory = 'M' AND NOT BillingDocumentIsCancelled)
        GROUP BY 1 HAVING (o.OverallOrdReltdBillgStatus = 'C') <> (billed = o.TotalNetAmount)
        AND o.OverallSDDocumentRejectionSts <> 'C'""",
    )
    letters = {
        tuple(row)
        for row in tables.execute(
            "SELECT DISTINCT SDDocumentCategory, BillingDocumentIsCancelled, "
            "CancelledBillingDocument <> '' FROM erp_billing_document"
        )
    }
    assert letters == {("M", 0, 0), ("M", 1, 0), ("N", 0, 1)}
    none_of(
        tables,
        """SELECT n.BillingDocument FROM erp_billing_document n LEFT JOIN erp_billing_document m
        ON m.BillingDocument = n.CancelledBillingDocument WHERE n.SDDocumentCategory = 'N'
        AND (m.BillingDocument IS NULL OR NOT m.BillingDocumentIsCancelled)""",
    )
    cleared = {
        letter
        for (letter,) in tables.execute("SELECT InvoiceClearingStatus FROM erp_billing_document")
    }
    assert cleared == {"A", "B", "C"}


def test_texts_fit_the_lengths_of_the_service(tables: sqlite3.Connection) -> None:
    for one in (each for held in EVERY for each in held.sets.values()):
        for shown in one.properties.values():
            if not shown.length:
                continue
            sql = f'SELECT max(length("{shown.stored}")) FROM "{one.table}"'
            assert (tables.execute(sql).fetchone()[0] or 0) <= shown.length, shown.name


def test_some_references_are_hard_to_search_for(tables: sqlite3.Connection) -> None:
    for part in ("O'Brien", "%", "_", "/"):
        sql = "SELECT count(*) FROM erp_sales_order WHERE instr(PurchaseOrderByCustomer, ?)"
        assert tables.execute(sql, (part,)).fetchone()[0] >= 20
