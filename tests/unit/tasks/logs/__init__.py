"""Unit tests of tasks/logs."""
