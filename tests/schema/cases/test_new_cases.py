"""A new case: everything that is wrong with it is told at once; what is right is taken."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from typing import Any

import msgspec
import pytest

from connectors.port.errors import NotConfigured, TimedOut, Unavailable
from connectors.port.records import CaseDetail, MembershipRole
from schema.cases.answers import MOST
from schema.cases.forms import FormField, Option, Text
from schema.nodes import to_global
from tests.schema.cases.office import (
    ANDINA,
    CREATE,
    MEMBER,
    OTHER,
    OURS,
    PACIFICO,
    READER,
    THEIRS,
    Erp,
    Office,
    filled,
    order_id,
    person,
    program,
)
from tests.worlds.world import NOW

pytestmark = pytest.mark.anyio

BOTH = person((ANDINA, MembershipRole.MEMBER), (PACIFICO, MembershipRole.READER))
TRAINING: dict[str, Any] = {
    "category": "OTHER_REQUEST",
    "subcategory": "TRAINING",
    "description": "Para el equipo de obra.",
    "details": filled(
        company="Andina S.A.S.",
        site_name="Torre Norte",
        address="Calle 10 # 4-21",
        city="Bogotá",
        people="12",
        reason="Instalación de placas\nen altura",
    ),
}
REQUIRED = ("REQUIRED", "Error- campo requerido")


async def test_a_case_is_taken_with_everything_that_was_sent() -> None:
    office = Office()
    payload = await office.do(CREATE, **TRAINING, idempotencyKey="b3f0-1")
    assert payload["message"] == "Se ha enviado correctamente"
    assert payload["userErrors"] == []
    assert payload["case"]["status"] == "SUBMITTED"
    assert payload["case"]["number"] is None
    assert office.took is not None
    [(caller, case, files, key)] = office.took.opened
    assert (caller, files, key) == (MEMBER, [], "b3f0-1")
    assert case.account == ANDINA
    assert (case.category, case.subcategory) == ("OTHER_REQUEST", "TRAINING")
    assert case.subject == "Cursos y capacitaciones"
    assert case.description == "Para el equipo de obra."
    assert case.team == "Training"
    assert case.contact_id == "C1"
    assert case.created_at == NOW
    assert case.order_number is None
    assert [one.name for one in case.details] == [
        *("company", "site_name", "address", "city", "people", "reason"),
    ]
    assert case.details[-1].value == "Instalación de placas\nen altura"
    assert office.crm.asked == office.erp.asked == []


@pytest.mark.parametrize(
    ("language", "message"),
    [("en", "Sent successfully."), ("pt", "Enviado com sucesso")],
)
async def test_the_message_is_in_the_language_of_the_request(language: str, message: str) -> None:
    payload = await Office().do(CREATE, **TRAINING, language=language)
    assert payload["message"] == message


async def test_texts_are_brought_into_shape() -> None:
    office = Office()
    await office.do(
        CREATE,
        category="QUERY",
        subject="  Cafe\u0301   y \n t\u00e9 ",
        description="\r\n uno  \r\ndos\u2028tres\t4  \n\n",
    )
    assert office.took is not None
    case = office.took.opened[0][1]
    assert case.subject == "Café y té"
    assert case.description == "uno\ndos\ntres\t4"


async def test_emoji_of_telephones_are_kept() -> None:
    office = Office()
    family = "Gracias \U0001f468\u200d\U0001f469\u200d\U0001f467 \u00ad\ufe0f\U0001fae9"
    await office.do(CREATE, category="QUERY", description=family)
    assert office.took is not None
    assert office.took.opened[0][1].description == family


async def test_everything_that_is_wrong_is_told_at_once() -> None:
    office = Office()
    found = await office.problems(
        CREATE,
        category="PRODUCT_CLAIM",
        subject="s" * 256,
        description="   \n ",
        details=[
            *filled(product=" ", quantity="doce", batch="L" * 41),
            *filled(colour="azul"),
            *filled(quantity="12"),
        ],
        orderId=order_id(THEIRS),
        idempotencyKey="not a key",
    )
    assert found == {
        "idempotencyKey": (
            *("INVALID", "Una clave tiene de 1 a 100 letras, cifras o signos, sin espacios."),
        ),
        "subject": ("TOO_LONG", "Tiene más de 255 caracteres."),
        "description": REQUIRED,
        "details.0.value": REQUIRED,
        "details.1.value": ("INVALID", "Esto no es un número entero."),
        "details.2.value": ("TOO_LONG", "Tiene más de 40 caracteres."),
        "details.3.name": ("INVALID", "Este formulario no tiene ese campo."),
        "details.4.name": ("CONFLICT", "Este campo se llenó dos veces."),
        "orderId": ("NOT_FOUND", "Tu empresa no tiene ese pedido."),
    }


async def test_a_field_that_was_not_sent_is_told_by_its_name() -> None:
    found = await Office().problems(CREATE, **{**TRAINING, "details": filled(city="Cali")})
    assert found == {
        f"details.{name}": REQUIRED
        for name in ("company", "site_name", "address", "people", "reason")
    }


async def test_an_optional_field_may_be_left_out_or_empty() -> None:
    office = Office()
    sent: Any = {"category": "PRODUCT_CLAIM", "description": "Rajada."}
    await office.do(CREATE, **sent, details=filled(product="Placa", quantity="+3", batch="  "))
    assert office.took is not None
    assert office.took.opened[0][1].details == (
        CaseDetail("product", "Placa"),
        CaseDetail("quantity", "+3"),
    )


UPDATE = {
    "full_name": "Eva Ríos",
    "email": "eva.rios@andina.example",
    "phone": "+57 (601) 555-0199 ext. 4",
    "job_title": "Compradora",
}


@pytest.mark.parametrize(
    ("name", "value", "good"),
    [
        ("email", "eva@andina.example", True),
        ("email", "josé.ñandú@obras.com.co", True),
        ("email", "eva", False),
        ("email", "eva@andina", False),
        ("email", "eva@@andina.example", False),
        ("email", "eva@andina..example", False),
        ("email", "eva rios@andina.example", False),
        ("email", "<eva@andina.example>", False),
        ("phone", "601 555 0199", True),
        ("phone", "+51-1-555.0199", True),
        ("phone", "llamar al fijo", False),
        ("phone", "123", False),
        ("phone", "\u0661\u0662\u0663\u0664\u0665", False),
    ],
)
async def test_an_address_and_a_telephone_number_are_looked_at(
    name: str, value: str, good: bool
) -> None:
    sent: Any = {
        "category": "OTHER_REQUEST",
        "subcategory": "DATABASE_UPDATE",
        "description": "Nueva compradora.",
        "details": filled(**{**UPDATE, name: value}),
    }
    payload = await Office().do(CREATE, **sent)
    place = ["input", "details", str([*UPDATE].index(name)), "value"]
    assert [error["field"] for error in payload["userErrors"]] == ([] if good else [place])


def with_fields(office: Office, **types: str) -> Office:
    """The office, with a query that asks for fields of these types."""
    label = Text("a", "a", "a")
    options = (Option("A", label), Option("B", label))
    form = tuple(
        FormField(name, kind, label, options=options if kind == "CHOICE" else None)  # type: ignore[arg-type]
        for name, kind in types.items()
    )
    [query, *_] = office.catalogue.categories
    office.catalogue = replace(
        office.catalogue, categories=[msgspec.structs.replace(query, form=form)]
    )
    return office


@pytest.mark.parametrize(
    ("kind", "value", "good"),
    [
        ("INTEGER", "-7", True),
        ("INTEGER", "007", True),
        ("INTEGER", "1.5", False),
        ("INTEGER", "1 000", False),
        ("INTEGER", "\u0663", False),
        ("INTEGER", "1" * 16, False),
        ("DATE", "2026-03-31", True),
        ("DATE", "2026-02-30", False),
        ("DATE", "20260331", False),
        ("DATE", "31/03/2026", False),
        ("DATE", "2026-W14-2", False),
        ("CHOICE", "A", True),
        ("CHOICE", "a", False),
        ("CHOICE", "Á", False),
        ("INVOICE_NUMBER", "FE-90/2241", True),
        ("INVOICE_NUMBER", "SETP 990000123", True),
        ("INVOICE_NUMBER", "'; --", False),
        ("INVOICE_NUMBER", "9" * 41, False),
        ("TEXT", "a\u202eb", False),
        ("TEXT", "a\u2066b", False),
        ("TEXT", "a\u0000b", False),
        ("TEXT", "a\u001bb", False),
        ("TEXT", "a\ue000b", False),
        ("TEXT", "a\uffffb", False),
        ("TEXT", "a" * 255, True),
        ("TEXT", "a" * 256, False),
        ("MULTILINE", "a\nb\tc", True),
        ("MULTILINE", "a\u202eb", False),
    ],
)
async def test_a_value_is_of_the_type_of_its_field(kind: str, value: str, good: bool) -> None:
    office = with_fields(Office(), x=kind)
    payload = await office.do(CREATE, category="QUERY", description="Hola", details=filled(x=value))
    told = [(error["field"], bool(error["message"])) for error in payload["userErrors"]]
    assert told == ([] if good else [(["input", "details", "0", "value"], True)])


async def test_half_of_a_character_is_no_character() -> None:
    found = await Office().problems(CREATE, category="QUERY", description="a\ud800b")
    assert found["description"][0] == "INVALID"


async def test_fields_that_fit_alone_and_not_together_are_told() -> None:
    office = with_fields(Office(), a="MULTILINE", b="MULTILINE")
    emoji = "\U0001f600" * 9_000
    details = filled(a=emoji, b=emoji)
    found = await office.problems(CREATE, category="QUERY", description="Hola", details=details)
    assert [*found] == ["details"]
    assert found["details"][0] == "TOO_LONG"


async def test_more_details_than_any_form_has_are_told_once() -> None:
    details = filled(**{f"x{n}": "1" for n in range(MOST + 1)})
    found = await Office().problems(CREATE, category="QUERY", description="Hola", details=details)
    assert found == {"details": ("INVALID", "Ningún formulario tiene tantos campos.")}


@pytest.mark.parametrize(
    ("category", "subcategory", "problem"),
    [
        ("GONE", None, {"category": ("INVALID", "No existe esa categoría.")}),
        ("GONE", "TRAINING", {"category": ("INVALID", "No existe esa categoría.")}),
        ("OTHER_REQUEST", None, {"subcategory": REQUIRED}),
        ("OTHER_REQUEST", "", {"subcategory": REQUIRED}),
        (
            *("OTHER_REQUEST", "WISH"),
            {"subcategory": ("INVALID", "Esta categoría no tiene esa subcategoría.")},
        ),
        (
            *("QUERY", "TRAINING"),
            {"subcategory": ("INVALID", "Esta categoría no tiene esa subcategoría.")},
        ),
    ],
)
async def test_a_category_is_of_the_catalogue(
    category: str, subcategory: str | None, problem: Any
) -> None:
    sent = {"category": category, "subcategory": subcategory, "description": "Hola"}
    assert await Office().problems(CREATE, **sent, details=filled(x="y")) == problem


@pytest.mark.parametrize(
    ("text", "code"),
    [("ñ" * 4_000, None), ("ñ" * 4_001, "TOO_LONG"), ("\U0001f600" * 4_000, None)],
)
async def test_a_description_is_bounded_by_its_category(text: str, code: str | None) -> None:
    payload = await Office().do(CREATE, category="QUERY", description=text)
    assert [error["code"] for error in payload["userErrors"]] == ([code] if code else [])


async def test_a_description_is_bounded_by_what_crms_take() -> None:
    """Where a company allows as much as fits, emoji and ends of lines count twice."""
    office = Office()
    [query, *_] = office.catalogue.categories
    longer = msgspec.structs.replace(query, description_max_length=32_000)
    office.catalogue = replace(office.catalogue, categories=[longer])
    text = "a\n" * 10_700 + "a"
    found = await office.problems(CREATE, category="QUERY", description=text)
    assert found["description"][0] == "TOO_LONG"
    assert "cuentan doble" in found["description"][1]
    await office.do(CREATE, category="QUERY", description=text[:21_300])


# ---------------------------------------------------------------------------------------- orders

CLAIM: dict[str, Any] = {"category": "SERVICE_CLAIM", "description": "No llegó."}


@pytest.mark.parametrize("written", ["450001", "00450001", " 450001 "])
async def test_a_number_of_an_own_order_is_taken_as_it_was_written(written: str) -> None:
    office = Office()
    await office.do(CREATE, **CLAIM, details=filled(order=written))
    assert office.took is not None
    case = office.took.opened[0][1]
    assert case.order_number == written.strip()
    assert case.details == (CaseDetail("order", written.strip()),)
    assert office.erp.asked == [f"number {written.strip()}"]


async def test_an_order_by_its_id_fills_in_the_form() -> None:
    office = Office()
    await office.do(CREATE, **CLAIM, orderId=order_id(OURS))
    assert office.took is not None
    case = office.took.opened[0][1]
    assert case.order_number == "450001"
    assert case.details == (CaseDetail("order", "450001"),)
    assert office.erp.asked == ["id o1"]


async def test_an_order_may_be_named_where_no_form_asks() -> None:
    office = Office()
    await office.do(CREATE, category="QUERY", description="Hola", orderId=order_id(OURS))
    assert office.took is not None
    case = office.took.opened[0][1]
    assert (case.order_number, case.details) == ("450001", ())


async def test_an_order_by_id_and_by_number_are_the_same_one() -> None:
    office = Office()
    good: Any = {**CLAIM, "orderId": order_id(OURS)}
    await office.do(CREATE, **good, details=filled(order="00450001"))
    assert office.erp.asked == ["id o1", "number 00450001"]
    found = await Office().problems(CREATE, **good, details=filled(order=OTHER.number))
    assert found == {"orderId": ("CONFLICT", "Este pedido no es el que nombra el formulario.")}


async def test_anothers_order_is_none() -> None:
    for number in (THEIRS.number, "999999"):
        found = await Office().problems(CREATE, **CLAIM, details=filled(order=number))
        assert found == {"details.0.value": ("NOT_FOUND", "Tu empresa no tiene ese pedido.")}
    for key in (order_id(THEIRS), str(to_global("Order", "none"))):
        found = await Office().problems(CREATE, **CLAIM, orderId=key)
        assert found == {"orderId": ("NOT_FOUND", "Tu empresa no tiene ese pedido.")}


async def test_an_order_is_of_the_account_that_the_case_is_for() -> None:
    both = person((ANDINA, MembershipRole.MEMBER), (PACIFICO, MembershipRole.MEMBER))
    sent = {**CLAIM, "accountId": str(to_global("Account", "A2"))}
    found = await Office().problems(CREATE, **sent, orderId=order_id(OURS), who=both)
    assert found["orderId"][0] == "NOT_FOUND"
    office = Office()
    await office.do(CREATE, **sent, orderId=order_id(THEIRS), who=both)
    assert office.took is not None
    assert office.took.opened[0][1].account == PACIFICO


@pytest.mark.parametrize(
    "down",
    [Unavailable("erp", "down"), TimedOut("erp", "slow"), NotConfigured("erp", "none")],
)
async def test_a_case_does_not_wait_for_the_erp(down: Any) -> None:
    office = Office(erp=Erp(down))
    payload = await office.do(CREATE, **CLAIM, details=filled(order="anything 7"))
    assert payload["message"] == "Se ha enviado correctamente"
    await office.do(CREATE, **CLAIM, orderId=order_id(OURS))
    assert office.took is not None
    written, named = (case for _, case, *_ in office.took.opened)
    assert written.order_number == "anything 7"
    # What its number is, nobody can say now; it is not told as one.
    assert named.order_number == "ID o1"
    assert named.details == (CaseDetail("order", "ID o1"),)


async def test_a_case_does_not_wait_long_for_the_erp(monkeypatch: pytest.MonkeyPatch) -> None:
    """A question that takes too long is left to end by itself, whatever it ends with."""
    asked = asyncio.Event()
    release = asyncio.Event()

    class Slow(Erp):
        async def orders_by_number(self, *question: Any) -> Any:
            asked.set()
            await release.wait()
            raise Unavailable("erp", "down")

    monkeypatch.setattr("schema.cases.opening.PATIENCE", 0.01)
    office = Office(erp=Slow())
    payload = await office.do(CREATE, **CLAIM, details=filled(order="450001"))
    assert payload["message"] == "Se ha enviado correctamente"
    assert asked.is_set()
    release.set()
    await asyncio.sleep(0)


# --------------------------------------------------------------------------------------- accounts


async def test_who_acts_for_several_says_for_which() -> None:
    both = person((ANDINA, MembershipRole.MEMBER), (PACIFICO, MembershipRole.MEMBER))
    found = await Office().problems(CREATE, **CLAIM, details=filled(order="1"), who=both)
    assert found == {
        "accountId": ("REQUIRED", "Actúas por varias empresas: indica por cuál."),
        "details.0.value": ("NOT_FOUND", "Tu empresa no tiene ese pedido."),
    }


@pytest.mark.parametrize(
    ("who", "account", "code"),
    [
        (None, None, "UNAUTHENTICATED"),
        (READER, None, "NOT_ALLOWED"),
        (READER, "A1", "NOT_ALLOWED"),
        (MEMBER, "A2", "NOT_ALLOWED"),
        (MEMBER, "nobody", "NOT_ALLOWED"),
        (BOTH, "A2", "NOT_ALLOWED"),
        (person(), None, "NOT_ALLOWED"),
        (program("cases:read", acting_for=ANDINA), None, "NOT_ALLOWED"),
        (program("cases:write"), None, "NOT_ALLOWED"),
        (program("cases:write", acting_for=ANDINA), "A2", "NOT_ALLOWED"),
        (BOTH, "A1", None),
        (person((ANDINA, MembershipRole.ADMIN)), None, None),
        (program("cases:write", acting_for=ANDINA), None, None),
        (program("cases:write", acting_for=ANDINA), "A1", None),
    ],
)
async def test_who_may_open_a_case(who: Any, account: str | None, code: str | None) -> None:
    office = Office()
    sent: dict[str, Any] = {"category": "QUERY", "description": "Hola"}
    sent |= {"accountId": str(to_global("Account", account))} if account else {}
    text = "mutation($input: CreateCaseInput!) { createCase(input: $input) { message } }"
    body = await office.ask(text, {"input": sent}, who)
    assert [error["extensions"]["code"] for error in body.get("errors", [])] == (
        [code] if code else []
    )
    assert office.took is not None
    assert [case.account for _, case, *_ in office.took.opened] == ([] if code else [ANDINA])
    refused = [note for note in office.notes if note[0] == "access.refused"]
    assert len(refused) == (code == "NOT_ALLOWED")


async def test_a_program_is_no_contact() -> None:
    office = Office()
    who = program("cases:write", "cases:read", acting_for=ANDINA)
    await office.do(CREATE, who=who, category="QUERY", description="Hola")
    assert office.took is not None
    assert office.took.opened[0][1].contact_id is None


async def test_a_program_that_only_writes_reads_nothing() -> None:
    office = Office()
    who = program("cases:write", acting_for=ANDINA)
    sent = {"category": "QUERY", "description": "Hola"}
    body = await office.ask(CREATE, {"input": sent}, who)
    payload = body["data"]["createCase"]
    assert payload["message"] == "Se ha enviado correctamente"
    assert payload["case"] is None
    assert [error["path"] for error in body["errors"]] == [["createCase", "case"]]


async def test_where_nobody_takes_cases_that_is_told() -> None:
    body = await Office(took=None).ask(CREATE, {"input": CLAIM})
    [error] = body["errors"]
    assert error["extensions"]["code"] == "NOT_ALLOWED"


@pytest.mark.parametrize("key", ["", "a b", "ñ", "x" * 101, "a\n"])
async def test_a_key_is_short_and_plain(key: str) -> None:
    sent = {"category": "QUERY", "description": "Hola", "idempotencyKey": key}
    assert [*await Office().problems(CREATE, **sent)] == ["idempotencyKey"]


async def test_ids_of_another_kind_are_errors_of_the_program() -> None:
    for name, key in (("orderId", to_global("Case", "c")), ("accountId", "x")):
        sent = {"category": "QUERY", "description": "Hola", name: str(key)}
        body = await Office().ask(CREATE, {"input": sent})
        [error] = body["errors"]
        assert error["extensions"]["argument"] == f"input.{name}"
