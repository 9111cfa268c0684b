"""What the screens show, and what they refuse to show."""

import re

import pytest
from sqlalchemy import select

from sync.service import access, letters, plans, review, systems
from sync.store import schema
from sync.store.session import Database
from sync.store.tables import DeadLetter, Golden, Guard, System
from tests.webui import demo
from tests.webui.browsers import Browser, application

PAGES = [
    "/",
    "/live",
    "/activity",
    "/customers",
    "/contacts",
    "/orders",
    "/invoices",
    "/payments",
    "/systems",
    "/systems/new",
    "/systems/new/memory",
    "/systems/new/zoho_crm",
    "/systems/new/fxiaoke",
    "/systems/new/tryton",
    "/systems/crm",
    "/systems/crm/settings",
    "/systems/shop",
    "/plans",
    "/plans/1",
    "/runs",
    "/runs/1",
    "/runs/1/rollback",
    "/backups",
    "/thresholds",
    "/quality",
    "/quality?entity=contact",
    "/mappings",
    "/mappings/1",
    "/mappings/new?of=1",
    "/conflicts",
    "/conflicts?state=auto",
    "/candidates",
    "/guards",
    "/dead-letters",
    "/dead-letters/list",
    "/dead-letters/list?state=discarded",
    "/account",
    "/users",
    "/audit",
    "/docs",
]


@pytest.mark.parametrize("language", ["en", "zh"])
@pytest.mark.parametrize("path", PAGES)
def test_every_page_is_shown_in_both_languages(look, path, language):
    text = look("admin", language).text(path)
    if text.startswith("<!doctype"):
        assert f'<html lang="{"zh-CN" if language == "zh" else "en"}">' in text


@pytest.mark.parametrize("path", ["/", "/customers", "/systems", "/plans", "/runs", "/conflicts"])
def test_an_empty_hub_says_what_to_do_next(bare, path):
    text = Browser(application(bare), "admin").text(path)
    assert 'class="empty"' in text or "first-steps" in text


def test_the_first_page_of_an_empty_hub_leads_to_the_first_system(bare):
    assert "/systems/new" in Browser(application(bare), "admin").text("/")
    assert "Ask an admin" in Browser(application(bare), "viewer").text("/")


def test_no_inline_script_or_style_slips_through_the_policy(look):
    admin = look("admin")
    for path in PAGES:
        text = admin.text(path)
        assert not re.search(r"<script(?![^>]*\bsrc=)", text), path
        assert not re.search(r"\son[a-z]+=|\sstyle=|javascript:", text), path
        assert not re.search(r'(?:src|href)="https?://', text), path


def test_answers_carry_the_security_headers(look):
    answer = look("viewer").get("/")
    policy = answer.headers["Content-Security-Policy"]
    assert "default-src 'self'" in policy
    assert "unsafe" not in policy
    assert "frame-ancestors 'none'" in policy
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    assert answer.headers["Cache-Control"] == "no-store"
    assert "HttpOnly" in look("viewer").client.get("/login").headers.get("Set-Cookie", "HttpOnly")
    nonces = {look("viewer").get("/").headers["Content-Security-Policy"] for _ in range(2)}
    assert len(nonces) == 2


def test_what_a_customer_is_called_is_never_markup(fresh, browse):
    evil = "<script>alert(1)</script>"
    fresh.world("erp").create("customers", name=evil, notes="<img src=x onerror=alert(1)>")
    fresh.sync()
    golden = next(g for g in fresh.goldens() if g.name == evil)
    person = browse("steward")
    for path in (
        "/customers",
        f"/records/{golden.id}",
        f"/records/{golden.id}/fields/notes/edit",
        "/customers?q=%3Cscript%3Ealert(1)",
        "/runs/1",
    ):
        text = person.text(path)
        assert evil not in text, path
        assert "<img src=x" not in text, path
    assert "&lt;script&gt;alert(1)" in person.text("/customers")


def test_the_moving_part_is_sent_only_when_something_moved(fresh, browse):
    person = browse("viewer")
    seen = re.search(r"/live\?seen=(\w+)", person.text("/")).group(1)
    assert person.get(f"/live?seen={seen}").status_code == 204
    fresh.world("crm").create("customers", name="Neu")
    fresh.sync()
    answer = person.get(f"/live?seen={seen}")
    assert answer.status_code == 200
    assert f"seen={seen}" not in answer.text


def test_a_fragment_of_nobody_leads_to_the_sign_in_page(browse):
    answer = browse("").get("/live?seen=x", **{"HX-Request": "true"})
    assert answer.headers["HX-Redirect"] == "/login"


