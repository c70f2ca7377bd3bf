"""The doctor: runs a relay's checks one by one, and says which one fails."""
