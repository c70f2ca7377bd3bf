"""Unit tests of tasks/smarthost."""
