"""Matching a file of customers among themselves, without touching the hub's records."""

from sync.flow.match_file import Summary, explain_file, run

__all__ = ["Summary", "explain_file", "run"]
