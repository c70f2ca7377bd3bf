"""The smarthost: what Postfix is told, and what is no smarthost."""

from pathlib import Path
from typing import Any

import pytest
from pydantic import SecretStr

from onhost import ask_smarthost
from tasks.inventory.section import SettingsError
from tasks.part import File, Part
from tasks.settings import Smarthost
from tasks.smarthost.part import PASSWORDS, SERVICE, part

ODD = "\"a\" 'b' \\n #2 %u ${HOME} $$ {x} =: ü"


def test_without_one_everything_is_the_admins() -> None:
    assert part(Smarthost()) == Part()


@pytest.mark.parametrize(
    ("settings", "from_the_start"),
    [
        ({}, "no"),
        ({"port": 465}, "yes"),
        ({"port": 465, "security": "starttls"}, "no"),
        ({"port": 2465, "security": "tls"}, "yes"),
    ],
)
def test_tls_begins_as_the_port_has_it_or_as_is_said(settings: dict[str, Any], from_the_start: str) -> None:
    postfix = part(Smarthost(host="smtp.example.org", **settings)).postfix
    port = settings.get("port", 587)
    assert postfix.parameters == {"default_transport": f"smarthost:[smtp.example.org]:{port}"}
    assert postfix.options[SERVICE]["smtp_tls_wrappermode"] == from_the_start
    assert postfix.options[SERVICE]["smtp_tls_security_level"] == "secure"
    assert postfix.options[SERVICE]["smtp_sasl_auth_enable"] == "no"


def test_password_is_written_as_it_is_and_the_doctor_reads_it_so(tmp_path: Path) -> None:
    (tmp_path / "password").write_text(f"{ODD}\n")
    told = Smarthost(host="smtp.example.org", username="me@x", password_file=str(tmp_path / "password"))
    file = part(told).files[PASSWORDS]
    assert isinstance(file, File)
    assert file.mode == "600"
    content = file.content()
    assert isinstance(content, SecretStr)
    assert content.get_secret_value().splitlines()[-1] == f"[smtp.example.org]:587 me@x:{ODD}"
    (tmp_path / "table").write_text(content.get_secret_value())
    assert ask_smarthost.read_login(str(tmp_path / "table")) == ("me@x", ODD)


@pytest.mark.parametrize(
    ("settings", "complaint"),
    [
        ({"port": 465}, "host is missing"),
        ({"host": "a.test", "username": "me"}, "username and password_file belong together"),
        ({"host": "a.test", "password_file": "x"}, "username and password_file belong together"),
        ({"host": "a.test", "username": "a:b", "password_file": "x"}, "username: Postfix takes none with a"),
        ({"host": "192.0.2.1"}, "is not a fully qualified host name"),
    ],
)
def test_what_cannot_be_is_refused(settings: dict[str, Any], complaint: str) -> None:
    with pytest.raises(SettingsError, match=complaint):
        Smarthost(**settings)
