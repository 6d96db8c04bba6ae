"""Makes worlds of people, accounts and roles that differ in every way that has ever given somebody
what is another's. The dice may be a seeded random.Random, or hypothesis's own by `worlds()`.
"""

from __future__ import annotations

import random
from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import TypeVar

from hypothesis import strategies as st

from connectors.port.records import (
    Account,
    AccountRef,
    Attachment,
    Author,
    Case,
    CaseComment,
    CaseDetail,
    CaseStatus,
    CaseStatusChange,
    Contact,
    CreditPosition,
    Delivery,
    DeliveryStatus,
    Invoice,
    MembershipRole,
    NewsArticle,
    Order,
    OrderLine,
    OrderStatus,
    Product,
    Question,
    QuestionTopic,
)
from schema.cases.service import Rejection, Sent
from schema.problems import Problem, ProblemCode
from tests.worlds.world import NOW, Marks, Owners, Person, Relation, World, myself

#: Customer numbers that a careless comparison takes for one another. None: not known to the ERP.
NUMBERS = ("41001", "0041001", "K41x7", "k41X7", "0K41x7", "41002", None)
#: Numbers of orders, unique when compared as a person would, and how somebody may write them.
ORDER_NUMBERS = tuple(f"450{n:04}" for n in range(1, 13))
#: Days around today, when relations begin and end.
_DAYS = tuple(NOW.date() + timedelta(days=d) for d in (-400, -1, 0, 1, 400))
_COUNTRIES = ("CO", "PE", "CL", "BR", "ZZ", None)
_CATEGORIES = (
    ("QUERY", None),
    ("OTHER_REQUEST", "TRAINING"),
    ("INVOICE_CLAIM", None),
    ("GONE", "GONE_TOO"),
)


T = TypeVar("T")


