"""Unit tests of tasks/activation."""
