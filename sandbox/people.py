"""Who lives in the sandbox: the facts that CRM and ERP must agree on. All of it is invented."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Customer:
    """crm_id: 18 characters, as Salesforce gives. number: what both sides call the customer."""

    crm_id: str
    number: str
    name: str
    tax_id: str
    country: str
    currency: str
    phone: str
    street: str
    city: str
    region: str
    postal_code: str
    site: str


@dataclass(frozen=True, slots=True)
class Person:
    """role: of the direct relation. also: numbers of further customers, each with a role."""

    crm_id: str
    first_name: str
    last_name: str
    email: str
    title: str
    phone: str
    language: str
    customer: str
    role: str
    also: tuple[tuple[str, str], ...] = ()


CUSTOMERS: tuple[Customer, ...] = (
    Customer(
        "001SB00000ANDNAQA1",
        "17100001",
        "Andina Construcciones S.A.S.",
        "900412873-1",
        "CO",
        "COP",
        "+57 601 555 0101",
        "Carrera 11 # 82-71",
        "Bogotá",
        "Cundinamarca",
        "110221",
        "andina.example",
    ),
    Customer(
        "001SB00000PACFQAB2",
        "17100002",
        "Pacífico Acabados S.A.C.",
        "20512345678",
        "PE",
        "PEN",
        "+51 1 555 0102",
        "Av. Javier Prado Este 4200",
        "Lima",
        "Lima",
        "15023",
        "pacifico.example",
    ),
    Customer(
        "001SB00000ASTRQAC3",
        "17100003",
        "Austral Tabiques SpA",
        "76543210-K",
        "CL",
        "CLP",
        "+56 2 5555 0103",
        "Av. Apoquindo 3600",
        "Santiago",
        "Región Metropolitana",
        "7550108",
        "austral.example",
    ),
    Customer(
        "001SB00000PLATQAD4",
        "17100004",
        "Plata Construcción en Seco S.A.",
        "30-71234567-9",
        "AR",
        "ARS",
        "+54 11 5555 0104",
        "Av. Corrientes 1234",
        "Buenos Aires",
        "CABA",
        "C1043AAZ",
        "plata.example",
    ),
    Customer(
        "001SB00000HRZTQAE5",
        "17100005",
        "Horizonte Drywall Ltda.",
        "12.345.678/0001-95",
        "BR",
        "BRL",
        "+55 11 5555-0105",
        "Av. Paulista 1578",
        "São Paulo",
        "SP",
        "01310-200",
        "horizonte.example",
    ),
)

PEOPLE: tuple[Person, ...] = (
    Person("003SB00000ANATQAA1", "Ana", "Torres", "ana.torres@andina.example",
           "Jefe de compras", "+57 300 555 0111", "es-CO", "17100001", "Portal Admin"),
    Person("003SB00000JORGQAA2", "Jorge", "Pineda", "jorge.pineda@andina.example",
           "Coordinador de obra", "+57 300 555 0112", "es-CO", "17100001", "Portal Member"),
    Person("003SB00000MARIQAA3", "María José", "Ñáñez", "maria.nanez@andina.example",
           "Contadora", "+57 300 555 0113", "es-CO", "17100001", "Portal Reader"),
    Person("003SB00000LUISQAB1", "Luis", "Rojas", "luis.rojas@pacifico.example",
           "Gerente de operaciones", "+51 999 555 121", "es-PE", "17100002", "Portal Admin"),
    Person("003SB00000ROSAQAB2", "Rosa", "Quispe", "rosa.quispe@pacifico.example",
           "Asistente de compras", "+51 999 555 122", "es-PE", "17100002", "Portal Member"),
    Person("003SB00000CAMIQAC1", "Camila", "Soto", "camila.soto@austral.example",
           "Encargada de abastecimiento", "+56 9 5555 0131", "es-CL", "17100003", "Portal Admin"),
    Person("003SB00000PABLQAC2", "Pablo", "Reyes", "pablo.reyes@austral.example",
           "Jefe de bodega", "+56 9 5555 0132", "es-CL", "17100003", "Portal Member"),
    Person("003SB00000DIEGQAD1", "Diego", "O'Connor", "diego.oconnor@plata.example",
           "Director comercial", "+54 11 5555 0141", "es-AR", "17100004", "Portal Admin"),
    Person("003SB00000VALEQAD2", "Valentina", "Gómez", "valentina.gomez@plata.example",
           "Analista de compras", "+54 11 5555 0142", "es-AR", "17100004", "Portal Reader"),
    Person("003SB00000CARLQAE1", "Carla", "Mendes", "carla.mendes@horizonte.example",
           "Gerente de suprimentos", "+55 11 95555-0151", "pt-BR", "17100005", "Portal Admin",
           also=(("17100004", "Portal Member"),)),
    Person("003SB00000RAFAQAE2", "Rafael", "Souza", "rafael.souza@horizonte.example",
           "Comprador", "+55 11 95555-0152", "pt-BR", "17100005", "Portal Member"),
    Person("003SB00000BIANQAE3", "Bianca", "Araújo", "bianca.araujo@horizonte.example",
           "Financeiro", "+55 11 95555-0153", "pt-BR", "17100005", "Portal Reader"),
)  # fmt: skip
