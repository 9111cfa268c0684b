"""Faults on order, tokens, the clock, counters."""

import dataclasses
from typing import TYPE_CHECKING, Any

from flask import request

from sandbox.fxiaoke.admin.table import Table, body, take
from sandbox.fxiaoke.errors import AdminError

if TYPE_CHECKING:
    from sandbox.fxiaoke.world import World


def register(table: Table, world: "World") -> None:
    _tokens(table, world)
    _faults(table, world)
    _clock(table, world)
    _counters(table, world)


def _tokens(table: Table, world: "World") -> None:
    @table.call("POST", "/tokens/expire", "all tokens die of age (the next call answers 20016)")
    def expire() -> Any:
        return {"tokens": world.tokens.age(7200)}

    @table.call("POST", "/tokens/age", "all tokens become {seconds} older")
    def age() -> Any:
        return {"tokens": world.tokens.age(take(body(), "seconds", int))}

    @table.call("POST", "/tokens/revoke", "all tokens are withdrawn")
    def revoke() -> Any:
        return {"tokens": world.tokens.revoke()}


def _faults(table: Table, world: "World") -> None:
    @table.call(
        "POST",
        "/faults",
        "trouble for the next calls: {kind: error|http|slow|drop_answer|drop_connection, "
        "times (null: until cleared), path (part of it), code, status, delay_ms}",
    )
    def add() -> Any:
        given = body()
        times = given.get("times", 1)
        if times is not None and (type(times) is not int or times < 1):
            raise AdminError("times must be a count or null")
        fault = world.faults.add(
            take(given, "kind", str),
            remaining=times,
            path=take(given, "path", str, ""),
            code=take(given, "code", int, -1),
            status=take(given, "status", int, 502),
            delay_ms=take(given, "delay_ms", int, 0),
        )
        return dataclasses.asdict(fault)

    @table.call("GET", "/faults", "faults that still wait")
    def waiting() -> Any:
        return {"faults": world.faults.all()}

    @table.call("DELETE", "/faults", "forget all faults")
    def clear() -> Any:
        return {"cleared": world.faults.clear()}


def _clock(table: Table, world: "World") -> None:
    @table.call("GET", "/clock", "the stand-in's time and its shift from real time")
    def show() -> Any:
        return {"now_ms": world.clock.now_ms(), "shift_ms": world.clock.shift_ms}

    @table.call(
        "POST",
        "/clock",
        "shift the clock: {shift_ms} from now, or {set_shift_ms}; "
        "in_dates: whether HTTP dates are shifted, too",
    )
    def shift() -> Any:
        given = body()
        world.clock.in_dates = take(given, "in_dates", bool, world.clock.in_dates)
        if "set_shift_ms" in given:
            by = take(given, "set_shift_ms", int) - world.clock.shift_ms
        else:
            by = take(given, "shift_ms", int)
        return {"shift_ms": world.shift_clock(by), "now_ms": world.clock.now_ms()}


def _counters(table: Table, world: "World") -> None:
    @table.call(
        "GET",
        "/calls",
        "calls per path, read and write totals, writes per record, the last ?last=N writes",
    )
    def calls() -> Any:
        last = request.args.get("last", default=100, type=int)
        return world.counters.report(max(last, 0))

    @table.call("POST", "/calls/reset", "set all counters to zero")
    def reset() -> Any:
        world.counters.reset()
        return {"reset": True}
