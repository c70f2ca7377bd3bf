"""Programs and scripts that run on the relay: standard library only, and nothing of this project."""
