"""Unit tests of tasks/privacy."""
