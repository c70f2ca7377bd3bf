"""The lab as Vagrant's machines: relays on Debian 12 and 13; directory, outside and laptop on a third."""

from lab.vms import hosts as vms
from tasks.settings import Logs, SaslauthdLdap

relays = (
    [(host.name, vms.ssh(host)) for host in vms.RELAYS],
    {
        "login": SaslauthdLdap(
            servers=["ldap://directory.relay.test"],
            search_base=vms.PEOPLE_DN,
            ca_file=str(vms.CA_CERTIFICATE),
            bind_dn=vms.SERVICE_DN,
            bind_password_file=str(vms.SERVICE_PASSWORD_FILE),
        ),
        "logs": Logs(keep_days=7),
    },
)

# For the tests alone; pyinfra takes only lists and tuples for groups of hosts.
witnesses = {host.role: (host.name, vms.ssh(host)) for host in vms.HOSTS if host not in vms.RELAYS}
expendable = "lab.vms.hosts"  # tests may break these relays: this module puts them back
