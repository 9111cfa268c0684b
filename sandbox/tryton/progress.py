"""Progress on stderr, one line per step, for eyes and for a supervisor.

A line reads `[tryton  42% schema] Creating the tables: sale (13 of 16)`. The word after the
percentage names the step and does not change between versions of the text.
"""

import re
import sys
from typing import TextIO

LINE = re.compile(r"^\[tryton +(?P<percent>\d+)% (?P<step>[a-z]+)\] (?P<text>.*)$")


class Progress:
    """Percentages only grow; a later step never shows less than an earlier one."""

    def __init__(self, stream: TextIO | None = None) -> None:
        self._stream = stream or sys.stderr
        self._highest = 0

    def show(self, percent: float, step: str, text: str) -> None:
        self._highest = max(self._highest, min(int(percent), 100))
        print(f"[tryton {self._highest:3d}% {step}] {text}", file=self._stream, flush=True)


class Span:
    """A share of the whole: 0.0 to 1.0 inside it becomes `start` to `end` percent outside."""

    def __init__(self, progress: Progress, step: str, start: float, end: float) -> None:
        self._progress, self._step = progress, step
        self._start, self._width = start, end - start

    def show(self, fraction: float, text: str) -> None:
        self._progress.show(self._start + self._width * fraction, self._step, text)
