"""Login: how users prove who they are, by one of several backends."""
