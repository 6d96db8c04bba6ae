"""Los envíos que cuenta la ayuda del portal, del formulario a "Se ha enviado correctamente"."""

from __future__ import annotations

import asyncio
import json
import sqlite3
from typing import Any

import pytest

from schema.nodes import to_global
from tests.stories.doors import do
from tests.stories.portal import ANA, CARLA, Answer, Portal

pytestmark = pytest.mark.anyio

JORGE = "jorge.pineda@andina.example"
SENT = "Se ha enviado correctamente"

FORMS = """{ caseCategories { code label description descriptionMaxLength asksSubject asksOrder
  form { ...F } subcategories { code label descriptionMaxLength asksSubject asksOrder form { ...F } } } }
  fragment F on FormField { name label type required maxLength options { value label } }"""
CREATE = """mutation($input: CreateCaseInput!) { createCase(input: $input) {
  message case { id number status subject team createdAt category { label } subcategory { label }
    details { label value } contact { name } account { name } order { number } }
  userErrors { code message field } } }"""
SENT_ALONE = """mutation($input: CreateCaseInput!) { createCase(input: $input) {
  message case { id number } userErrors { code field } } }"""
COMMENT = """mutation($input: AddCaseCommentInput!) { addCaseComment(input: $input) {
  message comment { body pending author { name isServiceTeam contact { name } } }
  userErrors { code message field } } }"""
CLOSE = """mutation($input: CloseCaseInput!) { closeCase(input: $input) {
  message case { number status viewerCanComment viewerCanClose } userErrors { code message field } } }"""


async def form(portal: Portal, category: str, subcategory: str | None = None) -> dict[str, Any]:
    """El formulario que dibuja el portal, por la etiqueta de cada campo. No le pregunta a nadie."""
    answer = await portal.ask(FORMS, by=None)
    assert answer.calls == []
    found = next(c for c in answer.data["caseCategories"] if c["label"] == category)
    fields, inner = found["form"], None
    if subcategory:
        inner = next(s for s in found["subcategories"] if s["label"] == subcategory)
        fields = [*fields, *inner["form"]]
    return {
        "category": found["code"],
        "subcategory": inner["code"] if inner else None,
        "fields": {field["label"]: field for field in fields},
        "most": (inner or found)["descriptionMaxLength"],
    }


async def send(
    portal: Portal,
    drawn: dict[str, Any],
    description: str,
    filled: dict[str, str],
    by: str = ANA,
    **more: Any,
) -> Answer:
    """Se llenan los campos, por su etiqueta, y se da clic en enviar."""
    details = [{"name": drawn["fields"][label]["name"], "value": v} for label, v in filled.items()]
    sent = {
        "category": drawn["category"],
        "subcategory": drawn["subcategory"],
        "description": description,
        "details": details,
        **more,
    }
    return await portal.ask(CREATE, {"input": sent}, by=by)


async def crm_row(portal: Portal, number: str) -> dict[str, Any]:
    """El caso como lo tienen los agentes."""

    def read() -> dict[str, Any]:
        connection = sqlite3.connect(portal.folder / "sandbox.sqlite", timeout=5)
        connection.row_factory = sqlite3.Row
        [row] = connection.execute("SELECT * FROM crm_Case WHERE CaseNumber = ?", (number,))
        connection.close()
        return dict(row)

    return await asyncio.to_thread(read)


async def number_of_an_order(portal: Portal, by: str = ANA) -> tuple[str, str]:
    found = (await portal.ask("{ orders(first: 1) { nodes { id number } } }", by=by)).data
    return found["orders"]["nodes"][0]["id"], found["orders"]["nodes"][0]["number"]


REQUESTS: dict[str, tuple[str, str, dict[str, str]]] = {
    "Actualización de base de datos": (
        "Master Data",
        "Nueva compradora, para que ingrese al portal.",
        {
            "Nombre completo": "Eva Ríos",
            "Correo electrónico": "eva.rios@andina.example",
            "Teléfono": "+57 300 555 0119",
            "Cargo": "Compradora",
        },
    ),
    "Soporte técnico": (
        "Technical Support",
        "Para la interventoría de la obra.",
        {"Materiales": "Placa de yeso 12,5 mm\nPerfil paral calibre 26"},
    ),
    "Solicitud de documentos": (
        "Customer Service",
        "Para una licitación.",
        {"Tipo de certificado": "Certificado de calidad"},
    ),
    "Cursos y capacitaciones": (
        "Training",
        "Para el equipo que empieza en enero.",
        {
            "Empresa": "Andina Construcciones S.A.S.",
            "Nombre de la obra": "Torre Norte",
            "Dirección": "Calle 100 # 19-54",
            "Ciudad": "Bogotá",
            "Cantidad de personas": "12",
            "Motivo de la capacitación": "Instalación de placas en altura.",
        },
    ),
}


