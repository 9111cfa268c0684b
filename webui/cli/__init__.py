"""The kehub command."""
