"""Possible duplicates: the queue, one pair side by side, merging, undoing."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from sync.service import candidates as service
from webui import auth
from webui.auth import hub, needs
from webui.language import language
from webui.pair_words import FIELDS, chinese_level
from webui.words import word

screens = Blueprint("candidates", __name__)
_PICK = "pick-"
_WIDTH = 1000.0  # of the waterfall's drawing


@dataclass(frozen=True, slots=True)
class Bar:
    """One bar of the waterfall, ready to be drawn; `x` and `width` in the drawing's own units."""

    name: str
    level: str
    bits: float
    x: float
    width: float


@screens.get("/candidates")
@needs("viewer")
def queue() -> ResponseReturnValue:
    """The queue, best first."""
    asked = request.args.get("state", service.STATES[0])
    state = asked if asked in service.STATES else service.STATES[0]
    page = service.list_pairs(hub(), state=state, page=request.args.get("page", 1, type=int))
    return render_template("candidates/queue.html", page=page, state=state, states=service.STATES)


@screens.get("/candidates/<int:pair_id>")
@needs("viewer")
def pair(pair_id: int) -> ResponseReturnValue:
    """One pair side by side."""
    found = service.get_pair(hub(), pair_id)
    bars, zero = _bars(found.weights)
    return render_template("candidates/pair.html", pair=found, bars=bars, zero=zero, width=_WIDTH)


@screens.get("/candidates/<int:pair_id>/next")
@needs("viewer")
def next_pair(pair_id: int) -> ResponseReturnValue:
    """The pair after this one."""
    return _go_on(pair_id)


@screens.get("/candidates/<int:pair_id>/merge")
@needs("steward")
def preview(pair_id: int) -> ResponseReturnValue:
    """What a merge would keep and do."""
    found = service.get_pair(hub(), pair_id)
    winner, loser = _sides(found)
    picks = _picks(request.args)
    seen = service.preview(hub(), winner, loser, picks)
    return render_template("candidates/merge.html", pair=found, preview=seen, picks=picks)


@screens.post("/candidates/<int:pair_id>/merge")
@needs("steward")
def merge(pair_id: int) -> ResponseReturnValue:
    """Merges the two records."""
    found = service.get_pair(hub(), pair_id)
    winner, loser = _sides(found)
    merge_id = service.merge(
        hub(), winner, loser, actor=auth.actor(), overrides=_picks(request.form)
    )
    name = service.get_merge(hub(), merge_id).winner_name
    flash(word("pair", "merged", name=name), "success")
    return _go_on(pair_id)


@screens.post("/candidates/<int:pair_id>/different")
@needs("steward")
def different(pair_id: int) -> ResponseReturnValue:
    """Remembers that the two are different."""
    service.keep_apart(hub(), pair_id, actor=auth.actor())
    flash(word("pair", "kept_apart"), "success")
    return _go_on(pair_id)


@screens.post("/candidates/<int:pair_id>/alike")
@needs("steward")
def alike(pair_id: int) -> ResponseReturnValue:
    """Decides all open pairs with the same evidence."""
    done = service.decide_alike(
        hub(), pair_id, request.form.get("decision", ""), actor=auth.actor()
    )
    flash(word("pair", "bulk_done", count=done.done), "success")
    if done.refused:
        why = next(iter(done.refused.values()))
        flash(word("pair", "bulk_left", count=len(done.refused), why=why), "warning")
    return redirect(url_for("candidates.queue"), 303)


@screens.get("/merges")
@needs("viewer")
def merges() -> ResponseReturnValue:
    """What was merged, and what still stands twice in a system."""
    page = service.list_merges(hub(), page=request.args.get("page", 1, type=int))
    return render_template(
        "candidates/merges.html", page=page, duplicates=service.list_duplicates(hub())
    )


@screens.post("/merges/<int:merge_id>/undo")
@needs("steward")
def undo(merge_id: int) -> ResponseReturnValue:
    """Takes two merged records apart."""
    service.unmerge(hub(), merge_id, actor=auth.actor())
    flash(word("pair", "undone"), "success")
    return redirect(url_for("candidates.merges"), 303)


def _go_on(pair_id: int) -> ResponseReturnValue:
    following = service.next_pair(hub(), pair_id)
    if following is None or following == pair_id:
        return redirect(url_for("candidates.queue"), 303)
    return redirect(url_for("candidates.pair", pair_id=following), 303)


def _sides(found: service.PairView) -> tuple[str, str]:
    """(winner, loser): as asked for, otherwise as proposed."""
    ids = (found.line.first_id, found.line.second_id)
    winner = request.values.get("winner", "")
    if winner in ids:
        return winner, ids[1] if winner == ids[0] else ids[0]
    return service.stronger(hub(), *ids)


def _picks(given: Mapping[str, str]) -> dict[str, str]:
    """What the steward chose against the proposal, by unit."""
    return {
        key.removeprefix(_PICK): side
        for key, side in given.items()
        if key.startswith(_PICK) and side in {"winner", "loser", "both"}
    }


def _bars(weights: Sequence[service.Weight]) -> tuple[list[Bar], float]:
    """Bars in the units of the drawing, and where zero is."""
    edges = [0.0, *(w.before for w in weights), *(w.before + w.bits for w in weights)]
    low, span = min(edges), (max(edges) - min(edges)) or 1.0
    scale = _WIDTH / span
    bars = [
        Bar(
            _field(weight.field),
            chinese_level(weight.level) if language() == "zh" else weight.level,
            weight.bits,
            round((min(weight.before, weight.before + weight.bits) - low) * scale, 1),
            round(max(abs(weight.bits) * scale, 2.0), 1),
        )
        for weight in weights
    ]
    return bars, round(-low * scale, 1)


def _field(name: str) -> str:
    return FIELDS.get(name, name) if language() == "zh" else name
