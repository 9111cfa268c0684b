"""What a command says: sentences for people, JSON for scripts, progress on either stream."""

import json
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from enum import IntEnum
from typing import TYPE_CHECKING, Any, Protocol

import click

from webui.cli.words import Language, text

if TYPE_CHECKING:
    from rich.progress import Progress, TaskID

_SAID_BY_SYSTEM = frozenset({"blocked", "errors"})
_SAID = _SAID_BY_SYSTEM | {  # members of JSON answers that hold sentences
    "error", "explanation", "hint", "left", "message", "problem", "problems", "reason",
}  # fmt: skip
EVERY = 5.0  # seconds between two lines of one job where there is no terminal


class Exit(IntEnum):
    """What a command's status says to a script."""

    OK = 0
    FAILED = 1
    USAGE = 2
    WAITS = 3  # something waits for a person


class Board(Protocol):
    """Shows how far several jobs are."""

    def show(
        self, job: str, words: str, *, done: float | None = None, total: float | None = None
    ) -> None:
        """The job's words and how much of it is done."""

    def end(self, job: str, words: str) -> None:
        """The job is over."""

    def say(self, words: str) -> None:
        """A line that stays."""


@dataclass
class Console:
    """Answers go to stdout, everything else to stderr, so that a script can read the answer."""

    language: Language = "en"
    as_json: bool = False
    status: Exit = field(default=Exit.OK)

    def word(self, key: str, **facts: object) -> str:
        words = text(key, self.language, **facts)  # a blank in it parts what was put in, if English
        return words.replace("。 ", "。") if self.language == "zh" else words

    def translated(self, text: str | None) -> str:
        """What connectors, engine or mapping say, in the language of this command."""
        if not text or self.language != "zh":
            return text or ""
        from sync.service.sentences import in_language  # noqa: PLC0415  loads the connectors

        return in_language(text, self.language)

    def say(self, key: str, **facts: object) -> None:
        """A sentence; kept from stdout where that carries JSON."""
        click.echo(self.word(key, **facts), err=self.as_json)

    def tell(self, words: str) -> None:
        click.echo(words, err=self.as_json)

    def note(self, key: str, **facts: object) -> None:
        click.echo(self.word(key, **facts), err=True)

    def answer(self, content: Any) -> None:
        """The one JSON object of a command; its sentences are in the command's language."""
        click.echo(json.dumps(self._said(content), ensure_ascii=False, indent=1, default=str))

    def _said(self, content: Any, name: str = "") -> Any:
        if self.language != "zh":
            return content
        if isinstance(content, Mapping):
            by_system = name in _SAID_BY_SYSTEM
            return {k: self._said(v, name if by_system else str(k)) for k, v in content.items()}
        if isinstance(content, list | tuple):
            return [self._said(each, name) for each in content]
        return self.translated(content) if name in _SAID and isinstance(content, str) else content

    def table(self, names: Sequence[str], rows: Sequence[Sequence[object]]) -> None:
        """Columns as wide as they need to be; a Chinese character takes two places."""
        shown = [[self.word(f"col_{name}") for name in names]]
        shown += [["" if cell is None else str(cell) for cell in row] for row in rows]
        from rich.cells import cell_len  # noqa: PLC0415  only where a table is shown

        widths = [max(cell_len(row[i]) for row in shown) for i in range(len(names))]
        for row in shown:
            cells = (
                cell + " " * (width - cell_len(cell))
                for cell, width in zip(row, widths, strict=True)
            )
            click.echo("  ".join(cells).rstrip())

    def ask(self, question: str, *, hidden: bool = False) -> str:
        """An answer of a person; none where nobody can be asked."""
        if not sys.stdin.isatty():
            return ""
        return str(click.prompt(question, default="", hide_input=hidden, show_default=False))

    @contextmanager
    def board(self) -> Iterator[Board]:
        """Bars on a terminal, plain lines elsewhere; both on stderr."""
        if not sys.stderr.isatty():
            yield Lines()
            return
        from rich.console import Console as Terminal  # noqa: PLC0415  only on a terminal
        from rich.progress import (  # noqa: PLC0415
            BarColumn,
            MofNCompleteColumn,
            Progress,
            TextColumn,
            TimeElapsedColumn,
        )

        with Progress(
            TextColumn("{task.description}"),
            BarColumn(bar_width=28),
            MofNCompleteColumn(),
            TimeElapsedColumn(),
            console=Terminal(stderr=True),
        ) as progress:
            yield Bars(progress)


class Lines:
    """A line when a job begins, ends, or has come further for a while."""

    def __init__(self) -> None:
        self._started = time.monotonic()
        self._shown: dict[str, tuple[float, str]] = {}

    def show(
        self, job: str, words: str, *, done: float | None = None, total: float | None = None
    ) -> None:
        line = f"{words} {_part(done, total)}".rstrip()
        at, before = self._shown.get(job, (0.0, ""))
        now = time.monotonic()
        if line != before and now - at >= EVERY:
            self._shown[job] = (now, line)
            self.say(line)

    def end(self, job: str, words: str) -> None:
        if self._shown.pop(job, ("", ""))[1] != words:
            self.say(words)

    def say(self, words: str) -> None:
        click.echo(f"[{time.monotonic() - self._started:6.1f} s] {words}", err=True)


class Bars:
    """One bar for each job."""

    def __init__(self, progress: "Progress") -> None:
        self._progress = progress
        self._tasks: dict[str, TaskID] = {}

    def show(
        self, job: str, words: str, *, done: float | None = None, total: float | None = None
    ) -> None:
        if job not in self._tasks:
            self._tasks[job] = self._progress.add_task(words, total=total)
        changed: dict[str, Any] = {"description": words}
        if done is not None:
            changed["completed"] = int(done)
        if total is not None:
            changed["total"] = int(total)
        self._progress.update(self._tasks[job], **changed)

    def end(self, job: str, words: str) -> None:
        self.show(job, words)
        task = self._tasks[job]
        total = next(t.total for t in self._progress.tasks if t.id == task) or 1
        self._progress.update(task, completed=total, total=total)
        self._progress.stop_task(task)

    def say(self, words: str) -> None:
        self._progress.console.print(words, markup=False, highlight=False)


def _part(done: float | None, total: float | None) -> str:
    if done is None:
        return ""
    return f"{done:.0f}/{total:.0f}" if total else f"{done:.0f}"


def flat(content: Mapping[str, Any]) -> dict[str, Any]:
    """A copy without empty parts."""
    return {name: value for name, value in content.items() if value not in (None, "", {}, [], ())}
