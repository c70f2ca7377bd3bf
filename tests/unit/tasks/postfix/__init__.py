"""Unit tests of tasks/postfix."""
