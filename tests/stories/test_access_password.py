"""¿Olvidó su contraseña?, según la ayuda del portal; y cambiarla cuando se sabe."""

from __future__ import annotations

import asyncio
from datetime import datetime
from typing import Any

import pytest

from tests.stories.doors import (
    CHANGE,
    EVA,
    FORGOTTEN,
    OTHER,
    PASSWORD,
    RESET,
    SIGN_IN,
    VERIFY,
    asks,
    do,
    later,
    mail_to,
    mails,
    member,
)
from tests.stories.portal import Portal

pytestmark = pytest.mark.anyio


async def code_of(portal: Portal, number: int) -> str:
    """Asks for a code for Eva, who has got so many mails with it; the code."""
    assert (await do(portal, FORGOTTEN, email=EVA))["userErrors"] == []
    return (await mail_to(portal, EVA, number)).code


async def sign_in(portal: Portal, password: str) -> Any:
    return await do(portal, SIGN_IN, email=EVA, password=password)


async def test_olvido_correo_codigo_y_contrasena_nueva(house: Portal) -> None:
    """Haz clic en ¿Olvidó su contraseña?, proporciona la dirección, recibe el código, pégalo,
    presiona Verificar código, y la página del portal se abre con la contraseña nueva."""
    before = await member(house)
    payload = await do(house, FORGOTTEN, email=EVA)
    assert payload["message"].startswith("Si esta dirección tiene acceso al portal")
    mail = await mail_to(house, EVA, 2)
    assert mail.subject == "Tu código de verificación"
    verified = await do(house, VERIFY, email=EVA, code=f" {mail.code} ")
    assert verified["userErrors"] == []
    done = await do(house, RESET, resetToken=verified["resetToken"], newPassword=OTHER)
    assert done == {
        "message": "Tu contraseña fue cambiada. Inicia sesión con ella.",
        "userErrors": [],
    }
    assert (await sign_in(house, OTHER))["session"]
    assert (await sign_in(house, PASSWORD))["userErrors"][0]["code"] == "WRONG_CREDENTIALS"
    # Whoever was in with the old one is out at once.
    assert await asks(house, before["accessToken"]) == 401
    # The token was good once.
    spent = await do(house, RESET, resetToken=verified["resetToken"], newPassword=PASSWORD)
    assert spent["userErrors"][0]["code"] == "EXPIRED"


async def test_nadie_sabe_que_direcciones_existen(house: Portal) -> None:
    """La misma respuesta para quien tiene acceso y para quien no; solo uno recibe un correo."""
    await member(house)
    known = await do(house, FORGOTTEN, email=EVA)
    unknown = await do(house, FORGOTTEN, email="nadie@ninguna.example")
    assert known == unknown
    await mail_to(house, EVA, 2)
    assert mails(house, "nadie@ninguna.example") == []
    wrong = [
        await do(house, SIGN_IN, email=email, password=OTHER)
        for email in (EVA, "nadie@ninguna.example")
    ]
    assert wrong[0] == wrong[1]
    codes = [
        await do(house, VERIFY, email=email, code="000000")
        for email in (EVA, "nadie@ninguna.example")
    ]
    assert codes[0]["userErrors"][0]["message"] == codes[1]["userErrors"][0]["message"]


async def test_codigo_equivocado_cinco_veces(house: Portal) -> None:
    """Después de cinco códigos equivocados ya no sirve ni el correcto, y se dice cuándo repetir."""
    await member(house)
    code = await code_of(house, 2)
    wrong = "000000" if code != "000000" else "111111"
    answers = [(await do(house, VERIFY, email=EVA, code=wrong))["userErrors"] for _ in range(5)]
    assert {errors[0]["code"] for errors in answers[:4]} == {"WRONG_CREDENTIALS"}
    [last] = (await do(house, VERIFY, email=EVA, code=code))["userErrors"]
    assert (last["code"], last["message"]) == (
        "TOO_MANY_ATTEMPTS",
        "Demasiados códigos incorrectos. Solicita uno nuevo.",
    )
    assert datetime.fromisoformat(last["retryAt"]) >= house.clock.now
    # A new code is a new start.
    again = await do(house, VERIFY, email=EVA, code=await code_of(house, 3))
    assert again["resetToken"]


