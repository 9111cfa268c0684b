"""Canonical fields as a person types them: which there are, of what kind, in which normal form."""

import unicodedata
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from pydantic import ValidationError

from mapping.canonical import FIELDS, STAGES, field_of, nested
from mapping.paths import key_of, shape
from mapping.transforms.contact import email_text, phone_text
from mapping.transforms.number import decimal_text, parse_boolean
from mapping.transforms.place import country_of, language_text, region_text
from mapping.transforms.registry import Refusal
from mapping.transforms.time import day_text, moment_text
from sync.service.errors import ServiceError

HOME_REGION = "CN"  # where a phone number without a country code belongs
KINDS = ("organisation", "person")
CHOICES = {"stage": STAGES, "kind": KINDS}
_SEPARATORS = str.maketrans(dict.fromkeys("，、；;", ","))


@dataclass(frozen=True, slots=True)
class FieldFacts:
    """How one field is edited."""

    path: str
    kind: str  # text decimal boolean date datetime set lines reference choice
    choices: tuple[str, ...] = ()
    editable: bool = True


def facts_of(entity: str, path: str) -> FieldFacts | None:
    """The kind of a path; None where the entity has no such field."""
    found = field_of(entity, path)
    if found is None:
        return None
    if path in CHOICES and entity == "customer":
        return FieldFacts(path, "choice", CHOICES[path])
    editable = entity in {"customer", "contact"} and found.kind not in {"lines", "reference"}
    return FieldFacts(path, found.kind, editable=editable)


def plain_fields(entity: str) -> list[str]:
    """Fields without a key, and the usual keys of those that have one: what a form may offer."""
    usual = {
        "phones[]": ("work", "mobile", "fax"),
        "emails[]": ("work",),
        "identifiers[]": ("cn:uscc",),
    }
    paths: list[str] = []
    for name in FIELDS[entity]:
        if name.startswith("addresses[]"):
            paths.append(name.replace("[]", "[billing]"))
        elif name.endswith("[]"):
            paths.extend(f"{name[:-1]}{key}]" for key in usual.get(name, ()))
        else:
            paths.append(name)
    return [path for path in paths if _is_editable(entity, path)]


def read_text(entity: str, path: str, text: str) -> Any:
    """What a person typed, in the field's normal form; None for an emptied field.

    Raises ServiceError with the field and what is wrong.
    """
    found = facts_of(entity, path)
    if found is None or not found.editable:
        raise ServiceError(f"“{path}” cannot be changed here.", code="not_editable", path=path)
    typed = unicodedata.normalize("NFC", text).strip()
    if not typed:
        return None
    try:
        value = _normal(found, path, typed)
        if value is not None:
            nested(entity, {path: value})
    except (Refusal, ValidationError, ValueError) as error:
        raise ServiceError(
            f"“{typed[:80]}” is not a usable value for this field.",
            code="bad_value",
            path=path,
            kind=found.kind,
            value=typed[:80],
        ) from error
    return value


def _normal(found: FieldFacts, path: str, typed: str) -> Any:
    if found.kind == "choice":
        if typed not in found.choices:
            raise ValueError(typed)
        return typed
    if found.kind == "set":
        parts = (part.strip() for part in typed.translate(_SEPARATORS).split(","))
        return sorted({part for part in parts if part}) or None
    simple = {
        "decimal": decimal_text,
        "boolean": parse_boolean,
        "date": day_text,
        "datetime": moment_text,
    }
    if found.kind in simple:
        return simple[found.kind](typed)
    return _normal_text(path, typed)


def _normal_text(path: str, typed: str) -> str | None:
    form = _FORMS.get(shape(path))
    return form(typed) if form else typed


def _country(typed: str) -> str:
    country = country_of(typed)
    return country.alpha2 if country else typed


_FORMS: Mapping[str, Callable[[str], str | None]] = {
    "phones[]": lambda typed: phone_text(typed, HOME_REGION),
    "emails[]": email_text,
    "addresses[].country": _country,
    "addresses[].region": region_text,
    "identifiers[]": lambda typed: "".join(typed.split()).upper(),
    "language": language_text,
    "currency": str.upper,
}


def _is_editable(entity: str, path: str) -> bool:
    found = facts_of(entity, path)
    return found is not None and found.editable


def group_of(path: str) -> str:
    """The part of a record's page that a field stands in."""
    form = shape(path)
    if form.startswith("addresses"):
        return f"address:{key_of(path)}"
    if form.startswith(("phones", "emails")) or form in {"website", "contact_name", "job_title"}:
        return "reach"
    if form in {"payment_term", "credit_limit", "currency", "blocked", "net", "tax", "total"}:
        return "trade"
    if form.startswith(("identifiers", "custom")):
        return form.split("[", 1)[0]
    return "main"
