"""The doctor names what is broken."""
