"""A mail server somewhere else: Postfix that takes everything for its domain into one Maildir, unchanged.

On 587 and 465 it is a smarthost, for whoever logs in as `SMARTHOST_USER` (SASL_README, libsasl's sasldb).
"""

from __future__ import annotations

import shlex
from pathlib import Path

from lab import certificates
from lab.furnishing import File, Role
from lab.topology import OUTSIDE_DOMAIN, OUTSIDE_MAILDIR, SMARTHOST_PASSWORD, SMARTHOST_USER, Host

BASE, _, MAILDIR = OUTSIDE_MAILDIR.rpartition("/")
UID = 5000

SETUP = f"""
groupadd --gid {UID} outside
useradd --uid {UID} --gid outside --no-create-home --home-dir {BASE} --shell /usr/sbin/nologin outside
install --directory --owner=outside --group=outside {BASE}
printf %s {shlex.quote(SMARTHOST_PASSWORD)} | saslpasswd2 -p -c {SMARTHOST_USER}
chown root:postfix /etc/sasldb2
chmod 640 /etc/sasldb2
for port in submission submissions; do
  postconf -M "$port/inet=$port inet n - n - - smtpd"
  postconf -P $port/inet/smtpd_sasl_auth_enable=yes $port/inet/smtpd_sasl_authenticated_header=yes \
    $port/inet/smtpd_recipient_restrictions=permit_sasl_authenticated,reject
done
postconf -P submission/inet/smtpd_tls_security_level=encrypt submissions/inet/smtpd_tls_wrappermode=yes
"""

SASL = """\
pwcheck_method: auxprop
auxprop_plugin: sasldb
mech_list: PLAIN LOGIN
"""


def main_cf(host: Host) -> str:
    """Postfix's settings, see postconf(5), virtual(8). Nothing here rewrites what comes from other hosts."""
    return f"""\
compatibility_level = 3.6
myhostname = {host.name}
myorigin = {OUTSIDE_DOMAIN}
inet_protocols = all
mydestination =
alias_maps =
local_header_rewrite_clients =
message_drop_headers =

virtual_mailbox_domains = {OUTSIDE_DOMAIN}
virtual_mailbox_base = {BASE}
virtual_mailbox_maps = static:{MAILDIR}/
virtual_mailbox_limit = 0
message_size_limit = 0
virtual_uid_maps = static:{UID}
virtual_gid_maps = static:{UID}

smtpd_tls_security_level = may
smtpd_tls_chain_files = /etc/postfix/tls.pem
smtp_tls_security_level = may
"""


def files(host: Host, state: Path) -> list[File]:
    """Postfix's configuration and certificate."""
    issued = certificates.ensure_certificate(host, state)
    return [
        File("/etc/postfix/main.cf", main_cf(host)),
        File("/etc/postfix/tls.pem", issued.key + issued.certificate, 0o600),
        File("/etc/postfix/sasl/smtpd.conf", SASL),
        File("/etc/mailname", f"{OUTSIDE_DOMAIN}\n"),
    ]


ROLE = Role(packages=("postfix", "libsasl2-modules", "sasl2-bin"), files=files, setup=SETUP)
