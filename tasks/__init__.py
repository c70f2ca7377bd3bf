"""The steps that turn a Debian host into an authenticated outgoing mail relay, one a module."""
