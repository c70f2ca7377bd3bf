"""The command line for people: make an operator's directory, plan, deploy, verify, find why logins fail."""