async def test_codigos_adivinados_a_la_vez(house: Portal) -> None:
    """Adivinar en paralelo no da más intentos que adivinar uno por uno."""
    await member(house)
    code = await code_of(house, 2)
    guesses = [f"{(int(code) + step) % 1_000_000:06d}" for step in range(1, 13)]
    answers = await asyncio.gather(*(do(house, VERIFY, email=EVA, code=g) for g in guesses))
    codes = [answer["userErrors"][0]["code"] for answer in answers]
    assert codes.count("WRONG_CREDENTIALS") <= 5
    assert (await do(house, VERIFY, email=EVA, code=code))["resetToken"] is None


async def test_el_codigo_vale_quince_minutos(house: Portal) -> None:
    """Un código viejo no abre nada, y se dice que hay que pedir otro."""
    await member(house)
    code = await code_of(house, 2)
    await later(house, minutes=15, seconds=1)
    [error] = (await do(house, VERIFY, email=EVA, code=code))["userErrors"]
    assert (error["code"], error["message"]) == (
        "EXPIRED",
        "El código ya no es válido. Solicita uno nuevo.",
    )


async def test_demasiados_intentos_de_entrar(house: Portal) -> None:
    """Después de diez contraseñas equivocadas se espera, y se dice hasta cuándo."""
    await member(house)
    for _ in range(10):
        assert (await sign_in(house, OTHER))["userErrors"][0]["code"] == "WRONG_CREDENTIALS"
    [error] = (await sign_in(house, PASSWORD))["userErrors"]
    assert error["code"] == "TOO_MANY_ATTEMPTS"
    until = datetime.fromisoformat(error["retryAt"])
    assert until > house.clock.now
    await later(house, seconds=(until - house.clock.now).total_seconds() + 1)
    assert (await sign_in(house, PASSWORD))["session"]


async def test_muchos_intentos_en_un_solo_documento_cuentan_todos(house: Portal) -> None:
    """Veinte contraseñas en una sola petición son veinte intentos."""
    await member(house)
    field = 's{0}: signIn(input: {{email: "{1}", password: "{2}"}}) {{ session {{ accessToken }} userErrors {{ code }} }}'
    # The right one comes last.
    fields = [field.format(at, EVA, OTHER if at < 19 else PASSWORD) for at in range(20)]
    answer = await house.ask(f"mutation {{ {' '.join(fields)} }}", by=None)
    codes = [answer.data[f"s{at}"]["userErrors"][0]["code"] for at in range(20)]
    assert codes == ["WRONG_CREDENTIALS"] * 10 + ["TOO_MANY_ATTEMPTS"] * 10


async def test_cambiar_la_contrasena_que_se_sabe(house: Portal) -> None:
    """Con la de ahora se pone la nueva; las otras sesiones terminan y esta sigue."""
    here = await member(house)
    there = (await sign_in(house, PASSWORD))["session"]
    token = here["accessToken"]
    given = {"currentPassword": OTHER, "newPassword": OTHER}
    [error] = (await do(house, CHANGE, bearer=token, **given))["userErrors"]
    assert (error["code"], error["field"]) == ("WRONG_CREDENTIALS", ["input", "currentPassword"])
    given = {"currentPassword": PASSWORD, "newPassword": OTHER}
    payload = await do(house, CHANGE, bearer=token, **given)
    assert payload == {"message": "Tu contraseña fue cambiada.", "userErrors": []}
    assert await asks(house, token) == 200
    assert await asks(house, there["accessToken"]) == 401
    assert (await sign_in(house, OTHER))["session"]


async def test_ningun_secreto_queda_en_la_auditoria(house: Portal) -> None:
    """La auditoría dice quién hizo qué, sin contraseñas, códigos ni tokens."""
    session = await member(house)
    code = await code_of(house, 2)
    verified = await do(house, VERIFY, email=EVA, code=code)
    await do(house, RESET, resetToken=verified["resetToken"], newPassword=OTHER)
    await sign_in(house, PASSWORD)
    text = (house.folder / "audit.jsonl").read_text(encoding="utf-8")
    for event in ("invitation.sent", "invitation.accepted", "session.started", "reset.requested"):
        assert f'"event": "{event}"' in text
    assert EVA in text
    secrets = [PASSWORD, OTHER, f'"{code}"', verified["resetToken"], session["refreshToken"]]
    assert [secret for secret in secrets if secret in text] == []
