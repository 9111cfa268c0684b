"""The ERP launcher against the real ERP: installed, seeded, sold from, killed, started again."""

import base64
import json
import subprocess
import sys
import time
from decimal import Decimal
from pathlib import Path

import pytest
import requests

from sandbox.tryton import desk
from sandbox.tryton.rpc import Client, TrytonError
from tests.infra.processes import eventually, is_alive, spawn, stop

ROOT = Path(__file__).parents[2]
SEED = [
    {
        "code": "T-1",
        "name": "宁波测试贸易有限公司",
        "tax_id": "91440300708461136T",
        "phone": "0574 8765 4321",
        "mobile": "12",
        "email": "office@t1.example.com",
        "street": "人民路 1 号",
        "city": "宁波市",
        "country": "CN",
        "region": "CN-ZJ",
        "payment_term": "Net 60",
        "credit_limit": "5000.50",
        "contacts": [{"name": "王芳", "mobile": "13800138000", "title": "财务主管"}],
    },
    {"code": "T-2", "name": "Harbour Test Ltd", "country": "US", "region": "CN-HK", "city": "X"},
    {"code": "T-3", "name": "赵敏", "kind": "person", "country": "ZZ", "payment_term": "never"},
]

pytestmark = [pytest.mark.slow, pytest.mark.erp, pytest.mark.timeout(600)]


class Running:
    """A launcher and what it said."""

    def __init__(self, erp_venv, folder, *options):
        self.folder = folder
        command = [sys.executable, "-m", "sandbox.tryton", "--data", folder, "--venv", erp_venv]
        self.log = folder.with_suffix(".progress")
        with self.log.open("wb") as log:
            self.process = spawn(
                [*command, *options], cwd=ROOT, stdout=subprocess.PIPE, stderr=log, text=True
            )
        line = self.process.stdout.readline()
        assert line, self.log.read_text()
        self.facts = json.loads(line)

    def report(self):
        return json.loads((self.folder / "seed-report.json").read_text())

    def server_pid(self):
        children = Path(f"/proc/{self.process.pid}/task/{self.process.pid}/children")
        (pid,) = children.read_text().split()
        return int(pid)

    def end(self):
        if self.process.poll() is None:
            stop(self.process, patience=20)
        self.process.stdout.close()


@pytest.fixture(scope="module")
def seed_file(tmp_path_factory):
    path = tmp_path_factory.mktemp("seed") / "seed.json"
    path.write_text(json.dumps(SEED), encoding="utf-8")
    return path


@pytest.fixture(scope="module")
def erp(erp_venv, seed_file, tmp_path_factory):
    running = Running(erp_venv, tmp_path_factory.mktemp("erp") / "data", "--seed", seed_file)
    yield running
    running.end()


@pytest.fixture
def admin(erp):
    return desk.as_admin(erp.folder)


def party(client, code, fields):
    (row,) = client.rows("party.party", [["code", "=", code]], fields)
    return row


def test_the_first_line_has_all_that_a_client_needs(erp):
    needed = {"base_url", "database", "company", "login", "password", "rest_key", "admin_password"}
    assert needed <= erp.facts.keys()
    client = Client(erp.facts["base_url"], erp.facts["database"])
    client.login(erp.facts["login"], erp.facts["password"])
    assert client.context["company"] == erp.facts["company"]
    assert client.model("party.party", "search_count", [["code", "like", "T-%"]]) == 4


def test_the_integration_user_may_write_parties_and_no_settings(erp):
    client = Client(erp.facts["base_url"], erp.facts["database"])
    client.login(erp.facts["login"], erp.facts["password"])
    (new,) = client.create("party.party", [{"name": "由 hub 创建", "credit_limit_amount": 1}])
    client.model("party.party", "delete", [new])
    with pytest.raises(TrytonError) as refusal:
        client.create("country.country", [{"name": "Nowhere", "code": "XX"}])
    assert refusal.value.is_refusal


