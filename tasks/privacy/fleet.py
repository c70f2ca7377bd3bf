"""A fleet: relays of the same users, which know each other's ids of messages (onhost/fleet.py)."""

import json
from collections.abc import Iterator
from functools import partial

from pydantic import SecretStr

from tasks.host.templates import program, render
from tasks.inventory.operator_files import OperatorFileError, read_secret
from tasks.part import Account, Check, Daemon, Directory, File, Part
from tasks.part.check import Result
from tasks.privacy.section import Privacy

UNIT = "/etc/systemd/system/quietrelay-fleet.service"
PROGRAM = "/usr/local/lib/quietrelay/fleet.py"
SETTINGS = "/usr/local/lib/quietrelay/fleet.json"
KEY = "/usr/local/lib/quietrelay/fleet.key"
STATUS = "/run/quietrelay-fleet/status"
SHORTEST = 32  # characters of a key


def part(privacy: Privacy) -> Part:
    """Have the relay and the others tell each other what they rewrote; nothing where there are no others."""
    if not privacy.fleet:
        return Part()
    unit = partial(
        render,
        "privacy/quietrelay-fleet.service",
        program=PROGRAM,
        settings=SETTINGS,
        key=KEY,
        relays=privacy.fleet,
    )
    return Part(
        packages=("python3",),
        directories={"/usr/local/lib/quietrelay": Directory()},
        files={
            PROGRAM: File(partial(program, "fleet.py")),
            SETTINGS: File(partial(settings, privacy)),
            KEY: File(partial(_key, privacy), mode="600", title="Put what the fleet's relays have in common"),
            UNIT: File(unit),
        },
        daemons=(Daemon("quietrelay-fleet", UNIT, "/run/quietrelay-fleet/pid", (PROGRAM, SETTINGS, KEY)),),
        checks=(checks,),
    )


def settings(privacy: Privacy) -> str:
    """Write whom the program asks, and where."""
    return json.dumps({"port": privacy.fleet_port, "relays": privacy.fleet}, indent=0) + "\n"


def _key(privacy: Privacy) -> SecretStr:
    setting = "privacy.fleet_key_file"
    key = read_secret(setting, privacy.fleet_key_file).get_secret_value()
    if len(key) < SHORTEST:
        raise OperatorFileError(
            setting,
            f"{privacy.fleet_key_file} holds fewer than {SHORTEST} characters; "
            f"write one by openssl rand -base64 33 > {privacy.fleet_key_file}",
        )
    return SecretStr(f"{key}\n")


def checks(account: Account | None) -> Iterator[Check]:
    """See that the other relays are heard, whoever asks."""
    yield Check("the other relays of the fleet are heard", f"cat {STATUS}", judge)


def judge(result: Result) -> str:
    """Tell which relays are not heard, and why."""
    if not result.succeeded:
        return "nobody is asked; see journalctl -u quietrelay-fleet"
    said = [line.partition("\t") for line in result.output.splitlines()]
    wrong = [f"{address}: {words}" for address, _, words in said if words]
    remedy = "; their firewalls have to let the port in, and all need the same key"
    return "; ".join(wrong) + remedy if wrong else ""
