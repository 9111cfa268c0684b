"""Somebody enters the credentials of another organisation: production's in a test hub, say."""

import pytest

from connectors.sdk.errors import SetupError
from sync.flow.records import hint_row
from sync.service import systems
from sync.store import inbox
from sync.store.tables import Link
from tests.connectors.fxiaoke.conftest import Standin
from tests.connectors.zoho_crm.conftest import StandIn
from tests.scenarios.outside import fx_values, zoho_values

ACME = {"name": "Acme Trading", "email": "office@acme.example"}


@pytest.fixture
def production(tmp_path):
    """Zoho's organisation of real customers."""
    stand_in = StandIn(tmp_path / "production")
    stand_in.admin("POST", "/org", {"org": 9_000_001, "name": "Acme", "type": "production"})
    stand_in.seed("Accounts", [{"Account_Name": f"Real {n}"} for n in range(3)])
    yield stand_in
    stand_in.stop()


@pytest.fixture
def agreed(outside):
    outside.erp.create("customers", **ACME)
    outside.sync()
    return outside


def smuggle(hub, name, values):
    """The settings are other ones behind the form's back: a copied database, a moved address."""
    kind = hub.system(name).kind
    plain, secret = systems.split_secrets(systems.registry.get(kind), values)
    sealed = hub.hub.systems.seal_credentials(hub.id_of(name), secret)
    hub.set_system(name, settings=plain, credentials=sealed, token=None)


def test_the_organisation_is_remembered_at_the_first_connect(agreed):
    assert agreed.system("zoho").tenant.startswith("org:")
    assert "sandbox" in agreed.system("zoho").tenant_label
    assert agreed.system("fx").tenant == f"ea:{agreed.fx.told['ea']}"


def test_the_form_refuses_credentials_of_another_organisation(agreed, production):
    with pytest.raises(SetupError, match=r"lead to “Acme .production.”") as refused:
        systems.change_system(agreed.hub, "zoho", values=zoho_values(production))
    assert "add the other one as a system" in refused.value.hint
    agreed.erp.edit("customers", agreed.erp.all("customers")[0]["id"], notes="goes on")
    agreed.sync()
    assert agreed.accounts()[0]["Description"] == "goes on"


@pytest.mark.parametrize("first", ["poll", "dispatch", "take_in"])
def test_nothing_is_read_or_written_there_whoever_comes_first(agreed, production, first):
    calls = production.calls()["writes"]
    smuggle(agreed, "zoho", zoho_values(production))
    agreed.erp.edit("customers", agreed.erp.all("customers")[0]["id"], notes="for the test one")
    agreed.poll("erp")
    agreed.take_in("erp")
    (account,) = agreed.accounts()
    row = hint_row(agreed.id_of("zoho"), "Accounts", account["id"], "hook:1", agreed.hub.now())
    with agreed.hub.database.write() as tx:
        inbox.deliver(tx, [row])
    getattr(agreed, first)("zoho")
    stopped = agreed.system("zoho")
    assert stopped.state == "broken"
    assert stopped.state_reason.startswith("The credentials of zoho lead to “Acme (production)”")
    agreed.work()
    assert production.calls()["writes"] == calls
    assert [golden.name for golden in agreed.goldens()] == [ACME["name"]]
    assert {link.state for link in agreed.rows(Link)} == {"live"}  # nobody seems to be deleted
    smuggle(agreed, "zoho", zoho_values(agreed.zoho))
    systems.test_system(agreed.hub, "zoho")
    agreed.sync()
    assert agreed.accounts()[0]["Description"] == "for the test one"


def test_the_same_in_fxiaoke(agreed, tmp_path):
    other = Standin.start(tmp_path / "other")
    try:
        smuggle(agreed, "fx", fx_values(other))
        agreed.poll("fx")
        assert agreed.system("fx").state == "broken"
        assert other.told["ea"] in agreed.system("fx").state_reason
    finally:
        other.stop()


def test_a_system_without_records_may_change_its_mind(outside, production):
    systems.change_system(outside.hub, "zoho", values=zoho_values(production))
    assert outside.system("zoho").tenant_label == "Acme (production)"
