"""Activation: the new configuration goes live in one step, and the relay is seen to be up."""

from pyinfra import host

from tasks import settings
from tasks.activation import health
from tasks.certificates import part as certificates
from tasks.host.operations import daemons
from tasks.host.step import step
from tasks.login import part as sasl
from tasks.postfix import operations as postfix
from tasks.postfix.configuration import Configuration
from tasks.postfix.facts import MASTER_PID
from tasks.privacy import part as privacy
from tasks.senders import part as ownership
from tasks.tls import part as tls


@step("Activation")
def switch(configuration: Configuration) -> None:
    """Write main.cf and master.cf, have Postfix run with them, and hold a conversation on every port."""
    relay = settings.of(host)
    postfix.configuration(name="Write main.cf and master.cf", wanted=configuration)
    daemons.running(
        name="Run Postfix",
        unit="postfix",
        pid_file=MASTER_PID,
        reads=[
            "/etc/postfix/main.cf",
            "/etc/postfix/master.cf",
            "/etc/group",  # a process has the groups that its user had when it began
            sasl.chosen(relay).ASKED.offers,
            tls.POLICY,
            privacy.RULES,
            *certificates.chain_files(relay),
            *ownership.reads(relay),
        ],
        reload="postfix reload",
    )
    daemons.listening(
        name="Have Postfix listen on 25, 465 and 587",
        unit="postfix",
        pid_file=MASTER_PID,
        ports=[25, 465, 587],
    )
    health.answers(
        name="Hold a conversation with the relay",
        password_check=sasl.chosen(relay).ASKED.health,
        mechanisms=sasl.mechanisms(relay),
        auth_on_25=relay.submission.auth_on_25,
    )
