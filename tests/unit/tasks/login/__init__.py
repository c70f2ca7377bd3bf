"""Unit tests of tasks/login."""
