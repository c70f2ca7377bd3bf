"""pyinfra's own settings for this deploy."""

REQUIRE_PYINFRA_VERSION = ">=3.10,<3.11"
