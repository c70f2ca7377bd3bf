"""The reference tells every setting as it is."""

import re
from itertools import chain

import pytest

from tasks import settings_table
from tasks.inventory.section import Section
from tasks.settings_table import Row

SECTIONS = list(chain.from_iterable(some for _, some in settings_table.sections()))
ROWS = {
    f"{section.__name__}.{row.name.strip('`')}": row
    for section in SECTIONS
    for row in settings_table.rows(section)
}


@pytest.mark.parametrize("row", ROWS.values(), ids=ROWS)
def test_setting_is_told_whole(row: Row) -> None:
    assert all(row), row


def test_every_section_and_setting_is_told_under_its_name() -> None:
    heading = r"^##.*`(\w+)`$"
    _, *parts = re.split(heading, settings_table.told(), flags=re.MULTILINE)
    told = dict(zip(parts[::2], parts[1::2], strict=True))
    assert not [one for one in Section.__subclasses__() if (one.__doc__ or "?") not in told[one.__name__]]
    places = {name: name.split(".") for name in ROWS}
    assert not [name for name, (one, setting) in places.items() if f"\n| `{setting}` |" not in told[one]]


@pytest.mark.parametrize(
    ("name", "kind", "default"),
    [
        ("Relay.hostname", "host name", "not set"),
        ("SaslauthdLdap.servers", "list, each: LDAP URL", "required"),
        ("SaslauthdLdap.scope", '`"sub"`, `"one"` or `"base"`', '`"sub"`'),
        ("SaslauthdLdap.start_tls", "`True` or `False`", "not set"),
        ("SaslauthdLdap.timeout", "whole number, 1 to 8", "`3`"),
        ("CertificateOnHost.key", "path on the host", "required"),
        ("ClientTls.policy", "`{…: …}`, from text to text", "`{}`"),
    ],
)
def test_types_and_defaults_are_in_an_operators_words(name: str, kind: str, default: str) -> None:
    assert (ROWS[name].type, ROWS[name].default) == (kind, default)


@pytest.mark.parametrize(
    ("key", "line"),
    [
        ("relay`: `Relay", "By default `Relay()`.\n\nThe relay itself."),
        ("login", "Required, one of: [`SaslauthdLdap`](#saslauthdldap), "),
        ("certificate", "By default `OwnCa()`, one of: [`CertificateFiles`](#certificatefiles), "),
    ],
)
def test_what_an_inventory_has_to_say_is_told_first(key: str, line: str) -> None:
    assert f"## `{key}`\n\n{line}" in settings_table.told()