def test_the_language_is_remembered_for_the_user(fresh):
    app = application(fresh)
    first = Browser(app, "viewer", "zh")
    assert "总览" in first.text("/")
    again = app.test_client()
    token = re.search(r'name="csrf_token" value="([^"]+)"', again.get("/login").text).group(1)
    form = {"csrf_token": token, "login": "viewer", "password": "correct horse battery"}
    again.post("/login", data=form)
    assert "总览" in again.get("/").text


def test_the_setting_names_the_first_language(tmp_path):
    made = demo.empty_hub(tmp_path)
    settings = made.hub.settings.model_copy(update={"lang": "zh"})
    object.__setattr__(made.hub, "settings", settings)
    assert "登录" in application(made).test_client().get("/login").text
    made.close()


def test_customers_are_found_by_name_phone_mail_and_stage(busy, look):
    person = look()
    golden = busy.goldens()[0]
    phone = golden.values["phones[work]"]
    for wanted in (
        golden.name[2:6],
        phone,
        phone.removeprefix("+86"),
        golden.values["emails[work]"],
        golden.values["number"],
        golden.values["identifiers[cn:uscc]"].lower(),
    ):
        assert golden.id in person.text(f"/customers?q={wanted.replace('+', '%2B')}"), wanted
    assert golden.id in person.text(f"/customers?stage={golden.values['stage']}")
    assert golden.id in person.text("/customers?system=erp")
    assert golden.id not in person.text("/customers?system=shop")
    assert "Nothing found" in person.text("/customers?q=nobody%25")


def test_a_search_answers_rows_alone_to_htmx(look):
    text = look().client.get("/customers?q=a", headers={"HX-Target": "rows"}).text
    assert text.lstrip().startswith('<div id="rows">')


def test_a_customer_shows_what_every_system_holds(busy, look):
    golden = next(g for g in busy.goldens() if "客户要求改期" in (g.values.get("notes") or ""))
    text = look().text(f"/records/{golden.id}")
    assert "is-short" in text  # the CRM cuts notes, and that is accepted
    assert "the later change wins" in text
    assert golden.values["number"] in text
    for name in ("erp", "crm", "sales"):
        assert f'data-label="{name}"' in text


def test_a_steward_edits_a_field_and_it_reaches_the_systems(fresh, browse):
    golden = fresh.goldens()[0]
    person = browse("steward")
    form = person.text(f"/records/{golden.id}/fields/phones[work]/edit")
    assert "+862155550101" in form
    answer = person.post(
        f"/records/{golden.id}/fields/phones[work]",
        headers={"HX-Request": "true"},
        value="13800138000",
    )
    assert answer.status_code == 200
    assert "+8613800138000" in answer.text
    fresh.sync()
    assert "138" in fresh.world("crm").all("customers")[0]["phone"]
    assert "steward" in person.text(f"/records/{golden.id}/history")


def test_a_value_that_cannot_be_is_refused_in_place(fresh, browse):
    golden = fresh.goldens()[0]
    answer = browse("steward").post(
        f"/records/{golden.id}/fields/credit_limit",
        headers={"HX-Request": "true"},
        value="a lot",
    )
    assert answer.status_code == 422
    assert "a lot" in answer.text
    assert "1250.50" in answer.text
    assert fresh.goldens()[0].version == golden.version


def test_a_name_cannot_be_emptied(fresh, browse):
    golden = fresh.goldens()[0]
    answer = browse("steward").post(f"/records/{golden.id}/fields", name="name", value=" ")
    assert answer.status_code == 303
    assert fresh.goldens()[0].name == golden.name


def test_an_empty_field_can_be_filled(fresh, browse):
    golden = fresh.goldens()[0]
    browse("steward").post(f"/records/{golden.id}/fields", name="tags", value="重点，出口")
    assert fresh.goldens()[0].values["tags"] == ["出口", "重点"]


def test_a_viewer_sees_no_way_to_edit(busy, look):
    text = look("viewer").text(f"/records/{busy.goldens()[0].id}")
    assert "btn-edit" not in text
    assert "add-field" not in text


def test_a_conflict_is_decided_and_an_automatic_one_reversed(fresh, browse):
    for system, value in (("crm", "first"), ("sales", "second")):
        fresh.clock.pass_(5)
        record = fresh.world(system).all("customers")[0]
        fresh.world(system).edit("customers", record["id"], notes=value)
    fresh.sync()
    conflict = review.list_conflicts(fresh.hub, state="auto").rows[0]
    person = browse("steward")
    assert "Reverse" in person.text("/conflicts?state=auto")
    person.post(f"/conflicts/{conflict.id}/decide", choice="ours", back="/conflicts?state=auto")
    fresh.sync()
    assert {fresh.world(n).all("customers")[0]["notes"] for n in fresh.names} == {"first"}
    form = {"choice": "other", "value-notes": "third"}
    person.post(f"/conflicts/{conflict.id}/decide", **form)
    fresh.sync()
    assert {fresh.world(n).all("customers")[0]["notes"] for n in fresh.names} == {"third"}


