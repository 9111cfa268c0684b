"""The JSON API: shapes that scripts rely on."""

import pytest
from sqlalchemy import select

from sync.service import plans
from sync.service.status import status
from sync.store.tables import DeadLetter, Guard
from tests.webui.browsers import application


def test_the_status_is_the_object_that_scripts_know(fresh, script):
    found = script("viewer").get("/status")
    assert found == status(fresh.hub.settings, is_answering=True).as_json()
    assert set(found) == {"ready", "url", "systems", "customers", "contacts", "open", "writes"}
    assert found["ready"] is True
    assert (found["customers"], found["contacts"], found["writes"]) == (1, 0, 2)
    assert set(found["open"]) == {
        "conflicts",
        "candidates",
        "dead_letters",
        "guards",
        "inbox",
        "dirty",
    }
    system = found["systems"][0]
    assert set(system) == {"name", "kind", "state", "url", "lag_seconds", "waiting", "calls"}
    assert set(system["calls"]) == {"read", "write"}
    assert system["calls"]["read"] > 0


def test_the_command_and_the_api_say_the_same(fresh, script):
    """But for `ready` where nothing listens, as in this test."""
    by_command = status(fresh.hub.settings).as_json()
    assert by_command["ready"] is False
    assert {**by_command, "ready": True} == script("viewer").get("/status")


def test_customers_are_listed_read_and_edited(fresh, script):
    steward = script("steward")
    page = steward.get("/customers?q=acme&size=10")
    assert (page["total"], page["has_next"]) == (1, False)
    golden_id = page["rows"][0]["id"]
    record = steward.get(f"/customers/{golden_id}")
    assert {link["system"] for link in record["links"]} == {"erp", "crm", "sales"}
    name = next(field for field in record["fields"] if field["path"] == "name")
    assert name["systems"]["crm"] == {"value": "Acme 有限公司", "state": "same"}
    edited = steward.patch(f"/customers/{golden_id}", {"values": {"phones[mobile]": "13800138000"}})
    assert edited["values"]["phones[mobile]"] == "+8613800138000"
    changes = steward.get(f"/records/{golden_id}/changes")
    assert changes["changes"][0]["actor"] == "steward"
    fresh.sync()
    assert "138" in fresh.world("erp").all("customers")[0]["mobile"]


@pytest.mark.parametrize(
    ("values", "status"),
    [
        ({"credit_limit": "much"}, 409),
        ({"no_such_field": "x"}, 409),
        ({"parent": "x"}, 409),
        ({}, 422),
    ],
)
def test_an_edit_that_cannot_be_is_refused_with_a_sentence(fresh, script, values, status):
    golden = fresh.goldens()[0]
    refused = script("steward").patch(f"/customers/{golden.id}", {"values": values}, status=status)
    assert refused["message"]
    assert refused["error"]
    assert fresh.goldens()[0].version == golden.version


def test_what_is_not_there_answers_404_as_json(script):
    calls = script("viewer")
    for path in ("/customers/none", "/systems/none", "/plans/9", "/runs/99999", "/nothing"):
        assert calls.get(path, status=404)["message"]


def test_a_system_is_added_tested_paused_and_resumed(fresh, script):
    admin = script("admin")
    settings = {"world": f"{fresh.prefix}-shop", "password": "wrong"}
    body = {"name": "shop", "kind": "memory", "settings": settings}
    refused = admin.post("/systems", body, status=409)
    assert "password" in refused["message"]
    settings["password"] = "memory"
    made = admin.post("/systems", body, status=201)
    assert "password" not in made["settings"]
    assert admin.post("/systems/shop/test")["state"] == "testing"
    assert admin.post("/systems/crm/pause")["state"] == "paused"
    assert admin.post("/systems/crm/poll", status=409)["error"] == "not_polled"
    assert admin.post("/systems/crm/resume")["state"] == "live"
    assert admin.post("/systems/crm/poll")["name"] == "crm"
    assert len(admin.get("/systems")["systems"]) == 4


def test_a_plan_is_made_read_and_applied(fresh, script):
    admin = script("admin")
    settings = {"world": f"{fresh.prefix}-shop", "password": "memory"}
    admin.post("/systems", {"name": "shop", "kind": "memory", "settings": settings}, status=201)
    plan = admin.post("/plans", {"systems": ["shop"]}, status=202)
    assert plan["state"] == "reading"
    admin.post(f"/plans/{plan['id']}/apply", status=409)
    plans.make_plan(fresh.hub, plan["id"])
    assert admin.get(f"/plans/{plan['id']}")["summary"]["writes"]["shop"]["calls"] == 1
    assert admin.post(f"/plans/{plan['id']}/apply", status=202)["state"] == "applying"
    admin.post("/plans", {"systems": ["nobody"]}, status=404)


def test_runs_are_listed_and_filtered(script):
    calls = script("viewer")
    runs = calls.get("/runs?system=erp&kind=take_in&size=1")["rows"]
    assert [(run["system"], run["kind"]) for run in runs] == [("erp", "take_in")]
    assert calls.get(f"/runs/{runs[0]['id']}")["counts"]["created"] == 1


