"""389 Directory Server, as FreeIPA has it, judges: who is locked is refused, by a code of its own."""

from collections.abc import Iterator

import pytest

from lab.roles.directory import LAB
from lab.topology import BASE_DN, PEOPLE_DN
from tests.support.backends import Backends, endpoint_of, reply
from tests.support.bed import Account, Relay, TestBed
from tests.support.smtp import MailProgram

pytestmark = [pytest.mark.changes_the_relay, pytest.mark.needs("directory")]

PORT = 3636
MANAGER = "-x -H ldap://localhost:3389 -D 'cn=Directory Manager' -w the-directorys-own"
INSTANCE = "/etc/dirsrv/slapd-lab"
ANNA, LOCKED = Account("anna", "correct-horse-3"), Account("locked", "correct-horse-4")

# dscreate(8), dsctl(8). Its certificate is the host's, as slapd has it.
START = f"""
set -e
export DEBIAN_FRONTEND=noninteractive
apt-get -qqy -o DPkg::Lock::Timeout=120 install --no-install-recommends 389-ds-base libnss3-tools >/dev/null
cat >/root/lab.inf <<'END'
[general]
full_machine_name = directory.relay.test
strict_host_checking = False
[slapd]
instance_name = lab
port = 3389
secure_port = {PORT}
root_password = the-directorys-own
self_sign_cert = False
[backend-userroot]
suffix = {BASE_DN}
create_suffix_entry = True
END
dscreate from-file /root/lab.inf >/dev/null
openssl pkcs12 -export -in {LAB}/certificate.pem -inkey {LAB}/key.pem \\
    -name Server-Cert -passout pass: -out /root/lab.p12
pk12util -i /root/lab.p12 -W '' -d {INSTANCE} -k {INSTANCE}/pwdfile.txt >/dev/null
certutil -A -n lab -t C,, -i {LAB}/ca.pem -d {INSTANCE} -f {INSTANCE}/pwdfile.txt
ldapmodify {MANAGER} >/dev/null <<'END'
dn: cn=config
changetype: modify
replace: nsslapd-security
nsslapd-security: on

dn: {BASE_DN}
changetype: modify
add: aci
aci: (targetattr!="userPassword")(version 3.0; acl "all"; allow (read,search,compare) userdn="ldap:///anyone";)

dn: {PEOPLE_DN}
changetype: add
objectClass: organizationalUnit

dn: uid={ANNA.login},{PEOPLE_DN}
changetype: add
objectClass: inetOrgPerson
cn: Anna
sn: Example
userPassword: {ANNA.password}

dn: uid={LOCKED.login},{PEOPLE_DN}
changetype: add
objectClass: inetOrgPerson
objectClass: nsAccount
cn: Locked
sn: Example
userPassword: {LOCKED.password}
nsAccountLock: true
END
systemctl restart dirsrv@lab
"""
STOP = "dsctl lab remove --do-it >/dev/null; rm -f /root/lab.inf /root/lab.p12"
LOGIN = f"""SaslauthdLdap(
    servers=["ldaps://directory.relay.test:{PORT}"], search_base=lab.PEOPLE_DN, ca_file=given.ca_file,
)"""


@pytest.fixture(scope="module", autouse=True)
def directory(test_bed: TestBed, backends: Backends) -> Iterator[None]:
    """Have it run beside the lab's own, and the relays ask it."""
    remote = test_bed.others["directory"]
    try:
        remote.run(START)
        run = backends.choose(LOGIN)
        assert run.status == 0, run.complaint()
        yield
    finally:
        remote.run(STOP)


@pytest.mark.parametrize(
    ("account", "code"),
    [
        pytest.param(ANNA, 235, id="right"),
        pytest.param(Account(ANNA.login, "wrong"), 535, id="wrong password"),
        pytest.param(Account("nobody", ANNA.password), 535, id="nobody"),
        pytest.param(LOCKED, 535, id="locked"),
    ],
)
def test_its_users_log_in_and_who_is_locked_is_refused(
    test_bed: TestBed, mail_program: MailProgram, relay: Relay, account: Account, code: int
) -> None:
    assert reply(mail_program, endpoint_of(test_bed, relay), *account) == code


def test_while_it_is_stopped_users_are_put_off(
    test_bed: TestBed, mail_program: MailProgram, relay: Relay
) -> None:
    remote = test_bed.others["directory"]
    remote.run("systemctl stop dirsrv@lab")
    try:
        assert reply(mail_program, endpoint_of(test_bed, relay), *ANNA) == 454
    finally:
        remote.run("systemctl start dirsrv@lab")
    assert reply(mail_program, endpoint_of(test_bed, relay), *ANNA) == 235
