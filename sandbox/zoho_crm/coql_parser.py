"""COQL text to a tree. The grammar is the vendor's: conditions nest in pairs."""

import re
from dataclasses import dataclass, field

from sandbox.zoho_crm.errors import ApiError

TOKEN = re.compile(
    r"\s*(?:(?P<text>'(?:[^'\\]|\\.|'')*'|\"(?:[^\"\\]|\\.)*\")"
    r"|(?P<number>-?\d+(?:\.\d+)?)(?![\w.])"
    r"|(?P<word>[A-Za-z_$][\w$]*(?:\.[A-Za-z_$][\w$]*)*)"
    r"|(?P<sign><=|>=|!=|<>|[=<>(),*]))"
)
FUNCTIONS = {"sum", "min", "max", "avg", "count"}
KEYWORDS = {"select", "from", "where", "order", "group", "limit", "offset", "and", "or", "as"}


@dataclass
class Token:
    kind: str
    value: str
    position: int


@dataclass
class Condition:
    column: str
    operator: str
    values: list


@dataclass
class Pair:
    joiner: str
    left: object
    right: object


@dataclass
class Column:
    path: str
    function: str | None = None
    alias: str | None = None

    @property
    def key(self):
        if self.alias:
            return self.alias
        return f"{self.function.upper()}({self.path})" if self.function else self.path


@dataclass
class Query:
    columns: list
    module: str
    where: object
    group: list = field(default_factory=list)
    order: list = field(default_factory=list)
    limit: int = 200
    offset: int = 0


def syntax_error(near, clause=None):
    details = {"near": near, **({"clause": clause} if clause else {})}
    return ApiError(400, "SYNTAX_ERROR", "error occurred while parsing the query", details)


def too_many(clause, limit):
    details = {"clause": clause, "limit": limit}
    return ApiError(400, "LIMIT_EXCEEDED", f"more than the allowed {clause}", details)


def tokens_of(text):
    tokens, position = [], 0
    text = text.rstrip().rstrip(";").rstrip()
    while position < len(text):
        match = TOKEN.match(text, position)
        if match is None:
            raise syntax_error(text[position : position + 20])
        kind = match.lastgroup
        raw = match.group(kind)
        value = _unquote(raw) if kind == "text" else raw
        tokens.append(Token(kind, value, match.start(kind)))
        position = match.end()
    return tokens


def _unquote(raw):
    inner = raw[1:-1]
    if raw[0] == "'":
        inner = inner.replace("''", "'")
    return re.sub(r"\\(.)", r"\1", inner)


class Parser:
    """Recursive descent, one method per clause."""

    def __init__(self, text):
        self.tokens = tokens_of(text)
        self.at = 0
        self.conditions = 0

    def parse(self):
        self._expect("select", "select")
        columns = self._columns()
        self._expect("from", "from")
        module = self._word("from")
        self._expect("where", "where")
        query = Query(columns, module, self._expression())
        if self._accept("group"):
            self._expect("by", "group by")
            query.group = self._list(self._path, 4, "group by")
        if self._accept("order"):
            self._expect("by", "order by")
            query.order = self._list(self._order_item, 10, "order by")
        if self._accept("limit"):
            self._limit(query)
        if self.at < len(self.tokens):
            raise syntax_error(self.tokens[self.at].value)
        return query

    # Small steps over the tokens.

    def _peek(self):
        return self.tokens[self.at] if self.at < len(self.tokens) else Token("end", "", -1)

    def _next(self):
        token = self._peek()
        self.at += 1
        return token

    def _accept(self, value):
        token = self._peek()
        if token.kind in {"word", "sign"} and token.value.lower() == value:
            self.at += 1
            return True
        return False

    def _expect(self, value, clause):
        if not self._accept(value):
            raise syntax_error(self._peek().value, clause)

    def _word(self, clause):
        token = self._next()
        if token.kind != "word" or token.value.lower() in KEYWORDS:
            raise syntax_error(token.value, clause)
        return token.value

    def _list(self, item, limit, clause):
        found = [item()]
        while self._accept(","):
            found.append(item())
        if len(found) > limit:
            raise too_many(clause, limit)
        return found

    # Clauses.

    def _columns(self):
        columns = self._list(self._column, 50, "select")
        keys = [column.key for column in columns]
        if len(keys) != len(set(keys)):
            raise ApiError(400, "DUPLICATE_DATA", "duplicate columns", {"clause": "select"})
        return columns

    def _column(self):
        name = self._word("select")
        column = Column(name)
        if name.lower() in FUNCTIONS and self._accept("("):
            column = Column(self._word("select"), name.lower())
            self._expect(")", "select")
        if self._accept("as"):
            column.alias = self._word("select")
        return column

    def _path(self):
        return self._word("group by")

    def _order_item(self):
        path = self._word("order by")
        if path.lower() in FUNCTIONS and self._accept("("):
            path = f"{path.upper()}({self._word('order by')})"
            self._expect(")", "order by")
        down = self._accept("desc")
        if not down:
            self._accept("asc")
        return path, "DESC" if down else "ASC"

    def _limit(self, query):
        first = self._number("limit")
        if self._accept(","):
            query.offset, query.limit = first, self._number("limit")
        else:
            query.limit = first
            if self._accept("offset"):
                query.offset = self._number("offset")

    def _number(self, clause):
        token = self._next()
        if token.kind != "number" or not token.value.isdigit():
            raise syntax_error(token.value, clause)
        return int(token.value)

    def _expression(self):
        left = self._operand()
        for joiner in ("and", "or"):
            if self._accept(joiner):
                right = self._operand()
                following = self._peek()
                if following.value.lower() in {"and", "or"} and following.kind == "word":
                    raise syntax_error(following.value, "where")
                return Pair(joiner, left, right)
        return left

    def _operand(self):
        if self._accept("("):
            inside = self._expression()
            self._expect(")", "where")
            return inside
        self.conditions += 1
        if self.conditions > 25:
            raise too_many("where", 25)
        return self._condition()

    def _condition(self):
        column = self._word("where")
        operator = self._operator()
        if operator in {"is null", "is not null"}:
            return Condition(column, operator, [])
        if operator in {"in", "not in"}:
            self._expect("(", "where")
            values = self._list(self._value, 100, "in")
            self._expect(")", "where")
            return Condition(column, operator, values)
        if operator in {"between", "not between"}:
            low = self._value()
            self._expect("and", "between")
            return Condition(column, operator, [low, self._value()])
        return Condition(column, operator, [self._value()])

    def _operator(self):
        token = self._next()
        word = token.value.lower()
        if token.kind == "sign" and word in {"=", "!=", "<>", ">", ">=", "<", "<="}:
            return "!=" if word == "<>" else word
        if token.kind == "word" and word == "is":
            negated = self._accept("not")
            self._expect("null", "where")
            return "is not null" if negated else "is null"
        if token.kind == "word" and word == "not":
            word = f"not {self._next().value.lower()}"
        if word in {"in", "like", "between", "not in", "not like", "not between"}:
            return word
        raise syntax_error(token.value, "where")

    def _value(self):
        token = self._next()
        if token.kind in {"text", "number"}:
            return token.value
        if token.kind == "word" and token.value.lower() in {"true", "false"}:
            return token.value.lower()
        raise syntax_error(token.value, "where")


def parse(text):
    return Parser(text).parse()
