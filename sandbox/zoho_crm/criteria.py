"""Search: criteria, e-mail, phone and word, with the vendor's loose idea of equality."""

import re

from flask import request

from sandbox.zoho_crm.coql_sql import Compiler
from sandbox.zoho_crm.errors import ApiError
from sandbox.zoho_crm.metadata import LOOKUP_TYPES, NUMBER_TYPES, TEXT_TYPES
from sandbox.zoho_crm.store import field_sql, squash

MAX_CONDITIONS = 15
OPERATORS = {
    "equals": "=",
    "not_equal": "!=",
    "in": "in",
    "between": "between",
    "greater_than": ">",
    "greater_equal": ">=",
    "less_than": "<",
    "less_equal": "<=",
}
CONDITION = re.compile(r"([\w.$]+):(\w+):((?:\\.|[^()\\])*)")


def visible_sql(box):
    """The index lags: each record is found some seconds after its last change."""
    return lagging_sql(box, "search_lag")


def lagging_sql(box, switch):
    """Each record shows some seconds after its last change, one sooner than another."""
    most, seed = box.switches[switch], box.switches["search_lag_seed"]
    if most <= 0:
        return "1"
    spread = f"(t.id + {seed}) * 7919 % 1009 % {most + 1}"  # no two neighbours alike
    return f"t.modified + ({spread}) <= {box.clock.second()}"


def from_request(box, module):
    """SQL and parameters of the query's search parameter, or (None, ()) when there is none."""
    args = request.args
    if args.get("criteria"):
        return _from_criteria(box, module, args["criteria"])
    if args.get("email"):
        return _any_field(module, {"email"}, "{} = ? COLLATE NOCASE", args["email"].strip())
    if args.get("phone"):
        return _any_field(module, {"phone"}, "instr(squash({}), ?) > 0", squash(args["phone"]))
    if args.get("word"):
        return _word(module, args["word"])
    return None, ()


def _word(module, word):
    if len(word.strip()) < 2:
        raise ApiError(400, "INVALID_DATA", "invalid data", {"param_name": "word"})
    kinds = TEXT_TYPES - {"bigint"}
    return _any_field(module, kinds, "instr(squash({}), ?) > 0", squash(word))


def _any_field(module, kinds, template, value):
    fields = [item for item in module.fields.values() if item.data_type in kinds]
    if not fields or not value:
        return "0", ()
    parts = [template.format(field_sql(item.api_name, "t.")) for item in fields]
    return f"({' OR '.join(parts)})", [value] * len(parts)


def invalid(reason, api_name=None, operator=None):
    details = {"reason": reason, "api_name": api_name, "operator": operator}
    return ApiError(400, "INVALID_QUERY", "invalid query formed", details)


def _from_criteria(box, module, text):
    compiler = Compiler(box, module)
    where = _Reader(text, compiler).read()
    if compiler.joins:
        raise invalid("related fields are not supported")
    return where, compiler.params


class _Reader:
    """`((A:equals:x)and(B:in:y,z))` from left to right."""

    def __init__(self, text, compiler):
        self.text = text.strip()
        self.at = 0
        self.compiler = compiler
        self.count = 0

    def read(self):
        sql = self._expression()
        if self.at != len(self.text):
            raise invalid(f"unexpected text at {self.at}")
        return sql

    def _expression(self):
        parts = [self._operand()]
        while joiner := self._joiner():
            parts.extend((joiner, self._operand()))
        return f"({' '.join(parts)})" if len(parts) > 1 else parts[0]

    def _joiner(self):
        match = re.compile(r"\s*(and|or)\s*(?=\(|[\w.]+:)", re.IGNORECASE).match(self.text, self.at)
        if match is None:
            return None
        self.at = match.end()
        return match.group(1).upper()

    def _operand(self):
        if self.text[self.at : self.at + 1] != "(":
            return self._condition()
        self.at += 1
        sql = self._expression()
        if self.text[self.at : self.at + 1] != ")":
            raise invalid("a parenthesis is missing")
        self.at += 1
        return sql

    def _condition(self):
        match = CONDITION.match(self.text, self.at)
        if match is None:
            raise invalid(f"no condition at {self.at}")
        self.at = match.end()
        self.count += 1
        if self.count > MAX_CONDITIONS:
            raise ApiError(400, "LIMIT_EXCEEDED", "too many conditions", {"limit": MAX_CONDITIONS})
        return self._sql(*match.groups())

    def _sql(self, api_name, operator, raw):
        field = self.compiler.module.fields.get(api_name)
        if field is None:
            raise invalid("the field is not available", api_name, operator)
        if operator not in _allowed(field):
            raise invalid("the operator is not supported for the field", api_name, operator)
        values = [_unescape(item) for item in re.split(r"(?<!\\),", raw)]
        place = self.compiler.place(api_name)
        loose = field.data_type in TEXT_TYPES - {"picklist", "bigint"}
        if loose and operator in {"equals", "starts_with"}:
            return self._loose(place, operator, _unescape(raw))
        if operator in {"equals", "not_equal"}:
            values = [_unescape(raw)]
        if operator == "between" and len(values) != 2:
            raise invalid("between needs two values", api_name, operator)
        return self.compiler.condition(place, api_name, OPERATORS[operator], values)

    def _loose(self, place, operator, value):
        """Contains, blind to case and punctuation: as loose as the vendor's index."""
        self.compiler.params.append(squash(value))
        test = "> 0" if operator == "equals" else "= 1"
        return f"instr(squash({place.sql}), ?) {test}"


def _unescape(text):
    return re.sub(r"\\(.)", r"\1", text).strip()


def _allowed(field):
    kind = field.data_type
    ranged = {"greater_than", "greater_equal", "less_than", "less_equal", "between"}
    if field.api_name == "id" or kind in LOOKUP_TYPES or kind in {"picklist", "autonumber"}:
        return {"equals", "not_equal", "in"}
    if kind in NUMBER_TYPES or kind in {"bigint", "date", "datetime"}:
        return {"equals", "not_equal", "in", *ranged}
    if kind == "boolean":
        return {"equals", "not_equal"}
    if kind == "textarea":
        return {"equals", "not_equal", "starts_with"}
    return {"equals", "not_equal", "starts_with", "in"}
