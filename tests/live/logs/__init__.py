"""Where addresses of clients are kept, and for how long."""
