"""Two relays that share all settings but their names. Copy this file, and make it yours."""

from tasks.settings import CertificateFiles, SaslauthdLdap, SendersFromDirectory

relays = (
    [
        ("mx1.example.org", {"certificate": CertificateFiles(certificate="tls/mx1.pem", key="tls/mx1.key")}),
        ("mx2.example.org", {"certificate": CertificateFiles(certificate="tls/mx2.pem", key="tls/mx2.key")}),
    ],
    {
        "ssh_user": "admin",
        "_sudo": True,
        "login": SaslauthdLdap(
            servers=["ldaps://ldap.example.org"],
            search_base="ou=People,dc=example,dc=org",
        ),
        # Users send from the addresses that the directory has for them, and from no others.
        "senders": SendersFromDirectory(filter="(mail=%s)"),
    },
)
