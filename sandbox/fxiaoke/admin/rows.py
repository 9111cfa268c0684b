"""Records as a user of the CRM would make, change, merge and remove them."""

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from flask import request

from sandbox.fxiaoke import records, user_actions
from sandbox.fxiaoke.admin.table import Table, body, take
from sandbox.fxiaoke.errors import AdminError
from sandbox.fxiaoke.seed import seed_rows

if TYPE_CHECKING:
    from sandbox.fxiaoke.world import World

BULK = 10_000
DEFAULT_USER = "1000"


def register(table: Table, world: "World") -> None:
    @table.call("GET", "/records/<api>", "all rows raw; ?id=, ?field=&value=, ?count=1")
    def dump(api: str) -> Any:
        return _dump(world, api)

    @table.call(
        "POST",
        "/records/<api>",
        f"up to {BULK} new rows as a user: {{rows, user, silent, validate}}; returns their ids",
    )
    def bulk(api: str) -> Any:
        given = body()
        rows = take(given, "rows", list)
        if len(rows) > BULK:
            raise AdminError(f"at most {BULK} rows per call")
        ids = seed_rows(
            world,
            api,
            rows,
            user=_user(world, given),
            silent=take(given, "silent", bool, False),
            validate=take(given, "validate", bool, True),
        )
        return {"ids": ids}

    @table.call("POST", "/records/<api>/create", "one new row as a user: {fields, user}")
    def create(api: str) -> Any:
        given = body()
        record_id = user_actions.create(
            world, _user(world, given), api, take(given, "fields", dict)
        )
        return {"id": record_id}

    @table.call("POST", "/records/<api>/<id>", "edit as a user: {fields, user}")
    def edit(api: str, id: str) -> Any:  # noqa: A002
        given = body()
        fields = take(given, "fields", dict)
        return user_actions.edit(world, _user(world, given), api, id, fields)

    @table.call(
        "POST",
        "/records/<api>/merge",
        "merge as a user: {winner, loser, user}; the loser becomes invalid, children move",
    )
    def merge(api: str) -> Any:
        given = body()
        return user_actions.merge(
            world, _user(world, given), api, take(given, "winner", str), take(given, "loser", str)
        )

    for name, action, what in _ONE_ROW:
        _one_row(table, world, name, action, what)


_ONE_ROW: tuple[tuple[str, Callable[..., Any], str], ...] = (
    ("invalid", user_actions.invalid, "make the row invalid as a user: {user}"),
    ("recover", user_actions.recover, "recover an invalid row as a user: {user}"),
    ("delete", user_actions.delete, "delete the row for good, valid or not: {user}"),
    ("lock", user_actions.lock, "lock the row: {user}"),
    ("unlock", user_actions.unlock, "unlock the row: {user}"),
    ("approve", user_actions.approve, "approve what waits on the row: {user}"),
    ("reject", user_actions.reject, "reject what waits on the row: {user}"),
    ("owner", user_actions.change_owner, "give the row to another owner: {owner, user}"),
)


def _one_row(
    table: Table, world: "World", name: str, action: Callable[..., Any], what: str
) -> None:
    @table.call("POST", f"/records/<api>/<id>/{name}", what)
    def act(api: str, id: str) -> Any:  # noqa: A002
        given = body()
        world.describes.for_admin(api)
        more = {"owner": take(given, "owner", str)} if name == "owner" else {}
        return action(world, _user(world, given), api, id, **more)


def _user(world: "World", given: dict[str, Any]) -> str:
    user = take(given, "user", str, DEFAULT_USER)
    if world.people.find(user) is None:
        raise AdminError(f"no employee {user}")
    return user


def _dump(world: "World", api: str) -> Any:
    world.describes.for_admin(api)
    with world.database.reading() as connection:
        if "count" in request.args:
            return {"count": records.count(connection, api)}
        if "id" in request.args:
            row = records.get(connection, api, request.args["id"])
            return {"rows": [row] if row else []}
        if "field" in request.args:
            name, value = request.args["field"], request.args.get("value", "")
            return {"rows": records.where_field(connection, api, name, value)}
        return {"rows": list(records.each(connection, api))}
