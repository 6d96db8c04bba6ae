"""Seguir dentro, salir, y dejar de estar: lo que una sesión es y cuándo termina."""

from __future__ import annotations

import pytest

from tests.stories.doors import (
    EVA,
    ME,
    PASSWORD,
    PROFILE,
    REFRESH,
    SIGN_IN,
    SIGN_OUT,
    asks,
    do,
    in_crm,
    later,
    member,
)
from tests.stories.portal import ANA, Portal

pytestmark = pytest.mark.anyio


async def test_la_sesion_sigue_con_tokens_nuevos(house: Portal) -> None:
    """El token de actualización sirve una vez y da otro; el acceso sigue."""
    first = await member(house)
    await later(house, minutes=30)
    payload = await do(house, REFRESH, refreshToken=first["refreshToken"])
    assert payload["userErrors"] == []
    second = payload["session"]
    assert second["refreshToken"] != first["refreshToken"]
    assert second["expiresAt"] > first["expiresAt"]
    await later(house, minutes=40)
    assert await asks(house, first["accessToken"]) == 401
    assert await asks(house, second["accessToken"]) == 200


async def test_un_token_robado_y_repetido_termina_la_sesion(house: Portal) -> None:
    """Quien repite un token ya gastado, sea quien sea, termina la sesión para todos."""
    first = await member(house)
    second = (await do(house, REFRESH, refreshToken=first["refreshToken"]))["session"]
    [error] = (await do(house, REFRESH, refreshToken=first["refreshToken"]))["userErrors"]
    assert (error["code"], error["message"]) == (
        "EXPIRED",
        "Tu sesión terminó. Inicia sesión de nuevo.",
    )
    [error] = (await do(house, REFRESH, refreshToken=second["refreshToken"]))["userErrors"]
    assert error["code"] == "EXPIRED"
    assert await asks(house, second["accessToken"]) == 401
    assert (await do(house, SIGN_IN, email=EVA, password=PASSWORD))["session"]


async def test_salir_detiene_las_consultas_de_inmediato(house: Portal) -> None:
    """Después de salir no responde ni la sesión ni sus tokens, y salir otra vez no molesta."""
    session = await member(house)
    other = (await do(house, SIGN_IN, email=EVA, password=PASSWORD))["session"]
    assert await asks(house, session["accessToken"]) == 200
    for _ in range(2):
        assert (await do(house, SIGN_OUT, refreshToken=session["refreshToken"]))["userErrors"] == []
    assert await asks(house, session["accessToken"]) == 401
    gone = await do(house, REFRESH, refreshToken=session["refreshToken"])
    assert gone["userErrors"][0]["code"] == "EXPIRED"
    assert await asks(house, other["accessToken"]) == 200


async def test_quien_ya_no_actua_por_la_empresa_no_ve_nada(house: Portal) -> None:
    """La empresa quita la relación en el CRM: en un minuto, o de inmediato si el portal lo sabe,
    las consultas no muestran nada, y entrar de nuevo dice por qué."""
    session = await member(house)
    token = session["accessToken"]
    assert (await house.ask(ME, token=token)).data["cases"]["nodes"]
    sql = """UPDATE crm_AccountContactRelation SET IsActive = 0 WHERE ContactId =
             (SELECT Id FROM crm_Contact WHERE Email = ?)"""
    await in_crm(house, sql, EVA)
    house.gateway.callers.forget(EVA)
    gone = (await house.ask(ME, token=token)).data
    assert gone == {"viewer": {"name": "Eva Ríos", "memberships": []}, "cases": {"nodes": []}}
    refused = await do(house, SIGN_IN, email=EVA, password=PASSWORD)
    assert refused["session"] is None
    [error] = refused["userErrors"]
    assert error["code"] == "NOT_ALLOWED"
    assert "Si deseas convertirte en cliente, contáctanos con el enlace" in error["message"]
    # Without the password nobody learns that.
    wrong = await do(house, SIGN_IN, email=EVA, password="otra-cosa-distinta")
    assert wrong["userErrors"][0]["code"] == "WRONG_CREDENTIALS"


