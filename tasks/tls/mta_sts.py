"""MTA-STS: what domains say by HTTPS of their servers, where no key in DNS says more (RFC 8461). Pure."""

from collections.abc import Iterator
from functools import partial

from tasks.host.templates import program, render
from tasks.part import Account, Check, Daemon, Directory, File, Part
from tasks.part.check import exits_well

UNITS = "/etc/systemd/system"
DIRECTORY = "/usr/local/lib/quietrelay"
DAEMON = "postfix-mta-sts-resolver"  # the package and its unit, whose place ours takes
SETTINGS = f"{DIRECTORY}/mta-sts.yml"
BEFORE = "quietrelay-dane"
PROGRAM = f"{DIRECTORY}/dane.py"
PORT, BEFORE_PORT = 8461, 8462


def maps(by_dane: bool) -> list[str]:
    """Name the tables that Postfix asks, the first that answers decides (postconf(5), smtp_tls_policy_maps).

    On loopback, and not by a socket in a directory: smtp(8) is in a chroot on Debian 12.

    :param by_dane: whether keys are looked for in DNS, which a policy then must not override (RFC 8461 2)
    """
    before = [f"socketmap:inet:127.0.0.1:{BEFORE_PORT}:dane"] if by_dane else []
    return [*before, f"socketmap:inet:127.0.0.1:{PORT}:postfix"]


def part(by_dane: bool) -> Part:
    """Have the host fetch policies, by Debian's postfix-mta-sts-resolver."""
    unit = f"{UNITS}/{DAEMON}.service"
    before_unit = f"{UNITS}/{BEFORE}.service"
    before_files = {
        PROGRAM: File(partial(program, "dane.py")),
        before_unit: File(partial(render, f"tls/{BEFORE}.service", program=PROGRAM, port=BEFORE_PORT)),
    }
    before_daemon = Daemon(BEFORE, before_unit, f"/run/{BEFORE}/pid", (PROGRAM,))
    return Part(
        packages=(DAEMON, "python3", "ca-certificates"),
        directories={DIRECTORY: Directory()},
        files={
            SETTINGS: File(partial(render, "tls/mta-sts.yml", port=PORT)),
            unit: File(partial(render, f"tls/{DAEMON}.service", settings=SETTINGS)),
            **(before_files if by_dane else {}),
        },
        daemons=(
            Daemon(DAEMON, unit, "/run/quietrelay-mta-sts/pid", (SETTINGS,)),
            *((before_daemon,) if by_dane else ()),
        ),
        checks=(partial(checks, by_dane),),
    )


def checks(by_dane: bool, account: Account | None) -> Iterator[Check]:
    """See that Postfix can ask for policies; mail waits where it cannot."""
    asked = "".join(
        f"! postmap -q quietrelay.invalid {one} 2>&1 | grep . || exit 1\n" for one in maps(by_dane)
    )
    remedy = f"see journalctl -u {DAEMON} -u {BEFORE}"
    yield Check("MTA-STS policies can be asked for", asked, exits_well(remedy))
