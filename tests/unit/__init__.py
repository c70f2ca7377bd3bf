"""What can be decided without a host."""
