"""The backend that has libsasl look accounts up in a database."""
