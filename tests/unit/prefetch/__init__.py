"""Unit tests of prefetch."""
