"""The systems that the hub connects, as their users and their saboteurs see them."""

import json
import random
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar

import requests

from sandbox.tryton.desk import as_admin
from sandbox.tryton.rpc import TrytonError
from tests.chaos.people import LANGUAGES, Customer
from tests.infra.processes import spawn, stop

ROOT = Path(__file__).parents[2]
PLENTY = 10**8
OPTIONS = tuple(language.replace("-", "_") for language in LANGUAGES)
SHIFTS = (-120, -45, 0, 45, 120)  # seconds by which a system's clock is wrong, for good
STEPS = (-3, -1, 1, 3)  # and by which it is set right or wrong while everybody works


class PlaceError(RuntimeError):
    """A system cannot be started or does not do what its user wants."""


@dataclass(frozen=True)
class Held:
    """What a system holds of one customer."""

    remote_id: str
    mail: str
    values: Mapping[str, str | None]


class Place:
    """A system with its users. `natives` names the fields that can be typed in there."""

    kind: str
    module: str
    natives: ClassVar[Mapping[str, str]]

    def __init__(self, name: str, folder: Path, *arguments: str) -> None:
        self.name, self.folder = name, folder
        folder.mkdir()
        self.log = folder.with_suffix(".log")
        command = [sys.executable, "-m", f"sandbox.{self.module}", "--port", "0"]
        with self.log.open("ab") as log:
            self.process = spawn(
                [*command, "--data", str(folder), *arguments],
                cwd=ROOT, stdout=subprocess.PIPE, stderr=log, text=True,
            )  # fmt: skip
        line = self.process.stdout.readline()
        if not line:
            raise PlaceError(f"{name} did not start: {self.log.read_text()[-500:]}")
        self.hello = json.loads(line)
        self.url = self.hello["base_url"]
        self.session = requests.Session()
        self.session.trust_env = False
        self.shift = 0

    def stop(self) -> None:
        self.session.close()
        stop(self.process)
        self.process.stdout.close()

    def admin(self, method: str, path: str, body: Any = None) -> Any:
        answer = self.session.request(method, f"{self.url}/__admin{path}", json=body, timeout=60)
        if not answer.ok:
            raise PlaceError(f"{self.name} refuses {path}: {answer.text[:300]}")
        return answer.json()

    # What each kind does in its own way.

    def settings(self) -> dict[str, Any]:
        """What the hub has to know to connect."""
        raise NotImplementedError

    def connected(self, hook_url: str) -> None:
        """What an administrator does there once the hub knows the system."""

    def customers(self) -> Iterator[Held]:
        """All customers, as they are stored."""
        raise NotImplementedError

    def get(self, remote_id: str) -> Held:
        return next(held for held in self.customers() if held.remote_id == remote_id)

    def possible(self, field: str, value: str) -> str:
        """What a user types who wants this: another value, where it is not offered now."""
        return value

    def edit(self, remote_id: str, field: str, value: str) -> None:
        raise NotImplementedError

    def create(self, customer: Customer) -> str:
        raise NotImplementedError

    def written(self) -> int:
        """How often records were written by way of the API."""
        raise NotImplementedError

    def troubles(self) -> Sequence[str]:
        """The kinds of trouble that can be made here."""
        return ()

    def trouble(self, kind: str, chance: random.Random) -> None:
        """Makes trouble of a kind for the next calls."""
        getattr(self, f"_{kind}")(chance)

    def be_off(self, shift: int) -> None:
        """The system's clock is wrong by so many seconds, from before the hub knows it."""
        self.shift = shift
        self.set_clock(shift)

    def set_clock(self, shift: int) -> None:
        """Sets the system's clock, where it has one of its own."""

    def _clock(self, chance: random.Random) -> None:
        """Somebody corrects the clock a little. No vendor's clock leaps by minutes."""
        self.set_clock(self.shift + chance.choice(STEPS))

    def calm(self) -> None:
        """No more trouble."""

    def merge(self, winner: str, loser: str) -> None:
        """Somebody makes two customers one."""
        raise NotImplementedError

    def calls(self) -> tuple[int, int] | None:
        """Read and write calls so far, where the system counts them."""
        return None

    def write_log(self, last: int) -> list[dict[str, Any]]:
        """The last write calls as the system itself tells of them, where it does."""
        return []

    def _held(self, remote_id: Any, mail: Any, row: Mapping[str, Any]) -> Held:
        values = {field: row.get(native) or None for field, native in self.natives.items()}
        return Held(str(remote_id), str(mail or ""), values)


