"""The tenant's object descriptions: kept in the database, changed by the admin calls."""

import copy
import json
import threading
from typing import Any

from sandbox.fxiaoke.catalog import fresh_describes
from sandbox.fxiaoke.database import Database
from sandbox.fxiaoke.errors import AdminError

Describe = dict[str, Any]
REFERENCES = ("object_reference", "master_detail")


class Describes:
    def __init__(self, database: Database) -> None:
        self._database = database
        self._lock = threading.RLock()
        self._add_missing()
        with database.reading() as connection:
            rows = connection.execute("SELECT data FROM describe ORDER BY position").fetchall()
        self._all: dict[str, Describe] = {}
        for (data,) in rows:
            describe = json.loads(data)
            self._all[describe["api_name"]] = describe

    def _add_missing(self) -> None:
        with self._database.writing() as connection:
            for position, describe in enumerate(fresh_describes()):
                connection.execute(
                    "INSERT INTO describe VALUES (?, ?, ?) ON CONFLICT DO NOTHING",
                    (describe["api_name"], position, json.dumps(describe, ensure_ascii=False)),
                )

    def names(self) -> list[str]:
        return list(self._all)

    def all(self) -> list[Describe]:
        return list(self._all.values())

    def find(self, api_name: Any) -> Describe | None:
        return self._all.get(api_name) if isinstance(api_name, str) else None

    def known(self, api_name: str) -> Describe:
        """The describe of an object that is known to exist."""
        return self._all[api_name]

    def for_admin(self, api_name: str) -> Describe:
        describe = self.find(api_name)
        if describe is None:
            raise AdminError(f"no object {api_name}; known: {', '.join(self._all)}", 404)
        return describe

    def details_of(self, api_name: str) -> dict[str, str]:
        """The detail objects of a master, each with the field that names the master."""
        return dict(self._all[api_name].get("_details", {}))

    def pointing_to(self, target: str) -> list[tuple[str, str]]:
        """Every (object, field) that refers to rows of the target."""
        return [
            (describe["api_name"], name)
            for describe in self.all()
            for name, field in describe["fields"].items()
            if field["type"] in REFERENCES and field.get("target_api_name") == target
        ]

    def change_field(self, api_name: str, field_name: str, changes: dict[str, Any]) -> Describe:
        """Sets attributes of a field (`is_required`, `max_length`, `options`, ...)."""
        with self._lock:
            describe = copy.deepcopy(self.for_admin(api_name))
            field = describe["fields"].get(field_name)
            if field is None:
                raise AdminError(f"{api_name} has no field {field_name}", 404)
            if "type" in changes or "api_name" in changes:
                raise AdminError("a field's type and api_name cannot be changed here")
            field.update(changes)
            return self._store(describe)

    def add_field(self, api_name: str, field: dict[str, Any]) -> Describe:
        with self._lock:
            describe = copy.deepcopy(self.for_admin(api_name))
            if field["api_name"] in describe["fields"]:
                raise AdminError(f"{api_name} already has {field['api_name']}")
            describe["fields"][field["api_name"]] = field
            return self._store(describe)

    def drop_field(self, api_name: str, field_name: str) -> dict[str, Any]:
        with self._lock:
            describe = copy.deepcopy(self.for_admin(api_name))
            if field_name not in describe["fields"]:
                raise AdminError(f"{api_name} has no field {field_name}", 404)
            field = describe["fields"].pop(field_name)
            self._store(describe)
            return field

    def _store(self, describe: Describe) -> Describe:
        with self._database.writing() as connection:
            connection.execute(
                "UPDATE describe SET data=? WHERE api_name=?",
                (json.dumps(describe, ensure_ascii=False), describe["api_name"]),
            )
        # Readers hold the old object; a changed describe is a new one.
        self._all[describe["api_name"]] = describe
        return describe


def public(value: Any) -> Any:
    """A describe as the API shows it: without the page's own keys."""
    if isinstance(value, dict):
        return {key: public(one) for key, one in value.items() if key == "_id" or key[0] != "_"}
    if isinstance(value, list):
        return [public(one) for one in value]
    return value
