"""Unit tests of tasks/host."""