@pytest.mark.parametrize("subcategory", REQUESTS)
async def test_otras_solicitudes(house: Portal, subcategory: str) -> None:
    """Da clic en Otras solicitudes, elige la subcategoría, llena el formulario y da clic en enviar."""
    team, description, filled = REQUESTS[subcategory]
    drawn = await form(house, "Otras solicitudes", subcategory)
    assert {f["label"] for f in drawn["fields"].values() if f["required"]} == filled.keys()
    answer = await send(house, drawn, description, filled)
    payload = answer.data["createCase"]
    assert (payload["message"], payload["userErrors"]) == (SENT, [])
    case = payload["case"]
    assert case["number"]
    assert case["status"] == "NEW"
    assert case["subject"] == subcategory
    assert case["team"] == team
    assert case["contact"]["name"] == "Ana Torres"
    assert {d["label"]: d["value"] for d in case["details"]} == filled
    row = await crm_row(house, case["number"])
    assert (row["Description"], row["Team__c"]) == (description, team)
    assert [*json.loads(row["Portal_Details__c"]).values()] == [*filled.values()]
    assert answer.cost == COST_OF_CREATE


CLAIMS = {
    "Reclamo de factura": ("Billing", {"Número de factura": "FE-90021", "Motivo": "PRICE"}),
    "Reclamo de servicio": ("Logistics", {"Número de pedido": "", "Etapa": "DELIVERY"}),
    "Reclamo técnico de producto": (
        "Product Quality",
        {"Producto": "Placa RH 12,5 mm", "Lote": "L-2231", "Cantidad afectada": "8"},
    ),
}


@pytest.mark.parametrize("category", CLAIMS)
async def test_los_tres_reclamos_llegan_a_los_agentes_correspondientes(
    house: Portal, category: str
) -> None:
    team, filled = CLAIMS[category]
    _, number = await number_of_an_order(house)
    filled = {label: value or number for label, value in filled.items()}
    answer = await send(house, await form(house, category), "Así llegó.", filled)
    payload = answer.data["createCase"]
    assert (payload["message"], payload["userErrors"]) == (SENT, [])
    assert (payload["case"]["category"]["label"], payload["case"]["team"]) == (category, team)
    row = await crm_row(house, payload["case"]["number"])
    assert row["Team__c"] == team
    if category == "Reclamo de servicio":
        assert payload["case"]["order"]["number"] == number
        assert answer.cost == {**COST_OF_CREATE, "erp": 2}  # que es suyo, y lo que se muestra de él
    else:
        assert answer.cost == COST_OF_CREATE


async def test_una_consulta_sobre_un_pedido(house: Portal) -> None:
    """Desde el detalle de un pedido: el pedido va por su id."""
    order, number = await number_of_an_order(house)
    drawn = await form(house, "Consulta")
    sent = {"orderId": order, "subject": "¿Cuándo llega?"}
    answer = await send(house, drawn, "Lo necesito el viernes.", {}, **sent)
    payload = answer.data["createCase"]
    assert payload["message"] == SENT
    assert answer.cost == {**COST_OF_CREATE, "erp": 2}
    assert payload["case"]["order"] == {"number": number}
    assert payload["case"]["subject"] == "¿Cuándo llega?"
    assert (await crm_row(house, payload["case"]["number"]))["Order_Number__c"] == number


