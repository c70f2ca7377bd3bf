"""Who gets in: users of a directory, of an IMAP server, of the host, of the relay itself."""
