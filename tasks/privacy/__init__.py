"""Privacy: what leaves with users' mail."""
