"""What the invented company sells: boards, profiles, insulation, screws and joint compound."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True, slots=True)
class Product:
    """price: US cents a unit before tax. weight: grams a unit. Names have 40 characters at most."""

    code: str
    spanish: str
    portuguese: str
    unit: str
    group: str
    price: int
    weight: int


PRODUCTS: Final = (
    Product("PYL-ST-127", "Placa de yeso estándar 12,7 mm 1,22x2,44",
            "Chapa de gesso padrão 12,5 mm 1,20x2,40", "PC", "PLACAS", 820, 25_000),
    Product("PYL-ST-095", "Placa de yeso estándar 9,5 mm 1,22x2,44",
            "Chapa de gesso padrão 9,5 mm 1,20x2,40", "PC", "PLACAS", 690, 19_500),
    Product("PYL-RH-127", "Placa resistente a humedad 12,7 mm",
            "Chapa resistente à umidade 12,5 mm", "PC", "PLACAS", 1_090, 27_000),
    Product("PYL-RF-159", "Placa resistente al fuego 15,9 mm",
            "Chapa resistente ao fogo 15 mm", "PC", "PLACAS", 1_310, 33_500),
    Product("PYL-AC-127", "Placa acústica perforada 12,7 mm",
            "Chapa acústica perfurada 12,5 mm", "M2", "PLACAS", 1_480, 8_700),
    Product("FBC-ST-06", "Placa de fibrocemento 6 mm 1,22x2,44",
            "Placa cimentícia 6 mm 1,20x2,40", "PC", "FIBROCEM", 1_890, 27_500),
    Product("FBC-ST-10", "Placa de fibrocemento 10 mm 1,22x2,44",
            "Placa cimentícia 10 mm 1,20x2,40", "PC", "FIBROCEM", 2_740, 45_000),
    Product("FBC-MAD-08", "Tablilla de fibrocemento símil madera",
            "Régua cimentícia aspecto madeira", "PC", "FIBROCEM", 1_120, 9_800),
    Product("PER-M48-30", "Montante 48 mm calibre 26 x 3,00 m",
            "Montante 48 mm x 3,00 m", "PC", "PERFILES", 240, 1_450),
    Product("PER-M70-30", "Montante 70 mm calibre 26 x 3,00 m",
            "Montante 70 mm x 3,00 m", "PC", "PERFILES", 310, 1_800),
    Product("PER-S49-30", "Solera 49 mm calibre 26 x 3,00 m",
            "Guia 49 mm x 3,00 m", "PC", "PERFILES", 220, 1_300),
    Product("PER-OMG-30", "Perfil omega 3,00 m", "Perfil ômega 3,00 m", "PC", "PERFILES", 190, 950),
    Product("PER-ANG-25", "Ángulo de ajuste 25x25 mm",
            "Cantoneira de ajuste 25x25 mm", "PC", "PERFILES", 130, 600),
    Product("PER-T24-36", "Perfil T 24 mm para cielo raso 3,60 m",
            "Perfil T 24 mm para forro 3,60 m", "PC", "PERFILES", 260, 1_050),
    Product("AIS-LV-50", "Lana de vidrio 50 mm con papel kraft",
            "Lã de vidro 50 mm com papel kraft", "ROL", "AISLANTE", 3_650, 14_000),
    Product("AIS-LR-40", "Lana de roca 40 kg/m3 50 mm",
            "Lã de rocha 40 kg/m3 50 mm", "M2", "AISLANTE", 480, 2_000),
    Product("AIS-BA-90", "Banda acústica 90 mm x 30 m",
            "Banda acústica 90 mm x 30 m", "ROL", "AISLANTE", 890, 700),
    Product("TOR-PM-6X1", 'Tornillo punta mecha 6 x 1"',
            'Parafuso ponta broca 6 x 1"', "BOX", "FIJACION", 940, 1_600),
    Product("TOR-PA-6X114", 'Tornillo punta aguja 6 x 1 1/4"',
            'Parafuso ponta agulha 6 x 1 1/4"', "BOX", "FIJACION", 980, 1_900),
    Product("TOR-FB-8X114", "Tornillo con alas para fibrocemento",
            "Parafuso com asas para placa cimentícia", "BOX", "FIJACION", 1_750, 2_400),
    Product("MAS-LP-25", "Masilla lista para usar 25 kg",
            "Massa pronta para juntas 25 kg", "PC", "JUNTAS", 1_560, 25_600),
    Product("MAS-PV-20", "Masilla en polvo de secado rápido",
            "Massa em pó de secagem rápida", "KG", "JUNTAS", 72, 1_000),
    Product("CIN-PA-75", "Cinta de papel microperforada 75 m",
            "Fita de papel microperfurada 75 m", "ROL", "JUNTAS", 290, 350),
    Product("CIN-FV-90", "Cinta de fibra de vidrio 90 m",
            "Fita de fibra de vidro 90 m", "ROL", "JUNTAS", 430, 400),
)  # fmt: skip

# Nothing is sent for it: an order of services alone is never delivered.
TRAINING: Final = Product(
    "SRV-CAP-01", "Capacitación de instaladores en obra",
    "Treinamento de instaladores na obra", "PC", "SERVICIO", 18_000, 0,
)  # fmt: skip

# How many of a unit one order line asks for: from, to, in steps of. Two at least: a line may be
# sent in two parts.
QUANTITIES: Final = {
    "PC": (10, 400, 10),
    "M2": (15, 240, 1),
    "ROL": (2, 60, 2),
    "BOX": (2, 40, 1),
    "KG": (20, 600, 20),
}
ISO_UNITS: Final = {"PC": "PCE", "M2": "MTK", "ROL": "RO", "BOX": "BX", "KG": "KGM"}
