"""The upgrade of a relay that an earlier release has made, while users send."""
