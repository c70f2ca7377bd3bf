"""What a login needs of a daemon that Postfix asks over a socket. Pure; no host."""

from collections.abc import Iterator

from tasks.part.check import Check, Result, exits_well

OUTSIDE = "Postfix's smtpd runs outside the chroot"


def checks(daemon: str, socket: str, unit: str) -> Iterator[Check]:
    """Walk from the daemon's socket to Postfix, which the last check is about.

    :param socket: its path on the host
    :param unit: systemd unit, without ``.service``
    """
    listens = f"{daemon} listens on {socket}"
    reached = "user postfix may reach that socket"
    yield Check(
        listens,
        f"ss -Hxl | grep -qF ' {socket} ' || {{ echo it is $(systemctl is-active {unit}); false; }}",
        exits_well(f"see journalctl -u {unit}, and deploy"),
    )
    yield Check(
        reached,
        f"runuser -u postfix -- test -w {socket} || {{ echo its groups are $(id -nG postfix); false; }}",
        exits_well("sasl has to be one of them; see the socket's rights too, and deploy"),
        [listens],
    )
    yield outside([reached])


def outside(needs: list[str]) -> Check:
    """See that smtpd runs where it can reach what it asks."""
    return Check(OUTSIDE, "postconf -F '*/inet/chroot'", judge_chroot, needs)


def judge_chroot(result: Result) -> str:
    """Name the services that are in the chroot (postconf(1), -F)."""
    users = {f"{name}/inet/chroot = y" for name in ("smtp", "submission", "submissions")}
    if inside := sorted(users & set(result.output.splitlines())):
        return f"{', '.join(line.partition('/')[0] for line in inside)} in master.cf is in it; deploy"
    return exits_well("see postfix check")(result)
