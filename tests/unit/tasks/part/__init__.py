"""Unit tests of tasks/part."""
