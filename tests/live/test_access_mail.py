"""Los caminos de entrada de la ayuda del portal, con los correos por un servidor SMTP de verdad."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import pytest
from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, Envelope, Session

import sandbox.data
from tests.live.processes import free_port
from tests.stories.doors import (
    ACCEPT,
    ANDINA,
    EVA,
    FORGOTTEN,
    INVITE,
    ME,
    OTHER,
    PASSWORD,
    RESET,
    SIGN_IN,
    VERIFY,
    do,
    invited,
    later,
    mail_to,
    mails,
    member,
)
from tests.stories.portal import NOW, Portal, opened

pytestmark = [pytest.mark.anyio, pytest.mark.live]


class Postman:
    """Takes every mail and puts it where the stories look. refuses: recipients that it does not
    know. envelopes: from whom to whom each went."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self.refuses: set[str] = set()
        self.envelopes: list[tuple[str | None, list[str]]] = []

    async def handle_RCPT(  # noqa: N802 - the server's name for it
        self, server: SMTP, session: Session, envelope: Envelope, address: str, options: list[Any]
    ) -> str:
        if address in self.refuses:
            return "550 5.1.1 no such mailbox"
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(  # noqa: N802
        self, server: SMTP, session: Session, envelope: Envelope
    ) -> str:
        self.envelopes.append((envelope.mail_from, list(envelope.rcpt_tos)))
        self._folder.mkdir(exist_ok=True)
        path = self._folder / f"{len(self.envelopes):04}.eml"
        assert isinstance(envelope.original_content, bytes)
        path.write_bytes(envelope.original_content)
        return "250 taken"


@pytest.fixture
def postman(tmp_path: Path) -> Iterator[tuple[Postman, int]]:
    handler, port = Postman(tmp_path / "mail"), free_port()
    server = Controller(handler, hostname="127.0.0.1", port=port)
    server.start()
    yield handler, port
    server.stop()


@pytest.fixture
async def house(tmp_path: Path, postman: tuple[Postman, int]) -> AsyncIterator[Portal]:
    """A portal whose mails go by SMTP."""
    smtp = {"host": "127.0.0.1", "port": postman[1], "security": "none"}
    mail = {"smtp": smtp, "sender_name": "Portal Andes", "sender_address": "portal@andes.example"}
    data = tmp_path / "sandbox.sqlite"
    sandbox.data.build(data, NOW.date())
    async with opened(data, tmp_path, identity={"mail": mail}) as portal:
        yield portal


async def test_invitacion_correo_enlace_contrasena_y_dentro(
    house: Portal, postman: tuple[Postman, int]
) -> None:
    """Haz clic en el enlace de invitación, establece tu propia contraseña y haz clic en Crear."""
    mail = await invited(house)
    assert postman[0].envelopes == [("portal@andes.example", [EVA])]
    assert str(mail.message["From"]) == "Portal Andes <portal@andes.example>"
    assert mail.subject == "Invitación al portal de clientes de Andina Construcciones S.A.S."
    assert mail.link_token in mail.html
    accepted = await do(house, ACCEPT, token=mail.link_token, password=PASSWORD)
    assert accepted["userErrors"] == []
    token = accepted["session"]["accessToken"]
    assert (await house.ask(ME, token=token)).data["viewer"]["name"] == "Eva Ríos"
    assert (await do(house, SIGN_IN, email=EVA, password=PASSWORD))["session"]


async def test_el_enlace_esta_activo_durante_48_horas(house: Portal) -> None:
    """Si deseas acceder más tarde, comunícate con nuestro equipo de soporte."""
    mail = await invited(house)
    await later(house, hours=48, seconds=1)
    [error] = (await do(house, ACCEPT, token=mail.link_token, password=PASSWORD))["userErrors"]
    assert error["code"] == "EXPIRED"
    assert "equipo de soporte" in error["message"]


async def test_olvido_correo_codigo_y_contrasena_nueva(house: Portal) -> None:
    """Recibirás un correo con un código de verificación; pégalo y presiona Verificar código."""
    await member(house)
    await do(house, FORGOTTEN, email=EVA)
    code = (await mail_to(house, EVA, 2)).code
    verified = await do(house, VERIFY, email=EVA, code=code)
    done = await do(house, RESET, resetToken=verified["resetToken"], newPassword=OTHER)
    assert done["userErrors"] == []
    assert (await do(house, SIGN_IN, email=EVA, password=OTHER))["session"]
    notice = await mail_to(house, EVA, 3)
    assert "contraseña" in notice.subject


async def test_codigo_equivocado_cinco_veces(house: Portal) -> None:
    """Cinco códigos equivocados, y el correcto ya no sirve."""
    await member(house)
    await do(house, FORGOTTEN, email=EVA)
    code = (await mail_to(house, EVA, 2)).code
    wrong = "000000" if code != "000000" else "111111"
    for _ in range(5):
        await do(house, VERIFY, email=EVA, code=wrong)
    [error] = (await do(house, VERIFY, email=EVA, code=code))["userErrors"]
    assert error["code"] == "TOO_MANY_ATTEMPTS"
    assert error["retryAt"]


async def test_quien_no_es_cliente_no_recibe_nada(
    house: Portal, postman: tuple[Postman, int]
) -> None:
    """Nadie se entera de quién tiene acceso, y al desconocido no le llega ningún correo."""
    await member(house)
    unknown = await do(house, FORGOTTEN, email="nadie@ninguna.example")
    assert unknown == await do(house, FORGOTTEN, email=EVA)
    await mail_to(house, EVA, 2)
    assert {to for _, addresses in postman[0].envelopes for to in addresses} == {EVA}


async def test_un_buzon_que_no_existe_no_detiene_a_los_demas(
    house: Portal, postman: tuple[Postman, int]
) -> None:
    """El servidor rechaza a un destinatario: queda en la auditoría, y los otros correos salen."""
    postman[0].refuses.add("nadie@andina.example")
    given = {"role": "READER", "by": "ana.torres@andina.example"}
    lost = await do(
        house, INVITE, accountId=ANDINA, email="nadie@andina.example", name="Nadie Aquí", **given
    )
    assert lost["userErrors"] == []
    assert (await invited(house)).link_token
    assert mails(house, "nadie@andina.example") == []
    audit, told = house.folder / "audit.jsonl", False
    for _ in range(100):
        told = '"event": "mail.given_up"' in audit.read_text(encoding="utf-8")
        if told:
            break
        await asyncio.sleep(0.05)
    assert told
