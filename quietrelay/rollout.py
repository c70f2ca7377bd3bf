"""Rollouts in waves: some relays first, and the next ones once those have proved themselves."""

from collections.abc import Callable, Sequence
from typing import Any

import click
from pyinfra.api import State
from pyinfra.api.exceptions import PyinfraError

from quietrelay.waves import cut
from tasks.inventory.errors import DeployError


class RolloutError(DeployError):
    """Why a rollout does not go on."""


def in_waves(run_ops: Callable[..., None], into: Sequence[int | None]) -> Callable[..., None]:
    """Make pyinfra's way to run operations go in waves, and stop after the first in which a host failed.

    :param run_ops: `pyinfra.api.operations.run_ops`
    """

    def run(state: State, **options: Any) -> None:
        active = [host for host in state.inventory if host in state.active_hosts]
        waves = [wave for wave in cut(active, into) if wave]
        for number, wave in enumerate(waves, start=1):
            names = ", ".join(host.name for host in wave)
            click.echo(f"  wave {number} of {len(waves)}: {names}", err=True)
            state.active_hosts = set(wave)
            try:
                run_ops(state, **options)
            except PyinfraError:  # no host of the wave remains
                if len(state.active_hosts) == len(wave):
                    raise
            if len(state.active_hosts) < len(wave):
                raise RolloutError(f"a relay of wave {number} failed; those after it keep what they have")
        state.active_hosts = set(active)

    return run
