"""Unit tests of tasks/queue."""
