"""What a login needs of a daemon that Postfix asks over a socket. Pure; no host."""

from collections.abc import Iterator

from tasks.part.check import Heard, Layer, exits_well

OUTSIDE = "Postfix's smtpd runs outside the chroot"


def layers(daemon: str, socket: str, unit: str) -> Iterator[Layer]:
    """Walk from the daemon's socket to Postfix, which the last layer is about.

    :param socket: its path on the host
    :param unit: systemd unit, without ``.service``
    """
    listens = f"{daemon} listens on {socket}"
    reached = "user postfix may reach that socket"
    yield Layer(
        listens,
        f"ss -Hxl | grep -qF ' {socket} ' || {{ echo it is $(systemctl is-active {unit}); false; }}",
        exits_well(f"see journalctl -u {unit}, and deploy"),
    )
    yield Layer(
        reached,
        f"runuser -u postfix -- test -w {socket} || {{ echo its groups are $(id -nG postfix); false; }}",
        exits_well("sasl has to be one of them; see the socket's rights too, and deploy"),
        [listens],
    )
    yield outside([reached])


def outside(rests_on: list[str]) -> Layer:
    """See that smtpd runs where it can reach what it asks."""
    return Layer(OUTSIDE, "postconf -F '*/inet/chroot'", judge_chroot, rests_on)


def judge_chroot(heard: Heard) -> str:
    """Name the services that are in the chroot (postconf(1), -F)."""
    users = {f"{name}/inet/chroot = y" for name in ("smtp", "submission", "submissions")}
    if inside := sorted(users & set(heard.text.splitlines())):
        return f"{', '.join(line.partition('/')[0] for line in inside)} in master.cf is in it; deploy"
    return exits_well("see postfix check")(heard)
