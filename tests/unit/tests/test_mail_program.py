"""A mail program that gives up waits once for an endpoint that is silent, and not for each test of it."""

import socket
from unittest.mock import Mock

import pytest

from tests.support.bed import Endpoint
from tests.support.smtp import MailProgram


@pytest.mark.parametrize("gives_up", [True, False])
def test_whoever_gives_up_waits_once(gives_up: bool) -> None:
    program = MailProgram(Mock(), gives_up=gives_up)
    silent, other = Endpoint(Mock(), 25, "IPv4"), Endpoint(Mock(), 465, "IPv4")
    ours, theirs = socket.socketpair()  # nobody speaks at the other end
    ours.settimeout(0.01)
    heard = []
    with ours, theirs:
        for endpoint in (silent, silent, other):
            try:
                with program.patience(endpoint):
                    heard.append(endpoint)
                    ours.recv(1)
            except TimeoutError:
                pass
    assert heard == ([silent, other] if gives_up else [silent, silent, other])
