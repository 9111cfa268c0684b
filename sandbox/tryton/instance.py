"""One ERP on one data folder: from nothing to a running, seeded server, or back to where it was."""

import datetime as dt
import json
import os
import secrets
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from sandbox.tryton import commerce, customers, samples, settings
from sandbox.tryton.desk import ADMIN, FACTS
from sandbox.tryton.install import DATABASE, Environment, keep
from sandbox.tryton.progress import Progress, Span
from sandbox.tryton.rpc import Client
from sandbox.tryton.server import Server, free_port, settle_port
from sandbox.tryton.single import exclusive

REPORT = "seed-report.json"


def prepare(environment: Environment, progress: Progress) -> None:
    """Packages, tables and settings: what every data folder of this environment starts from."""

    def waiting() -> None:
        progress.show(0, "wait", "Another start is preparing the same environment; waiting for it")

    with environment.alone(waiting):
        environment.install(Span(progress, "install", 0, 15))
        if environment.ready_database().exists():
            return
        environment.create_tables(Span(progress, "schema", 15, 65))
        _configure(environment, Span(progress, "settings", 65, 80))


def _configure(environment: Environment, span: Span) -> None:
    """Apply the settings to a copy of the bare tables, through a server of a minute."""
    with tempfile.TemporaryDirectory(dir=environment.store, prefix="settings-") as work:
        folder = Path(work)
        database = folder / f"{DATABASE}.sqlite"
        keep(environment.bare_database(), database)
        server = Server(environment, folder, free_port())
        server.start()
        try:
            client = Client(server.base_url, DATABASE)
            client.login(ADMIN, environment.template_password())
            settings.apply(client, span, dt.date.today())
        finally:
            server.stop()
        keep(database, environment.ready_database())


class Instance:
    """`facts` is what a client needs to know; it is kept in the folder, readable by its owner."""

    def __init__(self, folder: Path, environment: Environment, progress: Progress) -> None:
        self._folder = folder.absolute()
        self._environment, self._progress = environment, progress
        self._database = self._folder / f"{DATABASE}.sqlite"
        self.facts: dict[str, Any] = {}

    @contextmanager
    def alone(self) -> Iterator[None]:
        self._folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        with exclusive(self._folder / "lock"):
            yield

    def open(self, wanted_port: int) -> Server:
        """Start the server on this folder; the first time, the folder is made ready before."""
        self.facts = self._remembered()
        if not self.facts or not self._environment.is_installed():
            prepare(self._environment, self._progress)
        if not self.facts:
            # No facts means that a first start did not get through: begin again from the template.
            self._drop_database()
            keep(self._environment.ready_database(), self._database)
        self._progress.show(82, "start", "Starting the ERP")
        port = settle_port(wanted_port, self.facts.get("port"))
        server = Server(self._environment, self._folder, port)
        server.start()
        try:
            self._after_start(server)
        except BaseException:
            server.stop()
            raise
        self._progress.show(88, "start", f"The ERP answers at {server.base_url}")
        return server

    def _remembered(self) -> dict[str, Any]:
        path = self._folder / FACTS
        return json.loads(path.read_text()) if path.exists() and self._database.exists() else {}

    def _drop_database(self) -> None:
        for suffix in ("", "-wal", "-shm"):
            self._database.with_name(self._database.name + suffix).unlink(missing_ok=True)

    def _after_start(self, server: Server) -> None:
        today = dt.date.today()
        if not self.facts:
            self._take_possession(server)
        elif self._is_outdated(today):
            span = Span(self._progress, "settings", 83, 87)
            settings.apply(self._admin(server), span, today)
        self.facts |= {
            "base_url": server.base_url,
            "port": server.port,
            "settings": settings.fingerprint(),
            "year": today.year,
        }
        self._write(FACTS, self.facts)

    def _is_outdated(self, today: dt.date) -> bool:
        same_settings = self.facts["settings"] == settings.fingerprint()
        return not same_settings or self.facts["year"] != today.year

    def _take_possession(self, server: Server) -> None:
        """Replace the template's password and make the integration user with secrets of its own."""
        client = Client(server.base_url, DATABASE)
        client.login(ADMIN, self._environment.template_password())
        settings.fiscal_years(client, dt.date.today())
        passwords = {"password": secrets.token_urlsafe(18), "admin": secrets.token_urlsafe(18)}
        rest_key = settings.integration_user(client, passwords["password"])
        company = client.context["company"]
        party = client.model("company.company", "read", [company], ["party"])[0]["party"]
        client.model("res.user", "write", [client.user_id], {"password": passwords["admin"]})
        self.facts = {
            "database": DATABASE,
            "company": company,
            "company_party": party,
            "login": settings.INTEGRATION_LOGIN,
            "password": passwords["password"],
            "rest_key": rest_key,
            "admin_password": passwords["admin"],
        }

    def _admin(self, server: Server) -> Client:
        client = Client(server.base_url, DATABASE)
        client.login(ADMIN, self.facts["admin_password"])
        return client

    def fill(self, *, seed_file: Path | None, parties: int, sales: int) -> None:
        """Have these customers and orders; what is there already is left as it is."""
        entries = samples.customers(parties)
        if seed_file is not None:
            try:
                content = json.loads(seed_file.read_text(encoding="utf-8"))
            except (OSError, ValueError) as error:
                text = f"The seed file {seed_file} cannot be read: {error}"
                raise customers.SeedError(text) from error
            entries = customers.check_entries(content) + entries
        if not entries:
            return
        client = Client(self.facts["base_url"], DATABASE)
        client.login(ADMIN, self.facts["admin_password"])
        report = customers.seed(client, entries, Span(self._progress, "seed", 88, 97))
        for skipped in report.skipped:
            text = f"left out {skipped['part']} of {skipped['code']}: {skipped['reason']}"
            self._progress.show(97, "seed", text)
        if sales:
            self._progress.show(97, "sales", f"Orders for {sales} customers")
            codes = [customers.code_of(entry) for entry in entries]
            commerce.sell_to_first(client, codes, sales)
        self._write(REPORT, vars(report))
        self._progress.show(100, "ready", "The customers are in place")

    def _write(self, name: str, content: Any) -> None:
        """Whole or not at all, and for the owner's eyes only."""
        path = self._folder / name
        partial = path.with_suffix(".partial")
        descriptor = os.open(partial, os.O_CREAT | os.O_TRUNC | os.O_WRONLY, 0o600)
        with os.fdopen(descriptor, "w", encoding="utf-8") as file:
            json.dump(content, file, indent=1, ensure_ascii=False)
        partial.replace(path)
