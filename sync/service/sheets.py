"""Tables of customers in files: reading CSV and Excel, knowing columns, checking cells."""

import csv
import datetime as dt
import hashlib
import re
import unicodedata
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal, InvalidOperation
from difflib import get_close_matches
from pathlib import Path
from typing import Any

import phonenumbers
from stdnum.cn import uscc as credit_code

from mapping.transforms.place import REGIONS, country_of, region_text
from sync.service.errors import ServiceError

EXCEL = frozenset({".xlsx", ".xlsm"})
LONGEST_NAME = 300
_SHOWN_STAGES = "lead/线索, prospect/潜在客户, customer/客户, former/流失客户"
_SHOWN_KINDS = "organisation/企业, person/个人"
_DELIMITERS = ",;\t|"
_MAIL = re.compile(r"^[^@\s,;]+@[^@\s,;]+\.[^@\s,;.]{2,}$")
_CREDIT_CODE = re.compile(r"^[0-9A-Z]{18}$")
_EU = frozenset(
    "AT BE BG CY CZ DE DK EE ES FI FR GR HR HU IE IT LT LU LV MT NL PL PT RO SE SI SK".split()  # noqa: SIM905  a list of codes reads best as a line
)
_TAX_FIELDS = {"CN": "uscc", "US": "us_ein", "GB": "gb_vat", "JP": "jp_cn", "SG": "sg_uen"}
_STAGES = {
    **dict.fromkeys(("lead", "leads", "线索", "潜在线索"), "lead"),
    **dict.fromkeys(("prospect", "潜在客户", "意向客户"), "prospect"),
    **dict.fromkeys(("customer", "account", "client", "客户", "正式客户", "成交客户"), "customer"),
    **dict.fromkeys(("former", "past customer", "流失客户", "历史客户"), "former"),
}
_KINDS = {
    **dict.fromkeys(
        ("organisation", "organization", "company", "企业", "公司", "单位"), "organisation"
    ),
    **dict.fromkeys(("person", "individual", "个人"), "person"),
}
# Field -> how people head its column; the first two are how an export heads it (en, zh).
HEADERS: Mapping[str, tuple[str, ...]] = {
    "id": ("id", "编号", "row id", "记录编号", "唯一标识", "客户id"),
    "number": ("customer number", "客户编号", "customer no", "account number", "customer code",
               "客户代码", "客户号", "code", "no", "number"),
    "name": ("name", "名称", "customer", "customer name", "account name", "account", "company",
             "company name", "公司", "公司名称", "客户名称", "客户", "企业名称", "单位名称"),
    "legal_name": ("legal name", "法定名称", "registered name", "工商名称", "全称"),
    "kind": ("kind", "性质", "customer kind", "客户性质"),
    "stage": ("stage", "阶段", "status", "type", "lifecycle stage", "客户阶段", "客户类型", "状态"),
    "tax_id": ("tax id", "税号", "tax number", "vat", "vat number", "纳税人识别号",
               "credit code", "统一社会信用代码", "信用代码", "社会信用代码"),
    "phone": ("phone", "电话", "telephone", "tel", "work phone", "联系电话", "公司电话", "座机"),
    "mobile": ("mobile", "手机", "mobile phone", "cell", "手机号", "手机号码", "移动电话"),
    "fax": ("fax", "传真"),
    "email": ("email", "邮箱", "e-mail", "mail", "email address", "电子邮件", "邮件", "电子邮箱"),
    "website": ("website", "网址", "web", "url", "homepage", "网站", "官网"),
    "street": ("street", "地址", "address", "billing street", "street address", "详细地址",
               "街道", "公司地址", "通讯地址"),
    "district": ("district", "区县", "county", "区"),
    "city": ("city", "城市", "town", "billing city", "市", "所在城市"),
    "region": ("region", "省份", "state", "province", "billing state", "省", "所在省份"),
    "postcode": ("postcode", "邮编", "zip", "zip code", "postal code", "邮政编码"),
    "country": ("country", "国家", "billing country", "国家地区", "国家/地区"),
    "industry": ("industry", "行业", "sector", "所属行业"),
    "employees": ("employees", "员工数", "no of employees", "headcount", "人数", "员工人数"),
    "payment_term": ("payment term", "付款条件", "payment terms", "terms", "账期"),
    "credit_limit": ("credit limit", "信用额度", "授信额度"),
    "currency": ("currency", "币种", "货币"),
    "language": ("language", "语言"),
    "owner": ("owner", "负责人", "account owner", "owner email", "负责人邮箱", "销售"),
    "source": ("source", "来源", "lead source", "客户来源"),
    "tags": ("tags", "标签", "labels"),
    "notes": ("notes", "备注", "description", "remark", "comments", "说明"),
    "contact_name": ("contact", "联系人", "contact name", "contact person", "联系人姓名"),
    "contact_title": ("contact title", "联系人职务", "job title", "title", "职务", "职位"),
    "contact_department": ("contact department", "联系人部门", "department", "部门"),
    "contact_phone": ("contact phone", "联系人电话"),
    "contact_mobile": ("contact mobile", "联系人手机"),
    "contact_email": ("contact email", "联系人邮箱", "联系人邮件"),
}  # fmt: skip
_PHONES = frozenset({"phone", "mobile", "fax", "contact_phone", "contact_mobile"})
_MAILS = frozenset({"email", "owner", "contact_email"})
_NUMBERS = frozenset({"employees", "credit_limit"})