def test_dead_letters_mask_secrets_and_are_closed_as_a_group(fresh, browse):
    golden = fresh.goldens()[0]
    with fresh.hub.database.write() as tx:
        for number in range(3):
            tx.add(
                DeadLetter(
                    system_id=fresh.id_of("crm"),
                    direction="out",
                    object="customers",
                    golden_id=golden.id if number == 0 else None,
                    remote_id=str(number),
                    kind="refused",
                    message="The name is too long.",
                    field="name",
                    payload={"name": "Acme", "nested": {"access_token": "hidden-thing"}},
                    created_at=fresh.hub.now(),
                )
            )
    person = browse("steward")
    assert "The name is too long." in person.text("/dead-letters")
    shown = person.text("/dead-letters/1")
    assert "hidden-thing" not in shown
    assert letters.MASK in shown
    reason = {"system": "crm", "direction": "out", "object": "customers", "kind": "refused"}
    person.post("/dead-letters/discard", id="3")
    person.post("/dead-letters/retry", field="name", code="", **reason)
    with fresh.hub.database.read() as session:
        states = session.scalars(select(DeadLetter.state).order_by(DeadLetter.id)).all()
    assert states == ["retried", "retried", "discarded"]


def test_a_guard_is_refused_and_the_system_goes_on(busy, look, fresh, browse):
    assert "41 of 60 linked records were deleted in sales" in look("steward").text("/guards")
    with fresh.hub.database.write() as tx:
        tx.add(
            Guard(
                system_id=fresh.id_of("crm"),
                kind="deletes",
                direction="in",
                reason="many",
                facts={"deletes": 20, "linked": 30},
                created_at=fresh.hub.now(),
            )
        )
    browse("steward").post("/guards/1/decide", choice="refuse")
    assert review.get_guard(fresh.hub, 1).state == "refused"
    assert review.get_guard(fresh.hub, 1).decided_by == "steward"


def test_a_system_is_added_only_when_it_answers_and_keeps_its_secret(fresh, browse):
    person = browse("admin")
    form = {"name": "shop", "label": "Shop", "setting-world": f"{fresh.prefix}-shop"}
    answer = person.post("/systems/new/memory", **form, **{"setting-password": "not-this"})
    assert answer.status_code == 422
    assert "does not accept the password" in answer.text
    assert "not-this" not in answer.text
    answer = person.post("/systems/new/memory", **form, **{"setting-password": "memory"})
    assert answer.location == "/systems/shop"
    page = person.text("/systems/shop/settings")
    assert f"{fresh.prefix}-shop" in page
    assert 'value="memory"' not in page
    answer = person.post(
        "/systems/shop/settings",
        **{"setting-world": f"{fresh.prefix}-shop", "setting-page_size": "7"},
        delete_policy="review",
        poll_seconds="12",
    )
    assert answer.status_code == 303
    with fresh.hub.database.read() as session:
        row = session.scalars(select(System).where(System.name == "shop")).one()
    assert (row.settings["page_size"], row.delete_policy, row.poll_seconds) == ("7", "review", 12.0)
    assert fresh.hub.systems.credentials(row.id, row.credentials)["password"] == "memory"


def test_a_wrong_setting_names_its_field(browse):
    form = {"name": "shop", "setting-password": "memory", "setting-page_size": "0"}
    answer = browse("admin").post("/systems/new/memory", **form)
    assert answer.status_code == 422
    assert re.search(r'class="form-control is-invalid"[^>]*name="setting-page_size"', answer.text)


def test_a_wrong_setting_is_named_as_the_form_names_it(browse):
    form = {"name": "erp9", "label": "ERP", "setting-url": "erp.example", "setting-login": "hub"}
    page = browse("admin", "zh").post("/systems/new/tryton", **form).text
    assert "设置“地址”不可用。地址必须以 http:// 或 https:// 开头。" in page
    page = browse("admin", "en").post("/systems/new/tryton", **form).text
    assert "The setting “Address” is not usable. The address must begin with http://" in page


def test_several_choices_are_several_boxes(look):
    text = look("admin").text("/systems/new/zoho_crm")
    assert text.count('type="checkbox" name="setting-triggers"') == 5
    assert 'name="setting-triggers" value="workflow" checked' not in text


