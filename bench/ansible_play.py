"""The same work by Ansible: the play in ansible/relay.yml, with templates made from a relay that is up."""

import json
import os
import re
import shutil
from collections.abc import Sequence
from pathlib import Path

from bench.distance import KNOWN_HOSTS as FAR_KNOWN_HOSTS
from bench.host import HEALTH
from bench.model import FILES, mark, read
from lab.paths import KNOWN_HOSTS, SSH_KEY
from lab.topology import Host
from tasks.certificates import renewal
from tasks.certificates.part import RELAY_PEM

COMMAND = Path(".venv-bench/bin/ansible-playbook")
PLAY = Path("bench/ansible/relay.yml")


def write(directory: Path, model: Host, hosts: Sequence[Host], port: int | None) -> None:
    """Write play, templates and inventory.

    :param model: a relay that deploy.py has made
    :param port: the first host's at this machine, where they are at a distance
    """
    shutil.copy(PLAY, directory)
    templates = directory / "templates"
    templates.mkdir(mode=0o700)
    for path, text in read(model, FILES).items():
        (templates / f"{Path(path).name}.j2").write_text(_template(text, model.name, mark(model)))
    files = directory / "files"
    files.mkdir()
    own_ca = renewal.script(["own_ca.sh"], RELAY_PEM, ["$NAME"], DAYS="365").replace("'$NAME'", "$NAME")
    (files / "certificate.sh").write_text(f"#!/bin/bash\nNAME=$1\nset -- renew\n{own_ca}")
    (files / "health.sh").write_text(f"#!/bin/sh\n{HEALTH}")
    (directory / "hosts.json").write_text(json.dumps(_inventory(hosts, port)))


def environment(directory: Path, hosts: int) -> dict[str, str]:
    """Set Ansible as its manual has it for speed: pipelining, and all hosts at once."""
    # A fresh directory for its connections: each run makes its own, as each of pyinfra's does.
    sockets = directory / "sockets"
    shutil.rmtree(sockets, ignore_errors=True)
    return os.environ | {
        "ANSIBLE_PIPELINING": "1",
        "ANSIBLE_FORKS": str(hosts),
        "ANSIBLE_SSH_CONTROL_PATH_DIR": str(sockets),
        "ANSIBLE_HOME": str(directory / "home"),
        "ANSIBLE_NOCOWS": "1",
    }


def changes(printed: str) -> int:
    """Add up what the recap says was changed or went wrong."""
    recap = printed[printed.index("PLAY RECAP") :]
    return sum(map(int, re.findall(r"(?:changed|unreachable|failed)=(\d+)", recap)))


def _template(text: str, hostname: str, mark_of_it: str) -> str:
    escaped = "{{ inventory_hostname | replace('.', '\\\\.') }}"
    names = {
        hostname.replace(".", "\\."): escaped,
        hostname: "{{ inventory_hostname }}",
        mark_of_it: "{{ mark }}",
    }
    parts = re.split(f"({'|'.join(map(re.escape, names))})", text)
    return "".join(names.get(part) or f"{{% raw %}}{part}{{% endraw %}}" for part in parts)


def _inventory(hosts: Sequence[Host], port: int | None) -> dict[str, object]:
    known_hosts = FAR_KNOWN_HOSTS if port else KNOWN_HOSTS
    return {
        "relays": {
            "hosts": {
                host.name: {"ansible_host": "127.0.0.1", "ansible_port": port + place}
                if port
                else {"ansible_host": host.ipv4}
                for place, host in enumerate(hosts)
            },
            "vars": {
                "ansible_user": "operator",
                "ansible_ssh_private_key_file": str(SSH_KEY),
                "ansible_ssh_common_args": f"-F none -o UserKnownHostsFile={known_hosts}",
                "ansible_python_interpreter": "/usr/bin/python3",
            },
        }
    }
