"""The inventory's language: sections, their values, and where in the inventory something was said."""
