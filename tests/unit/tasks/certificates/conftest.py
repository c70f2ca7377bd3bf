"""A place for a host's certificates."""

from pathlib import Path

import pytest


@pytest.fixture
def directory(tmp_path: Path) -> Path:
    """A directory whose name has to be quoted."""
    directory = tmp_path / "it's tls"
    directory.mkdir()
    return directory
