"""portal.toml is read once; what is wrong in it is told by file and key."""

from __future__ import annotations

from pathlib import Path

import pytest

from gateway.settings import SettingsError, read

GOOD = """
[sources]
customers = "crm"
[systems.crm]
connector = "salesforce"
url = "${CRM_URL}/x"
parts = ["${CRM_URL}", 5]
"""


def written(folder: Path, text: str) -> Path:
    path = folder / "portal.toml"
    path.write_text(text, encoding="utf-8")
    return path


def test_variables_of_the_environment_are_filled_in(tmp_path: Path) -> None:
    settings = read(written(tmp_path, GOOD), {"CRM_URL": "https://crm.example"})
    assert settings.systems["crm"]["url"] == "https://crm.example/x"
    assert settings.systems["crm"]["parts"] == ["https://crm.example", 5]
    assert settings.path("a/b") == (tmp_path / "a/b").resolve()


@pytest.mark.parametrize(
    ("text", "told"),
    [
        (GOOD, "systems.crm.url needs the environment variable CRM_URL"),
        ("[sources]\n", "systems"),
        ("[sources]\ncustomers = 5\n[systems]\n", "sources.customers"),
        ('[sources]\ncustomers = "erp"\n[systems]\n', r"\[systems.erp\]"),
        ("[sources]\n[systems]\n[sorces]\n", "sorces"),
        ("[sources]\n[systems]\n[access]\ntoken_minutes = 'long'\n", "access.token_minutes"),
        ("[sources\n", "line 1"),
        ("[sources]\n[systems]\n[texts]\ntime_zone = 'America/Bogot'\n", "America/Bogot"),
        ("[sources]\n[systems]\n[texts]\ndefault_language = 'fr'\n", "texts.default_language"),
        ("[sources]\n[systems]\n[server]\nmax_body_kilobytes = 0\n", "max_body_kilobytes"),
        ("[sources]\n[systems]\n[server]\npublic_url = 'portal.example'\n", "public_url"),
        ("[sources]\n[systems]\n[files]\ntypes = ['image/bmp']\n", "image/bmp"),
        ("[sources]\n[systems]\n[files]\nfile_megabytes = 0\n", "file_megabytes"),
        ("[sources]\n[systems]\n[files.scanner]\naddress = 'localhost'\n", "address"),
    ],
)
def test_a_mistake_is_told_by_file_and_key(tmp_path: Path, text: str, told: str) -> None:
    path = written(tmp_path, text)
    with pytest.raises(SettingsError, match=told) as raised:
        read(path, {})
    assert str(path) in str(raised.value)


def test_links_lead_to_where_clients_find_the_gateway(tmp_path: Path) -> None:
    here = "http://127.0.0.1:8123"
    settings = read(written(tmp_path, "[sources]\n[systems]\n"), {})
    assert settings.public_url == settings.access.issuer
    assert settings.listening(here).public_url == here
    text = "[sources]\n[systems]\n[server]\npublic_url = 'https://api.example'\n"
    settings = read(written(tmp_path, text), {})
    assert settings.listening(here).public_url == "https://api.example"


def test_a_missing_file_is_told(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match="no such file"):
        read(tmp_path / "portal.toml", {})
