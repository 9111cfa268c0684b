"""Random histories: lists of small steps, each a tuple of plain numbers, so that they shrink."""

import random
from collections.abc import Sequence

from tests.histories.company import NAMES, Company
from tests.histories.fields import UNITS

Step = tuple[str, int, int, int]
RULES = ("latest", "priority", "longest")
TROUBLES = ("unreachable", "throttled", "unavailable", "lost", "lost", "lost", "unauthorised")
WAITS = (1, 3, 10, 35, 130, 600)
NAME = [unit.name for unit in UNITS["customers"]].index("name")

WEIGHTS = {
    "edit": 24,
    "hub_edit": 4,
    "create": 4,
    "create_twice": 3,
    "contact": 3,
    "delete": 2,
    "undelete": 2,
    "poll": 16,
    "deliver": 8,
    "take_in": 18,
    "dispatch": 18,
    "crash": 10,
    "meddle": 6,
    "trouble": 7,
    "wait": 10,
    "pause": 2,
    "resume": 2,
    "policy": 1,
    "decide": 2,
    "guard": 1,
    "choices": 1,
    "reconcile": 1,
    "everything": 4,
    "race": 4,
    "lost_write": 3,
    "lost_create": 2,
    "unheard": 2,
    "overtaken": 2,
    "emptied": 2,
    "fresh": 2,
}


def make(seed: int) -> list[Step]:
    """The history of a seed."""
    dice = random.Random(f"history {seed}")
    names, weights = list(WEIGHTS), list(WEIGHTS.values())
    start: list[Step] = [("create", 0, dice.randrange(3), 0), ("create", 0, dice.randrange(3), 0)]
    if dice.random() < 0.7:
        start.append(("contact", dice.randrange(3), 0, 0))
    if dice.random() < 0.6:
        start.append(("everything", 0, 0, 0))
    length = dice.randrange(5, 40)
    history = start + [
        (kind, dice.randrange(1000), dice.randrange(1000), dice.randrange(1000))
        for kind in dice.choices(names, weights, k=length)
    ]
    for _ in range(dice.choice((0, 0, 1, 2))):
        _insert(dice, history, "merge")
    for _ in range(dice.choice((0, 0, 0, 1, 2))):
        kind = dice.choice(("merge_wrongly", "merge_wrongly", "merge"))
        _insert(dice, history, kind, *["take_back"] * dice.choice((0, 1, 1)))
    for _ in range(dice.choice((0, 0, 0, 1, 2))):
        kind = dice.choice((("enter_twice",), ("enter_twice", "merge_there"), ("merge_there",)))
        _insert(dice, history, *kind)
    return history


def _insert(dice: random.Random, history: list[Step], *kinds: str) -> None:
    """Puts steps into a history, each somewhere after the one before."""
    places = sorted(dice.randrange(1, len(history) + 1) for _ in kinds)
    for moved, (kind, place) in enumerate(zip(kinds, places, strict=True)):
        step = (kind, dice.randrange(1000), dice.randrange(1000), dice.randrange(1000))
        history.insert(place + moved, step)


