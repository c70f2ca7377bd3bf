"""Whether a host's resolver validates is found out by asking it: what it says, and what it does not."""

import socket
import subprocess
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

ROOT_SOA = b"\x00\x00\x06"
HERE = "nameserver 127.0.0.1\n"
AD, SERVFAIL = 0x20, 2

Answers = Callable[[bool], tuple[int, int] | None]


class Resolver:
    """A name server of which each answer can be chosen: flags and number of records, or none at all."""

    def __init__(self) -> None:
        """Listen on loopback."""
        self.socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.socket.bind(("127.0.0.1", 0))
        self.port = str(self.socket.getsockname()[1])
        self.answers: Answers = validating
        self.asked: list[bytes] = []

    def serve(self) -> None:
        """Answer until somebody says that it is enough."""
        while True:
            query, client = self.socket.recvfrom(4096)
            if query == b"end":
                return
            self.asked.append(query)
            answer = self.answers(query[12:15] == ROOT_SOA)
            if answer:
                flags, records = answer
                header = query[:2] + bytes([0x81, flags]) + b"\x00\x01" + records.to_bytes(2) + bytes(4)
                self.socket.sendto(header + query[12:], client)


def validating(root: bool) -> tuple[int, int] | None:
    """Answer as a resolver that validates."""
    return (0x80 | AD, 1) if root else (0x80 | SERVFAIL, 0)


@pytest.fixture
def resolver() -> Iterator[Resolver]:
    """Have one."""
    one = Resolver()
    thread = threading.Thread(target=one.serve)
    thread.start()
    yield one
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as ending:
        ending.sendto(b"end", ("127.0.0.1", int(one.port)))
    thread.join()
    one.socket.close()


@pytest.fixture
def found(resolver: Resolver, tmp_path: Path) -> Callable[..., str]:
    """Ask as a host does."""

    def find(resolv_conf: str = HERE, port: str = resolver.port, before: str = "") -> str:
        path, first = tmp_path / "resolv.conf", tmp_path / "first.sh"
        path.write_text(resolv_conf)
        first.write_text(before)
        environment = {
            "PATH": "/usr/bin:/bin",
            "RESOLV_CONF": str(path),
            "PORT": port,
            "BASH_ENV": str(first),
        }
        done = subprocess.run(
            ["bash", "onhost/resolver.sh"], env=environment, capture_output=True, text=True, check=True
        )
        assert done.stderr == ""
        return done.stdout.replace(str(path), "resolv.conf").strip()

    return find


def test_one_on_the_host_that_validates_is_believed(resolver: Resolver, found: Callable[..., str]) -> None:
    assert found() == ""
    assert found("# nothing\n") == ""  # resolv.conf(5): the one on this host
    assert len(resolver.asked) == 4
    assert all(
        query[3] & AD and query.endswith(bytes([0, 0, 41, 4, 0xD0, 0, 0, 0x80, 0, 0, 0]))
        for query in resolver.asked
    )
    assert {query[12:-15] for query in resolver.asked} == {b"\0", b"\x0ddnssec-failed\x03org\0"}


def test_a_query_is_one_datagram_whatever_its_number_is(
    resolver: Resolver, found: Callable[..., str]
) -> None:
    assert found(before=f"unset RANDOM; RANDOM={0x0A0A}") == ""
    assert [query[:2] for query in resolver.asked] == [b"\n\n"] * 2


def test_another_hosts_is_believed_only_where_the_way_is_said_to_be_safe(found: Callable[..., str]) -> None:
    said = found("nameserver 192.0.2.53\noptions edns0\n")
    assert said.startswith("nameserver 192.0.2.53 in resolv.conf is another host's, and no ")
    assert found("options edns0 trust-ad\nnameserver 127.0.0.2\n") != said


@pytest.mark.parametrize(
    ("answers", "why"),
    [
        (lambda root: (0x80, 1), "does not validate"),
        (lambda root: (0x80 | SERVFAIL, 0), "does not validate"),
        (lambda root: (0x80 | AD, 1), "answers for dnssec-failed.org, which is signed wrongly"),
        (lambda root: (0x80 | AD, 1) if root else (0x80, 1), "answers for dnssec-failed.org"),
        (lambda root: None, "does not answer"),
    ],
    ids=["no AD", "failing", "AD for all", "marks alone", "silent"],
)
def test_one_that_does_not_validate_is_named(
    resolver: Resolver, found: Callable[..., str], answers: Answers, why: str
) -> None:
    resolver.answers = answers
    assert why in found()


@pytest.mark.parametrize("records", [None, (0x80 | AD, 0)], ids=["silence", "no such name"])
def test_a_wrong_name_that_has_no_answer_is_as_it_should_be(
    resolver: Resolver, found: Callable[..., str], records: tuple[int, int] | None
) -> None:
    resolver.answers = lambda root: validating(root) if root else records
    assert found() == ""


def test_each_server_has_to_validate(resolver: Resolver, found: Callable[..., str]) -> None:
    said = found(f"{HERE}nameserver 127.0.0.3\n")
    assert said == "nameserver 127.0.0.3 in resolv.conf does not answer"
