"""saslauthd: the daemon that checks passwords for the ways whose name begins with it, as a unit of ours."""

from collections.abc import Sequence

from tasks import templates
from tasks.operations import daemons
from tasks.sasl.way import Asked

UNIT = "/etc/systemd/system/saslauthd.service"
PACKAGES: Sequence[str] = ("sasl2-bin", "libsasl2-modules")
MECHANISMS = ("PLAIN", "LOGIN")  # it is told passwords, so no other can be

# saslauthd answers a login that it refuses too: "NO" is an answer, no connection is none (testsaslauthd(8)).
HEALTH = """\
testsaslauthd -s smtp -u nobody -p nothing 2>&1 | grep -q '"' ||
  echo "saslauthd does not answer on /run/saslauthd/mux; see journalctl -u saslauthd"
runuser -u postfix -- test -S /run/saslauthd/mux ||
  echo "user postfix cannot reach saslauthd; see the rights of /run/saslauthd, and group sasl"
"""


def run(mechanism: str, workers: int, reads: Sequence[str] = ()) -> None:
    """Have it answer on its socket (saslauthd(8)).

    :param mechanism: what it asks: `ldap`, `pam`
    :param workers: processes that check passwords side by side
    :param reads: files that it reads at its start
    """
    templates.put("saslauthd/saslauthd.service", UNIT, mechanism=mechanism, workers=workers)
    daemons.running(
        name="Run saslauthd",
        unit="saslauthd",
        pid_file="/run/saslauthd/saslauthd.pid",
        reads=[UNIT, *reads],
        unit_file=UNIT,
    )


def forget() -> None:
    """Stop it for good, and remove its unit: Debian's own comes to light, switched off."""
    daemons.gone(name="Run no saslauthd", unit="saslauthd", unit_file=UNIT)


ASKED = Asked(
    health=HEALTH,
    smtpd_conf={"pwcheck_method": "saslauthd", "saslauthd_path": "/run/saslauthd/mux"},
    forget=forget,
)
