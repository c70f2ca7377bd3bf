"""What can be had of any host."""
