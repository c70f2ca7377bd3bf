"""Unit tests of onhost."""
