"""Cómo se entra por primera vez, según la ayuda del portal: con una invitación por correo."""

from __future__ import annotations

import asyncio
from datetime import timedelta

import pytest

from sandbox.people import PEOPLE
from tests.stories.doors import (
    ACCEPT,
    ANDINA,
    EVA,
    INVITE,
    ME,
    PACIFICO,
    PASSWORD,
    SIGN_IN,
    do,
    in_crm,
    invited,
    later,
    mail_to,
    mails,
    member,
)
from tests.stories.portal import ANA, LUIS, NOW, Portal

pytestmark = pytest.mark.anyio

ADMINS = {p.email for p in PEOPLE if p.role == "Portal Admin"}
READER = next(p.email for p in PEOPLE if p.role == "Portal Reader" and p.customer == "17100001")
MEMBER = next(p.email for p in PEOPLE if p.role == "Portal Member" and p.customer == "17100001")


async def test_invitacion_correo_enlace_contrasena_y_dentro(house: Portal) -> None:
    """El correo de invitación se envía a tu empresa; haz clic en el enlace, establece tu propia
    contraseña y haz clic en Crear. El usuario es el correo electrónico registrado."""
    payload = await do(
        house,
        INVITE,
        by=ANA,
        accountId=ANDINA,
        email=EVA,
        name="Eva Ríos",
        jobTitle="Compras",
        phone="+57 300 555 0199",
        role="MEMBER",
    )
    assert payload == {"expiresAt": (NOW + timedelta(hours=48)).isoformat(), "userErrors": []}

    mail = await mail_to(house, EVA)
    assert mail.subject == "Invitación al portal de clientes de Andina Construcciones S.A.S."
    assert "48 horas" in mail.text
    assert mail.link_token in mail.html

    accepted = await do(house, ACCEPT, token=mail.link_token, password=PASSWORD)
    assert accepted["userErrors"] == []
    assert accepted["viewer"] == {
        "name": "Eva Ríos",
        "email": EVA,
        "memberships": [{"role": "MEMBER", "account": {"name": "Andina Construcciones S.A.S."}}],
    }
    mine = await house.ask(ME, token=accepted["session"]["accessToken"])
    assert mine.data["viewer"] == {"name": "Eva Ríos", "memberships": [{"role": "MEMBER"}]}
    assert len(mine.data["cases"]["nodes"]) == 1

    again = await do(house, SIGN_IN, email=EVA.upper(), password=PASSWORD)
    assert again["userErrors"] == []
    assert again["viewer"] == {"name": "Eva Ríos", "contact": {"jobTitle": "Compras"}}


async def test_el_enlace_esta_activo_durante_48_horas(house: Portal) -> None:
    """Si deseas acceder al portal más tarde, comunícate con nuestro equipo de soporte."""
    mail = await invited(house)
    await later(house, hours=48, seconds=1)
    [late] = (await do(house, ACCEPT, token=mail.link_token, password=PASSWORD))["userErrors"]
    assert (late["code"], late["field"]) == ("EXPIRED", ["input", "token"])
    assert late["message"] == (
        "Esta invitación venció: el enlace está activo durante 48 horas. Pide una nueva a quien te "
        "invitó o comunícate con nuestro equipo de soporte."
    )
    # A new one works, and the old one stays what it was.
    new = await invited(house)
    [old] = (await do(house, ACCEPT, token=mail.link_token, password=PASSWORD))["userErrors"]
    assert old["code"] == "EXPIRED"
    assert (await do(house, ACCEPT, token=new.link_token, password=PASSWORD))["session"]


async def test_el_enlace_sirve_una_sola_vez(house: Portal) -> None:
    """Dos personas con el mismo enlace, a la vez: exactamente una entra."""
    mail = await invited(house)
    tries = [do(house, ACCEPT, token=mail.link_token, password=PASSWORD) for _ in range(5)]
    answers = await asyncio.gather(*tries)
    assert len([answer for answer in answers if answer["session"]]) == 1
    codes = {answer["userErrors"][0]["code"] for answer in answers if not answer["session"]}
    assert codes <= {"CONFLICT", "EXPIRED"}
    [used] = (await do(house, ACCEPT, token=mail.link_token, password=PASSWORD))["userErrors"]
    assert used["code"] == "EXPIRED"
    assert used["message"].startswith("Esta invitación ya se usó.")


