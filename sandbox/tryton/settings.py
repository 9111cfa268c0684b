"""What an administrator sets up once in an empty Tryton: company, accounts, terms, users.

Each step looks first and creates what is missing, so running it again changes nothing.
"""

import datetime as dt
import hashlib
from collections.abc import Iterator
from contextlib import contextmanager
from decimal import Decimal
from pathlib import Path
from typing import Any

from sandbox.tryton import places
from sandbox.tryton.progress import Span
from sandbox.tryton.rpc import Client

COMPANY_NAME = "示例工贸有限公司 (Demo Trading Ltd)"
CURRENCIES = (
    ("CNY", "Yuan Renminbi", "¥", 2, "0.01"),
    ("USD", "US Dollar", "$", 2, "0.01"),
    ("EUR", "Euro", "€", 2, "0.01"),
    ("GBP", "Pound Sterling", "£", 2, "0.01"),
    ("HKD", "Hong Kong Dollar", "HK$", 2, "0.01"),
    ("JPY", "Yen", "JP¥", 0, "1"),
    ("SGD", "Singapore Dollar", "S$", 2, "0.01"),
)
PAYMENT_TERMS = {"Immediate": 0, "Net 30": 30, "Net 60": 60}
# Accounts of the English minimal chart, by the role that they play here.
CASH, RECEIVABLE, PAYABLE, REVENUE, EXPENSE = "1.1.1", "1.2.1", "2.1.1", "4.1.1", "5.2.1"
PAYMENT_METHOD = "Bank transfer"
GOODS = "Sold goods"
DEFAULT_PRODUCT = ("WIDGET", "Widget", Decimal(100))
PERSON = "Person"  # Tryton knows no kind of party; a category tells persons apart
WORKS_FOR, EMPLOYS = "works for", "employs"
INTEGRATION_LOGIN = "hub"
INTEGRATION_GROUPS = (
    ("party", "group_party_admin"),
    ("sale", "group_sale"),
    ("account", "group_account"),
    ("account_credit_limit", "group_credit_limit"),
)


def fingerprint() -> str:
    """Changes when this page or the list of places does; then the settings are applied again."""
    sources = (Path(__file__), Path(places.__file__))
    return hashlib.sha256(b"".join(source.read_bytes() for source in sources)).hexdigest()[:12]


def apply(client: Client, span: Span, today: dt.date) -> None:
    span.show(0.0, "Currencies, countries and provinces")
    _places(client)
    span.show(0.2, "The company")
    currencies = _currencies(client)
    company = _company(client, currencies["CNY"])
    span.show(0.3, "Chart of accounts")
    _chart_of_accounts(client, company)
    span.show(0.6, "Fiscal years, payment terms, relation types")
    fiscal_years(client, today)
    _payment_terms(client)
    _payment_method(client, company)
    _categories(client)
    _relation_types(client)
    span.show(0.9, "A product to sell")
    code, name, price = DEFAULT_PRODUCT
    product(client, code, name=name, price=price)
    span.show(1.0, "The company is ready")


@contextmanager
def wizard(client: Client, name: str) -> Iterator[tuple[str, int]]:
    """An open wizard as (method to execute, session); it is removed however the block ends."""
    session = client.call(f"wizard.{name}.create")[0]
    try:
        yield f"wizard.{name}.execute", session
    finally:
        client.call(f"wizard.{name}.delete", session)


def _places(client: Client) -> None:
    countries = client.ensure_by("country.country", "code", places.country_rows())
    client.ensure_by("country.subdivision", "code", places.subdivision_rows(countries))


def _currencies(client: Client) -> dict[str, int]:
    rows = [
        {
            "code": code,
            "name": name,
            "symbol": symbol,
            "digits": digits,
            "rounding": Decimal(rounding),
        }
        for code, name, symbol, digits, rounding in CURRENCIES
    ]
    return client.ensure_by("currency.currency", "code", rows)


def _company(client: Client, currency: int) -> int:
    found = client.first("company.company", [])
    if found is None:
        party = client.ensure("party.party", [["name", "=", COMPANY_NAME]], {"name": COMPANY_NAME})
        with wizard(client, "company.company.config") as (execute, session):
            client.call(execute, session, {}, "company")
            answers = {"company": {"party": party, "currency": currency}}
            client.call(execute, session, answers, "add")
        found = client.only("company.company", [])
    client.load_context()
    return found


def account(client: Client, code: str) -> int:
    company = client.context["company"]
    return client.only("account.account", [["code", "=", code], ["company", "=", company]])


def _chart_of_accounts(client: Client, company: int) -> None:
    if client.first("account.account", [["company", "=", company]]) is not None:
        return
    root = client.model("ir.model.data", "get_id", "account", "account_template_root_en")
    with wizard(client, "account.create_chart") as (execute, session):
        client.call(execute, session, {}, "account")
        chart = {"company": company, "account_template": root}
        client.call(execute, session, {"account": chart}, "create_account")
        properties = {
            "company": company,
            "account_receivable": account(client, RECEIVABLE),
            "account_payable": account(client, PAYABLE),
            "category_account_revenue": account(client, REVENUE),
            "category_account_expense": account(client, EXPENSE),
        }
        client.call(execute, session, {"properties": properties}, "create_properties")


