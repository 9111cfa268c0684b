"""A connector with faults is the same connector until one is met."""

from uuid import uuid4

import pytest

from connectors.memory import Memory, world
from connectors.sdk.contract import MergesRecords, Write
from connectors.sdk.errors import AnswerLostError, TransientError
from connectors.testing.faults import Fault, Faults, inject
from connectors.testing.plain import plain_http


@pytest.fixture
def name():
    return uuid4().hex


@pytest.fixture
def faults():
    return Faults()


@pytest.fixture
def connector(name, faults):
    config = Memory.config_model(world=name, password="memory", page_size=2)
    return inject(Memory(config, plain_http()), faults)


def creates(count):
    return [Write(f"k{n}", "create", data={"name": f"N{n}"}) for n in range(count)]


def test_without_a_fault_all_goes_through(connector, faults):
    assert isinstance(connector, Memory)
    assert isinstance(connector, MergesRecords)
    assert len(list(connector.write("customers", creates(3)))) == 3
    assert faults.calls == ["write"]


def test_a_fault_is_met_once(connector, faults):
    faults.plan(Fault("check", TransientError("Down.")))
    with pytest.raises(TransientError):
        connector.check()
    connector.check()


def test_a_write_cut_off_has_done_only_what_it_told(connector, faults, name):
    faults.plan(Fault("write", AnswerLostError("Cut."), after=2))
    with pytest.raises(AnswerLostError):
        list(connector.write("customers", creates(4)))
    assert len(world(name).all("customers")) == 2


def test_a_lost_answer_hides_work_that_was_done(connector, faults, name):
    faults.plan(Fault("write", AnswerLostError("Lost."), after=1, done=True))
    outcomes = connector.write("customers", creates(3))
    assert next(outcomes).key == "k0"
    with pytest.raises(AnswerLostError):
        next(outcomes)
    assert len(world(name).all("customers")) == 3


def test_a_listing_breaks_after_its_pages(connector, faults):
    list(connector.write("customers", creates(5)))
    faults.plan(Fault("changes", TransientError("Broken."), after=1))
    pages = connector.changes("customers", None)
    assert len(next(pages).changes) == 2
    with pytest.raises(TransientError):
        next(pages)


def test_fetch_find_and_merge_fail_too(connector, faults):
    list(connector.write("customers", creates(1)))
    faults.plan(*(Fault(method, TransientError("No.")) for method in ("fetch", "find", "merge")))
    for call in (
        lambda: list(connector.fetch("customers", ["1"])),
        lambda: connector.find("customers", ["k0"]),
        lambda: connector.merge("customers", "1", ["2"]),
    ):
        with pytest.raises(TransientError):
            call()
    assert list(connector.find("customers", ["k0"])) == ["k0"]
