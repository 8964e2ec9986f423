"""Every reason a submission can end without a score: a stable code, its cause, and what to change.

The same text is shown on the page, by the API and by the command line.
"""

from dataclasses import dataclass
from enum import StrEnum

from app.status import Verdict


class Fault(StrEnum):
    """Whose doing it was; only a participant's fault costs quota."""

    PARTICIPANT = "participant"
    LETHE = "lethe"
    NOBODY = "nobody"

    @property
    def whose(self) -> str:
        """Return it as said to the participant: 'yours', 'ours', 'nobody's'."""
        return {"participant": "yours", "lethe": "ours", "nobody": "nobody's"}[self]


@dataclass(frozen=True)
class Reason:
    """One way to end without a score."""

    code: str
    verdict: Verdict
    fault: Fault
    cause: str
    advice: str


def _bundle(code: str, cause: str, advice: str) -> Reason:
    return Reason(code, Verdict.REJECTED, Fault.PARTICIPANT, cause, advice)


def _run(code: str, verdict: Verdict, cause: str, advice: str) -> Reason:
    return Reason(code, verdict, Fault.PARTICIPANT, cause, advice)


def _ours(code: str, cause: str, advice: str) -> Reason:
    return Reason(code, Verdict.STALLED, Fault.LETHE, cause, advice)


