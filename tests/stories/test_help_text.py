"""The reading flows of the portal's help text, in Spanish, as a portal would ask them."""

from __future__ import annotations

import pytest

from tests.stories.portal import Portal

pytestmark = pytest.mark.anyio


async def test_vista_general_de_mis_consultas_o_reclamaciones(portal: Portal) -> None:
    """Puedes ver todas o hacer una búsqueda: número, categoría, fecha de creación desde/hasta."""
    every = (
        await portal.ask(
            "{ cases(first: 100) { totalCount nodes { number createdAt category { code label } } } }"
        )
    ).data["cases"]
    assert every["totalCount"] == len(every["nodes"])
    assert {c["category"]["label"] for c in every["nodes"]} >= {"Consulta", "Reclamo de factura"}
    one = every["nodes"][7]

    by_number = "query($n: String!) { cases(filter: {number: $n}) { nodes { number } } }"
    for typed in (one["number"], one["number"].lstrip("0")):
        answer = await portal.ask(by_number, {"n": typed})
        assert [c["number"] for c in answer.data["cases"]["nodes"]] == [one["number"]]
        assert answer.cost == {"crm": 1}

    by_category = "query($c: [String!]) { cases(first: 100, filter: {categories: $c}) { nodes { category { code } } } }"
    claims = (await portal.ask(by_category, {"c": ["PRODUCT_CLAIM"]})).data["cases"]["nodes"]
    assert {c["category"]["code"] for c in claims} == {"PRODUCT_CLAIM"}
    expected = [c for c in every["nodes"] if c["category"]["code"] == "PRODUCT_CLAIM"]
    assert len(claims) == len(expected)

    by_date = """query($from: Date, $to: Date) {
      cases(first: 100, filter: {createdOn: {from: $from, to: $to}}) { nodes { number createdAt } } }"""
    day = one["createdAt"][:10]
    found = (await portal.ask(by_date, {"from": day, "to": day})).data["cases"]["nodes"]
    assert found
    assert all(c["createdAt"][:10] in (day, next_day(day)) for c in found)


def next_day(day: str) -> str:
    """Instants are told in UTC: an evening in Bogotá is the next day there."""
    from datetime import date, timedelta

    return (date.fromisoformat(day) + timedelta(days=1)).isoformat()


async def test_mis_pedidos(portal: Portal) -> None:
    """ID o referencia del cliente, fecha del pedido desde/hasta, estado."""
    every = (
        await portal.ask(
            "{ orders(first: 50) { nodes { number customerReference orderedOn status } } }"
        )
    ).data["orders"]["nodes"]
    one = next(o for o in every if o["customerReference"])
    search = (
        "query($s: String!) { orders(filter: {search: $s}) { nodes { number customerReference } } }"
    )
    for typed in (one["number"], one["customerReference"], one["customerReference"][1:]):
        answer = await portal.ask(search, {"s": typed})
        assert one["number"] in [o["number"] for o in answer.data["orders"]["nodes"]]
        assert answer.cost == {"erp": 1}

    by_date = """query($from: Date, $to: Date, $statuses: [OrderStatus!]) {
      orders(first: 100, filter: {orderedOn: {from: $from, to: $to}, statuses: $statuses}) {
        nodes { orderedOn status } } }"""
    for status in (
        "OPEN",
        "CONFIRMED",
        "IN_DELIVERY",
        "DELIVERED",
        "INVOICED",
        "BLOCKED",
        "CANCELLED",
    ):
        variables = {"from": "2025-01-01", "to": "2026-11-18", "statuses": [status]}
        found = (await portal.ask(by_date, variables)).data["orders"]["nodes"]
        assert found, status
        assert {o["status"] for o in found} == {status}
        assert all("2025-01-01" <= o["orderedOn"] <= "2026-11-18" for o in found)


async def test_detalles_de_una_solicitud(portal: Portal) -> None:
    """Details, what was filled in, comments and files; internal notes never show."""
    cases = (
        await portal.ask(
            """{ cases(first: 100) { nodes { number subcategory { code label } details { name label value }
             comments { totalCount nodes { body createdAt author { name isServiceTeam contact { name } } } }
             attachments { nodes { filename contentType size } } } } }"""
        )
    ).data["cases"]["nodes"]
    assert any(c["details"] for c in cases)
    assert any(c["subcategory"] and c["subcategory"]["code"] == "TRAINING" for c in cases)
    comments = [comment for c in cases for comment in c["comments"]["nodes"]]
    assert {comment["author"]["isServiceTeam"] for comment in comments} == {True, False}
    for c in cases:
        moments = [comment["createdAt"] for comment in c["comments"]["nodes"]]
        assert moments == sorted(moments)
        assert c["comments"]["totalCount"] == len(moments)
    assert any(c["attachments"]["nodes"] for c in cases)


async def test_notas_internas_no_se_muestran(portal: Portal, database: object) -> None:
    import sqlite3

    with sqlite3.connect(str(database)) as tables:
        notes = {
            body
            for (body,) in tables.execute(
                "SELECT CommentBody FROM crm_CaseComment WHERE NOT IsPublished"
            )
        }
    tables.close()
    assert notes
    cases = (
        await portal.ask(
            "{ cases(first: 100) { nodes { comments(first: 100) { nodes { body } } } } }"
        )
    ).data["cases"]["nodes"]
    shown = {comment["body"] for c in cases for comment in c["comments"]["nodes"]}
    assert shown
    assert not shown & notes


