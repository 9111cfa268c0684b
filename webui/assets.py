"""A mark that changes whenever a static file does, so that browsers may keep files for a year."""

import hashlib
from pathlib import Path

_FOLDER = Path(__file__).parent / "static"


def _version() -> str:
    digest = hashlib.blake2b(digest_size=5)
    for file in sorted(_FOLDER.rglob("*")):
        if file.is_file():
            stat = file.stat()
            digest.update(f"{file.relative_to(_FOLDER)}:{stat.st_size}".encode())
            if file.parent == _FOLDER:  # our own files change without changing their size
                digest.update(file.read_bytes())
    return digest.hexdigest()


VERSION = _version()