async def test_hacer_seguimiento_a_lo_enviado(house: Portal) -> None:
    """Lo enviado está en Mis casos, se encuentra con los filtros, y su historia empieza."""
    drawn = await form(house, "Consulta")
    case = (await send(house, drawn, "Hola.", {}, subject="Hola")).data["createCase"]["case"]
    mine = await house.ask("{ cases(first: 1) { nodes { id number } } }")
    assert mine.data["cases"]["nodes"] == [{"id": case["id"], "number": case["number"]}]
    search = """query($f: CaseFilter) { cases(filter: $f) { nodes { number } } }"""
    for wanted in (
        {"number": case["number"]},
        {"categories": ["QUERY"], "createdOn": {"from": "2026-11-18", "to": "2026-11-18"}},
    ):
        found = (await house.ask(search, {"f": wanted})).data["cases"]["nodes"]
        assert {"number": case["number"]} in found
    story = await house.ask(
        """query($id: ID!) { case(by: {id: $id}) { viewerCanComment viewerCanClose
           timeline { nodes { __typename ... on CaseOpened { contact { name } } } } } }""",
        {"id": case["id"]},
    )
    shown = story.data["case"]
    assert (shown["viewerCanComment"], shown["viewerCanClose"]) == (True, True)
    assert shown["timeline"]["nodes"] == [
        {"__typename": "CaseOpened", "contact": {"name": "Ana Torres"}}
    ]


async def test_agregar_comentario(house: Portal) -> None:
    """En Mis casos, detalles, agregar comentario: escribe y da clic en enviar."""
    case = await house.ask("{ cases(filter: {statuses: [NEW]}, first: 1) { nodes { id } } }")
    key = case.data["cases"]["nodes"][0]["id"]
    answer = await house.ask(COMMENT, {"input": {"caseId": key, "body": "¿Hay noticias?"}})
    payload = answer.data["addCaseComment"]
    assert (payload["message"], payload["userErrors"]) == (SENT, [])
    assert payload["comment"]["body"] == "¿Hay noticias?"
    assert payload["comment"]["author"]["isServiceTeam"] is False
    assert answer.cost == COST_OF_COMMENT
    shown = await house.ask(
        "query($id: ID!) { case(by: {id: $id}) { comments(last: 1) { nodes { body pending } } } }",
        {"id": key},
    )
    [last] = shown.data["case"]["comments"]["nodes"]
    assert last == {"body": "¿Hay noticias?", "pending": False}


async def test_cerrar_un_caso(house: Portal) -> None:
    case = await house.ask("{ cases(filter: {statuses: [NEW]}, first: 1) { nodes { id number } } }")
    [found] = case.data["cases"]["nodes"]
    body = {"caseId": found["id"], "comment": "Gracias, resuelto."}
    answer = await house.ask(CLOSE, {"input": body})
    payload = answer.data["closeCase"]
    assert answer.cost == COST_OF_CLOSE
    assert payload["message"] == SENT
    assert payload["case"] == {
        "number": found["number"],
        "status": "CLOSED",
        "viewerCanComment": False,
        "viewerCanClose": False,
    }
    assert (await crm_row(house, found["number"]))["IsClosed"]
    again = await do(house, COMMENT, by=ANA, caseId=found["id"], body="Otra cosa")
    assert [(e["code"], e["message"]) for e in again["userErrors"]] == [
        ("CONFLICT", "Este caso está cerrado. Abre uno nuevo.")
    ]
    assert again["message"] is None


async def test_los_campos_obligatorios_y_lo_que_excede(house: Portal) -> None:
    """Se muestra todo lo que falta a la vez, y no se envía nada."""
    drawn = await form(house, "Otras solicitudes", "Cursos y capacitaciones")
    answer = await send(house, drawn, "", {"Ciudad": "Bogotá", "Cantidad de personas": "muchas"})
    payload = answer.data["createCase"]
    assert payload["message"] is payload["case"] is None
    told = {tuple(error["field"]): error["message"] for error in payload["userErrors"]}
    missing = [("input", "details", n) for n in ("company", "site_name", "address", "reason")]
    assert told == {
        **dict.fromkeys([("input", "description"), *missing], "Error- campo requerido"),
        ("input", "details", "1", "value"): "Esto no es un número entero.",
    }
    assert answer.calls == []
    long = "a" * (drawn["most"] + 1)
    [error] = (await send(house, drawn, long, REQUESTS["Cursos y capacitaciones"][2])).data[
        "createCase"
    ]["userErrors"]
    assert (error["code"], error["field"]) == ("TOO_LONG", ["input", "description"])
    assert error["message"] == f"Tiene más de {drawn['most']} caracteres."


