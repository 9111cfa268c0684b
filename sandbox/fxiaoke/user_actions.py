"""What a person does in the CRM itself: from the page, or by an admin call on behalf of one."""

from typing import TYPE_CHECKING, Any

from sandbox.fxiaoke.actions.update import checked_values, replace_details
from sandbox.fxiaoke.errors import AdminError
from sandbox.fxiaoke.records import is_empty
from sandbox.fxiaoke.work import Work

if TYPE_CHECKING:
    from sandbox.fxiaoke.world import World

Row = dict[str, Any]


def _row(work: Work, object_name: str, record_id: str) -> Row:
    work.world.describes.for_admin(object_name)
    row = work.get(object_name, record_id)
    if row is None:
        raise AdminError(f"{object_name} has no row {record_id}", 404)
    return row


def create(world: "World", user: str, object_name: str, fields: Row) -> str:
    describe = world.describes.for_admin(object_name)
    with world.change(user, origin="user") as work:
        values = world.cleaner.clean(describe, fields, converted=None, creating=True)
        if "owner" not in values and not (
            values.get("high_seas_id") or values.get("leads_pool_id")
        ):
            values["owner"] = [user]
        world.cleaner.check_required(describe, values)
        row = work.build(object_name, values)
        world.cleaner.check_whole(work.connection, describe, row, values)
        return work.insert(object_name, row)


def edit(world: "World", user: str, object_name: str, record_id: str, fields: Row) -> Row:
    """Stores what really differs; an edit that changes nothing leaves the row untouched."""
    describe = world.describes.for_admin(object_name)
    with world.change(user, origin="user") as work:
        row = _row(work, object_name, record_id)
        work.check_open(row)
        # An empty list clears whatever the switch says on null and "": those are for the API.
        fields = {name: [] if is_empty(value) else value for name, value in fields.items()}
        values = checked_values(work, describe, row, fields, converted=None)
        values = {name: value for name, value in values.items() if row.get(name) != value}
        if values:
            work.apply(object_name, row, values)
        return row


def invalid(world: "World", user: str, object_name: str, record_id: str) -> Row:
    with world.change(user, origin="user") as work:
        row = _row(work, object_name, record_id)
        if row["life_status"] == "invalid":
            raise AdminError("the row is invalid already", 409)
        work.invalidate(object_name, row)
        return row


def recover(world: "World", user: str, object_name: str, record_id: str) -> Row:
    with world.change(user, origin="user") as work:
        row = _row(work, object_name, record_id)
        work.recover(object_name, row)
        return row


def delete(world: "World", user: str, object_name: str, record_id: str) -> Row:
    with world.change(user, origin="user") as work:
        work.erase(object_name, _row(work, object_name, record_id))
    return {"deleted": record_id}


def lock(world: "World", user: str, object_name: str, record_id: str) -> Row:
    return _lock(world, user, object_name, record_id, locked=True)


def unlock(world: "World", user: str, object_name: str, record_id: str) -> Row:
    return _lock(world, user, object_name, record_id, locked=False)


def _lock(world: "World", user: str, object_name: str, record_id: str, *, locked: bool) -> Row:
    with world.change(user, origin="user") as work:
        row = _row(work, object_name, record_id)
        work.lock(object_name, row, locked=locked)
        return row


def change_owner(world: "World", user: str, object_name: str, record_id: str, *, owner: str) -> Row:
    if world.people.find(owner) is None:
        raise AdminError(f"no employee {owner}")
    with world.change(user, origin="user") as work:
        row = _row(work, object_name, record_id)
        work.set_owner(object_name, row, owner)
        return row


def merge(world: "World", user: str, object_name: str, winner_id: str, loser_id: str) -> Row:
    if winner_id == loser_id:
        raise AdminError("winner and loser are the same row")
    with world.change(user, origin="user") as work:
        winner, loser = _row(work, object_name, winner_id), _row(work, object_name, loser_id)
        if "invalid" in {winner["life_status"], loser["life_status"]}:
            raise AdminError("an invalid row cannot be merged", 409)
        moved = work.merge_into(object_name, winner, loser)
        return {"winner": work.get(object_name, winner_id), "moved": moved}


def approve(world: "World", user: str, object_name: str, record_id: str) -> Row:
    with world.change(user, origin="user") as work:
        row, waiting = _row(work, object_name, record_id), _waiting(work, object_name, record_id)
        row["life_status"] = "normal"
        if waiting["action"] == "invalid":
            work.invalidate(object_name, row)
        else:
            work.apply(object_name, row, waiting.get("values", {}))
            replace_details(
                work,
                object_name,
                row,
                waiting.get("details", {}),
                converted=waiting.get("converted"),
            )
            _settle_details(work, object_name, record_id, "normal")
        return row


def reject(world: "World", user: str, object_name: str, record_id: str) -> Row:
    with world.change(user, origin="user") as work:
        row, waiting = _row(work, object_name, record_id), _waiting(work, object_name, record_id)
        row["life_status"] = "ineffective" if waiting["action"] == "create" else "normal"
        work.touch(object_name, row)
        _settle_details(work, object_name, record_id, row["life_status"])
        return row


def _waiting(work: Work, object_name: str, record_id: str) -> Row:
    waiting = work.pending(object_name, record_id)
    if waiting is None:
        raise AdminError("nothing waits for approval on this row", 409)
    work.drop_pending(object_name, record_id)
    return waiting


def _settle_details(work: Work, object_name: str, record_id: str, status: str) -> None:
    for detail, row in work.details_of(object_name, record_id):
        if row["life_status"] == "under_review":
            row["life_status"] = status
            work.touch(detail, row)
