"""News that the invented company told in three languages."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True, slots=True)
class Story:
    """age: days before today on which it was published. countries: none for all of them. texts:
    by language a title, then paragraphs, the first of which is the excerpt."""

    name: str
    age: int
    topic: str
    tags: tuple[str, ...]
    texts: Mapping[str, tuple[str, ...]]
    countries: tuple[str, ...] = ()
    pictured: bool = True


SHARED: Final = (
    Story(
        "nueva-planta-fibrocemento",
        512,
        "empresa",
        ("fibrocemento", "inversion"),
        {
            "es": (
                "Nueva planta de fibrocemento - 2ª línea en marcha",
                "La segunda línea de placas de fibrocemento ya entrega su primer lote.",
                "La capacidad crece un 40 % y el plazo baja a cinco días hábiles.",
                "Los pedidos abiertos conservan su fecha; los nuevos salen con el corto.",
            ),
            "en": (
                "New fibre cement plant - second line running",
                "The second production line for fibre cement boards has delivered its first batch.",
                "Capacity grows by 40 % and the lead time is down to five working days.",
                "Open orders keep their date; new ones are confirmed with the shorter time.",
            ),
            "pt": (
                "Nova fábrica de placas cimentícias - 2ª linha em operação",
                "A segunda linha de placas cimentícias já entregou o seu primeiro lote.",
                "A capacidade cresce 40 % e o prazo cai para cinco dias úteis.",
                "Pedidos em aberto mantêm a data; os novos já são confirmados com o prazo menor.",
            ),
        },
    ),
    Story(
        "placa-resistente-humedad",
        455,
        "productos",
        ("placas", "humedad"),
        {
            "es": (
                'Placa RH: "la verde" ahora absorbe menos del 5 %',
                "La placa resistente a la humedad estrena fórmula para baños y cocinas.",
                "El nuevo núcleo absorbe menos del 5 % de agua en dos horas de inmersión.",
                "Perfiles, tornillos y masilla son los mismos; cambia la ficha técnica.",
            ),
            "en": (
                'Moisture board: "the green one" now absorbs less than 5 %',
                "The moisture resistant board has a new core for bathrooms and kitchens.",
                "It takes up less than 5 % of water in two hours of immersion.",
                "Studs, screws and joint compound stay the same; only the data sheet changes.",
            ),
            "pt": (
                'Chapa RU: "a verde" agora absorve menos de 5 %',
                "A chapa resistente à umidade ganhou nova fórmula para banheiros e cozinhas.",
                "O novo núcleo absorve menos de 5 % de água em duas horas de imersão.",
                "Perfis, parafusos e massa continuam os mesmos; muda apenas a ficha técnica.",
            ),
        },
    ),
    Story(
        "calculadora-de-materiales",
        398,
        "servicios",
        ("calculo", "drywall"),
        {
            "es": (
                "Calculadora de materiales: del plano al pedido",
                "Ingrese metros cuadrados y altura, y obtenga placas, perfiles y tornillos.",
                "La lista puede descargarse y adjuntarse a un pedido o a una consulta.",
                "El cálculo incluye un desperdicio del 8 %, que se puede cambiar.",
            ),
            "en": (
                "Material calculator: from the plan to the order",
                "Enter square metres and height, and get boards, studs and screws.",
                "The list can be downloaded and attached to an order or to a query.",
                "The sum includes 8 % of waste, which you can change.",
            ),
            "pt": (
                "Calculadora de materiais: da planta ao pedido",
                "Informe metros quadrados e altura e receba chapas, perfis e parafusos.",
                "A lista pode ser baixada e anexada a um pedido ou a uma consulta.",
                "O cálculo inclui 8 % de perda, que pode ser alterada.",
            ),
        },
    ),
    Story(
        "aislamiento-acustico-hoteles",
        340,
        "proyectos",
        ("acustica", "aislamiento"),
        {
            "es": (
                "Silencio en 210 habitaciones & un plazo corto",
                "Un hotel frente al mar eligió tabiques dobles con lana de roca y banda acústica.",
                "Las mediciones en obra dieron 58 dB entre habitaciones, cuatro más que lo pedido.",
                "El detalle constructivo está disponible en la sección de documentos.",
            ),
            "en": (
                "Silence in 210 rooms & a short schedule",
                "A hotel by the sea chose double partitions with rock wool and acoustic band.",
                "Measured on site, rooms are 58 dB apart: four more than asked for.",
                "The construction detail is in the documents section.",
            ),
            "pt": (
                "Silêncio em 210 quartos & um prazo curto",
                "Um hotel à beira-mar escolheu paredes duplas com lã de rocha e banda acústica.",
                "As medições na obra deram 58 dB entre quartos, quatro a mais do que o exigido.",
                "O detalhe construtivo está na seção de documentos.",
            ),
        },
        ("CL", "PE", "BR"),
    ),
    Story(
        "declaracion-ambiental",
        286,
        "sostenibilidad",
        ("ambiente", "certificacion"),
        {
            "es": (
                "Declaraciones ambientales para toda la gama",
                "Placas, fibrocemento y perfiles tienen ya su declaración de producto.",
                "Las declaraciones siguen la norma EN 15804 y fueron verificadas por un tercero.",
                "Sirven como respaldo en proyectos que buscan una certificación.",
            ),
            "en": (
                "Environmental declarations for the whole range",
                "Boards, fibre cement and profiles now have their product declaration.",
                "The declarations follow EN 15804 and were verified by a third party.",
                "They count in projects that aim for a certificate.",
            ),
            "pt": (
                "Declarações ambientais para toda a linha",
                "Chapas, placas cimentícias e perfis agora têm declaração ambiental de produto.",
                "As declarações seguem a norma EN 15804 e foram verificadas por terceiros.",
                "Servem de apoio em projetos que buscam certificação.",
            ),
        },
    ),
    Story(
        "entregas-con-cita",
        230,
        "servicios",
        ("entregas", "pedidos"),
        {
            "es": (
                "Entregas con cita: usted elige la franja",
                "En las capitales ya puede elegir una franja de dos horas para recibir su pedido.",
                "La franja se confirma la tarde anterior por correo y en el portal.",
                "Si la obra no puede recibir, la cita se cambia sin costo hasta las 17:00.",
            ),
            "en": (
                "Deliveries by appointment: you choose the slot",
                "In the capitals you can now choose a slot of two hours for your delivery.",
                "The slot is confirmed the afternoon before, by mail and in the portal.",
                "If the site cannot receive, the slot moves free of charge until 17:00.",
            ),
            "pt": (
                "Entregas com hora marcada: você escolhe a faixa",
                "Nas capitais já é possível escolher uma faixa de duas horas.",
                "A faixa é confirmada na tarde anterior por e-mail e no portal.",
                "Se a obra não puder receber, a troca é gratuita até as 17h.",
            ),
        },
    ),
    Story(
        "academia-de-instaladores",
        171,
        "eventos",
        ("capacitacion", "drywall"),
        {
            "es": (
                "Academia de instaladores: 12 ciudades, cupos limitados",
                "El ciclo de talleres prácticos recorre doce ciudades entre mayo y octubre.",
                "Cada taller dura un día e incluye juntas, cielos rasos y placas cementicias.",
                "Los clientes del portal inscriben hasta cuatro personas sin costo.",
            ),
            "en": (
                "Installers' academy: 12 cities, limited places",
                "The hands-on workshops visit twelve cities between May and October.",
                "Each takes a day and covers joints, ceilings and cement boards.",
                "Customers of the portal send up to four people free of charge.",
            ),
            "pt": (
                "Academia de instaladores: 12 cidades, vagas limitadas",
                "O ciclo de oficinas práticas passa por doze cidades entre maio e outubro.",
                "Cada oficina dura um dia e inclui juntas, forros e placas cimentícias.",
                "Clientes do portal inscrevem até quatro pessoas sem custo.",
            ),
        },
    ),
    Story(
        "nuevo-portal",
        118,
        "servicios",
        ("portal", "pedidos"),
        {
            "es": (
                "El nuevo portal: pedidos, casos y documentos en un solo lugar",
                "Consulte el estado de sus pedidos, abra casos y descargue facturas sin llamar.",
                "Cada pedido muestra sus entregas y facturas; cada caso, sus respuestas.",
                "Escríbanos desde el portal si echa de menos algo: leemos todo.",
            ),
            "en": (
                "The new portal: orders, cases and documents in one place",
                "See where your orders are, open cases and download invoices without a call.",
                "Each order shows its deliveries and invoices; each case its answers.",
                "Write to us from the portal if you miss something: we read it all.",
            ),
            "pt": (
                "O novo portal: pedidos, chamados e documentos em um só lugar",
                "Veja a situação dos pedidos, abra chamados e baixe notas sem telefonar.",
                "Cada pedido mostra suas entregas e notas; cada chamado, suas respostas.",
                "Escreva pelo portal se sentir falta de algo: lemos tudo.",
            ),
        },
    ),
    Story(
        "lana-de-roca-sin-formaldehido",
        61,
        "productos",
        ("aislamiento", "ambiente"),
        {
            "es": (
                "Lana de roca sin formaldehído añadido",
                "Los paneles de 40 kg/m3 cambian de aglomerante y conservan su código.",
                "La conductividad térmica y la reacción al fuego no cambian.",
                "Las existencias anteriores se agotan en las próximas seis semanas.",
            ),
            "en": (
                "Rock wool without added formaldehyde",
                "The 40 kg/m3 slabs change their binder and keep their code.",
                "Thermal conductivity and reaction to fire stay the same.",
                "What is left of the former slabs will be gone in six weeks.",
            ),
            "pt": (
                "Lã de rocha sem adição de formaldeído",
                "Os painéis de 40 kg/m3 mudam de aglomerante e mantêm o código.",
                "A condutividade térmica e a reação ao fogo não mudam.",
                "O estoque anterior acaba nas próximas seis semanas.",
            ),
        },
    ),
    Story(
        "horario-fin-de-ano",
        20,
        "empresa",
        ("horarios", "entregas"),
        {
            "es": (
                "Horario de despachos en las próximas fiestas",
                "Los despachos se detienen dos días y los pedidos urgentes tienen un turno propio.",
                "El portal recibe casos y pedidos sin interrupción.",
                "Los plazos de respuesta se cuentan en horas hábiles de cada país.",
            ),
            "en": (
                "Dispatch hours during the coming holidays",
                "Dispatch stops for two days; urgent orders have a shift of their own.",
                "The portal takes cases and orders all the time.",
                "Answers are due in working hours of each country.",
            ),
            "pt": (
                "Horário de expedição nos próximos feriados",
                "A expedição para por dois dias; pedidos urgentes têm um turno próprio.",
                "O portal recebe chamados e pedidos sem interrupção.",
                "Os prazos de resposta contam em horas úteis de cada país.",
            ),
        },
        pictured=False,
    ),
)
