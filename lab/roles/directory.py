"""The LDAP directory that knows the users: slapd on ldap:// with StartTLS, ldaps:// and ldapi://.

It answers anonymous searches in the clear and takes a password only over TLS. Root on the host may change
anything by `ldapmodify -Y EXTERNAL -H ldapi:///`. See slapd-config(5), slapadd(8).
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
ROOT = "gidNumber=0+uidNumber=0,cn=peercred,cn=external,cn=auth"

CONFIG = f"""\
dn: cn=config
objectClass: olcGlobal
cn: config
olcPidFile: /run/slapd/slapd.pid
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
olcDbDirectory: /var/lib/ldap
olcDbIndex: objectClass,uid,mail,mailLocalAddress eq
olcAccess: {{0}}to attrs=userPassword
  by dn.exact={ROOT} manage
  by dn.exact="{SERVICE_DN}" read
  by anonymous auth
  by * none
olcAccess: {{1}}to * by dn.exact={ROOT} manage by * read
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
"""

SETUP = f"""
rm -rf /etc/ldap/slapd.d /var/lib/ldap
mkdir --mode=0750 /etc/ldap/slapd.d /var/lib/ldap
slapadd -n 0 -F /etc/ldap/slapd.d -l {LAB}/config.ldif
slapadd -n 1 -F /etc/ldap/slapd.d -l {LAB}/people.ldif
chown -R openldap:openldap /etc/ldap/slapd.d /var/lib/ldap {LAB}
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


def files(host: Host, state: Path) -> list[File]:
    """slapd's configuration, certificate and content, for SETUP to load."""
    issued = certificates.ensure_certificate(host, state)
    return [
        File(f"{LAB}/ca.pem", certificates.ensure_authority(state).certificate),
        File(f"{LAB}/certificate.pem", issued.certificate),
        File(f"{LAB}/key.pem", issued.key, 0o600),
        File(f"{LAB}/config.ldif", CONFIG),
        File(f"{LAB}/people.ldif", people_ldif(USERS)),
        File("/etc/default/slapd", SERVICES),
    ]


SERVICES = """\
SLAPD_USER=openldap
SLAPD_GROUP=openldap
SLAPD_SERVICES="ldap:/// ldaps:/// ldapi:///"
"""


def _hashed(dn: str, password: str) -> str:
    # A fixed salt for each entry: the file can then be compared with what a running host was made from.
    return ssha(password, hashlib.sha256(dn.encode()).digest()[:8])


ROLE = Role(packages=("slapd", "ldap-utils"), files=files, setup=SETUP)
