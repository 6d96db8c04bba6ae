"""How far an order has come: the letters of its statuses, and how likely each is at its age."""

from __future__ import annotations

from dataclasses import dataclass
from random import Random
from typing import Final

# Letters of the vendor: A not begun, B partly, C completely, empty where it does not apply.


@dataclass(frozen=True, slots=True)
class Stage:
    """process, delivery, billing: letters of the header. confirmed: the stock was promised.
    block: whether all (C) or a part (B) is blocked, else A, with the reasons for it."""

    name: str
    process: str
    delivery: str
    billing: str = "A"
    confirmed: bool = True
    rejection: str = "A"
    block: str = "A"
    delivery_block: str = ""
    billing_block: str = ""
    credit: str = ""

    @property
    def is_service(self) -> bool:
        """Nothing is sent, although nothing was rejected."""
        return self.delivery == "" and self.rejection == "A"


OPEN: Final = Stage("open", "A", "A", confirmed=False)
CONFIRMED: Final = Stage("confirmed", "B", "A")
PART_DELIVERED: Final = Stage("in delivery", "B", "B")
PART_INVOICED: Final = Stage("in delivery, partly invoiced", "B", "B", "B")
DELIVERED: Final = Stage("delivered", "B", "C")
DELIVERED_PART_INVOICED: Final = Stage("delivered, partly invoiced", "B", "C", "B")
INVOICED: Final = Stage("invoiced", "C", "C", "C")
SERVICE_DONE: Final = Stage("service done", "C", "", "")
SERVICE_INVOICED: Final = Stage("service invoiced", "C", "", "C")
CANCELLED: Final = Stage("cancelled", "C", "", "", rejection="C", confirmed=False)
CANCELLED_BLOCKED: Final = Stage(
    "cancelled while blocked", "C", "", "", rejection="C", block="C", delivery_block="01",
    confirmed=False,
)  # fmt: skip
DELIVERY_BLOCKED: Final = Stage(
    "delivery blocked", "A", "A", block="C", delivery_block="01", confirmed=False
)
CREDIT_BLOCKED: Final = Stage("credit blocked", "A", "A", block="C", credit="B", confirmed=False)
REST_BLOCKED: Final = Stage("rest blocked", "B", "B", block="B", delivery_block="02")
BILLING_BLOCKED: Final = Stage("billing blocked", "B", "C", block="B", billing_block="08")

# From this age in days on: how often each stage. The first row that an order is old enough for.
_BY_AGE: Final[tuple[tuple[int, dict[Stage, int]], ...]] = (
    (45, {
        INVOICED: 700, DELIVERED: 80, DELIVERED_PART_INVOICED: 30, PART_DELIVERED: 20,
        PART_INVOICED: 20, CANCELLED: 60, CANCELLED_BLOCKED: 10, BILLING_BLOCKED: 20,
        DELIVERY_BLOCKED: 10, SERVICE_DONE: 10, SERVICE_INVOICED: 15, OPEN: 8, CONFIRMED: 12,
        CREDIT_BLOCKED: 5,
    }),
    (14, {
        INVOICED: 280, DELIVERED: 240, DELIVERED_PART_INVOICED: 60, PART_DELIVERED: 150,
        PART_INVOICED: 40, CONFIRMED: 90, OPEN: 30, CANCELLED: 50, DELIVERY_BLOCKED: 20,
        REST_BLOCKED: 15, BILLING_BLOCKED: 15, CREDIT_BLOCKED: 10,
    }),
    (5, {
        PART_DELIVERED: 300, CONFIRMED: 380, OPEN: 150, CANCELLED: 60, DELIVERY_BLOCKED: 40,
        CREDIT_BLOCKED: 30, REST_BLOCKED: 20, CANCELLED_BLOCKED: 10,
    }),
    (0, {
        OPEN: 500, CONFIRMED: 340, CANCELLED: 60, DELIVERY_BLOCKED: 50, CREDIT_BLOCKED: 50,
    }),
)  # fmt: skip


def stage_at(age: int, rng: Random) -> Stage:
    """A stage for an order that was placed `age` days ago."""
    for least, weights in _BY_AGE:
        if age >= least:
            return rng.choices(list(weights), list(weights.values()))[0]
    return OPEN
