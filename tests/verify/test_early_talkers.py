"""Early talkers: whoever speaks before listening is turned away."""

import pytest

from tests.support.bed import Endpoint
from tests.support.smtp import PATIENCE, MailProgram


@pytest.mark.parametrize("greeting", ["EHLO", "HELO"])
def test_a_client_that_does_not_wait_for_answers_is_turned_away(
    mail_program: MailProgram, plain_endpoint: Endpoint, greeting: str
) -> None:
    # Whoever speaks before listening is a robot, or a web page that was made to talk to port 25.
    relay = plain_endpoint.relay
    with (
        mail_program.patience(plain_endpoint),
        mail_program.client_host.connect(plain_endpoint.address, plain_endpoint.port, PATIENCE) as connection,
    ):
        connection.sendall(
            f"{greeting} robot.test\r\nMAIL FROM:<>\r\nRCPT TO:<postmaster@{relay.hostname}>\r\nDATA\r\n"
            "Subject: hello\r\n\r\n.\r\nQUIT\r\n".encode()
        )
        replies = connection.makefile("rb").read().splitlines()
    codes = [int(line[:3]) for line in replies]
    assert codes in ([220, 554], [554]), replies  # the greeting may or may not have been on its way
