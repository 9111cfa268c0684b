"""Between a field of a describe and a form control: what to show, and what came back."""

import dataclasses
import datetime as dt
from typing import TYPE_CHECKING, Any

from sandbox.fxiaoke import records
from sandbox.fxiaoke.areas import areas
from sandbox.fxiaoke.clock import BEIJING
from sandbox.fxiaoke.people import WHOLE_COMPANY
from sandbox.fxiaoke.values import AREAS, FILES, READ_ONLY

if TYPE_CHECKING:
    import sqlite3

    from werkzeug.datastructures import MultiDict

    from sandbox.fxiaoke.world import World

Choice = tuple[str, str]
_NOT_SHOWN = (*READ_ONLY, *FILES, "embedded_object_list", "location", "object_reference_many")
_SUGGESTED = 300
_LONG = ("long_text", "html_rich_text")
_INPUTS = {"email": "email", "date": "date", "date_time": "datetime-local",
           "phone_number": "tel"}  # fmt: skip


@dataclasses.dataclass(frozen=True)
class Widget:
    name: str
    label: str
    kind: str  # input, textarea, select, many, or suggest
    value: Any
    required: bool
    input_type: str = "text"
    max_length: int | None = None
    choices: tuple[Choice, ...] = ()
    hint: str = ""


def label_of(field: dict[str, Any], language: str) -> str:
    return field["label"] if language == "zh" else field.get("_en", field["label"])


def editable(field: dict[str, Any]) -> bool:
    return (
        field["is_active"]
        and not field.get("_hidden")
        and not field.get("_read_only")
        and field["type"] not in _NOT_SHOWN
    )


class Widgets:
    def __init__(self, world: "World", connection: "sqlite3.Connection", language: str) -> None:
        self._world = world
        self._connection = connection
        self._language = language

    def of(self, describe: dict[str, Any], row: dict[str, Any]) -> list[Widget]:
        return [
            self._widget(field, row.get(name))
            for name, field in describe["fields"].items()
            if editable(field) and not (name == "owner" and row.get("_id"))
        ]

    def _widget(self, field: dict[str, Any], value: Any) -> Widget:
        common = {
            "name": field["api_name"],
            "label": label_of(field, self._language),
            "required": field["is_required"],
            "max_length": field.get("max_length"),
        }
        kind = field["type"]
        choices = self._choices(field)
        if choices is not None:
            many = kind in {"select_many", "employee_many", "department_many"}
            shown = value if many else value[0] if isinstance(value, list) and value else value
            if kind == "true_or_false" and value is not None:
                shown = "true" if value else "false"
            return Widget(
                **common, kind="many" if many else "select", value=shown, choices=tuple(choices)
            )
        if "target_api_name" in field:
            target = field["target_api_name"]
            name = self._name(target, value)
            return Widget(
                **common, kind="suggest", value=value, hint=name, choices=self._suggest(target)
            )
        if kind in _LONG:
            return Widget(**common, kind="textarea", value=value)
        return Widget(
            **common,
            kind="input",
            value=_shown(kind, value),
            input_type=_INPUTS.get(kind, "text"),
        )

    def _choices(self, field: dict[str, Any]) -> list[Choice] | None:
        kind = field["type"]
        if kind == "true_or_false" or kind.startswith("select"):
            return [
                (str(one["value"]).lower() if kind == "true_or_false" else one["value"],
                 label_of(one, self._language))
                for one in field["options"]
            ]  # fmt: skip
        if kind == "record_type":
            return [(o["api_name"], label_of(o, self._language)) for o in field["options"]]
        if kind in AREAS:
            return self._area_choices(kind)
        if kind.startswith("employee"):
            return [(one.user_id, one.name) for one in self._world.people.all()]
        if kind.startswith("department"):
            known = self._world.people.departments()
            return [(WHOLE_COMPANY, "全公司"), *((key, row["name"]) for key, row in known.items())]
        return None

    @staticmethod
    def _area_choices(kind: str) -> list[Choice]:
        tree = areas()
        above = {code: label for level in AREAS for code, label in tree.labels[level].items()}
        return [
            (code, f"{above[tree.parents[code]]} / {label}" if code in tree.parents else label)
            for code, label in tree.labels[kind].items()
        ]

    def _name(self, target: str, record_id: Any) -> str:
        if not record_id:
            return ""
        return records.names_of(self._connection, target, [record_id]).get(record_id, "")

    def _suggest(self, target: str) -> tuple[Choice, ...]:
        rows = self._connection.execute(
            "SELECT id, name FROM record WHERE object=? AND +status<>'invalid' "
            "ORDER BY modified DESC LIMIT ?",
            (target, _SUGGESTED),
        )
        return tuple((one, name or one) for one, name in rows)


def _shown(kind: str, value: Any) -> Any:
    if value is None or kind not in {"date", "date_time"}:
        return value
    moment = dt.datetime.fromtimestamp(value / 1000, BEIJING)
    return moment.strftime("%Y-%m-%d" if kind == "date" else "%Y-%m-%dT%H:%M")


def read_form(describe: dict[str, Any], form: "MultiDict[str, str]") -> dict[str, Any]:
    """The fields of a sent form in the API's value forms; an emptied control gives None."""
    fields: dict[str, Any] = {}
    for name, field in describe["fields"].items():
        if name not in form or not editable(field):
            continue
        given = [one.replace("\r\n", "\n").strip() for one in form.getlist(name) if one.strip()]
        fields[name] = _read(field["type"], given) if given else None
    return fields


def _read(kind: str, given: list[str]) -> Any:
    if kind.startswith(("employee", "department")) or kind == "select_many":
        return given
    if kind == "true_or_false":
        return given[0] == "true"
    if kind in {"date", "date_time"}:
        try:
            moment = dt.datetime.fromisoformat(given[0])
        except ValueError:
            return given[0]  # the check of the field's type refuses it with a sentence
        return int(moment.replace(tzinfo=BEIJING).timestamp() * 1000)
    if kind == "time":
        return int(given[0]) if given[0].isdigit() else given[0]
    return given[0]
