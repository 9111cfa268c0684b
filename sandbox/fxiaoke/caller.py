"""Who is calling, and in which of the two request conventions."""

import dataclasses
from typing import Any

from sandbox.fxiaoke.people import Employee


@dataclasses.dataclass(frozen=True)
class Caller:
    employee: Employee
    convert_user_id: bool
    convert_media_id: bool
    body: dict[str, Any]
    base_url: str = ""
    family: str = "any"  # which objects the path serves: preset, custom, or any

    @property
    def user_id(self) -> str:
        return self.employee.user_id

    @property
    def data(self) -> dict[str, Any]:
        """The `data` object of the body; it was checked before the action runs."""
        return self.body["data"]

    def flag(self, name: str, default: bool) -> bool:
        """A flag at the top of the body, or inside `data` as older documentation had it."""
        for place in (self.body, self.body.get("data")):
            if isinstance(place, dict) and isinstance(place.get(name), bool):
                return place[name]
        return default
