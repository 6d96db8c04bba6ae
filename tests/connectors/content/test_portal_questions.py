"""The project's own questions: the same in every language, and no fact of the help text lost."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path

import pytest

from connectors.port.records import QuestionTopic
from connectors.systems.content.client import Shelf, read
from connectors.systems.content.settings import OWN
from connectors.systems.content.translate import folded
from schema.cases.catalogue import Catalogue

LANGUAGES = ("es", "en", "pt")

#: What the help text says, by question, in each language; compared without case and accents.
FACTS: Mapping[str, Mapping[str, tuple[str, ...]]] = {
    "what-is-the-portal": {
        "es": ("información de tu cuenta", "administrarla", "casos", "seguimiento", "novedades"),
        "en": ("account information", "manage", "cases", "follow", "news"),
        "pt": ("informações da sua conta", "administrá-la", "casos", "acompanhá", "novidades"),
    },
    "who-can-access": {
        "es": ("solo si has recibido", "invitación", "correo electrónico de tu empresa"),
        "en": ("only if you have received", "invitation", "company email address"),
        "pt": ("só pode acessar", "convite", "e-mail da sua empresa"),
    },
    "not-a-customer": {
        "es": ("cliente comercial", "enlace", "parte inferior de la página", "persona indicada"),
        "en": ("commercial customer", "link", "bottom of the page", "right person"),
        "pt": ("cliente comercial", "link", "parte inferior da página", "pessoa indicada"),
    },
    "accept-invitation": {
        "es": ("enlace de invitación", "contraseña", "“crear”", "48 horas", "equipo de soporte"),
        "en": ("invitation link", "password", "“create”", "48 hours", "support team"),
        "pt": ("link de convite", "senha", "“criar”", "48 horas", "equipe de suporte"),
    },
    "no-email": {
        "es": ("2 días", "no deseados", "servicio al cliente", "parte inferior", "tu cuenta"),
        "en": ("2 days", "junk mail", "customer service", "bottom of the page", "your account"),
        "pt": ("2 dias", "lixo eletrônico", "atendimento", "parte inferior", "sua conta"),
    },
    "sign-in": {
        "es": ("“iniciar sesión”", "correo electrónico", "contraseña"),
        "en": ("“sign in”", "email address", "password"),
        "pt": ("“entrar”", "e-mail", "senha"),
    },
    "username": {
        "es": ("usuario", "correo electrónico registrado"),
        "en": ("user name", "registered email address"),
        "pt": ("usuário", "e-mail cadastrado"),
    },
    "forgot-password": {
        "es": ("“¿olvidó su contraseña?”", "“continuar”", "código de verificación", "pega",
               "“verificar código”", "página del portal"),
        "en": ("“forgot your password?”", "“continue”", "verification code", "paste",
               "“verify code”", "page of the customer portal"),
        "pt": ("“esqueceu a sua senha?”", "“continuar”", "código de verificação", "cole",
               "“verificar código”", "página do portal"),
    },
    "request-a-user": {
        "es": ("nombre completo", "correo electrónico", "teléfono", "cargo", "confirmará",
               "paso a paso"),
        "en": ("full name", "email address", "phone number", "job title", "confirm", "steps"),
        "pt": ("nome completo", "e-mail", "telefone", "cargo", "confirmados", "passo a passo"),
    },
    "hours": {
        "es": ("24/7", "autoservicio", "horarios de atención de cada país"),
        "en": ("24/7", "self-service", "service hours of each country"),
        "pt": ("24/7", "autoatendimento", "horário de atendimento de cada país"),
    },
    "find-a-case": {
        "es": ("vista general", "ver todas", "número", "categoría", "fecha de creación"),
        "en": ("overview", "all of them", "number", "category", "creation date"),
        "pt": ("visão geral", "ver todas", "número", "categoria", "data de criação"),
    },
    "comment-on-a-case": {
        "es": ("“mis casos”", "“detalles”", "“agregar comentario”", "“enviar”",
               "“se ha enviado correctamente”"),
        "en": ("“my cases”", "“details”", "“add comment”", "“send”", "“sent successfully”"),
        "pt": ("“meus casos”", "“detalhes”", "“adicionar comentário”", "“enviar”",
               "“enviado com sucesso”"),
    },
    "attach-a-file": {
        "es": ("“mis casos”", "“detalles”", "“agregar archivos”", "carpeta del computador",
               "“enviar”", "“se ha enviado correctamente”"),
        "en": ("“my cases”", "“details”", "“add files”", "folder on your computer", "“send”",
               "“sent successfully”"),
        "pt": ("“meus casos”", "“detalhes”", "“adicionar arquivos”", "pasta do computador",
               "“enviar”", "“enviado com sucesso”"),
    },
    "find-an-order": {
        "es": ("“mis pedidos”", "id o referencia", "fecha del pedido", "estado"),
        "en": ("“my orders”", "id or customer reference", "order date", "status"),
        "pt": ("“meus pedidos”", "id ou referência", "data do pedido", "status"),
    },
    "request-a-document": {
        "es": ("requerimiento", "confirmará la gestión", "envío del documento"),
        "en": ("what you need", "being handled", "document was sent"),
        "pt": ("o que você precisa", "andamento", "envio do documento"),
    },
    "request-a-certificate": {
        "es": ("tipo de certificado", "“enviar solicitud”", "plataforma"),
        "en": ("kind of certificate", "“send request”", "platform"),
        "pt": ("tipo de certificado", "“enviar solicitação”", "plataforma"),
    },
    "material-certificates": {
        "es": ("materiales", "certificados", "“enviar solicitud”", "plataforma"),
        "en": ("materials", "certificates", "“send request”", "platform"),
        "pt": ("materiais", "certificados", "“enviar solicitação”", "plataforma"),
    },
    "request-training": {
        "es": ("empresa", "nombre de la obra", "dirección", "ciudad", "cantidad de personas",
               "motivo", "“enviar solicitud”"),
        "en": ("company", "name of the building site", "address", "city", "number of people",
               "reason", "“send request”"),
        "pt": ("empresa", "nome da obra", "endereço", "cidade", "quantidade de pessoas",
               "motivo", "“enviar solicitação”"),
    },
    "kinds-of-claim": {
        "es": ("agentes", "reclamo de factura", "precio", "flete", "impuestos", "nota crédito",
               "reclamo de servicio", "atención", "logístico", "entrega",
               "reclamo técnico de producto", "calidad de fabricación"),
        "en": ("agents", "invoice claim", "price", "freight", "taxes", "credit note",
               "service claim", "customer service", "logistics", "delivery",
               "technical product claim", "manufacturing quality"),
        "pt": ("agentes", "reclamação de fatura", "preço", "frete", "impostos",
               "nota de crédito", "reclamação de serviço", "atendimento", "logística", "entrega",
               "reclamação técnica de produto", "qualidade de fabricação"),
    },
    "error-creating-a-request": {
        "es": ("internet", "campos obligatorios", "caracteres", "“error: campo requerido”",
               "google chrome", "línea de atención", "chat", "inferior izquierda"),
        "en": ("internet", "required fields", "characters", "“error: required field”",
               "google chrome", "customer service line", "chat", "bottom left"),
        "pt": ("internet", "campos obrigatórios", "caracteres", "“erro: campo obrigatório”",
               "google chrome", "linha de atendimento", "chat", "inferior esquerdo"),
    },
}  # fmt: skip

#: Questions that send the reader to a form, by the code of what they have to choose there.
FORMS = {
    "request-a-user": "DATABASE_UPDATE",
    "request-a-document": "DOCUMENT_REQUEST",
    "request-a-certificate": "DOCUMENT_REQUEST",
    "material-certificates": "TECHNICAL_SUPPORT",
    "request-training": "TRAINING",
}
CLAIMS = ("INVOICE_CLAIM", "SERVICE_CLAIM", "PRODUCT_CLAIM")


@pytest.fixture(scope="module")
def shelves() -> Mapping[str, Shelf]:
    return read(OWN, "es")


@pytest.fixture(scope="module")
def catalogue() -> Catalogue:
    return Catalogue.read(OWN.parent / "catalogue.toml")


def answer(shelves: Mapping[str, Shelf], language: str, name: str) -> str:
    (found,) = [entry for entry in shelves[language] if entry.question.id == name]
    assert found.question.locale == language
    return f"{found.question.question}\n{found.question.answer}"


def test_every_language_has_every_question() -> None:
    names = sorted(path.name for path in OWN.glob("*.md"))
    by_language = {
        language: [
            name.removesuffix(f".{language}.md") for name in names if f".{language}." in name
        ]
        for language in LANGUAGES
    }
    assert len(names) == len(LANGUAGES) * len(FACTS)
    assert by_language["es"] == by_language["en"] == by_language["pt"]
    assert {stem[4:] for stem in by_language["es"]} == set(FACTS)


def test_every_topic_has_a_question(shelves: Mapping[str, Shelf]) -> None:
    assert {entry.question.topic for entry in shelves["es"]} == set(QuestionTopic)


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("name", FACTS)
def test_no_fact_is_lost(shelves: Mapping[str, Shelf], language: str, name: str) -> None:
    text = folded(answer(shelves, language, name))
    missing = [fact for fact in FACTS[name][language] if folded(fact) not in text]
    assert missing == []


@pytest.mark.parametrize("language", LANGUAGES)
def test_translations_have_the_same_shape(shelves: Mapping[str, Shelf], language: str) -> None:
    """As many paragraphs and items of lists, and the same numbers, as the Spanish text."""

    def shape(text: str) -> tuple[int, int, int, list[str]]:
        lines = text.splitlines()
        return (
            sum(not line for line in lines),
            sum(line.startswith("- ") for line in lines),
            sum(bool(re.match(r"\d+\. ", line)) for line in lines),
            re.findall(r"\d+", text),
        )

    for entry, original in zip(shelves[language], shelves["es"], strict=True):
        assert shape(entry.question.answer) == shape(original.question.answer), entry.question.id


@pytest.mark.parametrize("language", LANGUAGES)
def test_forms_are_called_what_the_catalogue_calls_them(
    shelves: Mapping[str, Shelf], catalogue: Catalogue, language: str
) -> None:
    other = catalogue.category("OTHER_REQUEST")
    assert {sub.code for sub in other.subcategories} == set(FORMS.values())
    for name, code in FORMS.items():
        text = answer(shelves, language, name)
        assert f"“{other.label.of(language)}”" in text
        assert f"“{catalogue.subcategory('OTHER_REQUEST', code).label.of(language)}”" in text
    for code in CLAIMS:
        text = answer(shelves, language, "kinds-of-claim")
        assert f"{catalogue.category(code).label.of(language)}: " in text


def test_no_brand_and_no_careless_typing(shelves: Mapping[str, Shelf]) -> None:
    slips = re.compile(r"\b(subcategoria|categoria|telefono|dirigete|compo|requerimineto)\b")
    for language in LANGUAGES:
        for entry in shelves[language]:
            text = f"{entry.question.question}\n{entry.question.answer}"
            assert not re.search(r"\b[Mm]y [A-Z]", text), "a name of a company's own portal"
            assert language != "es" or not slips.search(text.lower())
            assert not re.search(r'  |\s[,.;:?!]|"', text)


def test_the_folder_is_the_projects_own() -> None:
    assert Path(__file__).resolve().parents[3] / "content" / "questions" == OWN
