"""What is on a host and pyinfra has no fact for."""
