"""The documentation: pages for mkdocs, and what makes those of the reference."""
