"""How many messages a second a relay takes from users on 465, and what each of its parts costs.

Each connection logs in once and hands in `MESSAGES` messages, as webmails write them. A burst is timed until
the queue is empty; what leaves goes to Postfix's discard(8), so that no other server shares the cores.
Each part's cost is the same relay without it, in the same minute. The stranger is the distribution's Postfix
with Dovecot for its logins, as its manual has it (SASL_README), and without any rewriting.
"""

import ssl
import time
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from smtplib import SMTP, SMTP_SSL
from statistics import median

from bench.host import run_on
from lab.process import wait_until
from lab.topology import Host, user_named
from tasks.senders.part import USERS

MESSAGES = 10  # a connection's
CONNECTIONS = 16  # at once
BURST = 400  # messages
SWEEP = (1, 2, 4, 8, 16, 32, 64)  # connections at once
USER = user_named("alice")
PORT = 465
HELO = "laptop.home.test"
PATIENCE = 60.0  # seconds
BODY = "Nobody is an island, entire of itself.\r\n" * 75  # 3 KB
MESSAGE = (
    f"""\
Received: from kitchen-pc.fritz.box (dsl-192-0-2-77.example.net [192.0.2.77]) by webmail.example.org (Horde
 Framework) with HTTPS; Thu, 20 Nov 2025 10:33:00 +0000
Date: Thu, 20 Nov 2025 10:33:00 +0000
Message-ID: <20251120103300.Horde.22@kitchen-pc>
References: <20251119.1@example.net> <20251119.2@kitchen-pc>
From: {USER.mail}
To: friend@outside.test
Subject: Island
User-Agent: Horde Application Framework 5
X-Originating-IP: 192.0.2.77
MIME-Version: 1.0
Content-Type: text/plain; charset=utf-8

""".replace("\n", "\r\n")
    + BODY
)

EVERYTHING, STRANGER = "everything on", "Debian's Postfix with Dovecot"
PARTS = {
    EVERYTHING: "",
    "without rewriting": "postconf -PX submissions/inet/cleanup_service_name",
    "without sender checks": f"postconf -P submissions/inet/smtpd_relay_restrictions={USERS}",
    "without its own log file": "postconf -X maillog_file",
    "without TLS": "postconf -P submissions/inet/smtpd_tls_wrappermode=no"
    " submissions/inet/smtpd_tls_security_level=none submissions/inet/smtpd_tls_auth_only=no",
    "without logins": "postconf -P submissions/inet/smtpd_client_restrictions="
    " submissions/inet/smtpd_relay_restrictions=check_client_access,static:permit,reject",
    STRANGER: "",
}

SAVE = "cp -p /etc/postfix/main.cf /root/main.cf.bench; cp -p /etc/postfix/master.cf /root/master.cf.bench\n"
DISCARD = "postconf -e default_transport=discard:\n"
# Not a reload: a process that takes a connection while it is told to end keeps others from taking any.
RESTART = "systemctl reset-failed postfix 'postfix@*' 2>/dev/null; systemctl restart postfix\n"
BACK = "mv /root/main.cf.bench /etc/postfix/main.cf; mv /root/master.cf.bench /etc/postfix/master.cf\n"

