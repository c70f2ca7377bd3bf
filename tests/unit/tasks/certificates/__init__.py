"""Unit tests of tasks/certificates."""
