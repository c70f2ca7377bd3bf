"""Two relays that share all settings but their names and certificates. An example: make it yours."""

from tasks.settings import CertificateFiles, SaslauthdLdap, SendersFromDirectory

relays = (
    [
        (
            "mx1.example.org",
            {"certificate": CertificateFiles(certificate="secrets/mx1.pem", key="secrets/mx1.key")},
        ),
        (
            "mx2.example.org",
            {"certificate": CertificateFiles(certificate="secrets/mx2.pem", key="secrets/mx2.key")},
        ),
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
