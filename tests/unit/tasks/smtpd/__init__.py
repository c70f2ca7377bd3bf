"""Unit tests of tasks/smtpd."""
