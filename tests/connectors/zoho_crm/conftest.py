"""The Zoho stand-in as a process of its own, reached by real HTTP."""

import json
import subprocess
import sys
from pathlib import Path

import pytest
import requests

from connectors.sdk.http import Token
from connectors.testing.plain import PlainLimiter, PlainTokens, plain_http
from connectors.zoho_crm import CONNECTOR
from connectors.zoho_crm.config import ZohoConfig
from connectors.zoho_crm.products import Products
from connectors.zoho_crm.schema import Metadata, Module

ROOT = Path(__file__).parents[3]


class StandIn:
    """A running stand-in: connectors to it, and what its users and administrators do."""

    def __init__(self, folder):
        command = [sys.executable, "-m", "sandbox.zoho_crm", "--port", "0", "--data", str(folder)]
        self.process = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True)
        self.hello = json.loads(self.process.stdout.readline())
        self.session = requests.Session()
        self.session.trust_env = False

    def stop(self):
        self.session.close()
        self.process.terminate()
        self.process.wait(10)
        self.process.stdout.close()

    def config(self, **changes):
        names = ("client_id", "client_secret", "refresh_token", "accounts_url")
        return ZohoConfig.model_validate({**{n: self.hello[n] for n in names}, **changes})

    def connect(self, *, page_size=200, http=None, **changes):
        connector = CONNECTOR(self.config(**changes), http or plain_http(PlainLimiter()))
        connector.reader.page_size = page_size
        return connector

    def admin(self, method, path, body=None):
        url = f"{self.hello['base_url']}/__admin{path}"
        answer = self.session.request(method, url, json=body, timeout=60)
        assert answer.ok, answer.text
        return answer.json()

    def seed(self, module, records, **options):
        body = {"data": records, **options}
        return self.admin("POST", f"/records/{module}", body)["ids"]

    def edit(self, module, record_id, **values):
        return self.admin("PUT", f"/records/{module}/{record_id}", values)

    def delete(self, module, *ids):
        self.admin("DELETE", f"/records/{module}/{','.join(ids)}")

    def records(self, module):
        return self.admin("GET", f"/records/{module}")["data"]

    def clear(self, module):
        ids = [record["id"] for record in self.records(module)]
        if ids:
            self.delete(module, *ids)

    def switch(self, **values):
        self.admin("POST", "/switches", values)

    def fault(self, kind, **values):
        self.admin("POST", f"/faults/{kind}", values)

    def calls(self):
        return self.admin("GET", "/calls?log=1000")

    def reset(self):
        """The organisation empty and well-behaved again; the clock in step."""
        self.admin("DELETE", "/faults")
        self.admin("POST", "/switches", {"reset": True})
        self.admin("POST", "/clock", {"shift": 0})
        self.admin("POST", "/limits", {"reset": True})
        self.admin("POST", "/tokens/forget-throttle")
        self.admin("POST", "/tokens/scope", {"scope": ""})
        for module in ("Sales_Orders", "Invoices", "Contacts", "Leads", "Accounts", "Products"):
            self.clear(module)
        self.admin("POST", "/calls/reset")


@pytest.fixture(scope="session")
def shared_stand_in(tmp_path_factory):
    stand_in = StandIn(tmp_path_factory.mktemp("zoho"))
    yield stand_in
    stand_in.stop()


@pytest.fixture
def stand_in(shared_stand_in):
    """The shared stand-in, emptied."""
    shared_stand_in.reset()
    return shared_stand_in


@pytest.fixture
def fresh_stand_in(tmp_path):
    """A stand-in of its own, in which nothing has ever been deleted."""
    stand_in = StandIn(tmp_path)
    yield stand_in
    stand_in.stop()


@pytest.fixture(autouse=True)
def _nothing_remembered():
    """What a process knows of an organisation is forgotten between tests."""
    yield
    Metadata._known.clear()
    Products._known.clear()


@pytest.fixture
def described():
    """A connector to the European data centre, which has described its Accounts already."""
    config = ZohoConfig(client_id="id", client_secret="secret", refresh_token="refresh")
    tokens = PlainTokens()
    tokens.renew(None, lambda: Token("t-1", 4e9, {"api_domain": "https://www.zohoapis.eu"}))
    connector = CONNECTOR(config, plain_http(PlainLimiter(), tokens))
    fields = {
        "Account_Name": {"data_type": "text", "length": 200, "system_mandatory": True},
        "Phone": {"data_type": "phone", "length": 30},
        "Hub_Key": {"data_type": "text", "length": 64, "external": {"type": "org"}},
        "Modified_Time": {"data_type": "datetime", "read_only": True},
    }
    key = (*connector.client.identity, "Accounts")
    Metadata._known[key] = (connector.http.now(), Module("Accounts", fields))
    return connector