def test_a_conflict_is_decided(fresh, script):
    for system, value in (("crm", "first"), ("sales", "second")):
        fresh.clock.pass_(5)
        record = fresh.world(system).all("customers")[0]
        fresh.world(system).edit("customers", record["id"], notes=value)
    fresh.sync()
    steward = script("steward")
    assert steward.get("/conflicts")["rows"] == []
    conflict = steward.get("/conflicts?state=auto")["rows"][0]
    assert conflict["fields"][0]["theirs"] == "second"
    decided = steward.post(f"/conflicts/{conflict['id']}/decide", {"choice": "ours"})
    assert (decided["state"], decided["decided_by"]) == ("decided", "steward")
    steward.post(f"/conflicts/{conflict['id']}/decide", {"choice": "neither"}, status=422)
    steward.post("/conflicts/999/decide", {"choice": "ours"}, status=404)


def test_guards_and_dead_letters_are_closed(fresh, script):
    with fresh.hub.database.write() as tx:
        tx.add(
            Guard(
                system_id=fresh.id_of("crm"),
                kind="deletes",
                direction="in",
                reason="many",
                facts={},
                created_at=fresh.hub.now(),
            )
        )
        for number in range(2):
            tx.add(
                DeadLetter(
                    system_id=fresh.id_of("crm"),
                    direction="in",
                    object="customers",
                    remote_id=f"x{number}",
                    kind="bug",
                    message="boom",
                    created_at=fresh.hub.now(),
                )
            )
    steward = script("steward")
    assert steward.post("/guards/1/decide", {"allow": False})["state"] == "refused"
    assert steward.get("/dead-letters")["total"] == 2
    assert steward.post("/dead-letters/retry", {"ids": [1]}) == {"count": 1}
    steward.post("/dead-letters/discard", {}, status=409)
    assert steward.post("/dead-letters/discard", {"all": True}) == {"count": 1}
    with fresh.hub.database.read() as session:
        assert set(session.scalars(select(DeadLetter.state))) == {"retried", "discarded"}


def test_the_description_names_every_call_and_its_key(fresh):
    spec = application(fresh).test_client().get("/openapi.json").json
    assert spec["openapi"].startswith("3.1")
    assert spec["components"]["securitySchemes"]["key"]["scheme"] == "bearer"
    calls = [call for path in spec["paths"].values() for call in path.values()]
    assert len(calls) > 25
    assert all(call["security"] == [{"key": []}] for call in calls)
    assert all({"400", "401", "403"} <= set(call["responses"]) for call in calls)


def test_a_page_that_makes_no_sense_is_refused(script):
    assert script("viewer").get("/customers?page=0", status=422)["error"] == "invalid"
    assert script("viewer").get("/customers?colour=red", status=422)["error"] == "invalid"


def test_a_script_makes_and_proves_a_backup(fresh, script):
    admin = script("admin")
    job = admin.post("/backups", status=202)
    assert (job["kind"], job["state"]) == ("backup", "waiting")
    fresh.do_jobs()
    made = admin.get(f"/jobs/{job['id']}")
    assert made["state"] == "done"
    name = made["result"]["name"]
    admin.post(f"/backups/{name}/prove", status=202)
    fresh.do_jobs()
    listed = script("viewer").get("/backups")["backups"]
    assert [each["name"] for each in listed] == [name]
    assert listed[0]["proof"]["result"]["differing"] == []
    admin.post("/backups/nothing.backup/prove", status=404)
    admin.get("/jobs/999", status=404)
    script("steward").post("/backups", status=403)


def test_a_script_brings_a_mapping_from_its_text_to_live(fresh, script):
    admin = script("admin")
    found = admin.get("/systems/crm/mappings")["mappings"]
    live = next(m for m in found if m["object"] == "customers" and m["state"] == "live")
    text = "".join(line for line in live["text"].splitlines(True) if "notes" not in line)
    draft = admin.post("/systems/crm/mappings", {"text": text}, status=201)
    assert (draft["state"], draft["version"]) == ("draft", 2)
    plan = admin.post(f"/mappings/{draft['id']}/preview", status=202)
    fresh.do_jobs()
    answer = {"plan": plan["id"], "approved": True}
    admin.post(f"/mappings/{draft['id']}/activate", answer, status=202)
    fresh.do_jobs()
    assert admin.get(f"/mappings/{draft['id']}")["state"] == "live"
    assert admin.get(f"/plans/{plan['id']}")["state"] == "applied"
    admin.post("/systems/crm/mappings", {"text": "fields: ["}, status=409)


def test_a_script_has_the_thresholds_worked_out(fresh, script):
    assert script("viewer").get("/thresholds")["made_at"] is None
    assert script("steward").post("/thresholds", status=202)["is_asked"]
    fresh.do_jobs()
    found = script("viewer").get("/thresholds")
    assert (found["is_asked"], found["records"]) == (False, 1)
    assert found["job"]["state"] == "done"
