"""TLS, towards clients and towards other servers."""
