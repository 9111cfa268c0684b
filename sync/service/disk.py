"""Space on the disk of the data folder, for screens and commands."""

from sync.store.disk import LOW, free, is_full, is_low

__all__ = ["LOW", "free", "is_full", "is_low"]
