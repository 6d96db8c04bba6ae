"""Los equipos de integración: programas con sus permisos, por nadie o por una empresa a la vez."""

from __future__ import annotations

import argparse
import asyncio
import json
from typing import Any

import httpx
import pytest

from gateway import operators
from gateway.access import staff
from gateway.settings import SettingsError
from sandbox.people import CUSTOMERS
from tests.stories.doors import (
    ACCEPT,
    ANDINA,
    CHANGE,
    EVA,
    INVITE,
    PACIFICO,
    PASSWORD,
    PROFILE,
    asks,
    do,
    mail_to,
    member,
    program,
)
from tests.stories.portal import ANA, CARLA, Portal

pytestmark = pytest.mark.anyio

CASES = "query Casos { cases(first: 100) { totalCount nodes { number account { number } } } }"


async def ask(
    portal: Portal, token: str, query: str, acting_for: str | None = None, **values: Any
) -> httpx.Response:
    headers = {"authorization": f"Bearer {token}", "accept-language": "es"}
    if acting_for is not None:
        headers["portal-acting-for"] = acting_for
    name = query.split()[1] if query.startswith("query ") else None
    body = {"query": query, "variables": values, "operationName": name}
    return await portal.client.post("/graphql", json=body, headers=headers)


def audit(portal: Portal) -> list[dict[str, str]]:
    lines = (portal.folder / "audit.jsonl").read_text(encoding="utf-8").splitlines()
    return [json.loads(line) for line in lines]


async def test_un_programa_no_es_de_nadie_hasta_que_dice_por_quien(house: Portal) -> None:
    """Sin decir por qué empresa actúa no ve nada; diciéndolo ve lo suyo, y queda en la auditoría."""
    token = await program(house, "cases:read", "customers:read")
    nobody = (await ask(house, token, CASES)).json()["data"]
    assert nobody == {"cases": {"totalCount": 0, "nodes": []}}
    andina = (await ask(house, token, CASES, ANDINA)).json()["data"]["cases"]
    assert andina["totalCount"] > 0
    numbers = {case["account"]["number"] for case in andina["nodes"]}
    assert numbers == {CUSTOMERS[0].number}
    told = [one for one in audit(house) if one["event"] == "staff.asked"]
    assert [(one["who"], one["whose"], one["what"]) for one in told] == [
        ("erp-sync", "-", "Casos"),
        ("erp-sync", CUSTOMERS[0].crm_id, "Casos"),
    ]


async def test_un_programa_hace_solo_lo_que_se_le_permite(house: Portal) -> None:
    """Con permiso de casos no hay pedidos ni personas, ni por caminos indirectos; nada personal."""
    token = await program(house, "cases:read")
    for query in (
        "{ orders { nodes { number } } }",
        "{ cases(first: 1) { nodes { contact { name } } } }",
        f'{{ node(id: "{ANDINA}") {{ ... on Account {{ orders {{ nodes {{ number }} }} }} }} }}',
        f'{{ account(id: "{ANDINA}") {{ name }} }}',
    ):
        answer = (await ask(house, token, query, ANDINA)).json()
        assert answer["errors"][0]["extensions"]["code"] == "NOT_ALLOWED", query
    change = {"currentPassword": PASSWORD, "newPassword": PASSWORD}
    for document, given in ((PROFILE, {"name": "Otra"}), (CHANGE, change)):
        answer = (await ask(house, token, document, ANDINA, input=given)).json()
        assert answer["errors"][0]["extensions"]["code"] == "NOT_ALLOWED"
    viewer = (await ask(house, token, "{ viewer { name } }", ANDINA)).json()
    assert viewer == {"data": {"viewer": None}}


async def test_un_programa_invita_por_una_empresa(house: Portal) -> None:
    """Con el permiso de invitar, y solo para la empresa por la que dice actuar."""
    token = await program(house, "contacts:invite", "customers:read")
    given = {"accountId": ANDINA, "email": EVA, "name": "Eva Ríos", "role": "ADMIN"}
    for acting_for in (None, PACIFICO):
        refused = (await ask(house, token, INVITE, acting_for, input=given)).json()
        assert refused["errors"][0]["extensions"]["code"] == "NOT_ALLOWED"
    done = (await ask(house, token, INVITE, ANDINA, input=given)).json()["data"]["inviteContact"]
    assert done["userErrors"] == []
    mail = await mail_to(house, EVA)
    accepted = await do(house, ACCEPT, token=mail.link_token, password=PASSWORD)
    assert accepted["viewer"]["memberships"][0]["role"] == "ADMIN"
    [sent] = [one for one in audit(house) if one["event"] == "invitation.sent"]
    assert (sent["who"], sent["whose"]) == ("erp-sync", CUSTOMERS[0].number)


