"""What one message is, and whose."""
