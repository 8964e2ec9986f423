"""The parts of the runner that need no sandbox."""

import pytest

from app.reasons import REASONS, Fault
from worker.sandbox.runner import EXIT_REASONS, KNOWN_ARGUMENTS, Ended, match_arguments

AVAILABLE = {value: f"<{value}>" for value in set(KNOWN_ARGUMENTS.values())}


def what_reaches(entry):
    positional, named = match_arguments(entry, AVAILABLE)
    return entry(*positional, **named)


def test_every_exit_code_stands_for_a_reason_that_is_the_participants():
    assert all(REASONS[reason].fault is Fault.PARTICIPANT for reason in EXIT_REASONS.values())
    assert not {0, 1, 2, 126, 127} & set(EXIT_REASONS)
    assert max(EXIT_REASONS) < 128


@pytest.mark.parametrize(
    "entry",
    [
        lambda net, retain_loader, forget_loader, val_loader: (net, retain_loader, forget_loader, val_loader),
        lambda val_loader, forget, retain, model: (model, retain, forget, val_loader),
        lambda a, b, c, d: (a, b, c, d),
        lambda a, b, c, d, epochs=1, *, rate=0.1: (a, b, c, d),
        lambda *four: four,
        lambda first, *others: (first, *others),
        lambda net, /, retain, *more, forget, validation, **rest: (net, retain, forget, validation),
        lambda model, /, steps=3, *, retain, forget, validation_loader: (
            model,
            retain,
            forget,
            validation_loader,
        ),
    ],
)
def test_arguments_are_met_by_name_in_any_order_else_by_position(entry):
    assert what_reaches(entry) == ("<net>", "<retain>", "<forget>", "<validation>")


def test_optional_arguments_come_only_when_declared_and_defaults_stay():
    assert what_reaches(lambda net, class_weights, device, epochs=5: (class_weights, device, epochs)) == (
        "<class_weights>",
        "<device>",
        5,
    )


@pytest.mark.parametrize(
    "entry",
    [
        lambda net, learning_rate: None,
        lambda a, b, c: None,
        lambda a, b, c, d, e: None,
        lambda a, b, c, d, *, rate: None,
        lambda: None,
        lambda **anything: None,
    ],
)
def test_an_argument_that_cannot_be_met_ends_the_run(entry):
    with pytest.raises(Ended) as ended:
        what_reaches(entry)
    assert EXIT_REASONS[ended.value.code] == "unknown_argument_at_run"