class Builder:
    """Makes records of owners, each value marked."""

    def __init__(self, dice: random.Random) -> None:
        self.dice, self.marks = dice, Marks()

    def one_of(self, values: Sequence[T]) -> T:
        return self.dice.choice(values)

    def account(self, place: int, number: str | None) -> Account:
        key = f"A{place}-"
        owners = frozenset({key})
        country = self.one_of(_COUNTRIES)
        mark = self.marks.mark(owners)
        return Account(
            id=key,
            owner=AccountRef(key, number, country),
            number=number,
            name=f"Compañía {mark}",
            tax_id=f"NIT {mark}",
            country=country,
            phone=f"+57 {mark}",
            billing_address=self.marks.address(owners),
        )

    def relation(self, accounts: Sequence[AccountRef]) -> Relation:
        box = self.one_of(("open", "open", "from", "to", "both"))
        return Relation(
            self.one_of(accounts).id,
            self.one_of(tuple(MembershipRole)),
            self.one_of((True, True, True, False)),
            self.one_of(_DAYS) if box in ("from", "both") else None,
            self.one_of(_DAYS) if box in ("to", "both") else None,
        )

    def person(self, place: int, accounts: Sequence[AccountRef], twin: str | None) -> Person:
        """twin: the address of somebody else, who then cannot be told from this person."""
        key = f"P{place}-"
        direct: AccountRef = self.one_of(accounts)
        ways = tuple(self.relation(accounts) for _ in range(self.dice.choice((0, 1, 2, 2, 3, 4))))
        owners = Person(Contact(key, direct), ways).accounts | {myself(key)}
        mark = self.marks.mark(owners)
        email = f"{self.one_of((mark, mark.upper()))}@people.example"
        if twin:
            email = twin
            self.marks.share(twin, owners)
        contact = Contact(
            id=key,
            owner=direct,
            name=f"{self.one_of(('Ana', 'Luis'))} {mark}",
            given_name=f"Ana {mark}",
            family_name=f"Torres {mark}",
            email=email,
            phone=f"+51 {mark}",
            job_title=f"Jefa {mark}",
            locale=f"es-{mark}",
        )
        return Person(contact, ways)

    def order(self, place: int, owner: AccountRef, owners: Owners) -> Order:
        money, mark = self.marks.money, self.marks.mark(owners)
        lines = [
            OrderLine(
                position=position,
                product=Product(f"M-{mark}", f"Producto {mark}"),
                quantity=self.marks.quantity(owners),
                unit=f"UN {mark}",
                unit_price=money(owners),
                total=money(owners),
                delivered_quantity=self.marks.quantity(owners),
            )
            for position in ("20", "10", "100")[: self.dice.randint(0, 3)]
        ]
        delivery = Delivery(
            number=f"80{mark}",
            status=self.one_of(tuple(DeliveryStatus)),
            planned_on=self.marks.day(owners),
            shipped_on=self.marks.day(owners),
            carrier=f"Carga {mark}",
            tracking_url=f"https://carga.example/{mark}",
        )
        invoice = Invoice(
            number=f"90{mark}",
            issued_on=self.marks.day(owners),
            due_on=self.marks.day(owners),
            total=money(owners),
            outstanding=money(owners),
        )
        return Order(
            id=f"{place}{mark}",
            owner=owner,
            number=self.marks.value(ORDER_NUMBERS[place], owners),
            customer_reference=f"OC {mark}",
            status=self.one_of(tuple(OrderStatus)),
            ordered_on=self.marks.day(owners),
            requested_delivery_on=self.marks.day(owners),
            ship_to=self.marks.address(owners),
            subtotal=money(owners),
            freight=money(owners),
            tax=money(owners),
            total=money(owners),
            lines=sorted(lines, key=lambda line: int(line.position)),
            deliveries=[delivery],
            invoices=[invoice],
        )

    def case(self, place: int, owner: AccountRef, people: Sequence[Person]) -> Case:
        """Contact and order are anybody's: a CRM checks neither."""
        owners = frozenset({owner.id})
        mark = self.marks.mark(owners)
        category, subcategory = self.one_of(_CATEGORIES)
        person = self.one_of((None, *people))
        number = self.one_of((None, *ORDER_NUMBERS, "nothing like it"))
        return Case(
            id=f"{place}{mark}",
            owner=owner,
            number=self.marks.value(f"0007700{place:02}", owners),
            category=category,
            subcategory=subcategory,
            subject=f"Pedido {mark}",
            description=f"Factura {mark}",
            status=self.one_of(tuple(CaseStatus)),
            details=[CaseDetail("order_number", f"dato {mark}")],
            created_at=self.marks.moment(owners),
            updated_at=self.marks.moment(owners),
            closed_at=self.marks.moment(owners),
            team=f"Equipo {mark}",
            contact_id=person.contact.id if person else None,
            order_number=self.one_of(("", "000")) + number if number else None,
        )

    def author(self, mark: str, people: Sequence[Person]) -> Author:
        """The name is what the case shows of its author, and so the case's; the person is not."""
        person = self.one_of((None, *people))
        contact_id = person.contact.id if person else None
        return Author(f"Firma {mark}", person is None, contact_id)

    def comment(self, place: int, case: Case, people: Sequence[Person]) -> CaseComment:
        owners = frozenset({case.owner.id})
        mark = self.marks.mark(owners)
        return CaseComment(
            id=f"{place}{mark}",
            owner=case.owner,
            case_id=case.id,
            body=f"Comentario {mark}",
            author=self.author(mark, people),
            created_at=self.marks.moment(owners),
        )

    def attachment(self, place: int, case: Case, people: Sequence[Person]) -> Attachment:
        owners = frozenset({case.owner.id})
        mark = self.marks.mark(owners)
        return Attachment(
            id=f"{place}{mark}",
            owner=case.owner,
            case_id=case.id,
            filename=f"{mark}.pdf",
            content_type=f"application/{mark}",
            size=self.marks.size(owners),
            created_at=self.marks.moment(owners),
            author=self.author(mark, people),
        )

    def change(self, place: int, case: Case) -> CaseStatusChange:
        owners = frozenset({case.owner.id})
        return CaseStatusChange(
            id=f"{place}{self.marks.mark(owners)}",
            owner=case.owner,
            case_id=case.id,
            at=self.marks.moment(owners),
            after=self.one_of(tuple(CaseStatus)),
            before=self.one_of((None, *CaseStatus)),
        )

    def rejection(self, place: int, case: Case) -> Rejection:
        owners = frozenset({case.owner.id})
        mark = self.marks.mark(owners)
        return Rejection(
            id=f"{place}{mark}",
            owner=case.owner,
            case_id=case.id,
            at=self.marks.moment(owners),
            what=self.one_of(tuple(Sent)),
            problem=Problem(ProblemCode.INVALID, "Not {this}.", {"this": mark}),
            subject=self.one_of((None, f"Comentario {mark}")),
        )


