"""Measures logins: how many a second on 465, and how long one takes, each way to log in beside the others.

python -m bench.logins --inventory inventories/lab.py     on expendable relays; some minutes, one table

The relays are deployed with one way after the other. A user's computer logs in, eight logins at once, then
one after the other, each on a connection of its own. «No login» is the same without AUTH: what TLS and SMTP
cost. «The directory alone» is what is to be had of it: binds on kept connections, from the relay. All numbers
are medians of five rounds. The relays are put back at the end.
"""

import argparse
import json
import shlex
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import NamedTuple
from urllib.parse import urlsplit

from lab import access
from lab.hosts import CA_CERTIFICATE, host_named
from lab.topology import user_named
from tasks.inventory.section import Section
from tasks.settings import (
    DovecotLdap,
    DovecotPasswdFile,
    SaslauthdLdap,
    SaslauthdPam,
    SaslauthdRimap,
    Sasldb,
)
from tests.support.bed import Relay, TestBed, survey
from tests.support.deploy import Deploy
from tests.support.inventory import InventoryError
from tests.support.smtp import OWN_CA

USER = user_named("alice")
CONNECTIONS = 8
BURST = 80  # logins of a round over all connections
ALONE = 20  # logins of a round, one after the other
ROUNDS = 5
ROOT = Path(__file__).parent.parent

INVENTORY = """
import runpy

from tasks.settings import *

_hosts, _data = runpy.run_path({inventory!r})["relays"]
relays = (_hosts, _data | {{"login": {login}}})
"""


@dataclass(frozen=True)
class Way:
    """A way to log in, and what has to be done on a relay so that the user can."""

    title: str
    login: Section
    before: str = "true"
    after: str = "true"


def ways(login: SaslauthdLdap, accounts: str) -> list[Way]:
    """List the ways to measure; a further one is a line here.

    :param login: the lab's own, with its directory
    :param accounts: file with the user's name and password
    """
    directory = {name: getattr(login, name) for name in ("servers", "search_base", "ca_file")}
    relay = {name: getattr(login, name) for name in ("bind_dn", "bind_password_file")}
    imap = f"imaps://{urlsplit(login.servers[0]).hostname}"
    account = shlex.quote(f"{USER.uid}:{USER.password}")
    making = f"useradd --no-create-home {USER.uid} && printf '%s\\n' {account} | chpasswd"
    return [
        Way("saslauthd, LDAP, bind", login),
        Way("saslauthd, LDAP, fastbind", SaslauthdLdap(**directory, auth_method="fastbind")),
        Way("saslauthd, LDAP, custom", SaslauthdLdap(**directory, **relay, auth_method="custom")),
        Way("saslauthd, IMAP", SaslauthdRimap(server=imap, ca_file=login.ca_file)),
        Way("Dovecot, LDAP", DovecotLdap(**directory, **relay)),
        Way("sasldb", Sasldb(accounts_file=accounts)),
        Way("Dovecot, passwd-file", DovecotPasswdFile(accounts_file=accounts)),
        Way("saslauthd, PAM", SaslauthdPam(), before=making, after=f"userdel {USER.uid}"),
    ]


class Speed(NamedTuple):
    """What a row of the table tells."""

    a_second: float
    one: float
    """Milliseconds, connection and all."""
    auth: float
    """Milliseconds from AUTH to its answer."""


def load(
    host: str, what: str, target: str, authority: str, login: str, count: int, connections: int
) -> Speed:
    """Have a host of the lab make load, once.

    :param host: who makes it
    :param target: whom it is for
    """
    told = {
        "what": what,
        "host": target,
        "authority": authority,
        "login": login,
        "password": USER.password,
        "count": count,
        "connections": connections,
    }
    script = Path(__file__).with_name("load.py").read_text()
    done = subprocess.run(
        access.command(host_named(host), ["python3", "-c", shlex.quote(script)]),
        input=json.dumps(told),
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    heard = json.loads(done.stdout)
    return Speed(
        len(heard["each"]) / heard["seconds"], 1000 * median(heard["each"]), 1000 * median(heard["auth"])
    )


def measured(host: str, what: str, target: str, authority: str, login: str) -> Speed:
    """Measure in rounds, many at once and one after the other in turns, and give the medians."""
    many, alone = [], []
    for _ in range(ROUNDS):
        many.append(load(host, what, target, authority, login, BURST, CONNECTIONS))
        alone.append(load(host, what, target, authority, login, ALONE, 1))
    return Speed(
        median(one.a_second for one in many),
        median(one.one for one in alone),
        median(one.auth for one in alone),
    )


def source(section: Section) -> str:
    """Write a section as an inventory does: what is not said stays unsaid."""
    settings = [f"{name}={getattr(section, name)!r}" for name in sorted(section.model_fields_set)]
    return f"{type(section).__name__}({', '.join(settings)})"


@contextmanager
def serving(test_bed: TestBed, way: Way) -> Iterator[None]:
    """Have all relays let users in one way."""
    try:
        for relay in test_bed.relays:
            relay.remote.run(way.before)
        with tempfile.TemporaryDirectory() as folder:
            inventory = Path(folder) / "bench.py"
            inventory.write_text(
                INVENTORY.format(inventory=str(Path(test_bed.inventory).resolve()), login=source(way.login))
            )
            run = Deploy(str(inventory), ROOT).run()
        assert run.status == 0, run.complaint()
        yield
    finally:
        for relay in test_bed.relays:
            relay.remote.run(way.after)


def rows(test_bed: TestBed) -> Iterator[tuple[Relay, str, Speed]]:
    """Measure each way on each relay, beside what lies under all of them."""
    client, directory = test_bed.others["client"].name, test_bed.others["directory"].name
    authorities = {relay: relay.remote.run(f"cat {OWN_CA}") for relay in test_bed.relays}
    for relay in test_bed.relays:
        yield relay, "no login", measured(client, "logins", relay.hostname, authorities[relay], "")
        authority = Path(CA_CERTIFICATE).read_text()
        yield relay, "the directory alone", measured(relay.name, "binds", directory, authority, USER.dn)
    login = test_bed.relays[0].settings.login
    assert isinstance(login, SaslauthdLdap), "measure on the lab, whose directory knows the user"
    with tempfile.NamedTemporaryFile("w") as accounts:  # for its owner alone
        accounts.write(f"{USER.uid}:{USER.password}\n")
        accounts.flush()
        for way in ways(login, accounts.name):
            with serving(test_bed, way):
                for relay in test_bed.relays:
                    speed = measured(client, "logins", relay.hostname, authorities[relay], USER.uid)
                    yield relay, way.title, speed


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description="Measure logins, each way to log in beside the others.")
    parser.add_argument("--inventory", default="inventories/lab.py")
    inventory = parser.parse_args().inventory
    try:
        test_bed = survey(inventory, ROOT, None)
    except InventoryError as error:
        sys.exit(str(error))
    if missing := {"expendable", "client", "directory"} - test_bed.roles:
        sys.exit(f"{inventory} lacks {', '.join(sorted(missing))}; measure on the lab")
    try:
        print("| relay | way | logins/s | one login, ms | of it AUTH, ms |")
        print("| --- | --- | ---: | ---: | ---: |")
        for relay, title, speed in rows(test_bed):
            auth = f"{speed.auth:.1f}" if speed.auth else ""
            print(f"| {relay} | {title} | {speed.a_second:.0f} | {speed.one:.1f} | {auth} |", flush=True)
    finally:
        Deploy(inventory, ROOT).run()
        test_bed.close()


if __name__ == "__main__":
    main()
