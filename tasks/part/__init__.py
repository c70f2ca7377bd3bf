"""The contract between the parts of the relay and what applies them.

A part (login, privacy, certificates ...) says what it wants of the host as a value, a `Part`, and touches
nothing. `merge` makes one of all. What applies it, the leftovers and the doctor know that value alone, and no
part by its name.
"""

from tasks.part.check import Account, Check, Finding, Result, run
from tasks.part.merge import merge
from tasks.part.part import ASIDE, Ask, Complaints, Daemon, Directory, File, Made, Part, Rights, Timer, Watch
from tasks.part.server import Server

__all__ = [
    "ASIDE",
    "Account",
    "Ask",
    "Check",
    "Complaints",
    "Daemon",
    "Directory",
    "File",
    "Finding",
    "Made",
    "Part",
    "Result",
    "Rights",
    "Server",
    "Timer",
    "Watch",
    "merge",
    "run",
]
