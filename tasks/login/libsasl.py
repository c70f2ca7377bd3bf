"""libsasl: the library in Postfix's smtpd that asks for it, and its file of settings."""

from collections.abc import Mapping

from tasks.host.templates import render
from tasks.part import Directory, File, Part
from tasks.postfix.configuration import Configuration

DIRECTORY = "/etc/postfix/sasl"
SMTPD_CONF = f"{DIRECTORY}/smtpd.conf"


def part(lines: Mapping[str, str], mechanisms: tuple[str, ...]) -> Part:
    """Have Postfix ask libsasl.

    :param lines: whom libsasl is to ask, as the settings of smtpd.conf
    :param mechanisms: SASL mechanisms that it offers
    """
    return Part(
        directories={DIRECTORY: Directory()},
        files={
            SMTPD_CONF: File(lambda: render("login/sasl/smtpd.conf", lines=lines, mechanisms=mechanisms)),
        },
        rereads=(SMTPD_CONF,),  # each process of smtpd learns the mechanisms once, when it begins
        mechanisms=mechanisms,
        postfix=Configuration(
            parameters={
                "smtpd_sasl_type": "cyrus",
                "smtpd_sasl_path": "smtpd",
                # Debian 13's Postfix finds smtpd.conf only so, and else offers what nobody here can check.
                "cyrus_sasl_config_path": DIRECTORY,
            }
        ),
    )
