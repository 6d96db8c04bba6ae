"""Letters to status and status to letters: the two never disagree."""

from itertools import product

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from connectors.kit.odata.expressions import Version
from connectors.port.records import OrderStatus
from connectors.systems.sap import dialects
from connectors.systems.sap.settings import STATUS_RULES, Basic, Settings, StatusRule
from connectors.systems.sap.statuses import StatusMap
from tests.connectors.odata.reader import met, parse

SETTINGS = Settings(url="https://erp.example", basic=Basic(user="u", password="p"))
STANDARD = StatusMap.of_settings(SETTINGS, dialects.of(SETTINGS).local)

LETTERS = {
    "OverallSDDocumentRejectionSts": ("", "A", "B", "C"),
    "TotalBlockStatus": ("", "A", "B", "C"),
    "DeliveryBlockReason": ("", "01"),
    "HeaderBillingBlockReason": ("", "08"),
    "OverallOrdReltdBillgStatus": ("", "A", "B", "C"),
    "OverallTotalDeliveryStatus": ("", "A", "B", "C"),
    "OverallSDProcessStatus": ("", "A", "B", "C"),
}
EVERY_HEADER = [dict(zip(LETTERS, row, strict=True)) for row in product(*LETTERS.values())]
STATUSES = st.sets(st.sampled_from(list(OrderStatus)))


def header(
    rejection: str = "A",
    block: str = "",
    delivery_block: str = "",
    billing_block: str = "",
    billing: str = "A",
    delivery: str = "A",
    process: str = "A",
) -> dict[str, str]:
    held = (rejection, block, delivery_block, billing_block, billing, delivery, process)
    return dict(zip(LETTERS, held, strict=True))


@pytest.mark.parametrize(
    ("letters", "status"),
    [
        (header(), OrderStatus.OPEN),
        (header(process=""), OrderStatus.OPEN),
        (header(process="B"), OrderStatus.CONFIRMED),
        (header(process="B", delivery="B"), OrderStatus.IN_DELIVERY),
        (header(process="B", delivery="B", billing="B"), OrderStatus.IN_DELIVERY),
        (header(process="B", delivery="C"), OrderStatus.DELIVERED),
        (header(process="B", delivery="C", billing="B"), OrderStatus.DELIVERED),
        (header(process="C", delivery="", billing=""), OrderStatus.DELIVERED),
        (header(process="C", delivery="C", billing="C"), OrderStatus.INVOICED),
        (header(process="C", delivery="", billing="C"), OrderStatus.INVOICED),
        (header(block="A"), OrderStatus.OPEN),
        (header(block="B", process="B", delivery="B"), OrderStatus.BLOCKED),
        (header(block="C"), OrderStatus.BLOCKED),
        (header(delivery_block="01"), OrderStatus.BLOCKED),
        (header(billing_block="08", process="B", delivery="C"), OrderStatus.BLOCKED),
        (header(rejection="B"), OrderStatus.OPEN),
        (header(rejection="C", process="C", delivery="", billing=""), OrderStatus.CANCELLED),
        (header(rejection="C", block="C", delivery_block="01"), OrderStatus.CANCELLED),
    ],
)
def test_the_truth_table(letters: dict[str, str], status: OrderStatus) -> None:
    assert STANDARD.of(letters) is status


def test_every_header_has_a_status_and_no_order_is_a_draft() -> None:
    found = {STANDARD.of(letters) for letters in EVERY_HEADER}
    assert found == set(OrderStatus) - {OrderStatus.DRAFT}


def agrees(statuses: StatusMap, wanted: set[OrderStatus], lacks: frozenset[str]) -> None:
    condition = statuses.condition(wanted, lambda name: name not in lacks)
    trees = [None if isinstance(condition, bool) else parse(condition.text(v)) for v in Version]
    for letters in EVERY_HEADER:
        held = {name: "" if name in lacks else letter for name, letter in letters.items()}
        expected = statuses.of(held) in wanted
        for tree in trees:
            found = condition if tree is None else met(tree, letters)
            assert found == expected, (letters, condition)


@settings(max_examples=20)
@given(wanted=STATUSES)
def test_a_filter_finds_exactly_the_orders_that_are_told_as_it(wanted: set[OrderStatus]) -> None:
    agrees(STANDARD, wanted, frozenset())


@settings(max_examples=20)
@given(wanted=STATUSES, lacks=st.frozensets(st.sampled_from(list(LETTERS)), min_size=1))
def test_so_it_does_in_a_release_that_lacks_some_letters(
    wanted: set[OrderStatus], lacks: frozenset[str]
) -> None:
    agrees(STANDARD, wanted, lacks)


RULES = st.builds(
    lambda status, when: StatusRule(status=status, when=when),
    st.sampled_from(list(OrderStatus)),
    st.dictionaries(
        st.sampled_from(list(LETTERS)),
        st.lists(st.sampled_from(["", "*", "A", "B", "C", "01"]), min_size=1, max_size=3).map(
            tuple
        ),
        min_size=1,
        max_size=2,
    ),
)


@settings(max_examples=20)
@given(
    rules=st.lists(RULES, max_size=5).map(tuple),
    otherwise=st.sampled_from(list(OrderStatus)),
    wanted=STATUSES,
)
def test_so_it_does_under_any_rules_that_a_company_writes(
    rules: tuple[StatusRule, ...], otherwise: OrderStatus, wanted: set[OrderStatus]
) -> None:
    agrees(StatusMap(rules, otherwise), wanted, frozenset())


def test_all_statuses_are_no_condition_and_none_can_be_met() -> None:
    def exists(name: str) -> bool:
        return True

    assert STANDARD.condition(set(OrderStatus), exists) is True
    assert STANDARD.condition({OrderStatus.DRAFT}, exists) is False
    assert STANDARD.condition(set(), exists) is False


def test_the_v4_service_is_asked_by_its_own_name_of_the_delivery_letter() -> None:
    v4 = Settings(url="https://erp.example", basic=SETTINGS.basic, sales_orders="v4")
    statuses = StatusMap.of_settings(v4, dialects.of(v4).local)
    assert "OverallDeliveryStatus" in statuses.properties
    assert "OverallTotalDeliveryStatus" not in statuses.properties
    assert len(statuses.properties) == len({name for rule in STATUS_RULES for name in rule.when})