async def test_solo_un_administrador_de_la_empresa_invita(house: Portal) -> None:
    """Ni miembros, ni lectores, ni el administrador de otra empresa, ni quien no inicia sesión."""
    given = {"accountId": ANDINA, "email": EVA, "name": "Eva", "role": "READER"}
    assert {ANA, LUIS} <= ADMINS
    for person in (READER, MEMBER, LUIS):
        answer = await house.ask(INVITE, {"input": given}, by=person)
        assert answer.error["extensions"]["code"] == "NOT_ALLOWED", person
        text = "No tienes permiso para hacer esto en nombre de esta empresa."
        assert answer.error["message"] == text
        assert answer.partial == {"inviteContact": None}
    answer = await house.ask(INVITE, {"input": given | {"accountId": PACIFICO}}, by=ANA)
    assert answer.error["extensions"]["code"] == "NOT_ALLOWED"
    answer = await house.ask(INVITE, {"input": given}, by=None)
    assert answer.error["extensions"]["code"] == "UNAUTHENTICATED"
    assert mails(house, EVA) == []
    audit = (house.folder / "audit.jsonl").read_text(encoding="utf-8")
    assert audit.count('"access.refused"') == 4
    assert READER in audit


async def test_lo_que_no_se_pudo_decidir_no_es_un_no(house: Portal) -> None:
    """Si el CRM no responde, la portada lo dice: no es que la persona no pueda."""
    house.gateway.callers.forget(ANA)
    token = house.gateway.tokens.issue(ANA)
    house.faults.of("crm").arm("status", 503)
    given = {"accountId": ANDINA, "email": EVA, "name": "Eva", "role": "READER"}
    answer = await house.ask(INVITE, {"input": given}, token=token)
    assert answer.error["extensions"]["code"] == "SOURCE_UNAVAILABLE"
    assert answer.error["extensions"]["source"] == "crm"


async def test_se_dice_todo_lo_que_falta_de_una_vez(house: Portal) -> None:
    """Todos los errores del formulario a la vez, cada uno en su campo, y sin enviar nada."""
    payload = await do(
        house,
        INVITE,
        by=ANA,
        accountId=ANDINA,
        email=EVA,
        name="  ",
        jobTitle="x" * 129,
        phone="\u202e" + "1" * 20,
        role="MEMBER",
    )
    found = {
        error["field"][1]: (error["code"], error["message"]) for error in payload["userErrors"]
    }
    assert found == {
        "name": ("REQUIRED", "Este dato es obligatorio."),
        "jobTitle": ("TOO_LONG", "Tiene más de 128 caracteres."),
        "phone": ("INVALID", "Contiene caracteres que no se pueden usar."),
    }
    assert mails(house, EVA) == []


async def test_quien_ya_actua_por_la_empresa_conserva_su_rol(house: Portal) -> None:
    """Una invitación no cambia el rol de nadie: lo dice, y no envía nada."""
    given = {"accountId": ANDINA, "email": MEMBER, "name": "Otro nombre", "role": "ADMIN"}
    [error] = (await do(house, INVITE, by=ANA, **given))["userErrors"]
    assert (error["code"], error["field"]) == ("CONFLICT", ["input", "role"])
    assert error["message"] == "Esta persona ya actúa por la empresa, con el rol de miembro."
    assert mails(house, MEMBER) == []


async def test_una_contrasena_debil_no_gasta_la_invitacion(house: Portal) -> None:
    """Una contraseña corta, la propia dirección o una de un megabyte: se dice, y se puede repetir."""
    mail = await invited(house)
    for password, code in (("corta", "TOO_SHORT"), (EVA, "INVALID"), ("x" * 100_000, "TOO_LONG")):
        [error] = (await do(house, ACCEPT, token=mail.link_token, password=password))["userErrors"]
        assert (error["code"], error["field"]) == (code, ["input", "password"])
    assert (await do(house, ACCEPT, token=mail.link_token, password=PASSWORD))["session"]


