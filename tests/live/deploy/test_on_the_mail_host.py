"""The deploy on the mail host itself: `@local` finds the same relay as SSH does, and repairs it."""

import io
import json
import sys
import tarfile
from collections.abc import Iterator
from importlib.metadata import distribution
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from packaging.requirements import Requirement

from tasks.inventory.section import Section
from tasks.settings import Relay as RelaySection
from tasks.settings import SaslauthdLdap, Settings
from tests.support.bed import Relay, TestBed
from tests.support.deploy import Deploy

pytestmark = pytest.mark.changes_the_relay

HERE = "/root/quietrelay"
PROGRAM = ("deploy.py", "config.py", "onhost", "prefetch", "tasks", "templates")
DAMAGE = "postconf -e smtpd_tls_auth_only=no"


class Runs(NamedTuple):
    """What the runs on one host changed: as SSH left it, then damaged, then repaired."""

    relay: Relay
    untouched: dict[str, int]
    repair: dict[str, int]
    value: str
    again: dict[str, int]


@pytest.fixture(scope="module")
def runs(test_bed: TestBed, pytestconfig: pytest.Config) -> Iterator[Runs]:
    """Take the program to a relay that has the same Python as we, so that compiled packages run there."""
    version = f"Python {sys.version_info.major}.{sys.version_info.minor}."
    relay = next(one for one in test_bed.relays if one.remote.run("python3 --version").startswith(version))
    Deploy(test_bed.inventory, pytestconfig.rootpath).run()  # another test may have changed something
    relay.remote.run(f"mkdir -m 0700 {HERE}")
    try:
        relay.remote.unpack(archive(pytestconfig.rootpath, relay.settings), HERE)
        untouched = changes(relay)
        relay.remote.run(DAMAGE)
        repair, value = changes(relay), relay.remote.run("postconf -h smtpd_tls_auth_only").strip()
        yield Runs(relay, untouched, repair, value, changes(relay))
    finally:
        relay.remote.run(f"rm -r {HERE}")


def archive(root: Path, settings: Settings) -> bytes:
    """Pack the program, the packages that it runs with, and an inventory with the files that it names."""
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w") as tar:
        for name in PROGRAM:
            tar.add(root / name, name)
        for name in sorted(packages("pyinfra", "jinja2", "pydantic", "cryptography")):
            for file in distribution(name).files or []:
                if ".." not in file.parts and Path(str(file.locate())).exists():
                    tar.add(str(file.locate()), f"packages/{file}")
        sections = dict(settings)
        sections["relay"] = RelaySection(hostname=settings.hostname)
        for key, section in sections.items():
            sections[key] = section.model_copy(update=dict(_carried(tar, section)))
        data = ", ".join(f"{key!r}: {section!r}" for key, section in sections.items())
        _add(tar, "here.py", f"from tasks.settings import *\n\nrelays = ([('@local', {{{data}}})], {{}})\n")
    return packed.getvalue()


def packages(*names: str) -> set[str]:
    """Name these packages and all that they need on this platform."""
    found: set[str] = set()
    waiting = list(names)
    while waiting:
        name = waiting.pop()
        if name not in found:
            found.add(name)
            needed = map(Requirement, distribution(name).requires or [])
            waiting += [one.name for one in needed if not one.marker or one.marker.evaluate({"extra": ""})]
    return found


def _carried(tar: tarfile.TarFile, section: Section) -> Iterator[tuple[str, str]]:
    """Take the operator's files along, and say where they are there."""
    if isinstance(section, SaslauthdLdap):
        for setting in ("ca_file", "bind_password_file"):
            if path := getattr(section, setting):
                _add(tar, setting, Path(path).read_text())
                yield setting, f"{HERE}/{setting}"


def _add(tar: tarfile.TarFile, name: str, text: str) -> None:
    member = tarfile.TarInfo(name)
    member.size = len(text.encode())
    tar.addfile(member, io.BytesIO(text.encode()))


def changes(relay: Relay) -> dict[str, int]:
    """Run the deploy there, as root, and count the hosts that each operation changed."""
    command = "PYTHONPATH=packages python3 -m pyinfra -y --json here.py deploy.py"
    printed: dict[str, Any] = json.loads(relay.remote.run(f"cd {HERE} && {command}"))
    operations = printed["results"]["operations"]
    assert not [one for one in operations if one["error"]], operations
    assert len(operations) > 10
    return {one["name"]: len(one["success"]) for one in operations if one["success"]}


def test_on_the_mail_host_a_run_finds_nothing_to_do(runs: Runs) -> None:
    assert runs.untouched == {}


def test_on_the_mail_host_a_run_repairs_what_was_broken_and_no_more(runs: Runs) -> None:
    changed = {name for name in runs.repair if not name.startswith("Generations | ")}
    assert changed == {"Activation | Write main.cf and master.cf", "Activation | Run Postfix"}
    assert runs.value == "yes"
    assert runs.again == {}