def test_a_system_is_planned_shown_and_taken_live(fresh, browse):
    shop = fresh.world("shop")
    shop.clock = fresh.clock
    shop.create("customers", name="Neukunde GmbH", email="hi@neu.example")
    person = browse("admin")
    person.post(
        "/systems/new/memory",
        name="shop",
        **{"setting-world": f"{fresh.prefix}-shop", "setting-password": "memory"},
    )
    answer = person.post("/systems/shop/plan")
    assert answer.location == "/plans/1"
    assert "Reading all records" in person.text("/plans/1")
    assert person.get("/plans/1/progress").status_code == 200
    plans.make_plan(fresh.hub, 1)
    assert person.get("/plans/1/progress").headers["HX-Refresh"] == "true"
    page = person.text("/plans/1")
    assert "Neukunde GmbH" in page
    assert "Go live" in page
    person.post("/plans/1/apply")
    plans.apply_plan(fresh.hub, 1, inline=True)
    fresh.names = (*fresh.names, "shop")
    fresh.sync()
    assert systems.get_system(fresh.hub, "shop").state == "live"
    assert "Neukunde GmbH" in [c["name"] for c in fresh.world("erp").all("customers")]


def test_a_broken_system_says_what_is_wrong_and_goes_on_when_mended(fresh, browse):
    fresh.world("crm").change_password("new-password")
    fresh.world("crm").create("customers", name="Wartet")
    fresh.poll("crm")
    person = browse("admin")
    page = person.text("/systems/crm")
    assert "does not accept the password" in page
    assert "How to mend it" in page
    person.post(
        "/systems/crm/settings",
        **{"setting-world": f"{fresh.prefix}-crm", "setting-password": "new-password"},
    )
    fresh.sync()
    assert "Wartet" in [c["name"] for c in fresh.world("erp").all("customers")]


def test_pausing_and_resuming(browse, fresh):
    person = browse("admin")
    person.post("/systems/crm/pause")
    assert systems.get_system(fresh.hub, "crm").state == "paused"
    answer = person.post("/systems/crm/pause")
    assert answer.status_code == 303
    assert "only a live system can be paused" in person.text("/systems/crm")
    person.post("/systems/crm/resume")
    assert systems.get_system(fresh.hub, "crm").state == "live"


def test_a_new_key_is_shown_once(browse):
    person = browse("steward")
    answer = person.post("/account/keys", name="nightly report")
    key = re.search(r'value="(kh_[^"]+)"', answer.text).group(1)
    page = person.text("/account")
    assert key not in page
    assert "nightly report" in page


def test_users_are_made_and_the_last_admin_stays(browse, fresh):
    person = browse("admin")
    form = {"login": "Mei", "password": "long enough it is", "role": "steward"}
    person.post("/users", **form)
    assert "mei" in person.text("/users")
    person.post("/users/admin", role="viewer")
    assert "at least one active admin" in person.text("/users")
    person.post("/users", login="short", password="short", role="viewer")
    assert "at least 10 characters" in person.text("/users")


def test_the_password_is_changed_by_who_knows_it(browse, fresh):
    person = browse("viewer")
    new = {"new": "another good one", "again": "another good one"}
    person.post("/account/password", old="wrong", **new)
    assert access.check_password(fresh.hub, "viewer", "another good one") is None
    person.post("/account/password", old="correct horse battery", **new)
    assert access.check_password(fresh.hub, "viewer", "another good one")


def test_what_is_not_there_is_a_page_too(look):
    person = look("viewer")
    for path in ("/nothing", "/records/none", "/systems/none", "/plans/99", "/runs/9999"):
        answer = person.get(path)
        assert answer.status_code == 404, path
        assert "<h1" in answer.text
    assert person.get("/systems/new").status_code == 403


def test_a_merged_record_leads_to_its_survivor(fresh, browse):
    fresh.world("erp").create("customers", name="Zweiter")
    fresh.sync()
    first, second = fresh.goldens()
    with fresh.hub.database.write() as tx:
        row = tx.get_one(Golden, second.id)
        row.state, row.merged_into = "merged", first.id
    answer = browse("viewer").get(f"/records/{second.id}")
    assert answer.location == f"/records/{first.id}"


def test_health_names_the_parts(bare, tmp_path):
    client = application(bare).test_client()
    answer = client.get("/healthz")
    assert (answer.status_code, answer.json["schema_current"]) == (503, False)
    database = Database(f"sqlite:///{tmp_path / 'migrated.db'}")
    schema.upgrade(database)
    object.__setattr__(bare.hub, "database", database)
    answer = client.get("/healthz")
    assert answer.status_code == 200
    assert answer.json == {"ok": True, "database": True, "schema_current": True, "broker": None}
    database.engine.dispose()


def test_static_files_may_be_kept_and_the_icon_is_there(look):
    answer = look().get("/static/favicon.svg")
    assert answer.status_code == 200
    assert "max-age=31536000" in answer.headers["Cache-Control"]
    answer.close()
    assert look().get("/favicon.ico").status_code == 301