@pytest.mark.parametrize(
    ("language", "sent", "required"),
    [
        ("en", "Sent successfully.", "Error: this field is required."),
        ("pt", "Enviado com sucesso", "Erro- campo obrigatório"),
    ],
)
async def test_en_ingles_y_en_portugues(
    house: Portal, language: str, sent: str, required: str
) -> None:
    for description, message in (("Oi", sent), (" ", None)):
        inside = {"category": "QUERY", "description": description}
        payload = await do(house, CREATE, by=JORGE, language=language, **inside)
        assert payload["message"] == message
        assert [e["message"] for e in payload["userErrors"]] == ([] if message else [required])


async def test_quien_solo_lee_no_envia(house: Portal) -> None:
    body = {"input": {"category": "QUERY", "description": "Hola"}}
    answer = await house.ask(CREATE, body, by="maria.nanez@andina.example")
    assert answer.error["extensions"]["code"] == "NOT_ALLOWED"
    assert answer.calls == []


async def test_lo_de_otro_es_como_si_no_existiera(house: Portal) -> None:
    """Un caso, un pedido o una empresa de otro responden igual que lo que no existe."""
    theirs = await house.ask(
        "{ cases(first: 1) { nodes { id } } orders(first: 1) { nodes { id number } } "
        "viewer { memberships { account { id } } } }",
        by="luis.rojas@pacifico.example",
    )
    case, order = (theirs.data[name]["nodes"][0] for name in ("cases", "orders"))
    account = theirs.data["viewer"]["memberships"][0]["account"]["id"]
    for document, name, there, nothing in (
        (COMMENT, "caseId", case["id"], to_global("Case", "500SB00000NOTHERE1")),
        (CLOSE, "caseId", case["id"], to_global("Case", "500SB00000NOTHERE1")),
        (CREATE, "orderId", order["id"], to_global("Order", "9999999999")),
        (CREATE, "accountId", account, to_global("Account", "001SB00000NOTHERE1")),
    ):
        rest = {"category": "QUERY", "description": "Hola"} if document is CREATE else {}
        rest = {"body": "Hola"} if document is COMMENT else rest
        answers = [
            await house.ask(document, {"input": {name: str(key), **rest}})
            for key in (there, nothing)
        ]
        assert answers[0].body == answers[1].body
        assert [call.method for call in answers[0].calls] == [
            call.method for call in answers[1].calls
        ]
        payload = next(iter(answers[0].partial.values()))
        assert payload is None or [e["code"] for e in payload["userErrors"]] == ["NOT_FOUND"]


async def test_quien_actua_por_varias_empresas_dice_por_cual(house: Portal) -> None:
    """Carla actúa por dos: sin decir por cuál, se le pregunta."""
    accounts = await house.ask(
        "{ viewer { memberships { account { id number } } } }", by=CARLA, language="pt"
    )
    ids = [m["account"]["id"] for m in accounts.data["viewer"]["memberships"]]
    sent = {"category": "QUERY", "description": "Oi"}
    payload = await do(house, CREATE, by=CARLA, language="pt", **sent)
    assert [(e["code"], e["field"]) for e in payload["userErrors"]] == [
        ("REQUIRED", ["input", "accountId"])
    ]
    for account in ids:
        payload = await do(house, CREATE, by=CARLA, language="pt", accountId=account, **sent)
        assert payload["message"] == "Enviado com sucesso"


async def test_la_misma_clave_no_abre_dos_casos(house: Portal) -> None:
    sent = {"category": "QUERY", "description": "Hola", "idempotencyKey": "una-vez"}
    first = await do(house, CREATE, by=ANA, **sent)
    again = await do(house, CREATE, by=ANA, **sent)
    assert again["case"]["id"] == first["case"]["id"]
    assert again["message"] == SENT
    other = await do(house, CREATE, by=ANA, **{**sent, "description": "Otra cosa"})
    assert [(e["code"], e["field"]) for e in other["userErrors"]] == [
        ("CONFLICT", ["input", "idempotencyKey"])
    ]


async def test_con_el_erp_caido_el_reclamo_se_envia(house: Portal) -> None:
    house.faults.of("erp").arm("status", 503)
    drawn = await form(house, "Reclamo de servicio")
    payload = (await send(house, drawn, "No llegó.", {"Número de pedido": "4500000007"})).partial
    assert payload["createCase"]["message"] == SENT


