"""What any host can be asked."""
