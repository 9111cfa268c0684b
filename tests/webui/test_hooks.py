"""Webhooks in: proven and stored, or refused and forgotten."""

import pytest
from sqlalchemy import select

from connectors.memory.world import SECRET, signed
from sync.service import systems
from sync.store.tables import Inbox, System
from tests.webui.browsers import application


@pytest.fixture
def client(fresh):
    return application(fresh).test_client()


def _address(fresh) -> str:
    return systems.get_system(fresh.hub, "crm").hook_url.partition("8000")[2]


def _send(client, address, delivery, **more):
    return client.post(address, data=delivery.body, headers={**delivery.headers, **more})


def _delivery(fresh, *, secret=SECRET, label="d1"):
    record = fresh.world("crm").all("customers")[0]
    events = [{"object": "customers", "id": record["id"], "event": "update"}]
    return signed(secret, {"delivery": label, "events": events}, fresh.clock())


def _inbox(fresh) -> list[Inbox]:
    with fresh.hub.database.read() as session:
        found = session.scalars(select(Inbox).where(Inbox.delivery_id.like("hook:%")))
        return list(found)


def test_a_proven_delivery_is_stored_and_answered(fresh, client):
    answer = _send(client, _address(fresh), _delivery(fresh))
    assert (answer.status_code, answer.data) == (200, b"{}")
    assert [row.object for row in _inbox(fresh)] == ["customers"]
    with fresh.hub.database.read() as session:
        assert session.scalars(select(System.delivered_at).where(System.name == "crm")).one()


def test_a_repeated_delivery_is_one_row(fresh, client):
    delivery = _delivery(fresh)
    for _ in range(3):
        assert _send(client, _address(fresh), delivery).status_code == 200
    assert len(_inbox(fresh)) == 1


def test_an_edit_arrives_through_its_delivery(fresh, client):
    record = fresh.world("crm").all("customers")[0]
    fresh.world("crm").edit("customers", record["id"], phone="13912345678")
    _send(client, _address(fresh), _delivery(fresh))
    fresh.work()
    assert "139" in fresh.world("erp").all("customers")[0]["phone"]


@pytest.mark.parametrize("wrong", ["secret", "key", "system", "body", "unsigned"])
def test_a_delivery_that_is_not_proven_leaves_nothing(fresh, client, wrong):
    address, delivery = _address(fresh), _delivery(fresh)
    if wrong == "secret":
        delivery = _delivery(fresh, secret="forged")
    elif wrong == "key":
        address = "/hooks/crm/guessed"
    elif wrong == "system":
        address = address.replace("/crm/", "/nobody/")
    headers = {} if wrong == "unsigned" else delivery.headers
    body = delivery.body + b" " if wrong == "body" else delivery.body
    answer = client.post(address, data=body, headers=headers)
    assert (answer.status_code, answer.json) == (403, {"error": "refused"})
    assert _inbox(fresh) == []


def test_a_get_is_a_delivery_too(fresh, client):
    answer = client.get(_address(fresh))
    assert answer.status_code == 403  # this connector wants a signature; it is asked all the same


def test_too_large_a_body_is_not_read(fresh, client):
    answer = client.post(_address(fresh), data=b"x" * (1024 * 1024 + 1))
    assert answer.status_code == 413
    assert _inbox(fresh) == []