async def test_categorias_con_su_formulario(portal: Portal) -> None:
    answer = await portal.ask(
        """{ caseCategories { code kind label description form { name type required label }
             subcategories { code label description form { name type required label help maxLength
               options { value label } } } } }"""
    )
    by_code = {c["code"]: c for c in answer.data["caseCategories"]}
    assert "nota crédito" in by_code["INVOICE_CLAIM"]["description"]
    training = next(s for s in by_code["OTHER_REQUEST"]["subcategories"] if s["code"] == "TRAINING")
    assert [f["name"] for f in training["form"]] == [
        "company",
        "site_name",
        "address",
        "city",
        "people",
        "reason",
    ]
    assert answer.calls == []


async def test_preguntas_frecuentes(portal: Portal) -> None:
    search = "query($s: String) { faqs(search: $s) { nodes { question answer topic } } }"
    found = (await portal.ask(search, {"s": "invitacion 48"})).data["faqs"]["nodes"]
    assert found, "accents and capitals do not matter"
    assert all("48 horas" in entry["answer"] for entry in found)
    assert {entry["topic"] for entry in found} == {"ACCESS"}
    english = (await portal.ask(search, {"s": "invitation"}, language="en")).data["faqs"]["nodes"]
    assert any("48 hours" in entry["answer"] for entry in english)
    every = (await portal.ask("{ faqs(first: 100) { nodes { id } } }")).data["faqs"]["nodes"]
    assert len(every) >= 15


async def test_horarios_de_atencion_de_cada_pais(portal: Portal) -> None:
    query = """query($c: CountryCode!) { supportDesk(country: $c) {
      phone email chatUrl timeZone openingHours { day opens closes } isOpen opensAt } }"""
    for country in ("CO", "PE", "CL", "AR", "BR"):
        desk = (await portal.ask(query, {"c": country}, by=None)).data["supportDesk"]
        assert desk["phone"]
        assert {"MONDAY", "FRIDAY"} <= {h["day"] for h in desk["openingHours"]}
        assert desk["isOpen"] is (desk["opensAt"] is None)
    assert (await portal.ask(query, {"c": "JP"}, by=None)).data["supportDesk"] is None


async def test_las_respuestas_tienen_una_hora_prometida(portal: Portal) -> None:
    cases = (
        await portal.ask("{ cases(first: 100) { nodes { status createdAt answerDueAt } } }")
    ).data["cases"]["nodes"]
    for c in cases:
        over = c["status"] in ("RESOLVED", "CLOSED")
        assert (c["answerDueAt"] is None) is over
        if not over:
            assert c["answerDueAt"] > c["createdAt"]


async def test_novedades_en_tres_idiomas(portal: Portal) -> None:
    query = """query($l: LanguageTag, $c: CountryCode) { news(first: 100, filter: {locale: $l, country: $c}) {
      nodes { id slug title body locale countries publishedAt } } }"""
    for tag in ("es", "en", "pt"):
        answer = await portal.ask(query, {"l": tag})
        nodes = answer.data["news"]["nodes"]
        assert nodes
        assert {n["locale"].split("-")[0] for n in nodes} == {tag}
        assert "<script" not in str(nodes)
        moments = [n["publishedAt"] for n in nodes]
        assert moments == sorted(moments, reverse=True)
    peru = (await portal.ask(query, {"l": "es", "c": "PE"})).data["news"]["nodes"]
    assert all(n["countries"] == [] or "PE" in n["countries"] for n in peru)
    one = peru[0]
    again = await portal.ask(
        "query($i: ID!, $s: String!) { node(id: $i) { ... on NewsArticle { title } } newsArticle(by: {slug: $s}) { title } }",
        {"i": one["id"], "s": one["slug"]},
    )
    assert again.data["node"]["title"] == again.data["newsArticle"]["title"] == one["title"]


async def test_hojear_todo_por_cursor(portal: Portal) -> None:
    """Walking a list by its cursors, both ways, sees everything once and in order."""
    for noun, most in (("cases", 7), ("orders", 100)):
        forward: list[str] = []
        cursor = None
        while True:
            page = (
                await portal.ask(
                    f"query($a: String) {{ {noun}(first: {most}, after: $a) {{ nodes {{ number }} "
                    "pageInfo { hasNextPage endCursor } } }",
                    {"a": cursor},
                )
            ).data[noun]
            forward += [node["number"] for node in page["nodes"]]
            if not page["pageInfo"]["hasNextPage"]:
                break
            cursor = page["pageInfo"]["endCursor"]
        total = (await portal.ask(f"{{ {noun} {{ totalCount }} }}")).data[noun]["totalCount"]
        assert len(forward) == len(set(forward)) == total
        backward: list[str] = []
        cursor = None
        while True:
            page = (
                await portal.ask(
                    f"query($b: String) {{ {noun}(last: {most}, before: $b) {{ nodes {{ number }} "
                    "pageInfo { hasPreviousPage startCursor } } }",
                    {"b": cursor},
                )
            ).data[noun]
            backward = [node["number"] for node in page["nodes"]] + backward
            if not page["pageInfo"]["hasPreviousPage"]:
                break
            cursor = page["pageInfo"]["startCursor"]
        assert backward == forward
