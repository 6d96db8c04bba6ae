"""News for some countries in their own language, and what is never shown: drafts and the future."""

from __future__ import annotations

from typing import Final

from sandbox.site.stories import Story

LOCAL: Final = (
    Story(
        "bodega-fontibon",
        430,
        "empresa",
        ("entregas",),
        {
            "es": (
                "Bodega de Fontibón amplía su patio",
                "Ocho muelles nuevos reducen la espera de los camiones en Bogotá.",
                "El ingreso es ahora por la calle 17; la portería antigua queda cerrada.",
            ),
        },
        ("CO",),
    ),
    Story(
        "sismo-cielos-rasos",
        372,
        "productos",
        ("sismica", "cielos"),
        {
            "es": (
                "Cielos rasos y sismos: qué pide la norma peruana",
                "Resumen de anclajes y separaciones para cielos suspendidos en zona sísmica.",
                "Incluye la tabla de arriostres por altura del plenum y un ejemplo resuelto.",
            ),
        },
        ("PE",),
    ),
    Story(
        "d-azur-vina-del-mar",
        318,
        "proyectos",
        ("fachadas", "fibrocemento"),
        {
            "es": (
                "Edificio Mar d'Azur: 4.200 m² de fachada ventilada",
                "El proyecto de Viña del Mar usó tablilla de fibrocemento símil madera.",
                "La subestructura omega permitió corregir el plomo de la obra gruesa.",
            ),
        },
        ("CL",),
    ),
    Story(
        "lista-de-precios-ar",
        262,
        "servicios",
        ("precios",),
        {
            "es": (
                "Lista de precios: cómo leer las novedades del mes",
                "La lista mensual marca con un punto los códigos que cambiaron.",
                "Los pedidos confirmados conservan su precio.",
            ),
        },
        ("AR",),
    ),
    Story(
        "feria-de-la-construccion",
        205,
        "eventos",
        ("ferias",),
        {
            "es": (
                "Nos vemos en la feria: stand 214 & charlas diarias",
                "Cuatro días de demostraciones de juntas, curvas y cielos registrables.",
                "Las charlas se transmiten y quedan grabadas para los clientes del portal.",
            ),
        },
        ("AR", "CL"),
        pictured=False,
    ),
    Story(
        "instalacion-segura",
        143,
        "servicios",
        ("seguridad", "drywall"),
        {
            "es": (
                "Instalación segura: guía rápida para la cuadrilla",
                "Diez fichas de una página sobre corte, izaje y polvo.",
                "Se imprimen en tamaño carta y en A4.",
            ),
        },
    ),
    Story(
        "centro-guarulhos",
        249,
        "empresa",
        ("entregas",),
        {
            "pt": (
                "Centro de distribuição de Guarulhos funciona aos sábados",
                "A retirada e o carregamento passam a atender aos sábados até as 13h.",
                "O agendamento é feito no portal até a sexta-feira ao meio-dia.",
            ),
        },
        ("BR",),
    ),
    Story(
        "norma-desempenho",
        96,
        "productos",
        ("acustica", "certificacion"),
        {
            "pt": (
                "Norma de desempenho: novos ensaios de paredes",
                "Doze sistemas de parede têm laudos atualizados de ruído e fogo.",
                "Os laudos estão na seção de documentos, por tipo de parede.",
            ),
        },
        ("BR",),
    ),
    Story(
        "reciclagem-de-gesso",
        33,
        "sostenibilidad",
        ("ambiente", "reciclaje"),
        {
            "pt": (
                "Reciclagem de gesso: 1.000 toneladas desviadas do aterro",
                "O programa de coleta em obra chegou a mil toneladas em dois anos.",
                "Obras a até 80 km da fábrica podem pedir a caçamba pelo portal.",
            ),
        },
        ("BR",),
    ),
    Story(
        "export-packaging",
        77,
        "servicios",
        ("entregas", "exportacion"),
        {
            "en": (
                "Export packaging: what changes on the pallet label",
                "Pallets for export carry a new label with weight, batch and order number.",
                "The bar code holds the same data; scanners need no change.",
            ),
        },
    ),
)

# Of these the public sees nothing. The last one is dated ahead: its age is negative.
HIDDEN: Final = (
    (
        "draft",
        Story(
            "borrador-precios",
            12,
            "servicios",
            ("precios",),
            {
                "es": (
                    "BORRADOR: precios del próximo trimestre",
                    "Todavía en revisión.",
                    "No publicar.",
                ),
            },
        ),
    ),
    (
        "draft",
        Story(
            "rascunho-campanha",
            5,
            "eventos",
            (),
            {
                "pt": ("RASCUNHO: campanha de verão", "Ainda em revisão.", "Não publicar."),
            },
        ),
    ),
    (
        "private",
        Story(
            "acta-interna",
            40,
            "empresa",
            (),
            {
                "es": ("Acta interna de dirección", "Solo para la empresa.", "Confidencial."),
            },
        ),
    ),
    (
        "future",
        Story(
            "lanzamiento-futuro",
            -10,
            "productos",
            ("placas",),
            {
                "es": (
                    "Lanzamiento: placa liviana de 9 kg",
                    "Se anuncia en diez días.",
                    "Hasta entonces, nada.",
                ),
            },
        ),
    ),
)

# What someone once pasted into an article: none of it may reach a reader's browser.
UNSAFE: Final = (
    '<script>document.title="owned"</script>'
    '<p onclick="alert(1)">Descargue la <a href="javascript:alert(document.cookie)">guía</a> o '
    '<a href="https://docs.portal.example/guia.pdf" target="_blank">el PDF</a>.</p>'
    '<img src="x" onerror="alert(1)" alt="guía"><iframe src="https://evil.example/"></iframe>'
    '<style>body{display:none}</style><svg onload="alert(1)"></svg>'
    '<form action="https://evil.example/"><input name="password"></form>'
    "<p>Corte & izaje: <strong>siempre</strong> con <em>guantes</em>.</p>"
)
