"""Unit tests of quietrelay."""
