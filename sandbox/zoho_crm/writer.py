"""Insert, update, upsert and delete as the API does them: each record has its own verdict."""

from sandbox.zoho_crm import line_items
from sandbox.zoho_crm.errors import TEXT_BAD_ID, ApiError, ItemError, invalid_data, success
from sandbox.zoho_crm.external import External
from sandbox.zoho_crm.render import written
from sandbox.zoho_crm.store import field_sql
from sandbox.zoho_crm.values import parse_id

MAX_BATCH = 100


class Writer:
    """Writes records of one module inside one unit of work."""

    def __init__(self, box, unit, module, external=None):
        self.box = box
        self.unit = unit
        self.module = module
        self.external = external or External.none()

    def insert(self, item, index):
        values = self.clean(item, index, None)
        with located(index):
            record = self.unit.insert(self.module, values)
        details = self.external.echo(written(self.box, record, approval=True), record)
        return success("record added", details)

    def update(self, item, index, *, record_id=None, unmodified_since=None):
        record = self._existing(item, index, record_id)
        return self._update(record, item, index, unmodified_since)

    def _update(self, record, item, index, unmodified_since):
        if unmodified_since is not None and record.modified > unmodified_since:
            raise ItemError(
                "ALREADY_MODIFIED",
                "The record was changed after the time given in If-Unmodified-Since",
                written(self.box, record),
                status=412,
            )
        if record.doc.get("Converted__s"):
            message = "can't update the converted record"
            raise ItemError("CONVERTED_RECORD", message, {"id": str(record.id)})
        values = self.clean(item, index, record)
        with located(index):
            after = self.unit.update(self.module, record, values)
        return success("record updated", self.external.echo(written(self.box, after), after))

    def upsert(self, item, index, *, checks, unmodified_since=None):
        _must_be_object(item, index)
        found, by_field = self._match(item, index, checks)
        if found is None:
            values = self.clean(item, index, None)
            with located(index):
                record = self.unit.insert(self.module, values)
            details = written(self.box, record, approval=True)
            return success("record added", details, duplicate_field=None, action="insert")
        answer = self._update(found, item, index, unmodified_since)
        extra = {"duplicate_field": by_field, "action": "update"}
        return {"code": "SUCCESS", **extra, **answer}

    def delete(self, raw_id, index):
        record = self.external.find(self.unit.conn, self.module, raw_id)
        if record is None:
            raise ItemError("INVALID_DATA", "record not deleted", {"id": str(raw_id)})
        self.unit.delete(self.module, record)
        return success("record deleted", {"id": str(record.id)})

    def _existing(self, item, index, record_id):
        _must_be_object(item, index)
        wanted = item.get("id") if record_id is None else record_id
        if wanted is None and self.external.field:
            wanted = item.get(self.external.field)
        if wanted is None:
            raise _mandatory("id", f"$.data[{index}].id")
        record = self.external.find(self.unit.conn, self.module, wanted)
        if record is None:
            details = {"id": str(wanted), "json_path": f"$.data[{index}].id", "api_name": "id"}
            raise ItemError("INVALID_DATA", TEXT_BAD_ID, details)
        return record

    def _match(self, item, index, checks):
        """The record that an upsert would change, and the field that found it."""
        if item.get("id") is not None:
            return self._existing(item, index, None), "id"
        for api_name in checks:
            value = item.get(api_name)
            if value in (None, ""):
                continue
            found = self._holder(api_name, value)
            if found is not None:
                return self.unit.fetch(self.module, found), api_name
        return None, None

    def _holder(self, api_name, value):
        field = self.module.fields[api_name]
        if field.unique:
            return self.unit.owner_of(self.module, field, str(value).strip())
        order = "DESC" if self.box.switches["upsert_several"] == "newest" else "ASC"
        sql = (
            f"SELECT id FROM rec_{self.module.name} "
            f"WHERE {field_sql(api_name)} = ? COLLATE NOCASE ORDER BY id {order} LIMIT 1"
        )
        row = self.unit.conn.execute(sql, (str(value).strip(),)).fetchone()
        return row[0] if row else None

    def clean(self, item, index, existing):
        """Checked values of the known, writable fields; raises the first refusal."""
        path = f"$.data[{index}]"
        _must_be_object(item, index)
        fields = self.module.fields
        values = {}
        for name, value in item.items():
            if name.startswith("$") or name == "id":
                continue
            field = fields.get(name)
            if field is None:
                self._unknown_key(name, path)
            elif field.read_only:
                self._system_key(name, path)
            elif field.data_type == "subform":
                old = existing.doc.get(name) if existing else None
                where = f"{path}.{name}"
                values[name] = line_items.merge_rows(
                    self.box, self.unit.conn, field, value or [], where, old
                )
            else:
                values[name] = self._value(field, value, item, path)
        if values.get("Owner", 0) is None:  # a record is never without an owner
            del values["Owner"]
        self.external.refuse_own_change(values, existing, path)
        self._mandatory(values, existing, path)
        self._own_parent(values, existing, path)
        return values

    def _value(self, field, value, item, path):
        where = f"{path}.{field.api_name}"
        if field.data_type == "multi_module_lookup" and isinstance(value, dict):
            value = {"$se_module": item.get("$se_module") or item.get("se_module"), **value}
        key = self.external.lookup_field(field.api_name)
        parsed = self.box.values.parse(self.unit.conn, field, value, where, key)
        appended = (item.get("$append_values") or {}).get(field.api_name)
        if appended and parsed and field.data_type == "multiselectpicklist":
            old = self._old_list(item, field)
            parsed = list(dict.fromkeys([*old, *parsed]))
        return parsed

    def _old_list(self, item, field):
        record_id = parse_id(item.get("id"))
        record = self.unit.fetch(self.module, record_id) if record_id else None
        return (record.doc.get(field.api_name) if record else None) or []

    def _unknown_key(self, name, path):
        if self.box.switches["unknown_keys"] == "refuse":
            raise invalid_data(name, f"{path}.{name}")

    def _system_key(self, name, path):
        if self.box.switches["system_keys"] == "refuse":
            raise invalid_data(name, f"{path}.{name}")

    def _mandatory(self, values, existing, path):
        for name, field in self.module.fields.items():
            if not field.mandatory:
                continue
            given = name in values
            if given and values[name] in (None, []):
                raise _mandatory(name, f"{path}.{name}")
            if not given and existing is None:
                raise _mandatory(name, f"{path}.{name}")

    def _own_parent(self, values, existing, path):
        if existing and values.get("Parent_Account") == existing.id:
            raise invalid_data("Parent_Account", f"{path}.Parent_Account.id")


