"""``python -m quietrelay`` is the command ``quietrelay``."""

from quietrelay.main import quietrelay

quietrelay(prog_name="quietrelay")