def world_of(dice: random.Random, least: int = 2, most: int = 4) -> World:
    """A world of `least` to `most` accounts with people, cases and orders."""
    make = Builder(dice)
    numbers = [make.one_of(NUMBERS) for _ in range(dice.randint(least, most))]
    accounts = {a.id: a for a in (make.account(n, number) for n, number in enumerate(numbers))}
    refs = [account.owner for account in accounts.values()]
    for ref in refs:
        if ref.number:
            make.marks.value(ref.number, frozenset({ref.id}))
    people: list[Person] = []
    for place in range(dice.randint(least, most + 1)):
        twins = [None] * 15 + [(one.contact.email or "").swapcase() for one in people[:1]]
        people.append(make.person(place, refs, make.one_of(twins)))
    return finished(make, accounts, people, (dice.randint(1, 7), dice.randint(1, 6)))


def worlds() -> st.SearchStrategy[World]:
    """All worlds."""
    return st.randoms(use_true_random=False, note_method_calls=False).map(world_of)


def finished(
    make: Builder, accounts: Mapping[str, Account], people: Sequence[Person], much: tuple[int, int]
) -> World:
    """The world of these accounts and people. much: how many cases and orders, at most."""
    refs = [account.owner for account in accounts.values()]
    buyers = [ref for ref in refs if ref.number]
    cases = [make.case(place, make.one_of(refs), people) for place in range(much[0])]
    orders = []
    for place in range(much[1] if buyers else 0):
        owner = make.one_of(buyers)
        owners = frozenset(ref.id for ref in buyers if ref.number == owner.number)
        orders.append(make.order(place, owner, owners))
    each = range(make.dice.randint(0, 2))
    return World(
        accounts=accounts,
        people=people,
        cases=cases,
        comments=[make.comment(n, case, people) for case in cases for n in each],
        attachments=[make.attachment(n, case, people) for case in cases for n in each],
        changes=[make.change(n, case) for case in cases for n in each],
        rejections=[make.rejection(n, case) for case in cases for n in each],
        orders=orders,
        credits={ref.id: _credit(make, ref, refs) for ref in buyers},
        addresses={ref.id: [make.marks.address(_sharing(ref, refs))] for ref in buyers},
        news=[_article(place) for place in range(3)],
        questions=[_question(place) for place in range(3)],
        marks=make.marks,
    )


def _sharing(ref: AccountRef, refs: Sequence[AccountRef]) -> Owners:
    """The ERP knows an account by its number alone."""
    return frozenset(other.id for other in refs if other.number == ref.number)


def _credit(make: Builder, ref: AccountRef, refs: Sequence[AccountRef]) -> CreditPosition:
    owners = _sharing(ref, refs)
    money = make.marks.money
    return CreditPosition(money(owners), money(owners), money(owners))


def _article(place: int) -> NewsArticle:
    return NewsArticle(
        id=f"n{place}",
        slug=f"noticia-{place}",
        title="Nueva bodega",
        summary="Abrimos",
        body="<p>Abrimos</p>",
        image_url="https://news.example/a.png",
        locale="es",
        countries=["CO"] if place else [],
        tags=["bodega"],
        published_at=NOW - timedelta(days=place),
    )


def _question(place: int) -> Question:
    topic = tuple(QuestionTopic)[place % len(QuestionTopic)]
    return Question(f"f{place}", "¿Cómo entro?", "Con su correo.", topic, "es", place)
