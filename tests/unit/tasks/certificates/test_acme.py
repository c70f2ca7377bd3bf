"""A section of an ACME server is refused where it contradicts itself, and its secret is no setting."""

from pathlib import Path

import pytest
from pydantic import SecretStr

from tasks.certificates import part as certificates
from tasks.inventory.operator_files import OperatorFileError
from tasks.inventory.section import SettingsError
from tasks.part import File, Made
from tasks.settings import Acme
from tests.unit.examples import HOSTNAME

EMAIL = "postmaster@example.org"
DNS = {"dns_server": "ns1.example.org", "dns_key": "acme"}
SECRET = "c2VjcmV0IG9mIGEga2V5"


@pytest.mark.parametrize(
    ("settings", "told"),
    [
        ({"email": "nobody"}, "email: 'nobody' is not an address"),
        (
            {"directory": "http://acme.example.org/dir"},
            "directory: 'http://acme.example.org/dir' is not the URL",
        ),
        ({"directory": "https://acme.example.org"}, "write one like https://acme.example.org/directory"),
        ({"challenge": "dns"}, "needs dns_server, dns_key and dns_key_file; give all three"),
        ({"challenge": "dns", **DNS}, "needs dns_server, dns_key and dns_key_file; give all three"),
        ({"dns_server": "ns1.example.org"}, "belong to challenge='dns'"),
        ({"challenge": "dns", **DNS, "dns_key_file": "x", "webroot": "/srv"}, "webroot belongs to"),
        ({"key_types": []}, "key_types names each kind once"),
        ({"key_types": ["rsa", "rsa"]}, "key_types names each kind once"),
    ],
)
def test_what_contradicts_itself_is_refused(settings: dict[str, object], told: str) -> None:
    with pytest.raises(SettingsError, match=told.replace("(", r"\(")):
        Acme(**{"email": EMAIL, **settings})


def test_secret_of_dns_lies_in_a_file_of_roots_alone_and_nowhere_else(tmp_path: Path) -> None:
    (tmp_path / "key").write_text(f"{SECRET}\nand more\n")
    section = Acme(email=EMAIL, challenge="dns", **DNS, dns_key_file=str(tmp_path / "key"))
    part = certificates.part(section, [HOSTNAME], 14, True)
    made, secret = part.files[certificates.ACME_PEM], part.files[certificates.DNS_KEY]
    assert isinstance(made, Made)
    assert isinstance(secret, File)
    content = secret.content()
    assert isinstance(content, SecretStr)
    assert (content.get_secret_value(), secret.mode) == (f"{SECRET}\n", "600")
    assert SECRET not in str(made.arguments())


def test_file_without_a_secret_is_refused_and_not_repeated(tmp_path: Path) -> None:
    (tmp_path / "key").write_text("key acme { secret pa55word; };\n")
    section = Acme(email=EMAIL, challenge="dns", **DNS, dns_key_file=str(tmp_path / "key"))
    secret = certificates.part(section, [HOSTNAME], 14, True).files[certificates.DNS_KEY]
    assert isinstance(secret, File)
    with pytest.raises(OperatorFileError, match="does not begin with a line of base64") as refused:
        secret.content()
    assert "pa55word" not in str(refused.value)


def test_firewall_is_left_alone_where_the_operator_wants_that() -> None:
    scripts = []
    for open_ports in (True, False):
        made = certificates.part(Acme(email=EMAIL), [HOSTNAME], 14, open_ports).files[certificates.ACME_PEM]
        assert isinstance(made, Made)
        scripts.append(str(made.arguments()["script"]))
    assert "LET_IN=yes\n" in scripts[0]
    assert "LET_IN=''\n" in scripts[1]
