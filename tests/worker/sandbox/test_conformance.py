"""What every back end must do, real or fake. A case names a job that makes its back end behave in one way."""

import threading
import time

import pytest

from app.status import Verdict
from tests.worker.sandbox.tools import LAYOUT, bundle, original
from worker import weights
from worker.sandbox.base import Job, Log, RunResult, SandboxFault
from worker.sandbox.fake import Fake, failing

HONEST = weights.serialise(original())


def never():
    return False


def fake_behaviour(job):
    """The fake's counterpart of each real bundle below."""
    return {
        b"honest": RunResult(0.0, HONEST),
        b"crash": failing("raised")(job),
        b"nothing": RunResult(0.0, b""),
        b"sleep": RunResult(60.0, HONEST),
        b"speak": RunResult(60.0, HONEST, log=Log(b"begun\n")),
    }[job.bundle]


BUNDLES = {
    "honest": bundle("def unlearning(net, retain, forget, validation): pass"),
    "crash": bundle("def unlearning(net, retain, forget, validation): 1 / 0"),
    "nothing": bundle("import os\nos._exit(0)"),
    "sleep": bundle("import time\nwhile True:\n  try: time.sleep(60)\n  except BaseException: pass"),
    "speak": bundle("import time\nprint('begun')\ntime.sleep(60)"),
}


@pytest.fixture(params=["fake", "bubblewrap", "docker"])
def sandbox_and_bundle(request, spec):
    """Return a READY sandbox, and the function that turns a case's name into a bundle for it."""
    if request.param == "fake":
        sandbox = Fake(fake_behaviour).start(spec)
        yield sandbox, str.encode
    else:
        sandbox = request.getfixturevalue({"bubblewrap": "take", "docker": "take_container"}[request.param])()
        yield sandbox, BUNDLES.__getitem__
    sandbox.close()


def test_an_honest_run_leaves_its_weights_byte_for_byte(sandbox_and_bundle):
    sandbox, bundle_of = sandbox_and_bundle
    result = sandbox.run(Job(bundle_of("honest"), 1, 20.0), never)
    assert (result.verdict, result.reason) == (None, None)
    assert 0 <= result.seconds < 20
    tensors = weights.read(result.output, LAYOUT)
    assert all(tensor.equal(original()[key]) for key, tensor in tensors.items())


def test_a_run_at_the_cutoff_is_killed_and_timed_out(sandbox_and_bundle):
    sandbox, bundle_of = sandbox_and_bundle
    result = sandbox.run(Job(bundle_of("sleep"), 1, 0.4), never)
    assert (result.verdict, result.reason, result.output) == (Verdict.TIMED_OUT, "over_cutoff", b"")
    assert 0.4 <= result.seconds < 5


def test_an_exception_is_a_crash(sandbox_and_bundle):
    sandbox, bundle_of = sandbox_and_bundle
    result = sandbox.run(Job(bundle_of("crash"), 1, 20.0), never)
    assert (result.verdict, result.reason, result.output) == (Verdict.CRASHED, "raised", b"")


def test_a_run_that_leaves_nothing_has_no_output(sandbox_and_bundle):
    sandbox, bundle_of = sandbox_and_bundle
    result = sandbox.run(Job(bundle_of("nothing"), 1, 20.0), never)
    assert (result.verdict, result.reason, result.output) == (Verdict.NO_OUTPUT, "no_weights", b"")


def test_a_run_that_should_stop_is_cancelled(sandbox_and_bundle):
    sandbox, bundle_of = sandbox_and_bundle
    started = time.monotonic()
    result = sandbox.run(Job(bundle_of("sleep"), 1, 60.0), lambda: time.monotonic() > started + 0.3)
    assert (result.verdict, result.reason) == (Verdict.CANCELLED, "cancelled_on_request")
    assert result.seconds < 10


def test_a_sandbox_serves_once_and_closes_any_number_of_times(sandbox_and_bundle):
    sandbox, bundle_of = sandbox_and_bundle
    sandbox.run(Job(bundle_of("nothing"), 1, 20.0), never)
    sandbox.close()
    sandbox.close()
    with pytest.raises(SandboxFault):
        sandbox.run(Job(bundle_of("nothing"), 1, 20.0), never)


def test_closing_during_a_run_is_a_fault_and_no_verdict(sandbox_and_bundle):
    sandbox, bundle_of = sandbox_and_bundle
    closing = threading.Thread(target=sandbox.close)
    with pytest.raises(SandboxFault, match="closed during its run"):
        sandbox.run(Job(bundle_of("speak"), 1, 60.0, 1000, lambda _: closing.start()), never)
    closing.join()