@pytest.mark.parametrize("down_first", [True, False])
async def test_la_misma_clave_con_el_erp_caido_o_no(house: Portal, down_first: bool) -> None:
    """Lo que se sabe del pedido cambia; lo que se envió, no: es el mismo caso."""
    order, _ = await number_of_an_order(house)
    sent = {"category": "QUERY", "description": "Hola", "orderId": order, "idempotencyKey": "una"}
    numbers = []
    for down in (down_first, not down_first):
        if down:
            house.faults.of("erp").arm("status", 503)
        numbers.append((await house.ask(SENT_ALONE, {"input": sent})).data["createCase"])
        house.faults.of("erp").reset()
    assert numbers[0]["message"] == SENT
    assert numbers[0] == numbers[1]
    in_english = await house.ask(SENT_ALONE, {"input": sent}, language="en")
    assert in_english.data["createCase"]["case"] == numbers[0]["case"]
    other = await house.ask(SENT_ALONE, {"input": {**sent, "orderId": None}})
    [error] = other.data["createCase"]["userErrors"]
    assert (error["code"], error["field"]) == ("CONFLICT", ["input", "idempotencyKey"])


#: Abrir el caso, y leer lo que se muestra de quien lo abrió y de su empresa.
COST_OF_CREATE = {"crm": 2}
#: Cómo está el caso, que es suyo, decirlo, y quién lo dijo.
COST_OF_COMMENT = {"crm": 4}
#: Cómo está el caso; que es suyo y la última palabra; que es suyo y cerrarlo; y cómo quedó.
COST_OF_CLOSE = {"crm": 6}


TIMELINE = """query($n: String!) { case(by: {number: $n}) { timeline(first: 100) { nodes { __typename
  ... on CaseOpened { at } ... on CaseComment { body createdAt } ... on Attachment { filename createdAt }
  ... on CaseStatusChanged { at from to } ... on CaseRejection { at message } } } } }"""


async def test_la_historia_de_un_caso(portal: Portal) -> None:
    """Todo lo que pasó, en un solo orden, con una sola llamada más; sin las notas internas."""
    cases = await portal.ask(
        "{ cases(first: 100) { nodes { number comments { nodes { body } } } } }"
    )
    kinds: set[str] = set()
    for case in cases.data["cases"]["nodes"][:25]:
        answer = await portal.ask(TIMELINE, {"n": case["number"]})
        assert answer.cost == {"crm": 2}
        nodes = answer.data["case"]["timeline"]["nodes"]
        assert nodes[0]["__typename"] == "CaseOpened"
        moments = [node.get("at") or node["createdAt"] for node in nodes]
        assert moments == sorted(moments)
        said = [node["body"] for node in nodes if node["__typename"] == "CaseComment"]
        assert said == [comment["body"] for comment in case["comments"]["nodes"]]
        kinds |= {node["__typename"] for node in nodes}
    assert kinds == {"CaseOpened", "CaseComment", "Attachment", "CaseStatusChanged"}


async def test_la_historia_de_muchos_casos_cuesta_lo_mismo(portal: Portal) -> None:
    text = "{ cases(first: 20) { nodes { timeline { nodes { __typename } } } } }"
    assert (await portal.ask(text)).cost == {"crm": 2}


async def test_con_el_crm_caido_el_caso_queda_recibido(house: Portal) -> None:
    """Se recibe, se ve en Mis casos sin número, y el mismo id sirve cuando el CRM vuelve."""
    await house.ask("{ viewer { name } }")  # quién es Ana, el portal ya lo sabe
    house.faults.of("crm").arm("status", 503)
    answer = await house.ask(CREATE, {"input": {"category": "QUERY", "description": "Hola"}})
    house.faults.of("crm").reset()
    payload = answer.partial["createCase"]
    assert payload["message"] == SENT
    case = payload["case"]
    # Lo que solo sabe el CRM falta, y nada más.
    assert {tuple(error["path"][2:]) for error in answer.errors} == {("contact",), ("account",)}
    assert (case["number"], case["status"], case["subject"]) == (None, "SUBMITTED", "Consulta")
    assert case["category"] == {"label": "Consulta"}
    shown = await house.ask(
        """query($id: ID!) { case(by: {id: $id}) { id subject viewerCanComment
           timeline { nodes { __typename } } } }""",
        {"id": case["id"]},
    )
    assert shown.data["case"]["subject"] == "Consulta"
    assert shown.data["case"]["viewerCanComment"] is True
    assert shown.data["case"]["timeline"]["nodes"] == [{"__typename": "CaseOpened"}]
