"""A smarthost: another server to which all mail is handed."""
