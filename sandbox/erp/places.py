"""Where goods go to: the addresses of each customer, its sales organisation, and the carriers."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from sandbox.people import CUSTOMERS


@dataclass(frozen=True, slots=True)
class Market:
    """tax: thousandths of the net amount. dollar: how many units of the currency one buys, in
    thousandths. region: the vendor's code of the customer's head office."""

    organisation: str
    plant: str
    tax: int
    dollar: int
    region: str
    language: str
    zone: str


MARKETS: Final = {
    "CO": Market("1710", "CO01", 190, 4_000_000, "25", "ES", "UTC-5"),
    "PE": Market("1720", "PE01", 180, 3_750, "15", "ES", "UTC-5"),
    "CL": Market("1730", "CL01", 190, 950_000, "13", "ES", "CHILE"),
    "AR": Market("1740", "AR01", 210, 1_050_000, "00", "ES", "UTC-3"),
    "BR": Market("1750", "BR01", 170, 5_200, "SP", "PT", "BRAZIL"),
}


@dataclass(frozen=True, slots=True)
class Place:
    """One address of a customer. number: its AddressID."""

    customer: str
    number: str
    name: str
    street: str
    house: str
    district: str
    city: str
    region: str
    postal_code: str
    country: str


# Name, street, house number, district, city, the vendor's region code, postal code.
_SITES: Final = {
    "17100001": (
        ("Bodega Fontibón", "Calle 17", "96-50", "Fontibón", "Bogotá", "11", "110921"),
        ("Obra Torre del Parque", "Carrera 43A", "7-50", "El Poblado", "Medellín", "05", "050021"),
    ),
    "17100002": (
        ("Almacén Lurín", "Antigua Panamericana Sur", "Km 36", "Lurín", "Lima", "15", "15823"),
    ),
    "17100003": (
        ("Bodega Quilicura", "Av. Américo Vespucio", "1640", "Quilicura", "Santiago", "13",
         "8720000"),
        ("Obra Edificio Mar d'Azur", "Av. Borgoño", "15200", "Reñaca", "Viña del Mar", "05",
         "2540000"),
    ),
    "17100004": (
        ("Depósito Pilar", "Ruta Panamericana", "Km 54", "Pilar", "Buenos Aires", "01", "B1629"),
        ("Obra Costanera Norte", "Av. Costanera", "3050", "", "Rosario", "12", "S2000"),
    ),
    "17100005": (
        ("Depósito Guarulhos", "Rodovia Presidente Dutra", "Km 217", "Cumbica", "Guarulhos", "SP",
         "07220-000"),
        ("Obra Residencial Água Verde", "Av. República Argentina", "2275", "Água Verde",
         "Curitiba", "PR", "80610-260"),
    ),
}  # fmt: skip

# Supplier number and name; the deliveries name them as partner function CR.
CARRIERS: Final = (
    ("40000011", "Transportes del Altiplano S.A."),
    ("40000012", "Logística Cono Sur Ltda."),
    ("40000013", "Fletes Cordillera SpA"),
    ("40000014", "Rodoviário Planalto Ltda."),
)


def places() -> dict[str, tuple[Place, ...]]:
    """By customer number: the head office, then the places that goods are sent to."""
    found = {}
    for order, customer in enumerate(CUSTOMERS, start=1):
        base = 20_000 + order * 10
        office = Place(
            customer.number, str(base), customer.name, customer.street, "", "", customer.city,
            MARKETS[customer.country].region, customer.postal_code, customer.country,
        )  # fmt: skip
        sites = (
            Place(customer.number, str(base + n), *site, customer.country)
            for n, site in enumerate(_SITES[customer.number], start=1)
        )
        found[customer.number] = (office, *sites)
    return found
