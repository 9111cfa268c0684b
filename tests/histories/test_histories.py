"""Random histories end well; and the checker sees when the engine is broken."""

import os

import pytest

from tests.histories import company, search
from tests.histories.defects import DEFECTS

COUNT = int(os.environ.get("HISTORIES", "200"))
PARTS = 10
SOON = 1000  # histories within which a deliberate defect has to be found, if by a seed


@pytest.fixture(scope="module", autouse=True)
def _template():
    yield
    search.forget_template()


@pytest.mark.timeout(600)
@pytest.mark.parametrize("part", range(PARTS))
def test_every_history_ends_in_agreement_and_silence(part):
    size = COUNT // PARTS
    bad = list(search.failing(range(part * size, (part + 1) * size)))
    assert not bad, "\n".join(f"seed {seed}: {found[0]}" for seed, found in bad)


@pytest.mark.timeout(600)
def test_histories_with_systems_that_are_read_back_later_end_well(monkeypatch):
    plain = company._oddities
    monkeypatch.setattr(company, "_oddities", lambda dice: {**plain(dice), "terse": True})
    bad = list(search.failing(range(COUNT // PARTS)))
    assert not bad, "\n".join(f"seed {seed}: {found[0]}" for seed, found in bad)


@pytest.mark.timeout(600)
@pytest.mark.parametrize("defect", DEFECTS, ids=lambda defect: defect.name)
def test_a_broken_engine_is_found(defect, monkeypatch):
    profile, history = defect.history()
    assert search.run(profile, history) == []
    defect.switch_on(monkeypatch)
    assert isinstance(defect.found_by, tuple) or defect.found_by < SOON
    assert search.run(profile, history), f"{defect.name} is not found by {defect.found_by}"
