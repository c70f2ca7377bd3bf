"""All mail handed to another server."""