class Zoho(Place):
    """A Zoho organisation."""

    kind = module = "zoho_crm"
    natives: ClassVar[Mapping[str, str]] = {
        "name": "Account_Name", "street": "Billing_Street", "postcode": "Billing_Code",
        "website": "Website", "notes": "Description", "legal_name": "Legal_Name",
        "language": "Language",
    }  # fmt: skip

    def __init__(self, name: str, folder: Path) -> None:
        super().__init__(name, folder)
        self.admin("POST", "/limits", {"daily_credits": PLENTY, "token_throttle": PLENTY})
        self.offered = OPTIONS

    def settings(self) -> dict[str, Any]:
        names = ("accounts_url", "client_id", "client_secret", "refresh_token")
        return {"api_url": self.url, **{name: self.hello[name] for name in names}}

    def customers(self) -> Iterator[Held]:
        for row in self.admin("GET", "/records/Accounts")["data"]:
            language = (row.get("Language") or "").replace("_", "-")
            yield self._held(row["id"], row.get("Email"), {**row, "Language": language})

    def edit(self, remote_id: str, field: str, value: str) -> None:
        if field == "language":
            value = value.replace("-", "_")
        self.admin("PUT", f"/records/Accounts/{remote_id}", {self.natives[field]: value})

    def possible(self, field: str, value: str) -> str:
        if field != "language" or value.replace("-", "_") in self.offered:
            return value
        return self.offered[0].replace("_", "-")

    def create(self, customer: Customer) -> str:
        row = {native: customer.values.get(field) for field, native in self.natives.items()}
        row |= {"Email": customer.mail, "Tax_Id": customer.tax_id, "Phone": customer.phone}
        row |= {"Billing_City": customer.city, "Billing_Country": "China"}
        filled = {name: value for name, value in row.items() if value}
        body = {"data": [filled], "silent": False}
        return str(self.admin("POST", "/records/Accounts", body)["ids"][0])

    def written(self) -> int:
        return self.admin("GET", "/calls?log=0")["records_written"]

    def calls(self) -> tuple[int, int] | None:
        report = self.admin("GET", "/calls?log=0")
        return report["reads"], report["writes"]

    def write_log(self, last: int) -> list[dict[str, Any]]:
        return self.admin("GET", f"/calls?log={last}")["log"]

    def troubles(self) -> Sequence[str]:
        return (
            "expired_tokens", "slow", "failing", "failing_html", "lost_answers", "dropped_calls",
            "throttled", "webhooks_dropped", "webhooks_doubled", "webhooks_reordered",
            "webhooks_late", "channel_expired", "clock", "picklist",
        )  # fmt: skip

    def _expired_tokens(self, _chance) -> None:
        self.admin("POST", "/tokens/expire")

    def _slow(self, chance) -> None:
        body = {"latency_ms": chance.randrange(200, 1500), "times": chance.randrange(1, 6)}
        self.admin("POST", "/faults/latency", body)

    def _failing(self, chance) -> None:
        status = chance.choice([500, 502, 503])
        self.admin("POST", "/faults/fail", {"status": status, "times": chance.randrange(1, 5)})

    def _failing_html(self, chance) -> None:
        body = {"status": 502, "html": True, "times": chance.randrange(1, 3)}
        self.admin("POST", "/faults/fail", body)

    def _throttled(self, chance) -> None:
        self.admin("POST", "/faults/fail", {"status": 429, "times": chance.randrange(1, 3)})

    def _lost_answers(self, chance) -> None:
        self.admin("POST", "/faults/drop-answer", {"times": chance.randrange(1, 4)})

    def _dropped_calls(self, chance) -> None:
        self.admin("POST", "/faults/drop-before", {"times": chance.randrange(1, 4)})

    def _webhooks_dropped(self, chance) -> None:
        self.admin("POST", "/notifications/faults", {"drop": chance.choice([0.2, 0.5, 1.0])})

    def _webhooks_doubled(self, chance) -> None:
        self.admin("POST", "/notifications/faults", {"duplicate": chance.choice([0.3, 1.0])})

    def _webhooks_reordered(self, chance) -> None:
        self.admin("POST", "/notifications/faults", {"reorder": chance.choice([0.3, 1.0])})

    def _webhooks_late(self, chance) -> None:
        self.admin("POST", "/notifications/faults", {"delay": chance.randrange(1, 5)})

    def _channel_expired(self, _chance) -> None:
        self.admin("POST", "/notifications/expire")

    def set_clock(self, shift: int) -> None:
        self.admin("POST", "/clock", {"shift": shift})

    def _picklist(self, chance) -> None:
        """An administrator takes half of the options away, other ones each time."""
        self._offer(chance.sample(OPTIONS, len(OPTIONS) // 2))

    def _offer(self, values: Sequence[str]) -> None:
        self.offered = tuple(values)
        self.admin("PATCH", "/fields/Accounts/Language", {"picklist": list(values)})

    def merge(self, winner: str, loser: str) -> None:
        body = {"winner": winner, "losers": [loser]}
        self.admin("POST", "/records/Accounts/merge", body)

    def calm(self) -> None:
        self.admin("DELETE", "/faults")
        self._offer(OPTIONS)


class Fxiaoke(Place):
    """A 纷享销客 tenant."""

    kind = module = "fxiaoke"
    natives: ClassVar[Mapping[str, str]] = {
        "name": "name", "street": "address", "postcode": "postcode__c",
        "website": "url", "notes": "remark", "legal_name": "legal_name__c",
    }  # fmt: skip

    def __init__(self, name: str, folder: Path) -> None:
        super().__init__(name, folder)
        limits = {"calls": PLENTY, "day_quota": PLENTY, "token_calls": PLENTY}
        self.admin("POST", "/limits", limits)

    def settings(self) -> dict[str, Any]:
        names = ("app_id", "app_secret", "permanent_code", "user_id", "callback_secret", "ea")
        own = {name: str(self.hello[name]) for name in names}
        return {"base_url": self.url, **own, "calls_per_20_seconds": 10_000}

    def connected(self, hook_url: str) -> None:
        self.admin("POST", "/callback", {"url": hook_url, "objects": []})

    def customers(self) -> Iterator[Held]:
        for row in self.admin("GET", "/records/AccountObj")["rows"]:
            if row["life_status"] != "invalid":
                yield self._held(row["_id"], row.get("email"), row)

    def edit(self, remote_id: str, field: str, value: str) -> None:
        body = {"fields": {self.natives[field]: value}}
        self.admin("POST", f"/records/AccountObj/{remote_id}", body)

    def create(self, customer: Customer) -> str:
        row = {native: customer.values.get(field) for field, native in self.natives.items()}
        row |= {"email": customer.mail, "tel": customer.phone.removeprefix("+86")}
        row["uniform_social_credit_code"] = customer.tax_id
        filled = {name: value for name, value in row.items() if value}
        return str(self.admin("POST", "/records/AccountObj/create", {"fields": filled})["id"])

    def written(self) -> int:
        return sum(self.admin("GET", "/calls?last=0")["records"].values())

    def calls(self) -> tuple[int, int] | None:
        totals = self.admin("GET", "/calls?last=0")["totals"]
        return totals["read"], totals["write"]

    def write_log(self, last: int) -> list[dict[str, Any]]:
        return self.admin("GET", f"/calls?last={last}")["log"]

    def troubles(self) -> Sequence[str]:
        return (
            "expired_tokens", "revoked_tokens", "slow", "failing", "refusing", "lost_answers",
            "dropped_calls", "webhooks_dropped", "webhooks_doubled", "webhooks_reordered",
            "webhooks_late", "clock",
        )  # fmt: skip

    def _expired_tokens(self, _chance) -> None:
        self.admin("POST", "/tokens/expire")

    def _revoked_tokens(self, _chance) -> None:
        self.admin("POST", "/tokens/revoke")

    def _fault(self, kind: str, times: int, **more: Any) -> None:
        self.admin("POST", "/faults", {"kind": kind, "times": times, **more})

    def _slow(self, chance) -> None:
        self._fault("slow", chance.randrange(1, 6), delay_ms=chance.randrange(200, 1500))

    def _failing(self, chance) -> None:
        self._fault("http", chance.randrange(1, 5), status=chance.choice([500, 502, 503]))

    def _refusing(self, chance) -> None:
        self._fault("error", chance.randrange(1, 4), code=-1)  # 系统繁忙: busy, try again

    def _lost_answers(self, chance) -> None:
        self._fault("drop_answer", chance.randrange(1, 4), path="/data/")

    def _dropped_calls(self, chance) -> None:
        self._fault("drop_connection", chance.randrange(1, 4))

    def _webhooks_dropped(self, chance) -> None:
        self.admin("POST", "/callback/faults", {"drop": chance.randrange(1, 6)})

    def _webhooks_doubled(self, chance) -> None:
        self.admin("POST", "/callback/faults", {"duplicate": chance.randrange(1, 6)})

    def _webhooks_reordered(self, chance) -> None:
        self.admin("POST", "/callback/faults", {"reorder": chance.randrange(2, 5)})

    def _webhooks_late(self, chance) -> None:
        self.admin("POST", "/callback/faults", {"delay_ms": chance.randrange(500, 4000)})

    def set_clock(self, shift: int) -> None:
        self.admin("POST", "/clock", {"set_shift_ms": shift * 1000})

    def merge(self, winner: str, loser: str) -> None:
        self.admin("POST", "/records/AccountObj/merge", {"winner": winner, "loser": loser})

    def calm(self) -> None:
        self.admin("DELETE", "/faults")
        quiet = {"drop": 0, "duplicate": 0, "reorder": 0, "delay_ms": 0}
        self.admin("POST", "/callback/faults", quiet)


class Erp(Place):
    """A real Tryton, with a clerk."""

    kind = module = "tryton"
    natives: ClassVar[Mapping[str, str]] = {
        "name": "name", "street": "street_unstructured", "postcode": "postal_code",
        "website": "website",
    }  # fmt: skip

    def __init__(self, name: str, folder: Path, environment: Path) -> None:
        super().__init__(name, folder, "--venv", str(environment))
        self.clerk = as_admin(folder)

    def stop(self) -> None:
        self.clerk._http.close()
        super().stop()

    def settings(self) -> dict[str, Any]:
        names = ("database", "login", "password")
        return {"url": self.url, **{name: self.hello[name] for name in names}}

    def customers(self) -> Iterator[Held]:
        parties = self.clerk.rows("party.party", [], ["name"])
        fields = ["party", "street_unstructured", "postal_code", "invoice"]
        addresses: dict[int, dict[str, Any]] = {}
        for row in self.clerk.rows("party.address", [["invoice", "=", True]], fields):
            addresses.setdefault(row["party"], row)
        lines: dict[tuple[int, str], str] = {}
        for row in self.clerk.rows("party.contact_mechanism", [], ["party", "type", "value"]):
            lines.setdefault((row["party"], row["type"]), row["value"])
        for row in parties:
            mail = lines.get((row["id"], "email"))
            if mail:
                website = {"website": lines.get((row["id"], "website"))}
                yield self._held(
                    row["id"], mail, {**addresses.get(row["id"], {}), **row, **website}
                )

    def edit(self, remote_id: str, field: str, value: str) -> None:
        party = int(remote_id)
        if field == "name":
            self._write("party.party", party, {"name": value})
        elif field == "website":
            domain = [["party", "=", party], ["type", "=", "website"]]
            line = self.clerk.first("party.contact_mechanism", domain)
            self._write("party.contact_mechanism", line, {"value": value})
        else:
            domain = [["party", "=", party], ["invoice", "=", True]]
            address = self.clerk.first("party.address", domain)
            self._write("party.address", address, {self.natives[field]: value})

    def _write(self, model: str, record_id: int | None, values: Mapping[str, Any]) -> None:
        if record_id is None:
            raise PlaceError(f"{self.name}: there is no {model} to edit")
        self._saved(lambda: self.clerk.model(model, "write", [record_id], dict(values)))

    def _saved(self, save: Callable[[], Any]) -> Any:
        """A clerk whose form is out of date, or whose number was just given, saves again."""
        for _ in range(5):
            with suppress(TrytonError):
                return save()
        return save()

    def create(self, customer: Customer) -> str:
        phone = f"+86 {customer.phone[3:5]} {customer.phone[5:9]} {customer.phone[9:]}"
        lines = {"email": customer.mail, "website": customer.values["website"], "phone": phone}
        address = {
            "street_unstructured": customer.values["street"],
            "postal_code": customer.values["postcode"],
            "city": customer.city,
            "invoice": True,
            "delivery": True,
        }
        mechanisms = [{"type": kind, "value": value} for kind, value in lines.items()]
        party = {
            "name": customer.values["name"],
            "identifiers": [["create", [{"type": "cn_vat", "code": customer.tax_id}]]],
            "contact_mechanisms": [["create", mechanisms]],
            "addresses": [["create", [address]]],
        }
        return str(self._saved(lambda: self.clerk.create("party.party", [party]))[0])

    def written(self) -> int:
        """Tryton counts nothing for us; its moments of writing tell whether anything was."""
        models = ("party.party", "party.address", "party.contact_mechanism", "party.identifier")
        stamps = [
            (model, row["id"], str(row["write_date"]))
            for model in models
            for row in self.clerk.rows(model, [["active", "in", [True, False]]], ["write_date"])
        ]
        return hash(frozenset(stamps))
