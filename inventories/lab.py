"""The lab: relays on Debian 12 and 13, a directory, the outside world and a user's laptop."""

from lab import hosts as lab
from tasks.settings import Logs, Privacy, SaslauthdLdap

_SSH = {
    "ssh_user": "operator",
    "ssh_key": str(lab.SSH_KEY),
    "ssh_known_hosts_file": str(lab.KNOWN_HOSTS),
    "ssh_config_file": str(lab.SSH_CONFIG),
    "_sudo": True,
}

relays = (
    [(host.name, {"ssh_hostname": host.ipv4}) for host in lab.RELAYS],
    _SSH
    | {
        "login": SaslauthdLdap(
            servers=["ldap://directory.relay.test"],
            search_base=lab.PEOPLE_DN,
            ca_file=str(lab.CA_CERTIFICATE),
            bind_dn=lab.SERVICE_DN,
            bind_password_file=str(lab.SERVICE_PASSWORD_FILE),
        ),
        "logs": Logs(keep_days=7),
        # The tests' messages answer to ids that these relays never saw; what they know has tests of its own.
        "privacy": Privacy(ids_known_days=None),
    },
)

# For the tests alone; pyinfra takes only lists and tuples for groups of hosts.
witnesses = {
    host.role: (host.name, _SSH | {"ssh_hostname": host.ipv4}) for host in lab.HOSTS if host not in lab.RELAYS
}
expendable = "lab.hosts"  # tests may break these relays: this module puts them back
