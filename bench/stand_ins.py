"""The vendors' stand-ins as processes, and plain `requests` clients of their public API.

The clients do what a script without the hub would do, call for call: they make the floors.
"""

import json
import subprocess
import sys
import time
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta

import requests

from bench.processes import BenchError, child
from connectors.fxiaoke import callback

PLENTY = 10**8
CHANNEL = "1000000068001"
BETWEEN = timedelta(minutes=7)  # of two accounts
ZOHO_PAGE, ZOHO_BATCH, FXIAOKE_PAGE = 200, 100, 100
FIELDS = (
    "Account_Name,Phone,Email,Website,Tax_Id,Billing_Street,Billing_City,Billing_State,"
    "Billing_Code,Billing_Country,Hub_Key"
)


@contextmanager
def stand_in(kind, folder):
    """A stand-in with its limits raised; its client."""
    command = [sys.executable, "-m", f"sandbox.{kind}", "--port", "0", "--data", str(folder)]
    log = folder.with_suffix(".log")
    with child(command, log=log, stdout=subprocess.PIPE) as process:
        line = process.stdout.readline()
        if not line:
            raise BenchError(f"The stand-in {kind} did not start: {log.read_text()[-500:]}")
        client = CLIENTS[kind](json.loads(line), process.pid)
        client.raise_limits()
        yield client


class Client:
    """One API user of a stand-in, and the stand-in's admin calls."""

    def __init__(self, hello, pid):
        self.hello, self.pid = hello, pid
        self.url = hello["base_url"]
        self.session = requests.Session()
        self.session.trust_env = False
        adapter = requests.adapters.HTTPAdapter(pool_maxsize=16)
        self.session.mount("http://", adapter)

    def admin(self, method, path, body=None, **params):
        answer = self.session.request(
            method, f"{self.url}/__admin{path}", json=body, params=params, timeout=60
        )
        answer.raise_for_status()
        return answer.json()

    def thanks(self, _delivery):
        """What the vendor wants to hear when it has told of a change."""
        return b""

    def forget_calls(self):
        self.admin("POST", "/calls/reset")


class Zoho(Client):
    """A Zoho organisation."""

    def raise_limits(self):
        self.admin("POST", "/limits", {"daily_credits": PLENTY})

    def settings(self):
        names = ("accounts_url", "client_id", "client_secret", "refresh_token")
        return {"api_url": self.url, **{name: self.hello[name] for name in names}}

    def calls(self):
        """(reads, writes) since they were forgotten; token and set-up calls left out."""
        report = self.admin("GET", "/calls", last=0)
        return report["reads"], report["writes"]

    def log_in(self):
        names = ("client_id", "client_secret", "refresh_token")
        form = {"grant_type": "refresh_token", **{name: self.hello[name] for name in names}}
        answer = self.session.post(f"{self.url}/oauth/v2/token", data=form, timeout=10)
        self.session.headers["Authorization"] = f"Zoho-oauthtoken {answer.json()['access_token']}"

    def fill(self, accounts):
        """Accounts that have come over the years, not in one minute."""
        now = datetime.now(UTC).replace(microsecond=0)
        dated = []
        for age, account in enumerate(reversed(accounts), 2):
            moment = (now - age * BETWEEN).isoformat()
            dated.append({**account, "Created_Time": moment, "Modified_Time": moment})
        for start in range(0, len(dated), 5000):
            part = {"data": dated[start : start + 5000]}
            self.admin("POST", "/records/Accounts", part)

    def edit(self, record_id, number):
        """A user changes one field."""
        self.admin("PUT", f"/records/Accounts/{record_id}", {"Billing_Street": street(number)})

    def shows(self, record_id, number):
        return self.get(record_id)["Billing_Street"] == street(number)

    def get(self, record_id):
        url = f"{self.url}/crm/v8/Accounts/{record_id}"
        return self.session.get(url, timeout=30).json()["data"][0]

    def list_all(self):
        """All accounts, a page of 200 after the other."""
        found, token = [], None
        while True:
            params = {"fields": FIELDS, "per_page": ZOHO_PAGE}
            if token:
                params["page_token"] = token
            answer = self.session.get(f"{self.url}/crm/v8/Accounts", params=params, timeout=30)
            answer.raise_for_status()
            body = answer.json()
            found += body["data"]
            if not body["info"]["more_records"]:
                return found
            token = body["info"]["next_page_token"]

    def put(self, records):
        """One call that changes up to 100 accounts."""
        answer = self.session.put(
            f"{self.url}/crm/v8/Accounts", json={"data": records, "trigger": []}, timeout=30
        )
        wrong = [item for item in answer.json()["data"] if item["status"] != "success"]
        if wrong:
            raise BenchError(f"Zoho refused: {wrong[0]}")

    def change_plainly(self, record_id, number):
        self.put([{"id": record_id, "Billing_Street": street(number)}])

    def call_back(self, url):
        """Notifications go to this address only."""
        self.admin("POST", "/notifications/expire")
        watch = {"channel_id": CHANNEL, "events": ["Accounts.edit"], "notify_url": url}
        answer = self.session.post(
            f"{self.url}/crm/v8/actions/watch", json={"watch": [watch]}, timeout=30
        )
        answer.raise_for_status()


