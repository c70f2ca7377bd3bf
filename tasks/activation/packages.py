"""Packages: Postfix, what checks passwords, and what the relay needs beside them."""

from pyinfra import host
from pyinfra.facts.deb import DebPackages
from pyinfra.operations import apt

from tasks import settings
from tasks.host.facts.host import Ground
from tasks.host.operations import debconf
from tasks.host.step import step
from tasks.login import part as sasl
from tasks.senders import part as ownership

WANTED = [
    "postfix",
    "postfix-pcre",
    "telnet-ssl",
    "ca-certificates",  # what other servers' and the directory's certificates are checked against
    "openssl",
    "iproute2",  # ss(8), which tells who listens
]


@step("Packages")
def install() -> None:
    """Install what is missing, without questions and without recommended packages."""
    relay = settings.of(host)
    if foreign := host.get_fact(Ground)["mail_servers"]:
        apt.packages(name=f"Remove {', '.join(foreign)}", packages=foreign, present=False)
    debconf.answers(
        name="Answer Postfix's installation questions",
        package="postfix",
        questions={
            "postfix/main_mailer_type": ("select", "Internet Site"),
            "postfix/mailname": ("string", relay.hostname),
        },
    )
    wanted = [*WANTED, *sasl.chosen(relay).PACKAGES, *ownership.packages(relay)]
    installed = host.get_fact(DebPackages)
    apt.packages(
        name="Install Postfix, what checks passwords, and telnet-ssl",
        packages=wanted,
        no_recommends=True,
        update=not set(wanted) <= set(installed),  # a converged run asks no package source anything
    )