@dataclass(frozen=True, slots=True)
class Problem:
    """A row that was left out: where, what is wrong, how to mend it (by `code`)."""

    row: int
    column: str
    value: str
    code: str
    facts: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Record:
    """One good row: the customer's fields, and those of its contact person."""

    row: int
    id: str
    customer: Mapping[str, Any]
    contact: Mapping[str, Any]


@dataclass(slots=True)
class Sheet:
    """An opened table: which column holds what. `unknown` columns are not read."""

    path: Path
    columns: dict[int, str]
    headers: dict[int, str]
    unknown: dict[str, str]  # header -> the field it may have meant
    rows: Iterator[tuple[int, Sequence[str]]]


def open_sheet(path: Path, *, named: Mapping[str, str] | None = None, sheet: str = "") -> Sheet:
    """Opens a file and knows its columns; `named` maps headers to fields where people differ.

    ServiceError where the file cannot be read or has no column with a name.
    """
    table = _excel(path, sheet) if path.suffix.lower() in EXCEL else _csv(path)
    head: Sequence[str] = ()
    for _number, cells in table:
        if any(cells):
            head = cells
            break
    given = {_plain(header): wanted for header, wanted in (named or {}).items()}
    _check_fields(given)
    columns: dict[int, str] = {}
    unknown: dict[str, str] = {}
    for place, header in enumerate(head):
        name = given.get(_plain(header)) or _KNOWN.get(_plain(header))
        if name and name not in columns.values():
            columns[place] = name
        elif header:
            unknown[header] = name or _nearest(header)
    if "name" not in columns.values():
        raise ServiceError(
            f"{path.name} has no column with the customers' names.",
            code="no_name_column",
            hint="Head it “name”, or say which it is: --map 'HEADER=name'.",
            file=path.name,
            headers=", ".join(header for header in head if header) or "—",
        )
    headers = {place: head[place] for place in columns}
    return Sheet(path, columns, headers, unknown, table)


def records(sheet: Sheet) -> Iterator[Record | Problem]:
    """Every row that is not empty, checked. A problem leaves its row out; the rest goes on."""
    seen: dict[str, int] = {}
    for number, cells in sheet.rows:
        values = {
            name: text
            for place, name in sheet.columns.items()
            if (text := _cell(cells[place] if place < len(cells) else ""))
        }
        if not values:
            continue
        found = _checked(sheet, number, values)
        if isinstance(found, Record):
            first = seen.setdefault(found.id, number)
            if first != number:
                column = _header(sheet, "id") or _header(sheet, "number") or _header(sheet, "name")
                facts = {"first": first}
                yield Problem(number, column, found.id[:60], "same_row", facts)
                continue
        yield found


