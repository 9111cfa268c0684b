"""Live systems: opening, tokens, quota, secrets."""
