"""Servers that a relay needs are asked before anything is changed, by real connections to real servers."""

import contextlib
import socket
import ssl
import subprocess
import threading
from collections.abc import Iterator
from typing import Any, TypeVar

import pytest
from pyinfra.api import FactBase, StringCommand

from lab.certificates import issue, new_authority
from tasks.part import File, Server
from tasks.servers.reach import complain

T = TypeVar("T")
CA_FILE = "/etc/somewhere/ca.pem"
AUTHORITY = new_authority()


def ask(fact: type[FactBase[T]], /, **arguments: Any) -> T:
    """Ask this machine, as pyinfra would ask a host."""
    command = StringCommand(fact().command(**arguments)).get_raw_value()
    done = subprocess.run(["sh", "-c", command], capture_output=True, text=True, timeout=60, check=True)
    return fact().process(done.stdout.splitlines())


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[int]:
    """Serve TLS on a port of loopback."""
    issued = issue(AUTHORITY, "localhost", "127.0.0.2")
    chain = tmp_path_factory.mktemp("served") / "chain.pem"
    chain.write_text(issued.key + issued.certificate)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(chain)
    with socket.create_server(("127.0.0.1", 0)) as listening:

        def answer() -> None:
            while True:
                try:
                    connection, _ = listening.accept()
                except OSError:
                    return
                # Some clients only connect, or do not believe.
                with connection, contextlib.suppress(OSError):  # some only connect, or do not believe
                    talking = context.wrap_socket(connection, server_side=True)
                    talking.recv(1)  # the client's end
                    talking.close()

        thread = threading.Thread(target=answer)
        thread.start()
        yield listening.getsockname()[1]
        listening.shutdown(socket.SHUT_RDWR)
    thread.join(10)


def server(port: int, host: str = "localhost", section: str = "login") -> Server:
    """Name a server there."""
    return Server(f"ldaps://{host}:{port}", host, port, CA_FILE, section=section)


def silent_port() -> int:
    """Find a port where nobody listens."""
    with socket.create_server(("127.0.0.1", 0)) as listening:
        return int(listening.getsockname()[1])


def test_a_server_that_proves_who_it_is_is_fine(served: int) -> None:
    files = {CA_FILE: File(lambda: AUTHORITY.certificate)}
    assert list(complain([server(served)], files, ask)) == []


def test_a_server_of_another_name_is_told(served: int) -> None:
    (said,) = complain([server(served, "127.0.0.1")], {CA_FILE: File(lambda: AUTHORITY.certificate)}, ask)
    assert said.startswith(f"login: ldaps://127.0.0.1:{served}: IP address mismatch; correct login.ca_file")


def test_a_server_that_another_ca_vouches_for_is_told(served: int) -> None:
    other = new_authority().certificate
    (said,) = complain([server(served)], {CA_FILE: File(lambda: other)}, ask)
    assert "correct login.ca_file" in said


def test_a_silent_server_is_told_with_a_remedy() -> None:
    (said,) = complain([server(silent_port(), section="smarthost")], {}, ask)
    assert "nobody listens there; start the server, or correct its address in smarthost" in said


def test_a_name_that_is_not_there_is_told() -> None:
    (said,) = complain([server(636, "directory.invalid")], {}, ask)
    assert said.startswith(
        "login: ldaps://directory.invalid:636: its name cannot be looked up; correct it in"
    )


def test_one_server_of_two_will_do(served: int) -> None:
    both = [server(silent_port()), server(served)]
    assert list(complain(both, {CA_FILE: File(lambda: AUTHORITY.certificate)}, ask)) == []


def test_servers_of_one_section_do_not_stand_in_for_anothers(served: int) -> None:
    both = [server(served), server(silent_port(), section="senders")]
    (said,) = complain(both, {CA_FILE: File(lambda: AUTHORITY.certificate)}, ask)
    assert said.startswith("senders: ")


def test_a_socket_that_is_not_there_is_told() -> None:
    (said,) = complain([Server("ldapi:///", "", 0, "", plain=True, socket="/nowhere")], {}, ask)
    assert said == "login: ldapi:///: nobody listens there; start the server, or correct its socket in login"


def test_a_host_without_the_ca_yet_is_asked_for_a_connection_alone(served: int) -> None:
    assert list(complain([server(served)], {}, ask)) == []