async def test_lo_que_dice_el_crm_se_cree_un_minuto(house: Portal) -> None:
    """Sin que nadie avise, un cambio en el CRM vale después del tiempo fijado."""
    token = (await member(house))["accessToken"]
    assert (await house.ask(ME, token=token)).data["viewer"]["memberships"]
    sql = """UPDATE crm_AccountContactRelation SET EndDate = '2026-11-17' WHERE ContactId =
             (SELECT Id FROM crm_Contact WHERE Email = ?)"""
    await in_crm(house, sql, EVA)
    assert (await house.ask(ME, token=token)).data["viewer"]["memberships"]
    await later(house, seconds=61)
    assert (await house.ask(ME, token=token)).data["viewer"]["memberships"] == []


async def test_si_el_crm_no_responde_se_entra_y_se_dice(house: Portal) -> None:
    """La contraseña basta para entrar; lo que es del CRM dice que el CRM no responde."""
    await member(house)
    house.gateway.callers.forget(EVA)
    house.faults.of("crm").arm("status", 503)
    answer = await house.ask(SIGN_IN, {"input": {"email": EVA, "password": PASSWORD}}, by=None)
    assert answer.partial["signIn"]["session"]["accessToken"]
    assert answer.partial["signIn"]["viewer"] is None
    assert answer.error["path"] == ["signIn", "viewer"]
    assert answer.error["extensions"]["code"] == "SOURCE_UNAVAILABLE"


async def test_el_perfil_cambia_en_el_crm(house: Portal) -> None:
    """Nombre, teléfono, cargo e idioma se escriben en el CRM, y el portal los muestra."""
    assert (await house.ask("{ viewer { name } }", by=ANA)).data["viewer"]["name"] == "Ana Torres"
    given = {"name": "Ana Torres Gómez", "phone": "+57 601 555 0000", "jobTitle": "Gerente"}
    payload = await do(house, PROFILE, by=ANA, locale="pt-BR", **given)
    assert payload["userErrors"] == []
    expected = {"givenName": "Ana", "familyName": "Torres Gómez", "locale": "pt-BR", **given}
    assert payload["contact"] == expected
    # What was believed of her is dropped: the new name shows at once.
    viewer = (await house.ask("{ viewer { name } }", by=ANA)).data["viewer"]
    assert viewer["name"] == "Ana Torres Gómez"
    audit = (house.folder / "audit.jsonl").read_text(encoding="utf-8")
    assert '"event": "profile.changed"' in audit
    assert "Gerente" not in audit


@pytest.mark.parametrize(
    ("given", "code", "field"),
    [
        ({}, "REQUIRED", ["input"]),
        ({"name": ""}, "REQUIRED", ["input", "name"]),
        ({"name": "x" * 81}, "TOO_LONG", ["input", "name"]),
        ({"phone": "mañana"}, "INVALID", ["input", "phone"]),
        ({"jobTitle": "a\u0000b"}, "INVALID", ["input", "jobTitle"]),
    ],
)
async def test_un_perfil_que_no_sirve_se_dice_y_no_se_escribe(
    portal: Portal, given: dict[str, str], code: str, field: list[str]
) -> None:
    """Cada error en su campo, y ninguna llamada al CRM."""
    answer = await portal.ask(PROFILE, {"input": given})
    [error] = answer.data["updateProfile"]["userErrors"]
    assert (error["code"], error["field"]) == (code, field)
    assert answer.calls == []


async def test_quien_no_inicia_sesion_no_cambia_nada(portal: Portal) -> None:
    """Sin token no hay perfil."""
    answer = await portal.ask(PROFILE, {"input": {"name": "Nadie"}}, by=None)
    assert answer.error["extensions"]["code"] == "UNAUTHENTICATED"
    assert answer.calls == []
