"""Bulk read jobs: a background thread turns a query into a ZIP with one CSV."""

import csv
import io
import json
import queue
import threading
import time
import zipfile

import requests

from sandbox.zoho_crm.coql_parser import Condition, Pair
from sandbox.zoho_crm.coql_sql import Compiler
from sandbox.zoho_crm.errors import ApiError
from sandbox.zoho_crm.metadata import LOOKUP_TYPES
from sandbox.zoho_crm.store import dump

COMPARATORS = {
    "equal": "=",
    "not_equal": "!=",
    "in": "in",
    "not_in": "not in",
    "less_than": "<",
    "less_equal": "<=",
    "greater_than": ">",
    "greater_equal": ">=",
    "between": "between",
    "not_between": "not between",
    "contains": "like",
    "not_contains": "not like",
    "starts_with": "like",
    "ends_with": "like",
}
PATTERNS = {
    "contains": "%{}%",
    "not_contains": "%{}%",
    "starts_with": "{}%",
    "ends_with": "%{}",
}


def invalid_criteria(message):
    return ApiError(400, "INVALID_CRITERIA", message, root="data")


def condition_tree(node):
    """The vendor's criteria object as the tree that COQL makes, too."""
    if not isinstance(node, dict):
        raise invalid_criteria("the criteria cannot be read")
    if "group" in node:
        parts = [condition_tree(part) for part in node["group"]]
        if not parts:
            raise invalid_criteria("the group is empty")
        tree = parts[0]
        for part in parts[1:]:
            tree = Pair(str(node.get("group_operator", "and")).lower(), tree, part)
        return tree
    comparator = node.get("comparator")
    column = (node.get("field") or {}).get("api_name")
    if comparator not in COMPARATORS or not column:
        code = "FIELD_COMPARATOR_IN_CRITERIA_NOT_SUPPORTED"
        raise ApiError(400, code, "the comparator is not supported", root="data")
    value = node.get("value")
    if value == "${EMPTY}":
        return Condition(column, "is null" if comparator == "equal" else "is not null", [])
    values = value if isinstance(value, list) else [value]
    texts = [str(item).lower() if isinstance(item, bool) else str(item) for item in values]
    if comparator in PATTERNS:
        texts = [PATTERNS[comparator].format(text) for text in texts]
    return Condition(column, COMPARATORS[comparator], texts)


class BulkJobs:
    def __init__(self, box):
        self._box = box
        self._queue = queue.Queue()
        self.folder = box.folder / "bulk"
        self.folder.mkdir(exist_ok=True)
        self.render = lambda _box, job: job
        self._thread = threading.Thread(target=self._run, name="bulk", daemon=True)

    def start(self):
        with self._box.store.read() as conn:
            rows = conn.execute("SELECT id, doc FROM jobs ORDER BY id").fetchall()
        for job_id, doc in rows:
            if json.loads(doc)["state"] in {"ADDED", "QUEUED", "IN PROGRESS"}:
                self._queue.put(job_id)
        self._thread.start()

    def stop(self):
        self._queue.put(None)
        if self._thread.is_alive():
            self._thread.join(timeout=2)

    def add(self, query, after, page, callback, user_id):
        """Store a job and let it run; `after` is the last id of the block before."""
        with self._box.store.write() as conn:
            job_id = self._box.store.next_id()
            job = {
                "id": job_id,
                "state": "ADDED",
                "query": query,
                "after": after,
                "page": page,
                "callback": callback,
                "user": user_id,
                "created": self._box.clock.second(),
            }
            conn.execute("INSERT INTO jobs VALUES (?, ?)", (job_id, dump(job)))
        self._queue.put(job_id)
        return job

    def get(self, job_id):
        with self._box.store.read() as conn:
            row = conn.execute("SELECT doc FROM jobs WHERE id = ?", (job_id,)).fetchone()
        return json.loads(row[0]) if row else None

    def _save(self, job):
        with self._box.store.write() as conn:
            conn.execute("UPDATE jobs SET doc = ? WHERE id = ?", (dump(job), job["id"]))

    def _run(self):
        while (job_id := self._queue.get()) is not None:
            job = self.get(job_id)
            job["state"] = "IN PROGRESS"
            self._save(job)
            time.sleep(self._box.switches["bulk_seconds"])
            try:
                self._export(job)
                job["state"] = "COMPLETED"
            except ApiError as error:
                job["state"] = "FAILURE"
                job["error"] = error.body()
            self._save(job)
            self._call_back(job)

    def _export(self, job):
        box, query = self._box, job["query"]
        module = box.metadata.callable_module(query["module"]["api_name"])
        named = query.get("fields") or []
        names = named or [
            name if name != "id" else "Id"
            for name, field in module.fields.items()
            if field.data_type not in {"subform", "jsonarray"}
        ]
        size = box.switches["bulk_page_size"]
        rows = self._rows(module, query, names, job, size + 1)
        job["more"] = len(rows) > size
        rows = rows[:size]
        job["count"] = len(rows)
        job["last"] = rows[-1][0] if rows else job["after"]
        text = io.StringIO()
        writer = csv.writer(text)
        writer.writerow(names)
        writer.writerows(row[1:] for row in rows)
        with zipfile.ZipFile(self.path(job["id"]), "w", zipfile.ZIP_DEFLATED) as archive:
            archive.writestr(f"{job['id']}.csv", text.getvalue())

    def path(self, job_id):
        return self.folder / f"{job_id}.zip"

    def _rows(self, module, query, names, job, limit):
        compiler = Compiler(self._box, module)
        places = [compiler.place("id" if name == "Id" else name) for name in names]
        criteria = query.get("criteria")
        where = compiler.where(condition_tree(criteria)) if criteria else "1"
        skipped = 0
        if job["after"]:
            where = f"t.id > {int(job['after'])} AND {where}"
        else:
            skipped = (job["page"] - 1) * (limit - 1)
        columns = ", ".join(place.sql for place in places)
        sql = (
            f"SELECT t.id, {columns} FROM {compiler.from_sql()} WHERE {where} "
            "ORDER BY t.id LIMIT ? OFFSET ?"
        )
        with self._box.store.read() as conn:
            found = conn.execute(sql, (*compiler.params, limit, skipped)).fetchall()
        kinds = [place.field.data_type for place in places]
        return [(row[0], *map(self._cell, kinds, row[1:])) for row in found]

    def _cell(self, kind, raw):
        if kind == "boolean":
            return "true" if raw else "false"
        if raw is None:
            return ""
        if kind == "datetime":
            return self._box.clock.text(raw)
        return str(raw) if kind in LOOKUP_TYPES else raw

    def _call_back(self, job):
        """Best effort, once: the job's state can always be asked for."""
        if not job.get("callback"):
            return
        body = {"data": [self.render(self._box, job)]}
        try:
            requests.post(job["callback"]["url"], json=body, timeout=5)
        except requests.RequestException as error:
            job["callback_result"] = type(error).__name__
            self._save(job)
