"""What tests of hosts hold conversations with, and by."""
