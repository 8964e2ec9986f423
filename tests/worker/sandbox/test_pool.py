import threading
import time
from concurrent.futures import ThreadPoolExecutor

import pytest

from tests.processes import wait_until
from tests.worker.sandbox.tools import spec_of
from worker.sandbox.base import Job, SandboxFault
from worker.sandbox.fake import Fake
from worker.sandbox.pool import Pool


class Gated(Fake):
    """A fake whose starts wait for the test's leave."""

    def __init__(self):
        super().__init__()
        self.leave = threading.Semaphore(0)

    def start(self, spec):
        self.leave.acquire()
        return super().start(spec)


class Failing(Fake):
    def __init__(self, error):
        super().__init__()
        self.error = error

    def start(self, spec):
        raise self.error


def test_a_sandbox_taken_runs_and_the_next_one_is_ready_ahead(tmp_path):
    backend = Gated()
    pool = Pool(backend)
    backend.leave.release(2)
    first = pool.take(spec_of(tmp_path))
    assert first.run(Job(b"output", 1, 1.0), lambda: False).output == b"output"
    second = pool.take(spec_of(tmp_path))  # warm: it needs no leave of its own
    assert second is not first
    backend.leave.release(10)
    second.close()
    pool.close()
    assert backend.alive == 0


def test_another_spec_gets_its_own_sandbox_and_the_spare_is_closed(tmp_path):
    backend = Fake()
    pool = Pool(backend)
    pool.take(spec_of(tmp_path)).close()
    pool.take(spec_of(tmp_path, memory_mb=2000)).close()
    pool.take(spec_of(tmp_path / ".." / tmp_path.name, memory_mb=2000)).close()
    pool.close()
    assert backend.alive == 0


def test_every_sandbox_is_handed_out_once_however_many_ask(tmp_path):
    pool = Pool(Fake())
    taken = []
    threads = [threading.Thread(target=lambda: taken.append(pool.take(spec_of(tmp_path)))) for _ in range(16)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    pool.close()
    assert len({id(sandbox) for sandbox in taken}) == 16


@pytest.mark.parametrize("error", [SandboxFault("no room"), OSError("no room")])
def test_a_start_that_fails_is_a_fault_at_take_each_time(tmp_path, error):
    pool = Pool(Failing(error))
    for _ in range(3):
        with pytest.raises(SandboxFault, match="no room"):
            pool.take(spec_of(tmp_path))
    pool.close()


def test_a_closed_pool_has_nothing_alive_and_gives_nothing(tmp_path):
    backend = Fake()
    pool = Pool(backend)
    pool.take(spec_of(tmp_path)).close()
    pool.close()
    pool.close()
    assert backend.alive == 0
    with pytest.raises(SandboxFault, match="closed"):
        pool.take(spec_of(tmp_path))


def test_closing_while_somebody_waits_is_a_fault_for_them_and_not_a_hang(tmp_path):
    backend = Gated()
    pool = Pool(backend)
    spec, other = spec_of(tmp_path), spec_of(tmp_path, memory_mb=2000)
    ended = []

    def wait_for(wanted):
        try:
            pool.take(wanted).close()
        except SandboxFault:
            ended.append("fault")

    waiting = [threading.Thread(target=wait_for, args=(wanted,)) for wanted in (spec, other)]
    for thread in waiting:
        thread.start()
    closing = threading.Thread(target=pool.close)
    closing.start()
    wait_until(lambda: pool._closed)
    with pool._lock:  # it has told those who wait
        pass
    backend.leave.release(10)
    for thread in [*waiting, closing]:
        thread.join(10)
        assert not thread.is_alive()
    assert "fault" in ended
    assert backend.alive == 0


class Watched(Gated):
    """Remembers how many of its sandboxes were starting at once."""

    def __init__(self):
        super().__init__()
        self.starting = 0
        self.most = 0

    def start(self, spec):
        with self._lock:
            self.starting += 1
            self.most = max(self.most, self.starting)
        try:
            return super().start(spec)
        finally:
            with self._lock:
                self.starting -= 1


def test_starts_use_all_cores_until_a_clock_ticks_and_then_leave_it_its_own(tmp_path):
    backend = Watched()
    pool = Pool(backend, cores=3)
    with ThreadPoolExecutor(1) as asking:
        asked = asking.submit(pool.take, spec_of(tmp_path))
        wait_until(lambda: backend.starting == 3)
        backend.leave.release(3)
        taken = asked.result(60)
    wait_until(lambda: all(started.done() for _, started in pool._spares))
    backend.most = 0
    during = pool.take(spec_of(tmp_path))  # warm: two clocks tick now, so one core is free for starts
    wait_until(lambda: backend.starting == 1)
    time.sleep(0.3)
    assert backend.most == 1
    backend.leave.release(10)
    taken.close()
    during.close()
    pool.close()
    assert backend.alive == 0


def test_one_core_starts_nothing_while_a_clock_ticks(tmp_path):
    backend = Fake()
    pool = Pool(backend, cores=1)
    for count in (1, 2):
        taken = pool.take(spec_of(tmp_path))
        time.sleep(0.2)
        assert backend.started == count
        taken.close()
        time.sleep(0.2)
    pool.close()
    assert backend.alive == 0
