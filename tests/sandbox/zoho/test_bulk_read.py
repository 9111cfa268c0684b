import csv
import io
import time
import zipfile

import pytest

QUERY = {
    "module": {"api_name": "Vendors"},
    "fields": ["id", "Vendor_Name", "Owner.last_name", "Modified_Time"],
    "criteria": {"field": {"api_name": "Category"}, "comparator": "equal", "value": "bulk"},
}


def create(zoho, body, content_type="application/json"):
    header = {"Content-Type": content_type}
    url = f"{zoho.url}/crm/bulk/v8/read"
    return zoho.session.post(url, json=body, headers=header, timeout=60)


def finish(zoho, answer):
    job_id = answer.json()["data"][0]["details"]["id"]
    url = f"{zoho.url}/crm/bulk/v8/read/{job_id}"
    end = time.monotonic() + 8
    while time.monotonic() < end:
        job = zoho.session.get(url, timeout=60).json()["data"][0]
        if job["state"] in {"COMPLETED", "FAILURE"}:
            return job
        time.sleep(0.02)
    raise AssertionError(job)


def table(zoho, job):
    answer = zoho.session.get(zoho.url + job["result"]["download_url"], timeout=60)
    assert answer.headers["Content-Type"] == "application/x-download"
    with zipfile.ZipFile(io.BytesIO(answer.content)) as archive:
        assert archive.namelist() == [f"{job['id']}.csv"]
        return list(csv.DictReader(io.StringIO(archive.read(f"{job['id']}.csv").decode())))


@pytest.fixture
def vendors(zoho):
    data = [{"Vendor_Name": f"供应商, {n}", "Category": "bulk"} for n in range(7)]
    ids = zoho.admin("POST", "/records/Vendors", data)["ids"]
    zoho.switch(bulk_seconds=0.0)
    yield ids
    zoho.admin("DELETE", "/records/Vendors/" + ",".join(ids))


def test_a_job_gives_a_zip_with_one_csv(zoho, vendors):
    answer = create(zoho, {"query": QUERY})
    verdict = answer.json()["data"][0]
    assert (answer.status_code, verdict["code"]) == (201, "ADDED_SUCCESSFULLY")
    assert verdict["details"]["state"] == "ADDED"
    job = finish(zoho, answer)
    assert (job["result"]["count"], job["result"]["more_records"]) == (7, False)
    rows = table(zoho, job)
    assert [row["id"] for row in rows] == vendors
    assert rows[3]["Vendor_Name"] == "供应商, 3"
    assert rows[3]["Owner.last_name"] == "East"


def test_blocks_follow_by_token_and_by_page(zoho, vendors):
    zoho.switch(bulk_page_size=3)
    body, ids = {"query": QUERY}, []
    for _ in range(3):
        job = finish(zoho, create(zoho, body))
        ids.extend(row["id"] for row in table(zoho, job))
        body = {"query": {"page_token": job["result"].get("next_page_token")}}
    assert ids == vendors
    assert not job["result"]["more_records"]
    second = finish(zoho, create(zoho, {"query": {**QUERY, "page": 2}}))
    assert [row["id"] for row in table(zoho, second)] == vendors[3:6]


def test_criteria_in_groups(zoho, vendors):
    group = [
        QUERY["criteria"],
        {"field": {"api_name": "Vendor_Name"}, "comparator": "ends_with", "value": "5"},
        {"field": {"api_name": "Email"}, "comparator": "equal", "value": "${EMPTY}"},
    ]
    query = {**QUERY, "criteria": {"group_operator": "and", "group": group}}
    rows = table(zoho, finish(zoho, create(zoho, {"query": query})))
    assert [row["id"] for row in rows] == [vendors[5]]


def test_the_end_is_called_back(zoho, vendors, receiver):
    del vendors
    job = finish(
        zoho, create(zoho, {"query": QUERY, "callback": {"url": receiver.url, "method": "post"}})
    )
    body = receiver.wait(1)[0]
    assert body["data"][0]["id"] == job["id"]
    assert body["data"][0]["state"] == "COMPLETED"


def test_refusals(zoho):
    def code(answer):
        body = answer.json()
        return (body["data"][0] if "data" in body else body)["code"]

    bad_comparator = {**QUERY, "criteria": {**QUERY["criteria"], "comparator": "about"}}
    cases = [
        ({"query": {"module": {"api_name": "X"}}}, "MODULE_NOT_AVAILABLE"),
        ({"query": {"module": {"api_name": "Notes"}}}, "MODULE_NOT_SUPPORTED"),
        ({"query": {**QUERY, "fields": ["Nothing"]}}, "FIELD_NOT_SUPPORTED"),
        ({"query": {**QUERY, "page": 51}}, "PAGE_RANGE_EXCEEDED"),
        ({"query": bad_comparator}, "FIELD_COMPARATOR_IN_CRITERIA_NOT_SUPPORTED"),
        ({"query": QUERY, "callback": {"url": "x"}}, "INVALID_CALLBACK_URL"),
        ({}, "REQUEST_BODY_NOT_READABLE"),
    ]
    for body, wanted in cases:
        answer = create(zoho, body)
        assert (answer.status_code, code(answer)) == (400, wanted)
    plain = create(zoho, {"query": QUERY}, "text/plain")
    assert (plain.status_code, code(plain)) == (415, "MEDIA_TYPE_NOT_SUPPORTED")
    unknown = zoho.session.get(f"{zoho.url}/crm/bulk/v8/read/123", timeout=60)
    assert (unknown.status_code, code(unknown)) == (404, "RESOURCE_NOT_FOUND")


def test_a_job_that_cannot_run_ends_as_a_failure(zoho):
    bad = {"field": {"api_name": "Nothing"}, "comparator": "equal", "value": "x"}
    job = finish(zoho, create(zoho, {"query": {**QUERY, "criteria": bad}}))
    assert job["state"] == "FAILURE"
    assert job["result"]["error_message"]["code"] == "INVALID_QUERY"
