"""The contract between the parts of the relay and what applies them."""
