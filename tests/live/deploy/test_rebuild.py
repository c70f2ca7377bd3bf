"""Rebuild: all that is ours is removed at once, and comes back as it was; what runs is what is on disk."""

from dataclasses import dataclass

import pytest

from deploy import relay as desired
from tasks.certificates import part as certificates
from tasks.host.facts.host import UNKNOWN
from tasks.login.libsasl import SMTPD_CONF
from tasks.login.saslauthd import daemon as saslauthd
from tasks.login.saslauthd import ldap
from tasks.postfix.configuration import Configuration
from tasks.privacy import part as privacy
from tasks.tls import part as tls
from tests.support.at_once import at_once
from tests.support.bed import Account, Endpoint, Relay, TestBed
from tests.support.deploy import Deploy, Run
from tests.support.smtp import MailProgram

pytestmark = pytest.mark.changes_the_relay

FILES = [
    ldap.CONF,
    saslauthd.UNIT,
    saslauthd.GATE,
    SMTPD_CONF,
    ldap.DIRECTORY_CA,
    tls.POLICY,
    privacy.RULES,
]
STATE = f"postconf -n; postconf -M | sed 's: -o .*::' | sort; postconf -P | sort; sha256sum {' '.join(FILES)}"


@dataclass(frozen=True)
class History:
    """How the relays were, without all that is ours, after a run; and a run that follows a lost reload."""

    before: dict[Relay, str]
    bare: dict[Relay, str]
    rebuild: Run
    after: dict[Relay, str]
    reload: Run


@pytest.fixture(scope="module")
def history(test_bed: TestBed, mail_program: MailProgram, pytestconfig: pytest.Config) -> History:
    """Remove everything, rebuild, and then have Postfix run with something else than is on disk."""
    deploy = Deploy(test_bed.inventory, pytestconfig.rootpath)

    def look() -> dict[Relay, str]:
        return test_bed.everywhere(f"{{ {STATE}; }} 2>&1 || true")

    before = look()
    at_once(lambda relay: relay.remote.run(f"set -e\n{removal(owned(relay))}"), test_bed.relays)
    bare, rebuild, after = look(), deploy.run(), look()
    test_bed.everywhere(
        "postconf -e smtpd_tls_loglevel=0 && postfix reload && postconf -e smtpd_tls_loglevel=1"
    )
    for relay in test_bed.relays:
        mail_program.forget(relay)  # its CA is a new one
    return History(before, bare, rebuild, after, reload=deploy.run())


def owned(relay: Relay) -> Configuration:
    """What the deploy wants of a relay's main.cf and master.cf."""
    return desired(relay.settings, UNKNOWN).postfix


def removal(configuration: Configuration) -> str:
    """Write the commands that remove all of it, the services but 25, without which there is no Postfix."""
    parameters = [name for name, value in configuration.parameters.items() if value is not None]
    services = [key for key, service in configuration.services.items() if service and key != "smtp/inet"]
    options = [f"smtp/inet/{name}" for name in configuration.options["smtp/inet"]]
    return "\n".join(
        [
            f"postconf -X {' '.join(parameters)}",
            *(f"postconf -MX {key}" for key in services),
            f"postconf -PX {' '.join(options)} || true",
            f"rm -r {' '.join(FILES)} {certificates.DIRECTORY}",
            "gpasswd -d postfix sasl",
            "systemctl disable --now saslauthd",
        ]
    )


def test_a_run_rebuilds_all_that_is_ours(history: History, relay: Relay) -> None:
    assert history.rebuild.status == 0, history.rebuild.complaint()
    assert history.bare[relay] != history.before[relay]
    assert history.after[relay] == history.before[relay]


def test_a_run_after_an_interrupted_one_reloads_and_does_nothing_else(
    history: History, test_bed: TestBed
) -> None:
    changed = {name for name in history.reload.changed if not name.startswith("Generations | ")}
    assert changed == {"Activation | Run Postfix"}
    assert len(history.reload.changed["Activation | Run Postfix"]) == len(test_bed.relays)


@pytest.mark.needs("account")
def test_a_rebuilt_relay_lets_its_users_in(
    history: History, mail_program: MailProgram, login_endpoint: Endpoint, account: Account
) -> None:
    mail_program.log_in(login_endpoint, account).quit()
