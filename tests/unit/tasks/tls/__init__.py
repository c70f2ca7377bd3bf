"""TLS on both sides, as Postfix is told of it."""
