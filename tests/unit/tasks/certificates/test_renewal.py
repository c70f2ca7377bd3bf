"""A host keeps its certificate valid: it takes what is fit, and replaces what works by nothing worse."""

import os
import shutil
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    load_pem_private_key,
)

from lab.certificates import Certificate, issue, new_authority
from tasks.host import pem
from tests.unit import pem_forms
from tests.unit.examples import HOSTNAME
from tests.unit.renewing import Host

DAY = timedelta(days=1)


Files = Callable[..., Host]


@pytest.fixture
def on_host(directory: Path) -> Files:
    """Put a key and certificates into files that somebody else renews."""

    def put(key: str, *certificates: str, named: str = "") -> Host:
        (directory / "theirs.key").write_text(key)
        (directory / "theirs.pem").write_text("".join(certificates))
        paths = {"KEY": str(directory / "theirs.key"), "CERTIFICATE": str(directory / "theirs.pem")}
        return Host(directory, "on_host", [HOSTNAME], AUTHORITIES=named, **paths)

    return put


class TestFilesOnTheHost:
    def test_both_become_one_file_key_first_that_only_root_reads(
        self, on_host: Files, authority: Certificate, pair: Certificate
    ) -> None:
        host = on_host(pair.key, authority.certificate, pair.certificate)
        assert host.look()["due"] == [
            f"there is no {host.target}",
        ]
        done = host.renew()
        assert done.returncode == 0, done.stderr
        assert host.target.read_text() == pair.key + pair.certificate + authority.certificate
        assert host.target.stat().st_mode & 0o777 == 0o600
        assert host.look() == {"due": [], "unfit": [], "failed": []}

    def test_what_others_renew_is_taken(
        self, on_host: Files, authority: Certificate, pair: Certificate
    ) -> None:
        on_host(pair.key, pair.certificate, authority.certificate).renew()
        newer = issue(authority, HOSTNAME)
        host = on_host(newer.key, newer.certificate, authority.certificate)
        assert host.look()["due"] == [
            f"{host.target.parent}/theirs.pem is another than the one in {host.target}"
        ]
        assert host.renew().returncode == 0
        assert host.shown == pem.chain(newer.certificate + authority.certificate)
        assert host.look()["due"] == []

    def test_what_is_unfit_stays_out_and_what_works_stays(
        self, on_host: Files, authority: Certificate, pair: Certificate
    ) -> None:
        on_host(pair.key, pair.certificate, authority.certificate).renew()
        other, expired = issue(authority, "mx2.example.org"), issue(authority, HOSTNAME, lifetime=-DAY)
        yesterday = (datetime.now(UTC) - DAY).date()
        for key, certificate, said in (
            (other.key, other.certificate, "certificate is for mx2.example.org, not for mx1.example.org; "),
            (expired.key, expired.certificate, f"certificate expired on {yesterday}; renew it"),
            (other.key, pair.certificate, "certificate cannot be read, or is not for the key; give the two"),
            ("", pair.certificate, "key cannot be read as one; correct the path"),
            (pair.key, "", "certificate cannot be read, or is not for the key; give the two"),
        ):
            host = on_host(key, certificate, authority.certificate)
            assert [one for one in host.look()["unfit"] if one.startswith(said)], host.look()
            before = host.target.read_bytes()
            done = host.renew()
            assert done.returncode != 0
            assert said in done.stderr
            assert "what was there stays" in done.stderr
            assert said in host.look()["failed"][0]
            assert host.target.read_bytes() == before

    def test_what_changes_within_a_second_is_seen(
        self, on_host: Files, authority: Certificate, pair: Certificate
    ) -> None:
        on_host(pair.key, pair.certificate, authority.certificate).renew()
        host = on_host(pair.key, pair.certificate[::-1], authority.certificate)
        assert host.look()["unfit"]

    @pytest.mark.parametrize("form", pem_forms.LINES)
    def test_what_is_taken_is_what_openssl_reads(
        self, on_host: Files, authority: Certificate, pair: Certificate, form: str
    ) -> None:
        wanted = pair.key + pair.certificate + authority.certificate
        text = pem_forms.LINES[form](wanted)
        host = on_host(text, text)
        done = host.renew()
        assert done.returncode == 0, done.stderr
        assert host.target.read_text() == wanted
        assert host.look() == {"due": [], "unfit": [], "failed": []}

    @pytest.mark.parametrize("form", pem_forms.BROKEN)
    def test_what_cannot_be_read_stays_out(self, on_host: Files, pair: Certificate, form: str) -> None:
        text = pem_forms.BROKEN[form](pair.key + pair.certificate)
        unfit = on_host(text, text).look()["unfit"]
        assert unfit[0].startswith("key cannot be read as one; correct the path, and give it in PEM")

    def test_key_may_be_in_an_older_form_and_its_certificate_beside_it(
        self, on_host: Files, authority: Certificate, pair: Certificate
    ) -> None:
        key = load_pem_private_key(pair.key.encode(), None)
        old = key.private_bytes(Encoding.PEM, PrivateFormat.TraditionalOpenSSL, NoEncryption()).decode()
        host = on_host(pair.certificate + old, authority.certificate)
        assert host.renew().returncode == 0
        assert host.target.read_text() == pair.key + pair.certificate + authority.certificate

    def test_keys_of_two_kinds_have_a_chain_each(
        self, on_host: Files, authority: Certificate, pair: Certificate
    ) -> None:
        old = issue(authority, HOSTNAME, key=rsa.generate_private_key(65537, 2048))
        host = on_host(old.key + pair.key, pair.certificate, old.certificate, authority.certificate)
        assert host.renew().returncode == 0
        assert host.target.read_text() == "".join(
            [
                old.key,
                old.certificate,
                authority.certificate,
                pair.key,
                pair.certificate,
                authority.certificate,
            ]
        )
        assert host.look() == {"due": [], "unfit": [], "failed": []}

    def test_each_of_two_keys_needs_its_certificate_and_is_of_another_kind(
        self, on_host: Files, authority: Certificate, pair: Certificate
    ) -> None:
        other = issue(authority, HOSTNAME)
        (unfit,) = on_host(
            pair.key + other.key, pair.certificate, other.certificate, authority.certificate
        ).look()["unfit"]
        assert unfit == "key is one of two of the kind id-ecPublicKey; give one of each"
        (unfit,) = on_host(pair.key + other.key, pair.certificate, authority.certificate).look()["unfit"]
        assert unfit.startswith("certificate cannot be read, or is not for the key; ")

    def test_key_that_openssl_does_not_load_is_unfit(self, on_host: Files, authority: Certificate) -> None:
        weak = issue(authority, HOSTNAME, key=rsa.generate_private_key(65537, 1024))  # noqa: S505  it is judged
        (unfit,) = on_host(weak.key, weak.certificate, authority.certificate).look()["unfit"]
        assert unfit.startswith("certificate or its chain is weaker than OpenSSL takes (")

    def test_chain_that_leads_nowhere_is_unfit(self, on_host: Files) -> None:
        root = new_authority()
        middle = issue(root, "issuer.example.org")
        relay = issue(middle, HOSTNAME)
        said = "certificate has no complete chain (unable to get local issuer certificate)"
        for given in ([relay.certificate], [relay.certificate, middle.certificate]):
            (unfit,) = on_host(relay.key, *given).look()["unfit"]
            assert unfit.startswith(said)
        (unfit,) = on_host(relay.key, relay.certificate, named=root.certificate).look()["unfit"]
        assert unfit.startswith(said)

    def test_ca_that_the_inventory_names_is_trusted(
        self, on_host: Files, authority: Certificate, pair: Certificate
    ) -> None:
        assert on_host(pair.key, pair.certificate).look()["unfit"]
        assert not on_host(pair.key, pair.certificate, named=authority.certificate).look()["unfit"]

    def test_nothing_is_left_behind_and_no_key_is_shown(
        self, on_host: Files, authority: Certificate, pair: Certificate
    ) -> None:
        host = on_host(pair.key, pair.certificate, authority.certificate)
        done = host.renew()
        assert sorted(path.name for path in host.target.parent.iterdir()) == [
            *("kept", "relay.pem", "theirs.key", "theirs.pem"),
        ]
        assert pair.key.splitlines()[1] not in done.stdout + done.stderr


