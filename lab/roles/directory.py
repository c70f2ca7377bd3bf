"""The LDAP directory that knows the users, twice, and an IMAP server that knows them as well.

slapd answers on ldap:// with StartTLS, ldaps:// and ldapi://; a second one, with the same content, on other
ports. They answer anonymous searches in the clear and take a password only over TLS. Root on the host may
change anything by `ldapmodify -Y EXTERNAL -H ldapi:///`. See slapd-config(5), slapadd(8).

Dovecot answers on imaps:// (doc.dovecot.org, 2.3); its users are lines of `IMAP_USERS`.
"""

from __future__ import annotations

import hashlib
from base64 import b64encode
from collections.abc import Sequence
from pathlib import Path

from lab import certificates
from lab.furnishing import File, Role
from lab.topology import BASE_DN, PEOPLE_DN, SERVICE_DN, SERVICE_PASSWORD, USERS, Host, User

LAB = "/etc/ldap/lab"
POLICY_DN = f"cn=policy,{BASE_DN}"  # accounts may be locked (slapo-ppolicy(5))
SECOND_LDAP, SECOND_LDAPS = 1389, 1636
SECOND_LDAPI = "ldapi://%2Frun%2Fslapd-second%2Fldapi"
IMAP_USERS = "/etc/dovecot/users"
IMAP_UID = 5001
ROOT = "gidNumber=0+uidNumber=0,cn=peercred,cn=external,cn=auth"

CONFIG = f"""\
dn: cn=config
objectClass: olcGlobal
cn: config
olcPidFile: RUN/slapd.pid
olcLogLevel: stats
olcSecurity: simple_bind=128
olcTLSCACertificateFile: {LAB}/ca.pem
olcTLSCertificateFile: {LAB}/certificate.pem
olcTLSCertificateKeyFile: {LAB}/key.pem

dn: cn=module{{0}},cn=config
objectClass: olcModuleList
cn: module{{0}}
olcModulePath: /usr/lib/ldap
olcModuleLoad: back_mdb
olcModuleLoad: ppolicy

dn: cn=schema,cn=config
objectClass: olcSchemaConfig
cn: schema

include: file:///etc/ldap/schema/core.ldif
include: file:///etc/ldap/schema/cosine.ldif
include: file:///etc/ldap/schema/inetorgperson.ldif
include: file:///etc/ldap/schema/misc.ldif

dn: olcDatabase={{0}}config,cn=config
objectClass: olcDatabaseConfig
olcDatabase: {{0}}config
olcAccess: to * by dn.exact={ROOT} manage by * none

dn: olcDatabase={{1}}mdb,cn=config
objectClass: olcDatabaseConfig
objectClass: olcMdbConfig
olcDatabase: {{1}}mdb
olcSuffix: {BASE_DN}
olcDbDirectory: DATABASE
olcDbIndex: objectClass,uid,mail,mailLocalAddress eq
olcAccess: {{0}}to attrs=userPassword
  by dn.exact={ROOT} manage
  by dn.exact="{SERVICE_DN}" read
  by anonymous auth
  by * none
olcAccess: {{1}}to * by dn.exact={ROOT} manage by * read

dn: olcOverlay={{0}}ppolicy,olcDatabase={{1}}mdb,cn=config
objectClass: olcOverlayConfig
objectClass: olcPPolicyConfig
olcOverlay: {{0}}ppolicy
olcPPolicyDefault: {POLICY_DN}
"""

TREE = f"""\
dn: {BASE_DN}
objectClass: dcObject
objectClass: organization
o: Relay

dn: {PEOPLE_DN}
objectClass: organizationalUnit

dn: ou=Services,{BASE_DN}
objectClass: organizationalUnit

dn: {POLICY_DN}
objectClass: organizationalRole
objectClass: pwdPolicy
pwdAttribute: userPassword
pwdLockout: TRUE
"""

# Each slapd has its configuration and its database.
SETUP = f"""
for each in "" -second; do
  config=/etc/ldap/slapd$each.d database=/var/lib/ldap$each
  rm -rf $config $database
  mkdir --mode=0750 $config $database
  sed "s#DATABASE#$database#; s#RUN#/run/slapd$each#" {LAB}/config.ldif | slapadd -n 0 -F $config
  slapadd -n 1 -F $config -l {LAB}/people.ldif
  chown -R openldap:openldap $config $database {LAB}
done
groupadd --gid {IMAP_UID} imap
useradd --uid {IMAP_UID} --gid imap --create-home --home-dir /var/mail/imap --shell /usr/sbin/nologin imap
systemctl --quiet enable slapd-second
"""

