"""Connectors: one folder per kind of remote system."""
