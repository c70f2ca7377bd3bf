"""What pyinfra has no operation for."""
