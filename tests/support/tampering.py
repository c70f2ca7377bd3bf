"""Tampers with what keeps users anonymous on a relay, and puts it back."""

import re
import shlex
from base64 import b64encode
from collections.abc import Callable, Iterable, Iterator
from contextlib import ExitStack, contextmanager

from tasks.privacy.part import RULES
from tests.support.bed import Relay

GUARD = "quietrelay_guard"
JUDGED = "quietrelay_judged"
# A reload returns while processes that read the old files still take connections; this leaves none of them.
RESTART = "systemctl reset-failed postfix 'postfix@*' 2>/dev/null; systemctl restart postfix"
# Every daemon of Postfix waits until a main.cf that it reads is two seconds old (load_file.c).
COLD = "touch -d '1 minute ago' /etc/postfix/main.cf"


def rules(relay: Relay) -> list[str]:
    """Read the table's rules, each with its action or, for «if» and «endif», alone; comments are left out."""
    text = re.sub(r"^(#.*)?\n", "", relay.remote.run(f"cat {RULES}"), flags=re.MULTILINE)
    return re.split(r"\n(?![ \t])", text.rstrip("\n"))


def guard(relay: Relay) -> str:
    """Read the table that is asked last."""
    return relay.remote.run(f"postconf -h {GUARD}").strip()


def guard_rules(value: str) -> list[str]:
    """Part the guard into its rules."""
    return re.findall(r"\{/[^/]*/ (?:REJECT [^}]*|DUNNO)\}", value)


@contextmanager
def broken(relays: Iterable[Relay], script: str) -> Iterator[None]:
    """Run a script that damages the file of the rules, $RULES, and put the file back at the end."""
    with ExitStack() as undoing:
        for relay in relays:
            undoing.callback(_restore, relay, guard(relay), relay.remote.run(f"cat {RULES}"))
            _run(relay, script)
        yield


@contextmanager
def edited(
    relays: Iterable[Relay],
    edit_rules: Callable[[list[str]], list[str]] = list,
    edit_guard: Callable[[list[str]], list[str]] = list,
) -> Iterator[None]:
    """Edit both tables' rules, and put them back at the end."""
    with ExitStack() as undoing:
        for relay in relays:
            before = guard(relay)
            undoing.callback(_restore, relay, before, relay.remote.run(f"cat {RULES}"))
            _run(
                relay,
                write("\n".join(edit_rules(rules(relay))) + "\n"),
                _set_guard(edit_guard(guard_rules(before))),
            )
        yield


@contextmanager
def unjudged(relays: Iterable[Relay]) -> Iterator[None]:
    """Have nobody asked about ids, and put it back at the end."""
    with ExitStack() as undoing:
        for relay in relays:
            before = relay.remote.run(f"postconf -h {JUDGED}").strip()
            undoing.callback(_run, relay, f"postconf -e {shlex.quote(f'{JUDGED} = {before}')}\n{COLD}")
            _run(relay, f"postconf -e '{JUDGED} = pcre:{{{{/^Nothing:/ DUNNO}}}}'\n{COLD}")
        yield


def none(found: list[str]) -> list[str]:
    """Edit all rules away."""
    return []


def without(number: int) -> Callable[[list[str]], list[str]]:
    """Edit one rule away."""
    return lambda found: found[:number] + found[number + 1 :]


def write(rules_text: str) -> str:
    """Make the script that replaces the rules."""
    return f'echo {b64encode(rules_text.encode()).decode()} | base64 -d > "$RULES"'


def _set_guard(found: list[str]) -> str:
    table = ", ".join(found or ["{/^Nothing:/ DUNNO}"])
    return f"postconf -e {shlex.quote(f'{GUARD} = pcre:{{{table}}}')}\n{COLD}"


def _restore(relay: Relay, guarded: str, text: str) -> None:
    _run(relay, 'rm -rf "$RULES"', write(text), 'chmod 644 "$RULES"', _set_guard(guard_rules(guarded)))


def _run(relay: Relay, *commands: str) -> None:
    relay.remote.run("\n".join(["set -e", f"RULES={RULES}", *commands, "postfix reload 2>&1"]))