_ALL = (
    # refused at the door
    _bundle(
        "not_a_zip",
        "The upload is not a zip archive.",
        "Zip your files so that submission.py is at the root.",
    ),
    _bundle(
        "bundle_too_large",
        "The upload is larger than the competition allows.",
        "Leave out data, checkpoints and caches.",
    ),
    _bundle(
        "bundle_expands_too_far",
        "The archive unpacks to more than the competition allows.",
        "Leave out data, checkpoints and caches.",
    ),
    _bundle(
        "too_many_files",
        "The archive holds more files than the competition allows.",
        "Ship only the modules your method imports.",
    ),
    _bundle(
        "unsafe_name",
        "The archive holds a name that leaves its folder or cannot be unpacked everywhere.",
        "Use relative paths of plain letters, without '..', drive letters, backslashes or control characters.",
    ),
    _bundle(
        "duplicate_name",
        "Two entries of the archive have the same name, or differ only in upper and lower case.",
        "Give each file a name of its own.",
    ),
    _bundle(
        "unsafe_entry",
        "The archive holds something that is not a plain file or folder.",
        "Replace links and devices by the files themselves.",
    ),
    _bundle("encrypted", "The archive is encrypted.", "Zip the files without a password."),
    _bundle(
        "damaged_archive",
        "The archive is damaged: an entry cannot be read back.",
        "Make the zip again and upload it once more.",
    ),
    _bundle(
        "missing_submission_py",
        "There is no submission.py at the root of the archive.",
        "Zip the files themselves, not the folder that holds them.",
    ),
    _bundle("syntax_error", "submission.py is not valid Python.", "Mend the line that is named."),
    _bundle(
        "source_too_complex",
        "submission.py is too large or too deeply nested to be checked.",
        "Move data out of the source, and break up deeply nested expressions.",
    ),
    _bundle(
        "missing_entry_function",
        "submission.py does not define the competition's entry function.",
        "Define a function of exactly that name at the top level; it takes net, retain_loader, forget_loader, val_loader.",
    ),
    _bundle(
        "unknown_argument",
        "The entry function asks for an argument that Lethe does not know.",
        "Use the known names, or give your own arguments a default.",
    ),
    # how a run can end
    _run(
        "over_cutoff",
        Verdict.TIMED_OUT,
        "A run was still going at the cutoff.",
        "Do less work; the submission's page shows each run's seconds and cutoff. If only one run was slow, something else on the machine may have been: an organiser can rerun it.",
    ),
    _run(
        "memory_limit",
        Verdict.OUT_OF_MEMORY,
        "A run used more memory than the competition allows.",
        "Work in smaller batches and free what you no longer need.",
    ),
    _run(
        "import_failed",
        Verdict.CRASHED,
        "Importing submission.py raised an exception.",
        "Read the smoke run's log, if there is one, or import it in a fresh interpreter and see what it raises; packages that the sandbox does not hold cannot be installed.",
    ),
    _run(
        "entry_function_missing",
        Verdict.CRASHED,
        "After import, submission.py has no callable entry function of the name that the competition gives.",
        "Define a function of exactly that name at the top level; it takes net, retain_loader, forget_loader, val_loader.",
    ),
    _run(
        "unknown_argument_at_run",
        Verdict.CRASHED,
        "The entry function asks for an argument that Lethe does not know.",
        "Use net, retain_loader, forget_loader, val_loader, class_weights or device, or give your own arguments a default.",
    ),
    _run(
        "raised",
        Verdict.CRASHED,
        "The entry function raised an exception.",
        "Read the smoke run's log, if there is one. If that run went well, look for what differs on hidden data: the number of images, a last batch of another size. Else run it on data of your own, on one thread.",
    ),
    _run(
        "died",
        Verdict.CRASHED,
        "A run's process died from a signal or left with an exit code of its own.",
        "Look for native crashes, os._exit and sys.exit.",
    ),
    _run(
        "no_weights",
        Verdict.NO_OUTPUT,
        "A run ended without leaving weights.",
        "Return from the entry function; do not end the process yourself.",
    ),
    _run(
        "wrong_return_type",
        Verdict.INVALID_OUTPUT,
        "The entry function returned something that is neither None, a module nor a state dict.",
        "Change the network in place and return None, or return the network or its state_dict().",
    ),
    _run(
        "wrong_keys",
        Verdict.INVALID_OUTPUT,
        "The returned weights have other names than the original model's.",
        "Keep the architecture: return weights with exactly the original state_dict's keys.",
    ),
    _run(
        "wrong_shapes",
        Verdict.INVALID_OUTPUT,
        "A returned tensor has another shape than the original model's.",
        "Keep the architecture: return weights with the original shapes.",
    ),
    _run(
        "malformed_output",
        Verdict.INVALID_OUTPUT,
        "The output of a run is not a well-formed set of weights.",
        "Return the weights and let Lethe write them.",
    ),
    _run(
        "not_finite_weights",
        Verdict.INVALID_OUTPUT,
        "The returned weights hold NaN or infinity.",
        "Lower the learning rate, clip gradients, or keep computations in float32.",
    ),
    _run(
        "not_finite_logits",
        Verdict.INVALID_OUTPUT,
        "The returned model's outputs hold NaN or infinity.",
        "Keep weights and batch statistics in a sane range.",
    ),
    _run(
        "model_failed",
        Verdict.INVALID_OUTPUT,
        "The model with the returned weights raised when it was run.",
        "Look at integer buffers: indices and counters among the weights must stay in the range that the model uses.",
    ),
    _run(
        "not_scorable",
        Verdict.INVALID_OUTPUT,
        "The outputs of the runs cannot be compared with retraining on some example.",
        "Keep the model's confidences finite and varied between seeds.",
    ),
    # decided by people
    Reason(
        "cancelled_on_request",
        Verdict.CANCELLED,
        Fault.NOBODY,
        "The evaluation was cancelled on request.",
        "Submit again when you are ready.",
    ),
    # ours
    _ours(
        "worker_lost",
        "Workers were lost three times while they ran this submission.",
        "Nothing to change: your quota is refunded and an organiser will rerun it.",
    ),
    _ours(
        "sandbox_fault",
        "The sandbox failed three times on our side.",
        "Nothing to change: your quota is refunded and an organiser will rerun it.",
    ),
    _ours(
        "overdue",
        "No worker took this submission up in time.",
        "Nothing to change: your quota is refunded and an organiser will rerun it.",
    ),
)

REASONS: dict[str, Reason] = {reason.code: reason for reason in _ALL}
