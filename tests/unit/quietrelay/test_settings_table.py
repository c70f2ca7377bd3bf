"""The README tells every setting as it is."""

import pytest

from tasks import settings_table
from tasks.inventory.section import Section
from tasks.settings_table import Row

ROWS = list(settings_table.rows())


def test_readme_is_up_to_date() -> None:
    readme = settings_table.README.read_text()
    assert readme == settings_table.updated(readme), "run: python -m tasks.settings_table"


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.name)
def test_setting_is_told_whole(row: Row) -> None:
    assert all(row), row


def test_every_section_is_told() -> None:
    told = " ".join(row.name for row in ROWS)
    assert not [section for section in Section.__subclasses__() if f"`{section.__name__}" not in told]


@pytest.mark.parametrize(
    ("name", "kind", "default"),
    [
        ("`relay`: `Relay.hostname`", "host name", "not set"),
        ("`login`: `SaslauthdLdap.servers`", "list, each: LDAP URL", "required"),
        ("`login`: `SaslauthdLdap.scope`", '`"sub"`, `"one"` or `"base"`', '`"sub"`'),
        ("`login`: `SaslauthdLdap.start_tls`", "`True` or `False`", "not set"),
        ("`login`: `SaslauthdLdap.timeout`", "whole number, 1 to 8", "`2`"),
        ("`certificate`: `CertificateOnHost.key`", "path on the host", "required"),
        ("`client_tls`: `ClientTls.policy`", "`{…: …}`, from text to text", "`{}`"),
    ],
)
def test_types_and_defaults_are_in_an_operators_words(name: str, kind: str, default: str) -> None:
    assert [(row.type, row.default) for row in ROWS if row.name == name] == [(kind, default)]


def test_rest_of_the_readme_stays() -> None:
    headers = f"{settings_table.HEADERS_BEGIN}\nold\n{settings_table.HEADERS_END}\n"
    readme = f"{headers}# Before\n{settings_table.BEGIN}\nold\n{settings_table.END}\nAfter\n"
    updated = settings_table.updated(readme)
    assert updated.startswith(f"{settings_table.HEADERS_BEGIN}\n| Header |")
    assert f" |\n{settings_table.HEADERS_END}\n# Before\n{settings_table.BEGIN}\n| Setting |" in updated
    assert updated.endswith(f" |\n{settings_table.END}\nAfter\n")
    assert "old\n" not in updated


def test_readme_without_a_place_for_it_is_refused() -> None:
    with pytest.raises(settings_table.SettingsTableError, match="no place for a table"):
        settings_table.updated("# quietrelay\n")
