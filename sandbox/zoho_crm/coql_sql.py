"""Conditions on fields as SQL; used by COQL, by search criteria and by bulk read."""

from dataclasses import dataclass

from sandbox.zoho_crm.clock import parse_time
from sandbox.zoho_crm.coql_parser import Pair
from sandbox.zoho_crm.errors import ApiError
from sandbox.zoho_crm.metadata import LOOKUP_TYPES, NUMBER_TYPES, TEXT_TYPES, Field
from sandbox.zoho_crm.store import field_sql
from sandbox.zoho_crm.values import parse_id

ORDERED = {">", ">=", "<", "<=", "between", "not between"}
MAX_JOINS = 5


def invalid_query(column, reason, operator=None, **more):
    details = {"column_name": column, "reason": reason, **more}
    if operator:
        details["operator"] = operator
    return ApiError(400, "INVALID_QUERY", "invalid query formed", details)


@dataclass
class Place:
    """Where a column is found: its SQL, its field, and the module that holds it."""

    sql: str
    field: Field
    alias: str


def points_at(field):
    path = field.api_name + ("[1]" if field.data_type == "multi_module_lookup" else "")
    return f"json_extract(t.doc, '$.{path}') = ?"


class Compiler:
    """SQL of one query over one module; lookups in dotted paths become joins."""

    def __init__(self, box, module):
        self.box = box
        self.module = module
        self.joins = {}
        self.params = []

    def from_sql(self):
        joined = "".join(f" LEFT JOIN {table}" for _, table in self.joins.values())
        return f"rec_{self.module.name} t{joined}"

    def place(self, path):
        """Resolve `Field` or `Lookup.Field` (two levels at most)."""
        *steps, last = path.split(".")
        if len(steps) > 2:
            raise invalid_query(path, "more than two levels of lookups")
        module, alias, trail = self.module, "t", ""
        for step in steps:
            field = None if module is None else module.fields.get(step)
            trail += f"{step}."
            if field is None or field.data_type not in LOOKUP_TYPES:
                raise invalid_query(path, "column given seems to be invalid")
            alias, module = self._join(trail, alias, field)
        if module is None:
            return self._user_place(path, alias, last)
        field = module.fields.get(last)
        if field is None or field.data_type in {"subform", "jsonarray"}:
            raise invalid_query(path, "column given seems to be invalid", module=module.name)
        return Place(_column_sql(field, alias), field, alias)

    def _join(self, trail, alias, field):
        if trail not in self.joins:
            if len(self.joins) >= MAX_JOINS:
                raise invalid_query(trail, "more than the allowed joins")
            name = f"j{len(self.joins)}"
            table = "users" if field.data_type == "ownerlookup" else f"rec_{field.lookup}"
            source = field_sql(field.api_name, f"{alias}.")
            self.joins[trail] = (name, f"{table} {name} ON {name}.id = {source}")
        target = None if field.data_type == "ownerlookup" else self.box.metadata.get(field.lookup)
        return self.joins[trail][0], target

    @staticmethod
    def _user_place(path, alias, last):
        kind = "bigint" if last == "id" else "text"
        if last not in {"id", "email", "first_name", "last_name", "status"}:
            raise invalid_query(path, "column given seems to be invalid", module="users")
        sql = f"{alias}.id" if last == "id" else field_sql(last, f"{alias}.")
        field = Field(id=0, module="users", api_name=last, label=last, data_type=kind)
        return Place(sql, field, alias)

    def where(self, node):
        if isinstance(node, Pair):
            left, right = self.where(node.left), self.where(node.right)
            return f"({left} {node.joiner.upper()} {right})"
        return self.condition(self.place(node.column), node.column, node.operator, node.values)

    def condition(self, place, column, operator, raw_values):
        kind, field = place.field.data_type, place.field
        sql = f"coalesce({place.sql}, 0)" if kind == "boolean" else place.sql
        if operator in {"is null", "is not null"}:
            return f"{sql} {operator.upper()}"
        textual = kind in TEXT_TYPES and field.api_name != "id"
        if operator in ORDERED and (kind in LOOKUP_TYPES or kind == "boolean" or textual):
            raise invalid_query(column, "operator is not supported", operator)
        if operator in {"like", "not like"}:
            return self._like(place, column, operator, raw_values[0])
        values = [self._typed(field, column, raw, operator) for raw in raw_values]
        self.params.extend(values)
        collate = " COLLATE NOCASE" if textual and self.box.switches["coql_ignores_case"] else ""
        return _comparison(sql, operator, len(values), collate)

    def _like(self, place, column, operator, raw):
        if place.field.data_type not in TEXT_TYPES or place.field.api_name == "id":
            raise invalid_query(column, "operator is not supported", operator)
        if raw.strip("%") == "" or "%" in raw.strip("%"):
            raise invalid_query(column, "the pattern is not supported", operator)
        self.params.append(raw.replace("\\", "\\\\").replace("_", "\\_"))
        return f"{place.sql} {operator.upper()} ? ESCAPE '\\'"

    @staticmethod
    def _typed(field, column, raw, operator):
        """A literal as the field's stored type."""
        kind = field.data_type
        try:
            if field.api_name == "id" or kind in LOOKUP_TYPES:
                found = parse_id(raw)
                if found is None:
                    raise ValueError(raw)
                return found
            if kind == "datetime":
                return parse_time(raw)
            if kind in NUMBER_TYPES:
                return float(raw)
        except ValueError:
            reason = "value given seems to be invalid for the column"
            raise invalid_query(column, reason, operator, expected_data_type=kind) from None
        if kind == "boolean":
            if raw.lower() not in {"true", "false"}:
                raise invalid_query(column, "invalid value", operator, expected_data_type=kind)
            return int(raw.lower() == "true")
        return str(raw)


def _column_sql(field, alias):
    fixed = {"id": "id", "Created_Time": "created", "Modified_Time": "modified"}
    if field.api_name in fixed:
        return f"{alias}.{fixed[field.api_name]}"
    if field.api_name == "Last_Activity_Time":
        return f"{alias}.modified"
    return field_sql(field.api_name, f"{alias}.")


def _comparison(sql, operator, count, collate):
    if operator in {"in", "not in"}:
        marks = ",".join("?" * count)
        if operator == "in":
            return f"{sql}{collate} IN ({marks})"
        return f"({sql} IS NULL OR {sql}{collate} NOT IN ({marks}))"
    if operator in {"between", "not between"}:
        return f"{sql} {operator.upper()} ? AND ?"
    if operator == "!=":
        return f"({sql} IS NULL OR {sql} != ?{collate})"
    return f"{sql} {operator} ?{collate}"


def modified_floor(node):
    """The earliest Modified_Time that a tree can accept, or None: lets SQLite use its index.

    `(Modified_Time > t or (Modified_Time = t and id > i))` reads the whole table without it.
    """
    if isinstance(node, Pair):
        floors = [modified_floor(node.left), modified_floor(node.right)]
        known = [floor for floor in floors if floor is not None]
        if node.joiner == "and":
            return max(known, default=None)
        return min(known) if len(known) == 2 else None
    if node.column != "Modified_Time" or node.operator not in {">", ">=", "=", "between"}:
        return None
    try:
        return parse_time(node.values[0])
    except ValueError:
        return None
