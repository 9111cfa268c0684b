"""A connector that fails on demand: before the work, half-way, or after it was done."""

from collections import deque
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal, TypeVar

from connectors.sdk.contract import (
    Change,
    Connector,
    Cursor,
    Outcome,
    Page,
    ReadsChanges,
    Write,
    WritesRecords,
)

Method = Literal["check", "changes", "fetch", "write", "find", "merge"]
K = TypeVar("K", bound=Connector[Any])
T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Fault:
    """One call of `method` raises `error`.

    `after` items (pages, changes, outcomes) come through first. With `done`, the rest of the
    work is carried out before the error, and nobody hears of it: a lost answer. The error may be
    a BaseException of the test's own, to stand for a killed process.
    """

    method: Method
    error: BaseException
    after: int = 0
    done: bool = False


@dataclass(slots=True)
class Faults:
    """The faults to come, in order; each is met once, by the next call of its method."""

    waiting: deque[Fault] = field(default_factory=deque)
    calls: list[Method] = field(default_factory=list)  # every call made, also the good ones

    def plan(self, *faults: Fault) -> None:
        self.waiting.extend(faults)

    def meet(self, method: Method) -> Fault | None:
        self.calls.append(method)
        for fault in self.waiting:
            if fault.method == method:
                self.waiting.remove(fault)
                return fault
        return None


def inject(connector: K, faults: Faults) -> K:
    """The same connector, of the same class and capabilities, that meets these faults."""
    kind = type(connector)
    connector.__class__ = type(f"Faulty{kind.__name__}", (_Faulty, kind), {"faults": faults})
    return connector


def _plain(fault: Fault | None, work: Callable[[], T]) -> T:
    if fault is None:
        return work()
    if fault.done:
        work()
    raise fault.error


def _stream(fault: Fault | None, items: Iterator[T]) -> Iterator[T]:
    for place, item in enumerate(items):
        if fault and place == fault.after and not fault.done:
            break
        if fault is None or place < fault.after:
            yield item
    if fault:
        raise fault.error


class _Faulty(ReadsChanges, WritesRecords):
    """Stands before the real class in the method order; `super()` is the real connector."""

    faults: Faults

    def check(self) -> None:
        _plain(self.faults.meet("check"), super().check)  # type: ignore[misc]

    def changes(self, object_name: str, since: Cursor | None) -> Iterator[Page]:
        fault = self.faults.meet("changes")
        return _stream(fault, super().changes(object_name, since))  # type: ignore[safe-super]

    def fetch(self, object_name: str, ids: Sequence[str]) -> Iterator[Change]:
        fault = self.faults.meet("fetch")
        return _stream(fault, super().fetch(object_name, ids))  # type: ignore[safe-super]

    def write(self, object_name: str, batch: Sequence[Write]) -> Iterator[Outcome]:
        fault = self.faults.meet("write")
        if fault and not fault.done:
            batch = batch[: fault.after]
        return _stream(fault, super().write(object_name, batch))  # type: ignore[safe-super]

    def find(self, object_name: str, keys: Sequence[str]) -> Mapping[str, Change]:
        fault = self.faults.meet("find")
        return _plain(fault, lambda: super(_Faulty, self).find(object_name, keys))  # type: ignore[safe-super]

    def merge(self, object_name: str, winner_id: str, loser_ids: Sequence[str]) -> None:
        fault = self.faults.meet("merge")
        work = super().merge  # type: ignore[misc]
        _plain(fault, lambda: work(object_name, winner_id, loser_ids))
