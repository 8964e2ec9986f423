"""Workers close competitions as they reap."""

from app.queue import Silent
from app.settings import Settings
from tests.seeding import World
from worker.presence import Reaper


def test_a_worker_that_reaps_takes_final_entries_once(tmp_path):
    world = World(tmp_path)
    world.person("ada")
    world.competition()
    world.reference("private")
    world.scored("ada", 0.09, 0.99, 0.98)
    settings = Settings(data_dir=tmp_path, reap_seconds=0.01)
    reaper = Reaper(world.engine, settings, world.clock, Silent())
    reaper.reap_when_due()
    assert world.queued() == 0
    world.clock.now = world.clock.now.replace(month=6, day=2)
    for one in (reaper, reaper, Reaper(world.engine, settings, world.clock, Silent())):
        one.reap_when_due()
    assert world.queued() == 4
