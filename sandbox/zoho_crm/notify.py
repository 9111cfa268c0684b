"""Notifications: who wants to know, what they are told, and a sender that really sends.

Queued rows live in the database and leave in order per receiver; a restart sends what was left.
"""

import json
import random
import threading
import time
from urllib.parse import parse_qsl, urlsplit

import requests

from sandbox.zoho_crm.render import Renderer
from sandbox.zoho_crm.store import Record, dump

EVENT_OF = {"insert": "create", "update": "edit", "delete": "delete"}
MAX_IDS = 100


class Notifier:
    def __init__(self, box):
        self._box = box
        self._wake = threading.Event()
        self._stopping = False
        self._random = random.Random(7)
        self._lock = threading.Lock()
        self._senders = {}
        self.faults = {
            "drop": 0.0, "duplicate": 0.0, "reorder": 0.0, "delay": 0.0, "drop_next": 0, "hold": 0,
        }  # fmt: skip
        self.counts = {"delivered": 0, "failed": 0, "dropped": 0, "duplicated": 0, "tries": 0}
        self.recent = []
        with box.store.read() as conn:
            rows = conn.execute("SELECT channel_id, doc FROM channels").fetchall()
        self.channels = {row[0]: json.loads(row[1]) for row in rows}
        self._thread = threading.Thread(target=self._run, name="notifier", daemon=True)

    def start(self):
        self._thread.start()
        self.wake()

    def stop(self):
        self._stopping = True
        self._wake.set()
        if self._thread.is_alive():
            self._thread.join(timeout=2)

    def wake(self):
        self._wake.set()

    # Channels.

    def live(self):
        now = self._box.clock.now()
        return [channel for channel in self.channels.values() if channel["expiry"] > now]

    def channel(self, channel_id):
        """A living channel, or None: expired ones are gone."""
        found = self.channels.get(channel_id)
        if found and found["expiry"] <= self._box.clock.now():
            self.remove(channel_id)
            return None
        return found

    def keep(self, channel):
        with self._box.store.write() as conn:
            row = (channel["channel_id"], dump(channel))
            conn.execute("INSERT OR REPLACE INTO channels VALUES (?, ?)", row)
        self.channels = {**self.channels, channel["channel_id"]: channel}

    def remove(self, channel_id):
        with self._box.store.write() as conn:
            conn.execute("DELETE FROM channels WHERE channel_id = ?", (channel_id,))
        self.channels = {key: item for key, item in self.channels.items() if key != channel_id}

    # Queueing, inside the transaction that made the change.

    def enqueue(self, conn, events):
        """One message per channel, module, operation and up to 100 records; how many were made."""
        if not events:
            return 0
        made = 0
        for channel in self.live():
            for (module, operation), group in _grouped(events).items():
                if f"{module}.{EVENT_OF[operation]}" in channel["events"]:
                    wanted = [event for event in group if _selected(channel, event)]
                    made += self._queue(conn, channel, module, operation, wanted)
            made += self._queue_related(conn, channel, events)
        return made

    def _queue_related(self, conn, channel, events):
        """A contact's change also touches its account, unless the channel says no."""
        if not channel["related"] or "Accounts.edit" not in channel["events"]:
            return 0
        ids = {
            event.doc["Account_Name"]
            for event in events
            if event.module in {"Contacts", "Deals"} and event.doc.get("Account_Name")
        }
        if not ids:
            return 0
        body = self._body(channel, "Accounts", "update", sorted(ids))
        return self._put(conn, channel, {**body, "affected_fields": []})

    def _queue(self, conn, channel, module, operation, events):
        made = 0
        for start in range(0, len(events), MAX_IDS):
            part = events[start : start + MAX_IDS]
            ids = list(dict.fromkeys(event.record_id for event in part))
            body = self._body(channel, module, operation, ids)
            if operation == "update":
                fields = [{str(event.record_id): event.fields} for event in part]
                body["affected_fields"] = fields
            if channel["values"] and operation != "delete":
                body["affected_values"] = self._values(conn, module, part)
            made += self._put(conn, channel, body)
        return made

    def _body(self, channel, module, operation, ids):
        return {
            "server_time": int(self._box.clock.now() * 1000),
            "query_params": dict(parse_qsl(urlsplit(channel["url"]).query)),
            "module": module,
            "resource_uri": f"{self._box.base_url}/crm/v2/{module}",
            "ids": [str(record_id) for record_id in ids],
            "affected_fields": [],
            "operation": operation,
            "channel_id": channel["channel_id"],
            "token": channel["token"],
        }

    def _values(self, conn, module_name, events):
        module = self._box.metadata.modules[module_name]
        renderer = Renderer(self._box, conn, module)
        shown = []
        for event in events:
            record = Record(event.record_id, 0, 0, event.doc)
            names = event.fields or [name for name in event.doc if name in module.fields]
            values = renderer.listed([record], names)[0]
            values.pop("id")
            shown.append({"record_id": str(event.record_id), "values": values})
        return shown

    def _put(self, conn, channel, body):
        due = time.time() + self.faults["delay"]
        row = (channel["channel_id"], channel["url"], dump(body), due)
        conn.execute("INSERT INTO outbox (channel_id, url, body, due) VALUES (?, ?, ?, ?)", row)
        return 1

    # Sending, in the background.

    def _run(self):
        while not self._stopping:
            wait = self._hand_out()
            self._wake.wait(wait)
            self._wake.clear()

    def _hand_out(self):
        """Give due rows to one thread per receiver; seconds until the next look."""
        if self.faults["hold"]:
            return 2.0
        now = time.time()
        with self._lock:  # before the read: a sender that ends meanwhile has taken its rows
            busy = set(self._senders)
        sql = "SELECT seq, url, body, due FROM outbox ORDER BY seq LIMIT 5000"
        with self._box.store.read() as conn:
            rows = conn.execute(sql).fetchall()
        waiting = {}
        for seq, url, body, due in rows:
            waiting.setdefault(url.partition("?")[0], []).append((seq, url, body, due))
        for receiver, messages in waiting.items():
            due = [message for message in messages if message[3] <= now]
            if not due or receiver in busy:
                continue
            sender = threading.Thread(target=self._send_all, args=(receiver, due), daemon=True)
            with self._lock:
                self._senders[receiver] = sender
            sender.start()
        later = [row[3] - now for row in rows if row[3] > now]
        self._box.limits.save()
        return max(0.02, min([2.0, *later]))

    def _send_all(self, receiver, messages):
        """Deliver in order, with the planned faults; then let the next batch come."""
        messages = self._reordered(messages)
        try:
            with requests.Session() as session:
                session.trust_env = False
                for seq, url, body, _ in messages:
                    if self._stopping:
                        return
                    self._deliver(session, url, body)
                    with self._box.store.write() as conn:
                        conn.execute("DELETE FROM outbox WHERE seq = ?", (seq,))
        finally:
            with self._lock:
                self._senders.pop(receiver, None)
            self.wake()

    def _reordered(self, messages):
        messages = list(messages)
        for place in range(len(messages) - 1):
            if self._chance("reorder"):
                messages[place], messages[place + 1] = messages[place + 1], messages[place]
        return messages

    def _chance(self, name):
        return self.faults[name] > 0 and self._random.random() < self.faults[name]

    def _deliver(self, session, url, body):
        if self.faults["drop_next"] > 0:
            self.faults["drop_next"] -= 1
            self.counts["dropped"] += 1
            return
        if self._chance("drop"):
            self.counts["dropped"] += 1
            return
        self._post(session, url, body)
        if self._chance("duplicate"):
            self.counts["duplicated"] += 1
            self._post(session, url, body)

    def _post(self, session, url, body):
        """Several tries with growing pauses; then the message is lost, as with the vendor."""
        switches = self._box.switches
        pause = switches["callback_pause"]
        status = None
        for number in range(switches["callback_tries"]):
            if number and not self._stopping:
                time.sleep(pause)
                pause *= 2
            self.counts["tries"] += 1
            status = self._try(session, url, body)
            if isinstance(status, int) and 200 <= status < 300:
                self.counts["delivered"] += 1
                break
        else:
            self.counts["failed"] += 1
        self.recent = [*self.recent[-199:], {"url": url, "result": status, "body": body}]

    def _try(self, session, url, body):
        try:
            response = session.post(
                url,
                data=body.encode(),
                headers={"Content-Type": "application/json"},
                timeout=self._box.switches["callback_timeout"],
                allow_redirects=False,
            )
        except requests.RequestException as error:
            return type(error).__name__
        return response.status_code

    def pending(self):
        with self._box.store.read() as conn:
            return conn.execute("SELECT count(*) FROM outbox").fetchone()[0]


def _grouped(events):
    groups = {}
    for event in events:
        groups.setdefault((event.module, event.operation), []).append(event)
    return groups


def _selected(channel, event):
    """Whether a field-selective channel cares about this edit."""
    if event.operation != "update":
        return True
    for condition in channel["conditions"]:
        if condition.get("type") != "field_selection":
            continue
        if (condition.get("module") or {}).get("api_name") == event.module:
            return _matches(condition.get("field_selection") or {}, set(event.fields))
    return True


def _matches(node, changed):
    if "field" in node:
        return (node["field"] or {}).get("api_name") in changed
    results = [_matches(part, changed) for part in node.get("group") or []]
    if not results:
        return True
    return any(results) if str(node.get("group_operator", "and")).lower() == "or" else all(results)
