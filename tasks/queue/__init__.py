"""The queue: how large a message may be, and for how long it waits."""