class located:  # noqa: N801 - reads as a word in a with statement
    """Put the place of the record in the batch into a duplicate's path."""

    def __init__(self, index):
        self.index = index

    def __enter__(self):
        return self

    def __exit__(self, kind, error, trace):
        if isinstance(error, ItemError):
            errors = error.details.get("errors") or [{"details": error.details}]
            for each in errors:
                path = each["details"].get("json_path", "")
                each["details"]["json_path"] = path.replace("[0]", f"[{self.index}]", 1)
        return False


def _must_be_object(item, index):
    if not isinstance(item, dict):
        details = {"expected_data_type": "jsonobject", "json_path": f"$.data[{index}]"}
        raise ItemError("INVALID_DATA", "invalid data", {**details, "api_name": "data"})


def _mandatory(api_name, path):
    details = {"api_name": api_name, "json_path": path}
    return ItemError("MANDATORY_NOT_FOUND", "required field not found", details)


def records_of(body):
    """The records of a write body, or the refusal of the whole call."""
    details = {"api_name": "data", "json_path": "$.data"}
    if not isinstance(body, dict) or "data" not in body:
        raise ApiError(400, "MANDATORY_NOT_FOUND", "required field not found", details)
    if not isinstance(body["data"], list) or not body["data"]:
        expected = {**details, "expected_data_type": "jsonarray"}
        raise ApiError(400, "INVALID_DATA", "invalid data", expected)
    if len(body["data"]) > MAX_BATCH:
        message = "Record insertion limit has been exceeded."
        raise ApiError(400, "LIMIT_EXCEEDED", message, {**details, "limit": MAX_BATCH})
    return body["data"]


def upsert_checks(module, wanted):
    """The fields that an upsert consults, in order (contract 3.6)."""
    system = module.spec.duplicate_field
    unique = [item.api_name for item in module.unique_fields if item.api_name != system]
    if not wanted:
        return [name for name in (system, *unique) if name]
    if not isinstance(wanted, list) or not set(wanted) <= {system, *unique}:
        details = {
            "api_name": "duplicate_check_fields",
            "json_path": "$.duplicate_check_fields",
        }
        raise ApiError(400, "INVALID_DATA", "invalid data", details)
    named = list(dict.fromkeys(wanted))
    return [*named, *(name for name in unique if name not in named)]


def run_batch(count, work):
    """Each record's answer, in order, and the statuses of those that failed."""
    answers, statuses = [], []
    for index in range(count):
        try:
            answers.append(work(index))
        except ItemError as refusal:
            answers.append(refusal.item())
            statuses.append(refusal.status)
    return answers, statuses


def batch_status(switches, count, failed, all_good):
    """The HTTP status of a batch from its records' verdicts (contract 3.4)."""
    if not failed:
        return all_good
    if len(failed) < count:
        return 207 if switches["mixed_batch"] == "207" else 200
    if switches["all_failed_batch"] == "legacy202":
        return 202
    return 412 if set(failed) == {412} else 400
