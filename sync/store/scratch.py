"""Folders for copies of the database that are needed for a while; a killed process leaves none."""

import os
import shutil
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

from sync.store.archive import PART, locked

YOUNG = 60.0  # seconds in which a folder may not be locked yet
_KINDS = ("backup-*", "plan-*")


@contextmanager
def scratch_folder(home: Path, prefix: str) -> Iterator[Path]:
    """A folder that goes at the end; it is locked meanwhile, so that `clear_left` knows it."""
    with TemporaryDirectory(prefix=prefix, dir=home) as name:
        handle = os.open(name, os.O_RDONLY)
        try:
            locked(handle)
            yield Path(name)
        finally:
            os.close(handle)


def clear_left(home: Path, archives: Path) -> int:
    """Removes what killed processes left: copies, and archives that have no end. Returns how many.

    A lock ends with its process, so what is not locked belongs to nobody.
    """
    found = [folder for kind in _KINDS for folder in home.glob(kind) if folder.is_dir()]
    found += archives.glob(f"*{PART}")
    return sum(_clear(path) for path in found)


def _clear(path: Path) -> bool:
    try:
        if time.time() - path.stat().st_mtime < YOUNG:
            return False
        handle = os.open(path, os.O_RDONLY)
    except FileNotFoundError:  # its owner has ended meanwhile
        return False
    try:
        if not locked(handle):
            return False
        if path.is_dir():
            shutil.rmtree(path, ignore_errors=True)
        else:
            path.unlink(missing_ok=True)
    finally:
        os.close(handle)
    return True