def test_the_rest_key_opens_the_rest_interface(erp):
    url = f"{erp.facts['base_url']}/{erp.facts['database']}/rest/model/party.party"
    headers = {"Authorization": f"bearer {erp.facts['rest_key']}"}
    domain = base64.urlsafe_b64encode(b'[["code", "=", "T-1"]]').decode()
    answer = requests.get(url, params={"d": domain, "f": "name"}, headers=headers, timeout=60)
    assert [row["name"] for row in answer.json()] == [SEED[0]["name"]]


def test_a_seeded_customer_is_a_full_party(admin):
    fields = ["name", "phone", "email", "tax_identifier.code", "credit_limit_amount", "lang.code"]
    fields += ["customer_payment_term.name", "addresses", "relations"]
    row = party(admin, "T-1", fields)
    assert row["phone"] == "+86 574 8765 4321"
    assert row["tax_identifier."]["code"] == SEED[0]["tax_id"]
    assert row["credit_limit_amount"] == Decimal("5000.50")
    assert row["customer_payment_term."]["name"] == "Net 60"
    assert row["lang."]["code"] == "zh_CN"
    (address,) = admin.model(
        "party.address", "read", row["addresses"], ["city", "country.code", "subdivision.code"]
    )
    assert address["subdivision."]["code"] == "CN-ZJ"
    assert address["country."]["code"] == "CN"
    fields = ["to.code", "type.name"]
    (relation,) = admin.model("party.relation.all", "read", row["relations"], fields)
    assert relation["to."]["code"] == "T-1-P1"
    assert relation["type."]["name"] == "employs"


def test_what_the_erp_refuses_is_left_out_and_reported(erp, admin):
    report = erp.report()
    left_out = {(row["code"], row["part"]) for row in report["skipped"]}
    assert left_out == {
        ("T-1", "mobile"),
        ("T-2", "region"),
        ("T-3", "country"),
        ("T-3", "payment_term"),
    }
    assert all(row["reason"] for row in report["skipped"])
    row = party(admin, "T-2", ["addresses"])
    assert admin.model("party.address", "read", row["addresses"], ["city"])[0]["city"] == "X"


def test_a_sale_is_invoiced_and_may_be_paid(erp, admin):
    open_sale = desk.make_sale(erp.folder, party="T-1", amount=Decimal(300))
    assert (open_sale.state, open_sale.invoice_state) == ("processing", "posted")
    assert open_sale.amount_to_pay == open_sale.total == "300.00"
    # Over the credit limit: the ERP asks, and is told yes.
    paid = desk.make_sale(
        erp.folder,
        party="T-1",
        amount=Decimal(90000),
        quantity=Decimal(3),
        product="ON-DEMAND",
        paid=True,
    )
    assert paid.invoice_state == "paid"
    assert paid.amount_to_pay == "0"
    assert admin.model("product.product", "search_count", [["code", "=", "ON-DEMAND"]]) == 1


def test_an_unknown_customer_is_named(erp):
    with pytest.raises(LookupError, match="NOBODY"):
        desk.make_sale(erp.folder, party="NOBODY", amount=Decimal(1))


def test_a_second_launcher_on_the_folder_is_refused(erp, erp_venv):
    # fmt: off
    done = subprocess.run(
        [sys.executable, "-m", "sandbox.tryton", "--data", erp.folder, "--venv", erp_venv],
        cwd=ROOT, capture_output=True, text=True, check=False,
    )
    # fmt: on
    assert done.returncode == 1
    assert "another ERP already runs" in done.stderr
    assert done.stdout == ""


def test_it_dies_with_its_launcher_and_comes_back_the_same(erp_venv, seed_file, tmp_path):
    folder = tmp_path / "data"
    first = Running(erp_venv, folder, "--seed", seed_file, "--parties", "3", "--sales", "2")
    server = first.server_pid()
    first.process.kill()
    first.end()
    eventually(lambda: not is_alive(server))
    started = time.monotonic()
    again = Running(erp_venv, folder, "--seed", seed_file, "--parties", "3", "--sales", "2")
    try:
        assert time.monotonic() - started < 20
        assert again.facts == first.facts
        assert again.report()["created"] == 0
        assert again.report()["already_there"] == 6
        admin = desk.as_admin(folder)
        assert admin.model("sale.sale", "search_count", []) == 2
    finally:
        again.end()
    assert not is_alive(again.process.pid)
