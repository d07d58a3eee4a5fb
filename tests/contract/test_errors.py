import rrsis_core.contract as contract
from rrsis_core.contract import InputError, OperationCanceled, RrsisError, SinkError, WeightsError


def test_every_error_has_an_exit_code_and_a_builtin_parent():
    leaves = [x for x in vars(contract).values() if isinstance(x, type) and issubclass(x, RrsisError)]
    assert len(leaves) >= 9
    for leaf in leaves:
        assert leaf.exit_code in (1, 3, 4, 5, 6)
        if leaf is not RrsisError:
            assert issubclass(leaf, (ValueError, OSError, RuntimeError))


def test_an_error_is_a_sentence_a_code_and_a_way_out():
    error = InputError("The phrase is empty.", code="expression.empty", hint="Say something.")
    assert str(error) == "The phrase is empty."
    assert error.as_dict() == {
        "code": "expression.empty",
        "message": "The phrase is empty.",
        "hint": "Say something.",
        "details": "",
    }


def test_an_oserror_leaf_keeps_its_sentence():
    assert str(SinkError("No room.", code="output.write")) == "No room."
    assert str(WeightsError("Gone.", code="weights.not_found")) == "Gone."


def test_a_stop_is_not_an_error():
    assert not issubclass(OperationCanceled, RrsisError)
    assert OperationCanceled.exit_code == 130
