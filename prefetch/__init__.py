"""Facts asked ahead of time and together: a pyinfra run that changes nothing costs one remote command.

pyinfra asks a host one question (a fact) after the other, and a distant host takes a round trip or two for
each. Here all the questions that a run will ask go to the host in one script, which answers them side by
side, and pyinfra is answered from that until something on the host is changed. A line in a deploy does it:

    import prefetch
    from pyinfra import host

    prefetch.facts(host)

Facts and operations stay as they are, and know nothing of it. Whatever way pyinfra has to a host (SSH, this
machine, Vagrant), `Prefetching` stands before it and hands on all that is not a fact.

**An answer is never older than a change.** Whatever an operation does drops all answers, and so does every
command that is no fact's, but for one that says of itself that no question sees what it does (`Aside`). A
plan's answers do not serve its execution where somebody is asked in between, and none lives longer than a
minute. An answer is found by the very command, and by its privilege and environment.

**A wrong guess costs time, never an answer.** What will be asked is known from the last run (`memory`) and
from the operations themselves, which are rehearsed without doing anything (`operations.rehearse`). A question
that neither foresaw is asked when it comes.

A file that is uploaded goes in one command too (`upload`).

``PREFETCH=off`` in the environment turns it off; -vv and -vvv do too, as they show every command that is run.
"""

import os

from pyinfra.api import Host

from prefetch.aside import Aside
from prefetch.connector import Prefetching
from prefetch.operations import watch
from prefetch.stack import known_as_module

__all__ = ["Aside", "facts"]


def facts(host: Host) -> None:
    """Ask a host for the facts of this run ahead of time, from here on.

    :param host: the host that a deploy is being prepared for
    """
    if os.environ.get("PREFETCH") == "off" or isinstance(host.connector, Prefetching):
        return
    host.connector = Prefetching(host.connector)
    watch(host.state)
    known_as_module(host.state)