def _checked(sheet: Sheet, number: int, values: dict[str, str]) -> Record | Problem:
    for name, value in values.items():
        code, facts = _wrong(name, value)
        if code:
            return Problem(number, _header(sheet, name), value[:80], code, facts)
    if "name" not in values:
        return Problem(number, _header(sheet, "name"), "", "no_name")
    region = values.get("region")
    if "country" not in values and region and region_text(region) in REGIONS:
        values["country"] = "CN"  # a province says it
    country = country_of(values.get("country", ""))
    tax_id = re.sub(r"[\s.\-]", "", unicodedata.normalize("NFKC", values.pop("tax_id", ""))).upper()
    if tax_id:
        code = country.alpha2 if country else "CN"
        kind = _TAX_FIELDS.get(code) or ("eu_vat" if code in _EU else "")
        if kind == "uscc" and not _is_credit_code(tax_id):
            return Problem(number, _header(sheet, "tax_id"), tax_id, "bad_credit_code")
        if not kind:
            facts = {"country": code}
            return Problem(number, _header(sheet, "tax_id"), tax_id, "unknown_tax_id", facts)
        values[kind] = tax_id
    row_id = _identity(values)
    contact = {n.removeprefix("contact_"): v for n, v in values.items() if n.startswith("contact_")}
    if contact and "name" not in contact:
        name = _header(sheet, f"contact_{next(iter(contact))}")
        return Problem(number, name, next(iter(contact.values())), "contact_without_name")
    if "title" in contact:
        contact["job_title"] = contact.pop("title")
    customer: dict[str, Any] = {n: v for n, v in values.items() if not n.startswith("contact_")}
    customer.pop("id", None)
    return Record(number, row_id, _normal(customer), contact)


def _normal(customer: dict[str, Any]) -> dict[str, Any]:
    if "stage" in customer:
        customer["stage"] = _STAGES[customer["stage"].casefold()]
    if "kind" in customer:
        customer["kind"] = _KINDS[customer["kind"].casefold()]
    for name in _NUMBERS & customer.keys():
        customer[name] = str(_number(customer[name]))
    if "tags" in customer:
        customer["tags"] = [part.strip() for part in re.split(r"[;,，；、|]", customer["tags"])]
    return customer


def _wrong(name: str, value: str) -> tuple[str, dict[str, Any]]:
    """What is wrong with a cell: the key of its sentence, and the sentence's parts."""
    folded = value.casefold()
    checks: tuple[tuple[bool, str, dict[str, Any]], ...] = (
        (name in _PHONES and not _is_phone(value), "bad_phone", {}),
        (name in _MAILS and not _MAIL.match(value), "bad_mail", {}),
        (name in _NUMBERS and _number(value) is None, "bad_number", {}),
        (name == "country" and country_of(value) is None, "bad_country", {}),
        (name == "stage" and folded not in _STAGES, "bad_choice", {"choices": _SHOWN_STAGES}),
        (name == "kind" and folded not in _KINDS, "bad_choice", {"choices": _SHOWN_KINDS}),
        (name == "name" and len(value) > LONGEST_NAME, "too_long", {"limit": LONGEST_NAME}),
    )
    return next(((code, facts) for wrong, code, facts in checks if wrong), ("", {}))


def _is_phone(value: str) -> bool:
    """Whether it may be a number; a number without a country code is read as Chinese."""
    text = unicodedata.normalize("NFKC", value)
    if re.search(r"[^\d\s+()./\-;,extEXT转]", text):
        return False
    try:
        return phonenumbers.is_possible_number(phonenumbers.parse(text, "CN"))
    except phonenumbers.NumberParseException:
        return False


def _is_credit_code(value: str) -> bool:
    return bool(_CREDIT_CODE.match(value)) and credit_code.is_valid(value)


def _number(value: str) -> Decimal | None:
    bare = re.sub(r"[,，\s¥￥$€]", "", unicodedata.normalize("NFKC", value))
    try:
        found = Decimal(bare)
    except InvalidOperation:
        return None
    return found if found.is_finite() else None


def _identity(values: Mapping[str, str]) -> str:
    """The same row of a later version of the file has the same identity."""
    for name in ("id", "number"):
        if name in values:
            return f"{name}:{values[name]}"[:120]
    tax = next((values[name] for name in (*_TAX_FIELDS.values(), "eu_vat") if name in values), "")
    reach = values.get("email", "").casefold() or re.sub(r"\D", "", values.get("phone", ""))
    facts = (tax,) if tax else (_plain(values["name"]), reach)
    return "h:" + hashlib.sha256("\x1f".join(facts).encode()).hexdigest()[:24]


def _header(sheet: Sheet, name: str) -> str:
    return next((sheet.headers[place] for place, n in sheet.columns.items() if n == name), "")


def _cell(value: str) -> str:
    """A cell's text; an apostrophe that keeps spreadsheets from calculating is taken off."""
    text = unicodedata.normalize("NFC", value).strip()
    return text[1:] if text[:2] in {"'=", "'+", "'-", "'@"} else text


def _plain(header: str) -> str:
    folded = unicodedata.normalize("NFKC", header).casefold()
    return re.sub(r"[\s_*:\-()./]+", "", folded)


_KNOWN = {_plain(word): name for name, words in HEADERS.items() for word in (name, *words)}