# What SASL_README, "Configuring Dovecot SASL", and the comments in Debian's master.cf say.
DOVECOT = f"""
export DEBIAN_FRONTEND=noninteractive
apt-get -qq update
apt-get -qq install --yes --no-install-recommends postfix dovecot-core ssl-cert >/dev/null 2>&1
# Debian's Dovecot asks PAM, which takes its time to say no.
sed -i 's/^!include auth-system/#&/' /etc/dovecot/conf.d/10-auth.conf
echo '{USER.uid}:{{PLAIN}}{USER.password}' > /etc/dovecot/users
cat > /etc/dovecot/local.conf <<'END'
auth_mechanisms = plain login
passdb {{
  driver = passwd-file
  args = /etc/dovecot/users
}}
service auth {{
  unix_listener /var/spool/postfix/private/auth {{
    mode = 0660
    user = postfix
    group = postfix
  }}
}}
END
chown root:dovecot /etc/dovecot/users; chmod 640 /etc/dovecot/users
postconf -e myhostname=$(hostname -f) default_transport=discard:
postconf -M 'submissions/inet=submissions inet n - y - - smtpd'
postconf -P submissions/inet/syslog_name=postfix/submissions submissions/inet/smtpd_tls_wrappermode=yes \
 submissions/inet/smtpd_sasl_auth_enable=yes submissions/inet/smtpd_sasl_type=dovecot \
 submissions/inet/smtpd_sasl_path=private/auth \
 submissions/inet/smtpd_relay_restrictions=permit_sasl_authenticated,reject
systemctl restart dovecot
{RESTART}
"""


def measure(relay: Host, stranger: Host, rounds: int) -> Mapping[str, float]:
    """Give messages a second, with everything on and without each part: the median of so many bursts.

    :param stranger: a host as Debian makes it, which becomes the other relay
    """
    run_on(stranger, DOVECOT, timeout=300)
    found: dict[str, list[float]] = {part: [] for part in PARTS}
    for first in range(rounds):
        for part, script in rotated(list(PARTS.items()), first):
            if part == STRANGER:
                found[part].append(burst(stranger, CONNECTIONS))
            else:
                with changed(relay, script):
                    tls, login = part != "without TLS", part != "without logins"
                    found[part].append(burst(relay, CONNECTIONS, tls, login))
    return {part: median(rates) for part, rates in found.items()}


def rotated(parts: list[tuple[str, str]], first: int) -> list[tuple[str, str]]:
    """Begin elsewhere in each round, so that nobody always comes after the same."""
    return parts[first % len(parts) :] + parts[: first % len(parts)]


def sweep(relay: Host, rounds: int) -> Mapping[str, float]:
    """Give messages a second for more and more connections at once, with everything on."""
    with changed(relay, ""):
        return {str(count): median(burst(relay, count) for _ in range(rounds)) for count in SWEEP}


@contextmanager
def changed(relay: Host, script: str) -> Iterator[None]:
    """Change a relay, and put it back."""
    run_on(relay, f"set -e\n{SAVE}{DISCARD}{script}\n{RESTART}")
    try:
        yield
    finally:
        run_on(relay, BACK + RESTART)


def burst(relay: Host, connections: int, tls: bool = True, login: bool = True) -> float:
    """Hand in a burst, and tell how many messages a second got through the relay."""
    run_on(relay, "postsuper -d ALL >/dev/null 2>&1")
    talk(relay, tls, login)  # so that the first daemons run
    wait_for_an_empty_queue(relay)
    begin = time.monotonic()
    with ThreadPoolExecutor(connections) as pool:
        list(pool.map(lambda _: talk(relay, tls, login), range(BURST // MESSAGES)))
    wait_for_an_empty_queue(relay)
    return BURST / (time.monotonic() - begin)


def talk(relay: Host, tls: bool, login: bool) -> None:
    """Hold one connection's conversation."""
    trust = ssl.create_default_context()  # the stranger's certificate is nobody's
    trust.check_hostname, trust.verify_mode = False, ssl.CERT_NONE
    one: SMTP = (
        SMTP_SSL(relay.ipv4, PORT, HELO, timeout=PATIENCE, context=trust)
        if tls
        else SMTP(relay.ipv4, PORT, HELO, timeout=PATIENCE)
    )
    with one:
        if login:
            one.login(USER.uid, USER.password)
        for _ in range(MESSAGES):
            one.sendmail(USER.mail, "friend@outside.test", MESSAGE)


def wait_for_an_empty_queue(relay: Host) -> None:
    """Wait until everything has left."""
    left = "find /var/spool/postfix/incoming /var/spool/postfix/active -type f | head -n 1"
    wait_until(lambda: not run_on(relay, left), f"{relay.name}'s queue to become empty", timeout=120)
