"""smtpd: on which ports Postfix serves whom."""