def _nearest(header: str) -> str:
    close = get_close_matches(_plain(header), _KNOWN, 1, 0.75)
    return _KNOWN[close[0]] if close else ""


def _check_fields(given: Mapping[str, str]) -> None:
    for name in given.values():
        if name not in HEADERS:
            raise ServiceError(
                f"There is no field {name}.",
                code="no_import_field",
                hint=f"Fields are: {', '.join(HEADERS)}.",
                name=name,
                names=", ".join(HEADERS),
            )


# Reading files.


def _csv(path: Path) -> Iterator[tuple[int, Sequence[str]]]:
    encoding = encoding_of(path)
    with path.open(encoding=encoding, newline="") as file:
        sample = file.read(20_000)
    dialect = _delimiter(sample)

    def rows() -> Iterator[tuple[int, Sequence[str]]]:
        with path.open(encoding=encoding, newline="") as file:
            reader = csv.reader(file, delimiter=dialect)
            try:
                for cells in reader:
                    yield reader.line_num, [cell.strip() for cell in cells]
            except csv.Error as error:
                raise ServiceError(
                    f"Line {reader.line_num} of {path.name} is not CSV: {error}.",
                    code="bad_csv",
                    file=path.name,
                    line=reader.line_num,
                    reason=str(error),
                ) from error

    return rows()


def encoding_of(path: Path) -> str:
    """UTF-8 (with or without a mark), UTF-16 with a mark, else GB18030."""
    with path.open("rb") as file:
        head = file.read(4)
    if head.startswith(b"\xef\xbb\xbf"):
        return "utf-8-sig"
    if head.startswith((b"\xff\xfe", b"\xfe\xff")):
        return "utf-16"
    for encoding in ("utf-8", "gb18030"):
        if _reads_as(path, encoding):
            return encoding
    raise ServiceError(
        f"{path.name} is neither UTF-8 nor GB18030.",
        code="bad_encoding",
        hint="Save it as CSV UTF-8, or as Excel (.xlsx).",
        file=path.name,
    )


def _reads_as(path: Path, encoding: str) -> bool:
    try:
        with path.open(encoding=encoding) as file:
            while part := file.read(1_000_000):
                if "\x00" in part:
                    return False
    except UnicodeDecodeError:
        return False
    return True


def _delimiter(sample: str) -> str:
    """The one that stands most often in the first line."""
    first = next((line for line in sample.splitlines() if line.strip()), "")
    return max(_DELIMITERS, key=first.count)


def _excel(path: Path, sheet: str) -> Iterator[tuple[int, Sequence[str]]]:
    from openpyxl import load_workbook  # noqa: PLC0415  slow to load, and seldom needed
    from openpyxl.utils.exceptions import InvalidFileException  # noqa: PLC0415

    try:
        book = load_workbook(path, read_only=True, data_only=True)
    except (InvalidFileException, KeyError, ValueError, OSError) as error:
        if isinstance(error, FileNotFoundError | PermissionError):
            raise
        raise _not_excel(path) from error
    except Exception as error:
        if type(error).__name__ != "BadZipFile":
            raise
        raise _not_excel(path) from error
    if sheet and sheet not in book.sheetnames:
        raise ServiceError(
            f"{path.name} has no sheet {sheet}.",
            code="no_sheet",
            hint=f"Sheets are: {', '.join(book.sheetnames)}.",
            file=path.name,
            name=sheet,
            names=", ".join(book.sheetnames),
        )
    chosen = book[sheet] if sheet else book.worksheets[0]

    def rows() -> Iterator[tuple[int, Sequence[str]]]:
        for number, cells in enumerate(chosen.iter_rows(values_only=True), start=1):
            yield number, [_text(cell) for cell in cells]

    return rows()


def _not_excel(path: Path) -> ServiceError:
    return ServiceError(
        f"{path.name} is not an Excel workbook.",
        code="bad_excel",
        hint="Save it as .xlsx or as CSV UTF-8.",
        file=path.name,
    )


def _text(cell: Any) -> str:
    """A cell as a person sees it; Excel keeps phone numbers as numbers."""
    if cell is None:
        return ""
    if isinstance(cell, bool):
        return "yes" if cell else "no"
    if isinstance(cell, float) and cell.is_integer():
        return str(int(cell))
    if isinstance(cell, dt.datetime):
        return cell.date().isoformat() if cell.time() == dt.time() else cell.isoformat(sep=" ")
    return str(cell).strip()
