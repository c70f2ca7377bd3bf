"""What the relay shows to those who connect."""
