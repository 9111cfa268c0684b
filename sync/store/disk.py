"""Space on the disk of the data folder: how much is left, and whether its end made a step fail."""

import errno
import shutil
from pathlib import Path

LOW = 20_000_000  # bytes; below this SQLite and the broker start to fail
GONE = 1_000_000  # with less an I/O error of SQLite means that the disk is full
_FULL = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EFBIG})
_SAID = ("disk is full", "No space left", "file too large", "quota exceeded")


def free(home: Path) -> int:
    """Bytes that are left where the data folder is."""
    return shutil.disk_usage(home).free


def is_low(home: Path) -> bool:
    """Whether writing fails already, or soon will."""
    try:
        return free(home) < LOW
    except OSError:  # the folder is away; that is told elsewhere
        return False


def is_full(error: BaseException, home: Path) -> bool:
    """Whether a step failed for want of space, whoever says it: system, SQLite or PostgreSQL."""
    seen: BaseException | None = error
    while seen is not None:
        if isinstance(seen, OSError) and seen.errno in _FULL:
            return True
        text = str(getattr(seen, "orig", None) or seen)
        if any(sign in text for sign in _SAID):
            return True
        if "disk I/O error" in text and free(home) < GONE:
            return True
        seen = seen.__cause__ or seen.__context__
    return False
