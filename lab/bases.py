"""The systems that hosts start from, built once and kept.

A base is a minimal Debian of one release as production would have it, with the packages of the deploy
downloaded but not installed. A layer holds what a role's packages add to a base. Both are named after a hash
of everything that went into them, so a changed definition is another name and an unchanged one is never
built twice. They are built beside their place and renamed into it: what is there is whole.
"""

from __future__ import annotations

import hashlib
import shutil
from collections.abc import Sequence
from pathlib import Path

from lab import cgroups
from lab.mounts import mount_overlay, remove_tree
from lab.paths import CACHE
from lab.process import LabError, run
from lab.topology import LAB_SUFFIX, Release

SYSTEM = "systemd,systemd-sysv,dbus,openssh-server,python3,sudo,iproute2,ca-certificates,procps"
DEPLOY = " ".join(
    [
        "postfix postfix-pcre postfix-ldap sasl2-bin libsasl2-modules telnet-ssl openssl nftables ufw",
        "ldap-utils dovecot-core dovecot-ldap db-util",  # what some ways to log in need
    ]
)
OTHER_MTA = "exim4-daemon-light"  # conflicts with postfix, so it is downloaded by itself

FREE_BYTES_NEEDED = 4 * 10**9
BUILD_TIMEOUT = 900.0  # seconds

# Runs inside the new system (mmdebstrap(1), --customize-hook).
PREPARE = f"""
apt-get clean
apt-get -qq update
# mmdebstrap leaves recommended packages out; what a deploy installs may have them.
download="apt-get -qq -o APT::Install-Recommends=true install --yes --download-only"
$download {DEPLOY}
$download {OTHER_MTA}
# Debian has a group of this name already.
useradd --create-home --gid operator --shell /bin/bash operator
echo 'operator ALL=(ALL:ALL) NOPASSWD: ALL' > /etc/sudoers.d/operator
chmod 0440 /etc/sudoers.d/operator
# As Debian's installer does.
echo LANG=C.UTF-8 > /etc/default/locale
systemctl --quiet enable systemd-networkd
# They would take dpkg's lock in the middle of a test.
systemctl --quiet mask apt-daily.timer apt-daily-upgrade.timer
# Each host gets its own.
rm -f /etc/ssh/ssh_host_*
"""

# Daemons are not started while a layer is made (invoke-rc.d(8), policy-rc.d).
INSTALL = """
printf '#!/bin/sh\\nexit 101\\n' > /usr/sbin/policy-rc.d
chmod 0755 /usr/sbin/policy-rc.d
DEBIAN_FRONTEND=noninteractive apt-get -qq install --yes --no-install-recommends {packages}
rm /usr/sbin/policy-rc.d
"""


def base_command(release: Release) -> list[str]:
    """The command that builds a base, but for the target directory.

    No mirror is named: mmdebstrap(1) then takes the release's standard sources.
    """
    return [
        "mmdebstrap",
        "--quiet",
        "--variant=minbase",
        f"--include={SYSTEM}",
        "--skip=cleanup/apt/lists,cleanup/apt/cache",
        '--customize-hook=chroot "$1" sh -ec "$PREPARE"',
        release,
    ]


def base_path(release: Release) -> Path:
    """Where the base of this release is, built or not."""
    return CACHE / f"{release}-{key(*base_command(release), PREPARE)}"


def layer_path(role: str, release: Release, packages: Sequence[str]) -> Path:
    """Where the layer of a role is, built or not."""
    return CACHE / f"{role}-{key(base_path(release).name, INSTALL, *packages)}"


def build_base(release: Release) -> None:
    """Build a base. Raises LabError where packages or disk space are missing."""
    _check_space()
    target = base_path(release)
    partial = _partial(target)
    command = ["env", f"PREPARE={PREPARE}", *base_command(release), str(partial)]
    try:
        run(command, launcher=cgroups.joining(f"build-{release}"), timeout=BUILD_TIMEOUT)
    except LabError as error:
        raise _with_remedy(error) from error
    partial.rename(target)


def build_layer(role: str, release: Release, packages: Sequence[str]) -> None:
    """Install a role's packages on a base and keep the difference."""
    target = layer_path(role, release, packages)
    partial = _partial(target)
    root = mount_overlay([base_path(release)], partial)
    try:
        run_inside(root, INSTALL.format(packages=" ".join(packages)), timeout=BUILD_TIMEOUT)
    except LabError as error:
        raise _with_remedy(error) from error
    run(["umount", root])
    (partial / "upper").rename(target)
    remove_tree(partial)


def run_inside(root: Path, script: str, *, timeout: float = 60) -> None:
    """Run a shell script in a system that is not booted, contained: it cannot change the machine.

    The system is given the machine's /etc/resolv.conf, since it shares the machine's network meanwhile.

    + timeout: seconds
    """
    group = f"inside-{root.parent.name}"
    nspawn = ["systemd-nspawn", "--quiet", "--register=no", "--keep-unit", "--resolv-conf=replace-host"]
    nspawn += ["--timezone=off", "--console=pipe", f"--machine=qr{LAB_SUFFIX}-{group[:40]}"]
    nspawn += [f"--directory={root}"]
    command = ["env", "SYSTEMD_NSPAWN_UNIFIED_HIERARCHY=1", *nspawn, "sh", "-ec", script]
    run(command, launcher=cgroups.joining(group), timeout=timeout)
    cgroups.end(group)


def prune(wanted: Sequence[Path]) -> None:
    """Remove what the cache holds beyond these paths: former definitions and interrupted builds."""
    for path in CACHE.iterdir():
        if path not in wanted:
            remove_tree(path)


def _partial(target: Path) -> Path:
    partial = target.with_name(f"{target.name}.partial")
    remove_tree(partial)
    return partial


def key(*inputs: str) -> str:
    """A short name for what is made from these inputs."""
    return hashlib.sha256("\0".join(inputs).encode()).hexdigest()[:12]


def _check_space() -> None:
    free = shutil.disk_usage(CACHE).free
    if free < FREE_BYTES_NEEDED:
        raise LabError(
            f"{CACHE} has {free / 1e9:.1f} GB free and needs {FREE_BYTES_NEEDED / 1e9:.0f}: make room there"
        )


def _with_remedy(error: LabError) -> LabError:
    if any(sign in str(error) for sign in ("apt-get update", "Failed to fetch", "Unable to fetch")):
        return LabError(f"packages cannot be fetched; see that `apt-get update` works here: {error}")
    return error