@pytest.mark.parametrize("acting_for", ["", "nonsense", "QWNjb3VudDowMDFTQjAwMDAwenp6enpBQUE"])
async def test_una_empresa_que_no_existe_se_rechaza(house: Portal, acting_for: str) -> None:
    """Actuar por una empresa desconocida no es actuar por nadie: la consulta no se hace."""
    token = await program(house, "cases:read")
    answer = await ask(house, token, CASES, acting_for)
    assert answer.status_code == 403
    assert "data" not in answer.json()


async def test_una_persona_no_actua_por_otra_empresa(house: Portal) -> None:
    """La cabecera de los programas no le abre nada a una persona."""
    token = house.gateway.tokens.issue(ANA)
    cases = (await ask(house, token, CASES, PACIFICO)).json()["data"]["cases"]["nodes"]
    assert {case["account"]["number"] for case in cases} == {CUSTOMERS[0].number}


async def test_un_programa_que_se_quita_deja_de_entrar(house: Portal) -> None:
    """Quitar un programa termina sus tokens, sin reiniciar nada."""
    token = await program(house, "cases:read")
    assert (await ask(house, token, CASES)).status_code == 200
    await staff.remove(house.folder / "staff.json", "erp-sync")
    statuses: list[int] = []
    while statuses[-1:] != [401] and len(statuses) < 100:
        await asyncio.sleep(0.05)
        statuses.append((await ask(house, token, CASES)).status_code)
    assert statuses[-1] == 401
    refused = [one for one in audit(house) if one["event"] == "token.refused"]
    assert refused[0]["outcome"] == "UNAUTHENTICATED"


async def test_tokens_basura_no_llenan_la_auditoria(house: Portal) -> None:
    """Cada rechazo se anota, hasta un tope por minuto y dirección."""
    for _ in range(30):
        assert await asks(house, "basura") == 401
    refused = [one for one in audit(house) if one["event"] == "token.refused"]
    assert len(refused) == 10
    assert "basura" not in str(refused)


def options(email: str, **said: Any) -> argparse.Namespace:
    given = {"account": None, "name": None, "role": None, "language": "pt", **said}
    return argparse.Namespace(email=email, **given)


async def test_el_operador_invita_a_quien_el_crm_ya_conoce(
    house: Portal, capsys: pytest.CaptureFixture[str]
) -> None:
    """Basta el correo: empresa, nombre y rol los sabe el CRM. El correo sale en el idioma pedido."""
    await operators._invite(options(ANA), house.gateway)
    assert "Andina" in capsys.readouterr().out
    mail = await mail_to(house, ANA)
    assert mail.message["Content-Language"] == "pt"
    accepted = await do(house, ACCEPT, token=mail.link_token, password=PASSWORD)
    assert accepted["viewer"]["memberships"][0]["role"] == "ADMIN"


async def test_el_operador_dice_lo_que_el_crm_no_sabe(house: Portal) -> None:
    """Quien actúa por varias empresas, o por ninguna, necesita que se diga por cuál."""
    with pytest.raises(SettingsError, match="several accounts"):
        await operators._invite(options(CARLA), house.gateway)
    with pytest.raises(SettingsError, match="no account"):
        await operators._invite(options(EVA), house.gateway)
    with pytest.raises(SettingsError, match="--name and --role"):
        await operators._invite(options(EVA, account=ANDINA), house.gateway)
    with pytest.raises(SettingsError, match="no such account"):
        await operators._invite(options(EVA, account="x", name="Eva", role="READER"), house.gateway)
    with pytest.raises(SettingsError, match="already, as ADMIN"):
        await operators._invite(options(ANA, role="READER"), house.gateway)
    said = {"account": ANDINA, "name": "Eva Ríos", "role": "READER"}
    await operators._invite(options(EVA, **said), house.gateway)
    assert (await mail_to(house, EVA)).link_token


async def test_el_operador_saca_a_alguien_de_inmediato(
    house: Portal, capsys: pytest.CaptureFixture[str]
) -> None:
    """Todas las sesiones de una persona terminan, aquí y en otros procesos."""
    session = await member(house)
    await operators._end_sessions(argparse.Namespace(email=EVA), house.gateway)
    assert capsys.readouterr().out.startswith("1 sessions")
    assert await asks(house, session["accessToken"]) == 401


async def test_las_claves_publicas_se_publican(house: Portal) -> None:
    """Quien quiera comprobar nuestros tokens encuentra las claves, sin nada privado."""
    answer = await house.client.get("/.well-known/jwks.json")
    [key] = answer.json()["keys"]
    assert set(key) == {"kty", "crv", "x", "y", "kid", "use", "alg"}
    found = (await house.client.get("/.well-known/openid-configuration")).json()
    assert found["jwks_uri"].endswith("/.well-known/jwks.json")
    assert found["token_endpoint"].endswith("/oauth/token")
