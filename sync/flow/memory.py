"""What long work has used of a process's memory goes back to the operating system."""

import ctypes
import gc


def give_back() -> None:
    """Frees what nobody refers to, and the pages of it that malloc keeps (glibc only)."""
    gc.collect()
    trim = getattr(ctypes.CDLL(None), "malloc_trim", None)
    if trim is not None:
        trim(0)
