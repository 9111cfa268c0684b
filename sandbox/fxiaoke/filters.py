"""Query filters as SQL conditions: one function per group of operators."""

from collections.abc import Callable
from typing import Any

from sandbox.fxiaoke.clock import midnight
from sandbox.fxiaoke.describes import Describe
from sandbox.fxiaoke.errors import PARAMETER_WRONG, ApiError
from sandbox.fxiaoke.people import People
from sandbox.fxiaoke.records import COLUMNS, field_expression
from sandbox.fxiaoke.values import EMPLOYEES, LISTS, NUMBERS, TIMES

Condition = tuple[str, list[Any]]
# Beyond every real moment, and still a number that SQLite can hold.
_FAR = 1 << 60
_COMPARISONS = {"GT": ">", "GTE": ">=", "LT": "<", "LTE": "<="}
_ONE_VALUE = (
    "EQ", "N", "NEQ", "LIKE", "NLIKE", "STARTWITH", "ENDWITH", *_COMPARISONS,
)  # fmt: skip


def wrong(message: str) -> ApiError:
    return ApiError(PARAMETER_WRONG, message)


class Filters:
    def __init__(
        self, describe: Describe, people: People, *, converted: bool | None, inclusive: bool
    ) -> None:
        self._fields = describe["fields"]
        self._people = people
        self._converted = converted
        self._inclusive = inclusive
        # Whether an indexed column is pinned to given values: then the planner needs no advice.
        self.pinned = False

    def compile(self, given: Any) -> Condition:
        if not isinstance(given, dict):
            raise wrong("filters 的元素必须是对象")
        name, operator = given.get("field_name"), given.get("operator")
        values = given.get("field_values")
        field = self.field(name)
        if not isinstance(values, list):
            raise wrong(f"{name} 的 field_values 必须是列表")
        if not isinstance(operator, str) or operator not in _OPERATORS:
            raise wrong(f"operator {operator} 不支持")
        if operator in _ONE_VALUE and len(values) != 1:
            raise wrong(f"{name} {operator} 需要一个值")
        if field["type"] in LISTS and name != "owner":
            return self._on_list(field, operator, values)
        return _OPERATORS[operator](self, field, operator, values)

    def field(self, name: Any) -> dict[str, Any]:
        field = self._fields.get(name) if isinstance(name, str) else None
        if field is None or not field["is_active"]:
            raise wrong(f"字段 {name} 不存在")
        return field

    def expression(self, field: dict[str, Any]) -> str:
        expression = field_expression(field["api_name"])
        return f"CAST({expression} AS REAL)" if field["type"] in NUMBERS else expression

    def _value(self, field: dict[str, Any], value: Any) -> Any:
        kind = field["type"]
        try:
            if kind == "true_or_false":
                return int(value if isinstance(value, bool) else str(value).lower() == "true")
            if kind in NUMBERS:
                return float(value)
            if kind in TIMES:
                moment = min(max(int(value), -_FAR), _FAR)
                return midnight(moment) if kind == "date" else moment
        except (TypeError, ValueError, OverflowError):
            raise wrong(f"{field['api_name']} 的值 {value} 类型不正确") from None
        if kind in EMPLOYEES:
            return self._people.inward(value, self._converted) or "?"
        if isinstance(value, list | dict) or value is None:
            raise wrong(f"{field['api_name']} 的值类型不正确")
        return str(value)

    def equal(self, field: dict[str, Any], operator: str, values: list[Any]) -> Condition:
        expression = self.expression(field)
        if values == [""]:
            return f"{expression} IS {'NULL' if operator == 'EQ' else 'NOT NULL'}", []
        value = self._value(field, values[0])
        if operator == "EQ":
            self._pin(field)
            return f"{self._loose(field, expression)} = ?", [value]
        return f"({expression} IS NULL OR {expression} <> ?)", [value]

    def _pin(self, field: dict[str, Any]) -> None:
        if field["api_name"] in COLUMNS and not self._vague(field):
            self.pinned = True

    @staticmethod
    def _vague(field: dict[str, Any]) -> bool:
        return field["api_name"] in {"life_status", "owner", "create_time"}

    def _loose(self, field: dict[str, Any], expression: str) -> str:
        return f"+{expression}" if self._vague(field) else expression

    def compare(self, field: dict[str, Any], operator: str, values: list[Any]) -> Condition:
        value = self._value(field, values[0])
        return f"{self.expression(field)} {_COMPARISONS[operator]} ?", [value]

    def contain(self, field: dict[str, Any], operator: str, values: list[Any]) -> Condition:
        found = f"instr({field_expression(field['api_name'])}, ?)"
        value = str(self._value(field, values[0]))
        if operator == "LIKE":
            return f"{found} > 0", [value]
        return f"coalesce({found}, 0) = 0", [value]

    def edge(self, field: dict[str, Any], operator: str, values: list[Any]) -> Condition:
        value = str(self._value(field, values[0]))
        start = "1, ?" if operator == "STARTWITH" else "-?"
        return (
            f"substr({field_expression(field['api_name'])}, {start}) = ?",
            [len(value), value],
        )

    def emptiness(self, field: dict[str, Any], operator: str, values: list[Any]) -> Condition:
        expression = field_expression(field["api_name"])
        return f"{expression} IS {'NULL' if operator == 'IS' else 'NOT NULL'}", []

    def among(self, field: dict[str, Any], operator: str, values: list[Any]) -> Condition:
        wanted = [self._value(field, one) for one in values]
        expression = self.expression(field)
        marks = ",".join("?" * len(wanted))
        if operator in {"NIN", "NHASANYOF"}:
            return f"({expression} IS NULL OR {expression} NOT IN ({marks}))", wanted
        self._pin(field)
        return f"{self._loose(field, expression)} IN ({marks})", wanted

    def between(self, field: dict[str, Any], operator: str, values: list[Any]) -> Condition:
        if len(values) != 2:
            raise wrong(f"{field['api_name']} {operator} 需要两个值")
        bounds = [self._value(field, one) for one in values]
        expression = self.expression(field)
        low, high = (">=", "<=") if self._inclusive else (">", "<")
        inside = f"({expression} {low} ? AND {expression} {high} ?)"
        if operator == "BETWEEN":
            return inside, bounds
        return f"({expression} IS NULL OR NOT {inside})", bounds

    def _on_list(self, field: dict[str, Any], operator: str, values: list[Any]) -> Condition:
        """List fields: any common element counts as equal."""
        if operator in {"IS", "ISN"}:
            return self.emptiness(field, operator, values)
        if operator not in {"EQ", "IN", "HASANYOF", "CONTAINS", "N", "NEQ", "NIN", "NHASANYOF"}:
            raise wrong(f"{field['api_name']} 不支持 {operator}")
        wanted = [self._value(field, one) for one in values]
        marks = ",".join("?" * len(wanted))
        quoted = field["api_name"].replace("'", "''")
        found = (
            f"EXISTS (SELECT 1 FROM json_each(data, '$.\"{quoted}\"') AS each "
            f"WHERE each.value IN ({marks}))"
        )
        return (f"NOT {found}" if operator.startswith("N") else found), wanted


_OPERATORS: dict[str, Callable[[Filters, dict[str, Any], str, list[Any]], Condition]] = {
    **dict.fromkeys(("EQ", "N", "NEQ"), Filters.equal),
    **dict.fromkeys(_COMPARISONS, Filters.compare),
    **dict.fromkeys(("LIKE", "NLIKE"), Filters.contain),
    **dict.fromkeys(("STARTWITH", "ENDWITH"), Filters.edge),
    **dict.fromkeys(("IS", "ISN"), Filters.emptiness),
    **dict.fromkeys(("IN", "NIN", "HASANYOF", "NHASANYOF", "CONTAINS"), Filters.among),
    **dict.fromkeys(("BETWEEN", "NBETWEEN"), Filters.between),
}
