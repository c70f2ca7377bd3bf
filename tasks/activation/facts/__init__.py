"""What the activation asks a host."""
