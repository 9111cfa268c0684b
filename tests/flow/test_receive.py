"""Webhooks: proven, stored, answered; then the record is read again."""

from dataclasses import replace

import pytest
from sqlalchemy import select

from connectors.sdk.errors import DeliveryRejected
from sync.flow import receive, sweep
from sync.store.tables import Inbox, System


def hook(fixture, name):
    with fixture.hub.database.read() as session:
        return session.scalars(select(System.hook_key).where(System.name == name)).one()


@pytest.fixture
def subscribed(fixture):
    fixture.world("erp").create("customers", name="Acme")
    fixture.sync()
    for name in fixture.names:
        sweep.renew_subscription(fixture.hub, fixture.id_of(name))
        fixture.world(name).take_deliveries()
    return fixture


def edited(fixture, **values):
    record = fixture.world("crm").all("customers")[0]
    fixture.world("crm").edit("customers", record["id"], **values)
    return [delivery for _, delivery in fixture.world("crm").take_deliveries()]


def test_a_delivery_brings_an_edit_without_a_poll(subscribed):
    for delivery in edited(subscribed, notes="VIP"):
        receive.receive(subscribed.hub, "crm", hook(subscribed, "crm"), delivery)
    subscribed.work()
    assert subscribed.world("erp").all("customers")[0]["notes"] == "VIP"


def test_a_repeated_delivery_is_stored_once(subscribed):
    (delivery,) = edited(subscribed, notes="VIP")
    for _ in range(3):
        receive.receive(subscribed.hub, "crm", hook(subscribed, "crm"), delivery)
    with subscribed.hub.database.read() as session:
        assert len(session.scalars(select(Inbox.id).where(Inbox.state == "waiting")).all()) == 1


@pytest.mark.parametrize("damage", ["body", "key", "system"])
def test_what_is_not_proven_is_not_stored(subscribed, damage):
    (delivery,) = edited(subscribed, notes="VIP")
    name, key = "crm", hook(subscribed, "crm")
    if damage == "body":
        delivery = replace(delivery, body=delivery.body + b" ")
    elif damage == "key":
        key = "guessed"
    else:
        name = "nobody"
    with pytest.raises(DeliveryRejected):
        receive.receive(subscribed.hub, name, key, delivery)
    with subscribed.hub.database.read() as session:
        assert session.scalars(select(Inbox.id).where(Inbox.state == "waiting")).all() == []


def test_a_subscription_is_renewed_before_it_ends(subscribed):
    with subscribed.hub.database.read() as session:
        row = session.scalars(select(System).where(System.name == "crm")).one()
    assert row.hook_state["expires_at"] > row.hook_due.isoformat()
