"""The same steps as a hypothesis state machine: it chooses, it repeats and it shrinks."""

import os

import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, rule, run_state_machine_as_test

from tests.histories import check, search, steps
from tests.histories.company import Company, make_profile
from tests.histories.defects import DEFECTS

COUNT = int(os.environ.get("MACHINES", "20"))
NUMBERS = st.integers(0, 999)


class History(RuleBasedStateMachine):
    """A company at work; when hypothesis leaves it alone, everything has to come right."""

    company: Company | None = None

    @initialize(profile=st.integers(0, 10**6), first=st.integers(0, 2))
    def open(self, profile, first):
        self.company = Company(make_profile(profile))
        steps.carry_out(self.company, [("create", 0, first, 0)])

    def teardown(self):
        if self.company is None:
            return
        try:
            found = check.problems(self.company)
        finally:
            self.company.close()
        assert not found, "\n".join(found)


def _rule(kind):
    def step(self, a, b, c):
        steps.carry_out(self.company, [(kind, a, b, c)])

    step.__name__ = kind
    return rule(a=NUMBERS, b=NUMBERS, c=NUMBERS)(step)


for _kind in steps.KINDS:
    setattr(History, _kind, _rule(_kind))


@pytest.fixture(scope="module", autouse=True)
def _template():
    yield
    search.forget_template()


def chosen(**more):
    return settings(
        stateful_step_count=30,
        deadline=None,
        derandomize="MACHINES" not in os.environ,
        database=None,
        suppress_health_check=list(HealthCheck),
        **more,
    )


@pytest.mark.timeout(600)
def test_whatever_hypothesis_does_ends_in_agreement_and_silence():
    run_state_machine_as_test(History, settings=chosen(max_examples=COUNT))


@pytest.mark.timeout(600)
def test_a_broken_engine_is_found_by_it(monkeypatch):
    (defect,) = (each for each in DEFECTS if each.name == "write_until_it_reads_the_same")
    defect.switch_on(monkeypatch)
    with pytest.raises(AssertionError, match="writes although nobody edited"):
        run_state_machine_as_test(
            History, settings=chosen(max_examples=100, phases=[Phase.generate])
        )