def carry_out(company: Company, steps: Sequence[Step]) -> None:
    for kind, a, b, c in steps:
        _DO[kind](company, NAMES[a % 3], a // 3, b, c)


def _create(company: Company, name: str, _a: int, b: int, _c: int) -> None:
    company.new_customer(NAMES[b % 3])


def _create_twice(company: Company, name: str, _a: int, b: int, _c: int) -> None:
    others = [other for other in NAMES if other != name]
    company.new_customer(name, *(others if b % 4 == 0 else others[b % 2 :][:1]))


def _crash(company: Company, _name: str, _a: int, b: int, _c: int) -> None:
    company.faults.plan(1 + b % 14)


def _meddle(company: Company, name: str, a: int, b: int, c: int) -> None:
    """Somebody is at work while the hub makes its next calls."""
    meanwhile = (
        lambda: company.edit(name, a, b, c),
        lambda: company.hub_edit(a, b),
        lambda: company.take_in(name),  # another worker
    )
    company.faults.plan(1 + c % 6, meanwhile[b % 3], remote_only=True)


def _trouble(company: Company, name: str, a: int, b: int, c: int) -> None:
    kind = TROUBLES[a % len(TROUBLES)]
    company.trouble(name, kind, (None, "read", "write")[b % 3], c % 3)


def _everything(company: Company, _name: str, _a: int, _b: int, _c: int) -> None:
    for name in NAMES:
        company.poll(name)
    for _ in range(4):
        for name in NAMES:
            company.take_in(name, rounds=20)
            company.dispatch(name, rounds=20)
        company.clock.pass_(3)


# Situations that single steps meet too rarely.


def _race(company: Company, name: str, a: int, b: int, c: int) -> None:
    """A value is on its way to a system while somebody types into the same field there."""
    other = _other(name, c)
    company.edit(name, a, b, 2)
    company.poll(name)
    company.take_in(name)
    company.edit(other, a, b, c)
    company.dispatch(other)


def _lost_write(company: Company, name: str, a: int, b: int, c: int) -> None:
    """A write is done, its answer is lost, and the record is seen before it is tried again."""
    other = _other(name, c)
    company.edit(name, a, b, 2)
    company.poll(name)
    company.take_in(name)
    company.trouble(other, "lost", "write", 0)
    company.dispatch(other)
    company.poll(other)
    company.take_in(other)


def _lost_create(company: Company, name: str, _a: int, b: int, c: int) -> None:
    """A record is made, the answer is lost, and it is tried again before the record is seen."""
    other = _other(name, c)
    company.new_customer(name)
    company.poll(name)
    company.take_in(name)
    company.trouble(other, "lost", "write", 0)
    company.dispatch(other)
    for _ in range(3):
        company.clock.pass_(WAITS[b % 4])
        company.dispatch(other)


def _unheard(company: Company, name: str, _a: int, _b: int, c: int) -> None:
    """A customer was entered in two systems, and the hub has heard of one."""
    other = _other(name, c)
    company.new_customer(name, other)
    company.poll(name)
    company.take_in(name)
    company.dispatch(other)


def _overtaken(company: Company, name: str, a: int, b: int, c: int) -> None:
    """A value changes in the hub while an older one is being written."""
    other = _other(name, c)
    company.edit(name, a, b, 2)
    company.poll(name)
    company.take_in(name)
    company.faults.plan(1 + c % 4, lambda: company.hub_edit(a, b), remote_only=True)
    company.dispatch(other)


def _emptied(company: Company, name: str, a: int, b: int, c: int) -> None:
    """A value that is everywhere is emptied in one system."""
    other = _other(name, c)
    company.edit(name, a, b, 2)
    _everything(company, name, 0, 0, 0)
    company.edit(other, a, b, 0)
    company.poll(other)
    company.take_in(other)


def _merge(company: Company, name: str, a: int, b: int, c: int) -> None:
    """A customer was entered in two systems under two names; a steward merges the two."""
    other = _other(name, c)
    company.new_customer(name, other)
    newest = len(company.customers) - 1
    for place in (name, other):
        company.edit(place, newest, NAME, 2)
        company.poll(place)
        company.take_in(place)
    if b % 2:
        company.dispatch(other)
    if b % 3 == 0:
        company.faults.plan(1 + a % 14)
    company.merge()


def _fresh(company: Company, name: str, a: int, b: int, c: int) -> None:
    """Somebody types into a record that the hub has just made, before the hub has read it."""
    other = _other(name, c)
    company.new_customer(name)
    newest = len(company.customers) - 1
    company.poll(name)
    company.take_in(name)
    typing = lambda: company.edit(other, newest, b, c)  # noqa: E731
    company.faults.plan(1 + a % 6, typing, remote_only=True)
    company.dispatch(other)


def _enter_twice(company: Company, name: str, _a: int, b: int, _c: int) -> None:
    """Somebody enters a customer twice in one system; the hub has heard of it, or has not."""
    company.enter_twice(name)
    if b % 3:
        company.poll(name)
    if b % 3 == 2:
        company.take_in(name)


def _merge_wrongly(company: Company, name: str, a: int, b: int, c: int) -> None:
    """A steward takes two customers for one, maybe while the process dies."""
    if c % 3 == 0:
        company.faults.plan(1 + c % 8)
    company.merge_wrongly(a, b)
    if c % 2:
        company.dispatch(name)


def _take_back(company: Company, name: str, a: int, b: int, c: int) -> None:
    """A steward takes a merge back: before it went out, or when all of it is done."""
    if a % 3 == 0:
        _everything(company, name, 0, 0, 0)
    if b % 3 == 0:
        company.faults.plan(1 + b % 8)
    company.take_back(c)


def _other(name: str, c: int) -> str:
    return [each for each in NAMES if each != name][c % 2]


_DO = {
    "edit": lambda co, name, a, b, c: co.edit(name, a, b, c),
    "hub_edit": lambda co, name, a, b, c: co.hub_edit(a, b),
    "create": _create,
    "create_twice": _create_twice,
    "contact": lambda co, name, a, b, c: co.new_contact(name, b),
    "delete": lambda co, name, a, b, c: co.delete(name, a),
    "undelete": lambda co, name, a, b, c: co.undelete(name, a),
    "poll": lambda co, name, a, b, c: co.poll(name),
    "deliver": lambda co, name, a, b, c: co.deliver(name, b),
    "take_in": lambda co, name, a, b, c: co.take_in(name),
    "dispatch": lambda co, name, a, b, c: co.dispatch(name),
    "crash": _crash,
    "meddle": _meddle,
    "trouble": _trouble,
    "wait": lambda co, name, a, b, c: co.clock.pass_(WAITS[b % len(WAITS)]),
    "pause": lambda co, name, a, b, c: co.set_state(name, "paused"),
    "resume": lambda co, name, a, b, c: co.set_state(name, "live"),
    "policy": lambda co, name, a, b, c: co.change_policy(RULES[b % 3]),
    "decide": lambda co, name, a, b, c: co.decide_conflict(b, ("ours", "theirs")[c % 2]),
    "guard": lambda co, name, a, b, c: co.decide_guards(allow=b % 2 == 0),
    "choices": lambda co, name, a, b, c: co.close_choice(name, b),
    "reconcile": lambda co, name, a, b, c: co.compare_all(),
    "everything": _everything,
    "race": _race,
    "lost_write": _lost_write,
    "lost_create": _lost_create,
    "unheard": _unheard,
    "overtaken": _overtaken,
    "emptied": _emptied,
    "fresh": _fresh,
    "merge": _merge,
    "merge_wrongly": _merge_wrongly,
    "take_back": _take_back,
    "enter_twice": _enter_twice,
    "merge_there": lambda co, name, a, b, c: co.merge_there(name, b, c),
}
KINDS = tuple(_DO)
