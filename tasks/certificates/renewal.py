"""The program that keeps a relay's certificate valid, on the host (onhost/renewal.sh). Pure; no host."""

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from hashlib import sha256
from shlex import quote

from tasks.host.templates import program, render
from tasks.part import Directory, File, Part, Timer, Watch

UNIT = "quietrelay-certificate"
UNITS = "/etc/systemd/system"
DIRECTORY = "/usr/local/lib/quietrelay"
PROGRAM = f"{DIRECTORY}/renew_certificate.sh"
FAILED = "/var/lib/quietrelay/certificate-failed"
"""What kept the last try from success; where there is none, it went well."""


def script(sources: Sequence[str], target: str, names: Sequence[str], **settings: str) -> str:
    """Write the program: settings, what judges, a source of certificates, and what renews.

    :param sources: files below ``onhost/`` that make up a source of certificates
    :param target: the one file that Postfix reads: key, certificate, chain
    :param names: by which users reach the relay
    :param settings: what the source needs
    """
    said: Mapping[str, str] = {"TARGET": target, "NAMES": " ".join(names), **settings}
    assignments = "".join(f"{name}={quote(value)}\n" for name, value in said.items())
    text = assignments + "".join(map(program, ("chain.sh", *sources, "renewal.sh")))
    return f"PROGRAM={sha256(text.encode()).hexdigest()}\n{text}"


def part(text: Callable[[], str], watched: Sequence[str] = ()) -> Part:
    """Have a host renew by itself: every half day, and whenever one of these files changes.

    :param text: writes the program
    :param watched: paths on the host
    """
    service = partial(render, "certificates/quietrelay-certificate.service", program=PROGRAM)
    timer = partial(render, "certificates/quietrelay-certificate.timer")
    path = partial(render, "certificates/quietrelay-certificate.path", watched=watched)
    return Part(
        packages=("openssl",),
        directories={DIRECTORY: Directory()},
        files={
            PROGRAM: File(text),
            f"{UNITS}/{UNIT}.service": File(service),
            f"{UNITS}/{UNIT}.timer": File(timer),
            **({f"{UNITS}/{UNIT}.path": File(path)} if watched else {}),
        },
        timers=(Timer(UNIT, "Renew the certificate in time"),),
        watches=(Watch(UNIT, "Take a certificate that is renewed at once"),) if watched else (),
    )
