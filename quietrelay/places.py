"""Where the parts of this program lie that the command runs or copies."""

from pathlib import Path

CLONE = Path(__file__).parents[1]
DEPLOY = CLONE / "deploy.py"
DRIFT = CLONE / "drift.py"
REMOVE = CLONE / "remove.py"
ROLLBACK = CLONE / "rollback.py"
EXAMPLE = CLONE / "inventories" / "prod.py"
VERIFICATION = CLONE / "tests" / "verify"