def fiscal_years(client: Client, today: dt.date) -> None:
    """Last year, this one and the next: an order taken today can always be invoiced."""
    for year in (today.year - 1, today.year, today.year + 1):
        _fiscal_year(client, year)


def _fiscal_year(client: Client, year: int) -> None:
    company = client.context["company"]
    first_day, last_day = dt.date(year, 1, 1), dt.date(year, 12, 31)
    same_start = [["company", "=", company], ["start_date", "=", first_day]]
    if client.first("account.fiscalyear", same_start) is not None:
        return
    invoices = _sequence(client, "Invoice", f"INV{year}-")
    kinds = ("out_invoice", "in_invoice", "out_credit_note", "in_credit_note")
    sequences = {f"{kind}_sequence": invoices for kind in kinds}
    values = {
        "name": str(year),
        "company": company,
        "start_date": first_day,
        "end_date": last_day,
        "move_sequence": _sequence(client, "Account Move", f"MV{year}-"),
        "invoice_sequences": [["create", [{"company": company, **sequences}]]],
    }
    created = client.create("account.fiscalyear", [values])
    client.model("account.fiscalyear", "create_period", created)


def _sequence(client: Client, kind: str, prefix: str) -> int:
    values = {
        "name": f"{kind} {prefix.rstrip('-')}",
        "sequence_type": client.only("ir.sequence.type", [["name", "=", kind]]),
        "company": client.context["company"],
        "prefix": prefix,
        "padding": 5,
    }
    return client.ensure("ir.sequence.strict", [["name", "=", values["name"]]], values)


def _payment_terms(client: Client) -> None:
    rows = [
        {"name": name, "lines": [["create", [_remainder_after(days)]]]}
        for name, days in PAYMENT_TERMS.items()
    ]
    client.ensure_by("account.invoice.payment_term", "name", rows)


def _remainder_after(days: int) -> dict[str, Any]:
    deltas = [["create", [{"days": days}]]] if days else []
    return {"type": "remainder", "relativedeltas": deltas}


def _payment_method(client: Client, company: int) -> None:
    cash = account(client, CASH)
    values = {
        "name": PAYMENT_METHOD,
        "company": company,
        "journal": client.only("account.journal", [["type", "=", "cash"]]),
        "credit_account": cash,
        "debit_account": cash,
    }
    domain = [["name", "=", PAYMENT_METHOD]]
    client.ensure("account.invoice.payment.method", domain, values)


def _categories(client: Client) -> None:
    client.ensure("party.category", [["name", "=", PERSON]], {"name": PERSON})
    goods = {
        "name": GOODS,
        "accounting": True,
        "account_revenue": account(client, REVENUE),
        "account_expense": account(client, EXPENSE),
    }
    client.ensure("product.category", [["name", "=", GOODS]], goods)


def _relation_types(client: Client) -> None:
    """A company employs a person, a person works for a company: each is the other's reverse."""
    domain = [["name", "=", EMPLOYS]]
    employs = client.ensure("party.relation.type", domain, {"name": EMPLOYS})
    if client.first("party.relation.type", [["name", "=", WORKS_FOR]]) is not None:
        return
    pair = {"name": WORKS_FOR, "reverse": employs}
    works_for = client.create("party.relation.type", [pair])[0]
    client.model("party.relation.type", "write", [employs], {"reverse": works_for})


def product(client: Client, code: str, *, name: str = "", price: Decimal = Decimal(100)) -> int:
    """The id of the sellable product with this code; an unknown code is created."""
    found = client.first("product.product", [["code", "=", code]])
    if found is not None:
        return found
    unit = client.only("product.uom", [["symbol", "=", "u"]])
    template = {
        "name": name or code,
        "type": "service",
        "default_uom": unit,
        "salable": True,
        "sale_uom": unit,
        "list_price": price,
        "account_category": client.only("product.category", [["name", "=", GOODS]]),
        "products": [["create", [{"suffix_code": code}]]],
    }
    client.create("product.template", [template])
    return client.only("product.product", [["code", "=", code]])


def integration_user(client: Client, password: str) -> str:
    """Make the user that the hub logs in as; answers that user's REST key."""
    company = client.context["company"]
    groups = [
        client.model("ir.model.data", "get_id", module, name) for module, name in INTEGRATION_GROUPS
    ]
    user = client.first("res.user", [["login", "=", INTEGRATION_LOGIN]])
    if user is None:
        values = {
            "name": "Integration hub",
            "login": INTEGRATION_LOGIN,
            "password": password,
            "companies": [["add", [company]]],
            "company": company,
            "groups": [["add", groups]],
        }
        user = client.create("res.user", [values])[0]
    else:
        client.model("res.user", "write", [user], {"password": password})
    domain = [["user", "=", user], ["application", "=", "rest"], ["state", "=", "validated"]]
    values = {"user": user, "application": "rest"}
    application = client.ensure("res.user.application", domain, values)
    return client.model("res.user.application", "read", [application], ["key"])[0]["key"]