class Fxiaoke(Client):
    """A 纷享销客 tenant."""

    def raise_limits(self):
        self.admin("POST", "/limits", {"calls": PLENTY, "day_quota": PLENTY})

    def settings(self):
        names = ("app_id", "app_secret", "permanent_code", "user_id", "callback_secret", "ea")
        return {
            "base_url": self.url,
            **{name: self.hello[name] for name in names},
            # The raised limit; and no second look at the load that has only just happened.
            "calls_per_20_seconds": 1_000_000,
            "overlap_seconds": 1,
            "lag_seconds": 0,
        }

    def calls(self):
        totals = self.admin("GET", "/calls", last=0)["totals"]
        return totals["read"], totals["write"]

    def count(self):
        return self.admin("GET", "/records/AccountObj", count=1)["count"]

    def edit(self, record_id, number):
        """A user changes one field."""
        self.admin(
            "POST", f"/records/AccountObj/{record_id}", {"fields": {"address": street(number)}}
        )

    def shows(self, record_id, number):
        rows = self.admin("GET", "/records/AccountObj", id=record_id)["rows"]
        return bool(rows) and rows[0].get("address") == street(number)

    def call_back(self, url):
        """Callbacks go to this address only."""
        self.admin("POST", "/callback", {"url": url, "objects": []})

    def thanks(self, delivery):
        """Without a signed answer the vendor sends again."""
        nonce = json.loads(delivery)["nonce"]
        moment = int(time.time() * 1000)
        return json.dumps(callback.answer(self.hello["callback_secret"], moment, nonce)).encode()

    def log_in(self):
        names = {"appId": "app_id", "appSecret": "app_secret", "permanentCode": "permanent_code"}
        form = {name: self.hello[key] for name, key in names.items()}
        grant = self._post("/oauth2.0/token", {**form, "grantType": "app_secret"})
        self.session.headers.update(
            {
                "authorization": f"Bearer {grant['accessToken']}",
                "x-fs-ea": grant["ea"],
                "x-fs-userid": self.hello["user_id"],
            }
        )

    def create(self, row):
        """One call that creates one customer; there is no batch."""
        row = {"dataObjectApiName": "AccountObj", **row}
        data = {"object_data": row, "optionInfo": {"isDuplicateSearch": False}}
        return self._post("/cgi/crm/v2/data/create", {"data": data})["dataId"]

    def change_plainly(self, record_id, number):
        row = {"_id": record_id, "dataObjectApiName": "AccountObj", "address": street(number)}
        self._post("/cgi/crm/v2/data/update", {"data": {"object_data": row}})

    def get(self, record_id):
        return self.page([{"field_name": "_id", "operator": "IN", "field_values": [record_id]}])[0]

    def list_all(self, most=PLENTY):
        """All customers, or the first ones, a page of 100 after the other."""
        found, last = [], []
        while True:
            rows = self.page(last)
            found += rows
            if len(rows) < FXIAOKE_PAGE or len(found) >= most:
                return found[:most]
            last = [{"field_name": "_id", "operator": "GT", "field_values": [rows[-1]["_id"]]}]

    def page(self, filters):
        search = {
            "limit": FXIAOKE_PAGE,
            "offset": 0,
            "filters": filters,
            "orders": [{"fieldName": "_id", "isAsc": True}],
        }
        data = {
            "dataObjectApiName": "AccountObj",
            "find_explicit_total_num": False,
            "search_query_info": search,
        }
        answer = self._post("/cgi/crm/v2/data/query", {"includeNull": True, "data": data})
        return answer["data"]["dataList"]

    def _post(self, path, body):
        answer = self.session.post(self.url + path, json=body, timeout=30).json()
        if answer["errorCode"] != 0:
            raise BenchError(f"纷享销客 refused {path}: {answer['errorMessage']}")
        return answer


CLIENTS = {"zoho_crm": Zoho, "fxiaoke": Fxiaoke}


def street(number):
    """What the field that the benchmark edits holds after edit `number`."""
    return f"测试路{number}号"


def timed(work, *arguments):
    """How long a call took, and what it returned."""
    started = time.perf_counter()
    value = work(*arguments)
    return time.perf_counter() - started, value
