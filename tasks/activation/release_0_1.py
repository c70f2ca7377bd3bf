"""What release 0.1 may have left on a host. It kept no manifest."""

from tasks.postfix.configuration import Configuration

# A parameter of main.cf that every relay of its has.
SIGN = "quietrelay_user_mail"

FILES = (
    "/etc/dovecot/quietrelay-ldap.ca.pem",
    "/etc/dovecot/quietrelay-ldap.conf",
    "/etc/dovecot/quietrelay.conf",
    "/etc/dovecot/quietrelay.users",
    "/etc/postfix/sasl/smtpd.conf",
    "/etc/postfix/sasldb2",
    "/etc/postfix/senders",
    "/etc/postfix/senders.ca.pem",
    "/etc/postfix/senders.ldap",
    "/etc/saslauthd.ca.pem",
    "/etc/saslauthd.conf",
    "/etc/saslauthd.imap-ca.pem",
    "/etc/systemd/system/quietrelay-dovecot.service",
    "/etc/systemd/system/quietrelay-ldap.service",
    "/etc/systemd/system/quietrelay-logs.service",
    "/etc/systemd/system/quietrelay-logs.timer",
    "/etc/systemd/system/saslauthd.service",
    "/usr/local/lib/quietrelay/gate.py",
    "/usr/local/lib/quietrelay/ldap_link.py",
)

# Where somebody else may have a file as well; ours says who wrote it.
SIGNED = ("/etc/pam.d/smtp",)

POSTFIX = Configuration(
    parameters={
        "maillog_file": "/var/log/postfix/mail.log",
        "smtpd_sender_login_maps": "$quietrelay_senders",
    }
)
