"""What users send tells nothing of them, on every way and detour, and where the rules are broken."""
