"""pyinfra's own command line in fewer words, and with a report of each operation on each host at its end.

``python -m quietrelay.under_pyinfra WORDS`` takes the words that pyinfra takes. Its warnings and errors are
shown as it writes them; what goes as it should is a line an operation. The report, `quietrelay.outcome`, is
written also where pyinfra gives up.
"""

import logging
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import click
from pyinfra import logger
from pyinfra.api import Host, State
from pyinfra.api.operation import OperationMeta
from pyinfra.api.state import BaseStateCallback
from pyinfra.context import ctx_state
from pyinfra_cli import cli
from pyinfra_cli.main import main as pyinfra
from pyinfra_cli.prints import pretty_op_name

from quietrelay import outcome, rollout, waves
from quietrelay.outcome import Outcome
from tasks.host import differences


class Progress(BaseStateCallback):
    """Says what is done, while it is."""

    @staticmethod
    def host_connect(state: State, host: Host) -> None:
        """Tell of a host that is reached."""
        click.echo(f"  reached {host.name}", err=True)

    @staticmethod
    def operation_end(state: State, op_hash: str) -> None:
        """Tell of an operation that changed something."""
        metas = [
            state.ops[host][op_hash].operation_meta for host in state.activated_hosts if _has(host, op_hash)
        ]
        changed = sum(meta.is_complete() and meta.did_change() for meta in metas)
        if changed:
            click.echo(f"  changed {changed:>2}  {pretty_op_name(state.op_meta[op_hash])}", err=True)


class WatchedState(State):
    """pyinfra's state, with progress."""

    def init(self, *words: Any, **more: Any) -> None:
        """Begin to tell."""
        super().init(*words, **more)
        self.add_callback_handler(Progress())


def _has(host: Host, op_hash: str) -> bool:
    return op_hash in host.state.ops[host]


def outcomes(state: State) -> Iterator[Outcome]:
    """Say what became of each host that was asked for."""
    order = state.get_op_order()
    for host in state.inventory:
        if not state.is_host_in_limit(host):
            continue
        told = Outcome(host.name)
        if host not in state.activated_hosts:
            told.add("not reached", "")
        for op_hash in order:
            if _has(host, op_hash):
                data = state.ops[host][op_hash]
                happened = _happened(
                    data.operation_meta, bool(data.global_arguments["_if"]), state.is_executing
                )
                told.add(happened, pretty_op_name(state.op_meta[op_hash]))
        looked, days = differences.days_of(host)
        told.certificate_days, told.certificate_least = days or (None, 0)
        told.looked = looked and host in state.activated_hosts and host not in state.failed_hosts
        told.differences += [
            {"what": one.what, "words": one.words, "mended": one.mended}
            for one in differences.of(host, _due(state, host))
        ]
        yield told


def _due(state: State, host: Host) -> dict[str, str]:
    """Name the operations that have something to do on a host."""
    return {
        op_hash: pretty_op_name(state.op_meta[op_hash])
        for op_hash, data in state.ops[host].items()
        if data.operation_meta._maybe_is_change
    }


def _happened(meta: OperationMeta, depends: bool, executing: bool) -> str:
    if meta.is_complete():
        if not meta.did_succeed():
            return "failed"
        return "changed" if meta.did_change() else "unchanged"
    if executing:
        return "not done"
    if not meta._maybe_is_change:
        return "as it should be"
    return "may change" if depends else "would change"


def run() -> None:
    """Run pyinfra, and leave the report."""
    cli.State = WatchedState  # type: ignore[misc]
    if into := os.environ.get(waves.WAVES):
        cli.run_ops = rollout.in_waves(cli.run_ops, waves.sizes(into))
    logger.addFilter(lambda record: record.levelno > logging.INFO)
    try:
        pyinfra()
    finally:
        if ctx_state.isset() and ctx_state.get().initialised:
            outcome.write(Path(os.environ[outcome.REPORT]), outcomes(ctx_state.get()))


if __name__ == "__main__":
    run()
