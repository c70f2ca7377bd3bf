"""Unit tests of tasks/senders."""
