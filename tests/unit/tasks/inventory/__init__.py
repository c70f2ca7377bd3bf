"""Unit tests of tasks/inventory."""