class TestOwnCa:
    @pytest.fixture
    def host(self, directory: Path) -> Host:
        return Host(directory, "own_ca", [HOSTNAME, "smtp.example.org"], DAYS="90")

    def issued_with(self, directory: Path, authority: Certificate, issued: Certificate) -> Host:
        """Have a host with a CA and a certificate of any age."""
        (directory / "ca.pem").write_text(authority.certificate)
        (directory / "ca.key").write_text(authority.key)
        (directory / "relay.pem").write_text(issued.key + issued.certificate)
        return Host(directory, "own_ca", [HOSTNAME], DAYS="90")

    @pytest.mark.parametrize(
        ("lifetime", "left", "due"),
        [(365, 31, False), (365, 29, True), (365, -1, True), (30, 11, False), (30, 9, True), (2, 1, False)],
    )
    def test_certificate_is_due_in_its_last_days_and_not_before(
        self, directory: Path, lifetime: int, left: int, due: bool
    ) -> None:
        authority = long_lived()
        issued = aged(authority, lifetime * DAY, left * DAY)
        host = self.issued_with(directory, authority, issued)
        ends = f"{host.target} ends on {datetime.now(UTC) + left * DAY:%Y-%m-%d}"
        assert host.look()["due"] == ([ends] if due else [])

    def test_certificate_is_due_where_it_does_not_serve(self, directory: Path) -> None:
        authority, other = long_lived(), long_lived()
        issued = aged(authority, 90 * DAY, 80 * DAY)
        host = self.issued_with(directory, other, issued)
        assert host.look()["due"] == [f"{host.target} is not of this host's CA"]
        host = self.issued_with(directory, authority, Certificate(issued.certificate, other.key))
        assert host.look()["due"] == [f"{host.target} holds no key with its certificate"]
        self.issued_with(directory, authority, issued)
        host = Host(directory, "own_ca", ["mx2.example.org"], DAYS="90")
        assert host.look()["due"] == [f"{host.target} is not for mx2.example.org"]

    def test_renewed_copies_are_what_the_host_would_go_back_to(self, host: Host) -> None:
        copies = [host.kept / which / f"files{host.target}" for which in ("pending", "former")]
        host.renew()
        other = Host(host.target.parent, "own_ca", ["mx2.example.org"], DAYS="90")
        same = host.target.read_bytes()
        for copy in copies:
            copy.parent.mkdir(parents=True)
            copy.write_bytes(same)
        other.renew()
        assert [copy.read_bytes() for copy in copies] == [same, same]  # for other names
        host.renew()
        assert [copy.read_bytes() for copy in copies] == [host.target.read_bytes()] * 2

    def test_what_was_judged_is_judged_again_only_where_something_changed(
        self, host: Host, directory: Path, tmp_path: Path
    ) -> None:
        host.renew()
        tools = tmp_path / "tools"
        tools.mkdir()
        for tool in ("bash", "stat", "cat"):
            (tools / tool).symlink_to(str(shutil.which(tool)))
        without_openssl = {"path": str(tools), "DAYS": "90"}
        names = [HOSTNAME, "smtp.example.org"]
        assert Host(directory, "own_ca", names, **without_openssl).look()["due"] == []
        host.target.chmod(0o640)
        os.utime(host.target)
        assert host.look()["due"] == []
        host.target.unlink()
        assert host.look()["due"] == [f"there is no {host.target}"]


def long_lived() -> Certificate:
    """Make an authority that outlives what it issues."""
    return new_authority(lifetime=3650 * DAY)


def aged(authority: Certificate, lifetime: timedelta, left: timedelta) -> Certificate:
    """Issue a certificate that has so much of its life left."""
    return issue(authority, HOSTNAME, lifetime=left, age=lifetime - left)
