"""The one place that brings the desired host about: compares, writes, switches, and sees that it answers."""
