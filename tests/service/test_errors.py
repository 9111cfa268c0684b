"""What a person reads of an error: what is wrong, and what to do about it."""

from connectors.sdk.errors import AnswerLostError, ThrottledError, TransientError
from sync.service.errors import explain


def test_a_system_that_does_not_answer_has_a_hint():
    for error in (TransientError("crm did not answer."), AnswerLostError("It got lost.")):
        told = explain(error)
        assert (told.message, told.code) == (str(error), "unreachable")
        assert told.hint.startswith("Check the address, the network")


def test_a_limit_of_calls_is_waited_for_and_no_matter_of_the_network():
    told = explain(ThrottledError("The call quota of 'token' is used up for 7 seconds."))
    assert told.code == "throttled"
    assert told.hint.startswith("Wait a little")