SECOND = rf"""
[Unit]
Description=A second LDAP directory with the same content
After=network.target

[Service]
User=openldap
Group=openldap
RuntimeDirectory=slapd-second
ExecStart=/usr/sbin/slapd -d 0 -F /etc/ldap/slapd-second.d -h \
  "ldap://:{SECOND_LDAP} ldaps://:{SECOND_LDAPS} {SECOND_LDAPI.replace("%", "%%")}"

[Install]
WantedBy=multi-user.target
"""

# All passwords come from the relays: a host is not slowed down for the wrong ones among them.
DOVECOT = f"""\
protocols = imap
listen = *, ::
ssl = required
ssl_cert = </etc/dovecot/certificate.pem
ssl_key = </etc/dovecot/key.pem
auth_mechanisms = plain
auth_failure_delay = 0
service anvil {{
  unix_listener anvil-auth-penalty {{
    mode = 0
  }}
}}
mail_location = maildir:~/%u
passdb {{
  driver = passwd-file
  args = {IMAP_USERS}
}}
userdb {{
  driver = static
  args = uid={IMAP_UID} gid={IMAP_UID} home=/var/mail/imap
}}
"""


def ssha(password: str, salt: bytes) -> str:
    """A password as slapd stores it: salted SHA-1, see slapd-config(5) on olcPasswordHash."""
    digest = hashlib.sha1(password.encode() + salt, usedforsecurity=False).digest()
    return "{SSHA}" + b64encode(digest + salt).decode()


def person(user: User) -> str:
    """The entry of a user, as LDIF. Further addresses are what inetLocalMailRecipient has them as."""
    aliases = "".join(f"mailLocalAddress: {address}\n" for address in user.aliases)
    return f"""\
dn: {user.dn}
objectClass: inetOrgPerson
objectClass: inetLocalMailRecipient
cn: {user.uid.capitalize()} Example
sn: Example
mail: {user.mail}
{aliases}userPassword: {_hashed(user.dn, user.password)}
"""


def people_ldif(users: Sequence[User]) -> str:
    """The directory's content. An attribute of the DN is added to each entry by slapadd."""
    service = f"""\
dn: {SERVICE_DN}
objectClass: organizationalRole
objectClass: simpleSecurityObject
userPassword: {_hashed(SERVICE_DN, SERVICE_PASSWORD)}
"""
    return "\n".join([TREE, service, *map(person, users)])


def imap_users(users: Sequence[User]) -> str:
    """The IMAP server's users, see doc.dovecot.org on passwd-file."""
    return "".join(f"{user.uid}:{_hashed(user.dn, user.password)}::::::\n" for user in users)


def files(host: Host, state: Path) -> list[File]:
    """slapd's configuration, certificate and content, for SETUP to load, and Dovecot's."""
    issued = certificates.ensure_certificate(host, state)
    return [
        File(f"{LAB}/ca.pem", certificates.ensure_authority(state).certificate),
        File(f"{LAB}/certificate.pem", issued.certificate),
        File(f"{LAB}/key.pem", issued.key, 0o600),
        File(f"{LAB}/config.ldif", CONFIG),
        File(f"{LAB}/people.ldif", people_ldif(USERS)),
        File("/etc/default/slapd", SERVICES),
        File("/etc/systemd/system/slapd-second.service", SECOND),
        File("/etc/dovecot/dovecot.conf", DOVECOT),
        File("/etc/dovecot/certificate.pem", issued.certificate),
        File("/etc/dovecot/key.pem", issued.key, 0o600),
        File(IMAP_USERS, imap_users(USERS)),
    ]


SERVICES = """\
SLAPD_USER=openldap
SLAPD_GROUP=openldap
SLAPD_SERVICES="ldap:/// ldaps:/// ldapi:///"
"""


def _hashed(dn: str, password: str) -> str:
    # A fixed salt for each entry: the file can then be compared with what a running host was made from.
    return ssha(password, hashlib.sha256(dn.encode()).digest()[:8])


ROLE = Role(packages=("slapd", "ldap-utils", "dovecot-imapd", "nftables"), files=files, setup=SETUP)