async def test_un_correo_que_se_parece_no_es_el_mismo(house: Portal) -> None:
    """Una letra cirílica en lugar de la latina es otra persona, y no entra."""
    await member(house)
    lookalike = EVA.replace("e", "\u0435", 1)
    [error] = (await do(house, SIGN_IN, email=lookalike, password=PASSWORD))["userErrors"]
    assert error["code"] == "WRONG_CREDENTIALS"


PEOPLE_OF = "query($id: ID!) { account(id: $id) { contacts(first: 100) { nodes { name email } } } }"
ENDED = """UPDATE crm_AccountContactRelation SET {} WHERE ContactId =
           (SELECT Id FROM crm_Contact WHERE Email = ?)"""


async def people(portal: Portal) -> set[str]:
    answer = await portal.ask(PEOPLE_OF, {"id": ANDINA})
    return {one["email"] for one in answer.data["account"]["contacts"]["nodes"]}


async def test_invitar_no_revela_a_quien_ya_esta_en_el_crm(house: Portal) -> None:
    """Invitar a alguien de otra empresa no muestra su nombre ni su teléfono hasta que acepta; la
    respuesta es la misma que para un desconocido."""
    before = await people(house)
    given = {"accountId": ANDINA, "name": "Quien sea", "role": "READER"}
    known = await do(house, INVITE, by=ANA, email=LUIS, **given)
    unknown = await do(house, INVITE, by=ANA, email=EVA, **given)
    assert known == unknown
    assert await people(house) == before

    mail = await mail_to(house, LUIS)
    accepted = await do(house, ACCEPT, token=mail.link_token, password=PASSWORD)
    assert accepted["viewer"]["name"] == "Luis Rojas"
    roles = {m["account"]["name"]: m["role"] for m in accepted["viewer"]["memberships"]}
    assert roles["Andina Construcciones S.A.S."] == "READER"
    assert len(roles) == 2
    assert await people(house) == before | {LUIS}


@pytest.mark.parametrize("state", ["IsActive = 0", "EndDate = '2026-11-17'"])
async def test_una_relacion_que_la_empresa_termino_no_vuelve_con_la_invitacion(
    house: Portal, state: str
) -> None:
    """Si se termina entre la invitación y la respuesta, aceptar no la devuelve."""
    mail = await invited(house, MEMBER, "MEMBER")
    await in_crm(house, ENDED.format(state), MEMBER)
    refused = await do(house, ACCEPT, token=mail.link_token, password=PASSWORD)
    assert refused["session"] is None
    [error] = refused["userErrors"]
    assert (error["code"], error["message"]) == (
        "NOT_ALLOWED",
        "Ya no actúas por esta empresa. Consulta a quien te invitó.",
    )
    [error] = (await do(house, SIGN_IN, email=MEMBER, password=PASSWORD))["userErrors"]
    assert error["code"] == "WRONG_CREDENTIALS"


async def test_una_relacion_vencida_se_dice_al_invitar(house: Portal) -> None:
    """Quien invita se entera de que la relación con su empresa no está vigente."""
    await in_crm(house, ENDED.format("EndDate = '2026-11-17'"), MEMBER)
    given = {"accountId": ANDINA, "email": MEMBER, "name": "x", "role": "MEMBER"}
    [error] = (await do(house, INVITE, by=ANA, **given))["userErrors"]
    assert (error["code"], error["field"]) == ("CONFLICT", ["input", "email"])
    assert "no está vigente hoy" in error["message"]
    assert mails(house, MEMBER) == []


async def test_si_el_crm_no_responde_la_invitacion_no_se_gasta(house: Portal) -> None:
    """Aceptar cuando el CRM no contesta lo dice, y más tarde el mismo enlace funciona."""
    mail = await invited(house)
    house.faults.of("crm").arm("status", 503)
    given = {"input": {"token": mail.link_token, "password": PASSWORD}}
    answer = await house.ask(ACCEPT, given, by=None)
    assert answer.error["extensions"]["code"] == "SOURCE_UNAVAILABLE"
    house.faults.of("crm").reset()
    assert (await do(house, ACCEPT, token=mail.link_token, password=PASSWORD))["session"]
