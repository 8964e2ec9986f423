"""A backup made of one installation and restored into another: each kind of database, each kind of storage."""

import json
import stat
import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from types import SimpleNamespace

import pytest
from alembic import command
from sqlalchemy import func, select, text
from starlette.testclient import TestClient

from app import evaluations, events
from app.backup import BackupUnusable, back_up, restore
from app.db import alembic_config, make_engine, migrate, read_only, unit_of_work
from app.garbage import collect, named_by_manifests, named_by_rows
from app.main import create_app
from app.models import Base, Event, Reference, Run, Submission
from app.settings import Settings
from app.storage import LocalStorage
from tests.seeding import World, populate, submissions_of

PATHS = (
    "/api/v1/competitions",
    "/api/v1/competitions/digits/leaderboard",
    "/api/v1/competitions/digits/leaderboard.csv",
    "/api/v1/admin/events",
)


@pytest.fixture
def new_database(request, tmp_path):
    """Make an empty database of a kind; return its URL."""

    def make(kind, name):
        if kind == "sqlite":
            return f"sqlite:///{tmp_path / name / 'lethe.db'}"
        postgres_url = request.getfixturevalue("postgres_url")
        server = make_engine(postgres_url).execution_options(isolation_level="AUTOCOMMIT")
        with server.connect() as connection:
            connection.execute(text(f"DROP DATABASE IF EXISTS {name}"))
            connection.execute(text(f"CREATE DATABASE {name}"))
        server.dispose()
        return postgres_url.replace("/postgres?", f"/{name}?")

    return make


def week(data_dir, url=""):
    """A week's rows, all of whose blobs are there."""
    data_dir.mkdir()
    world = World(data_dir, url=url)
    world.ids = populate(world)
    world.competition(n_models=32, bundle={"per_day": 1000, "max_bytes": 100_000})
    with unit_of_work(world.engine) as session:
        for reference in session.scalars(select(Reference)):
            file = world.storage.put(f"file of {reference.id}".encode())
            reference.digest = world.storage.put(json.dumps({"files": {"file": file}}).encode())
        for run in session.scalars(select(Run).where(Run.outputs_digest.is_not(None))):
            run.outputs_digest = world.storage.put(f"outputs of {run.id}".encode())
    return world


@pytest.fixture(scope="module")
def template(tmp_path_factory):
    return week(tmp_path_factory.mktemp("week") / "data")


@pytest.fixture
def source(request, new_database, tmp_path):
    """The installation that is backed up."""
    if getattr(request, "param", "sqlite") == "postgres":
        world = week(tmp_path / "source", new_database("postgres", "source"))
    else:
        template = request.getfixturevalue("template")
        world = template.copy(tmp_path / "source")
        world.ids = template.ids
    yield world
    world.engine.dispose()


@pytest.fixture
def target(request, new_database, tmp_path):
    """An empty installation."""
    kind = getattr(request, "param", "sqlite")
    url = new_database(kind, "target")
    (tmp_path / "target").mkdir(exist_ok=True)
    migrate(url)
    engine = make_engine(url)
    yield SimpleNamespace(
        url=url,
        engine=engine,
        storage=LocalStorage(tmp_path / "target" / "blobs"),
        data_dir=tmp_path / "target",
    )
    engine.dispose()


def rows(engine):
    """Every row of every table."""
    with read_only(engine) as session:
        return {
            table.name: [tuple(row) for row in session.execute(select(table).order_by(*table.primary_key))]
            for table in Base.metadata.sorted_tables
        }


def shown(place, world):
    """What pages and API show an admin of an installation."""
    settings = Settings(data_dir=place.data_dir, database_url=place.url)
    application = create_app(settings, clock=world.clock)
    bearer = {"Authorization": f"Bearer {world.tokens['root']}"}
    paths = [*PATHS, *(f"/api/v1/submissions/{one}" for one in submissions_of(world.ids))]
    with read_only(place.engine) as session:
        paths += [
            f"/api/v1/evaluations/{run}" for run in session.scalars(select(Run.evaluation_id).distinct())
        ]
    with TestClient(application, headers=bearer) as client:
        answers = {path: client.get(path) for path in paths}
    application.state.context.engine.dispose()
    assert {answer.status_code for answer in answers.values()} == {200}
    return {path: answer.text for path, answer in answers.items()}


def lost(place):
    """The digests that rows and manifests name and the storage has not."""
    with read_only(place.engine) as session:
        named = named_by_rows(session)
    names = named.all | named_by_manifests(place.storage, named.manifests)
    return names - {blob.digest for blob in place.storage.blobs()}


BOTH = ["sqlite", "postgres"]


@pytest.mark.parametrize("target", ["postgres"], indirect=True)
def test_copying_blobs_may_take_longer_than_any_transaction(source, target, tmp_path, monkeypatch):
    back_up(source.engine, source.storage, tmp_path / "backup", source.clock())
    held, put = [], LocalStorage.put_file

    def put_and_look(*words):
        held.append(target.engine.pool.checkedout())
        return put(*words)

    monkeypatch.setattr(LocalStorage, "put_file", put_and_look)
    restore(target.engine, target.storage, tmp_path / "backup")
    assert set(held) == {0}
    assert rows(target.engine) == rows(source.engine)


@pytest.mark.parametrize("source", BOTH, indirect=True)
@pytest.mark.parametrize("target", BOTH, indirect=True)
def test_a_restored_installation_has_every_row_and_blob_and_shows_the_same(source, target, tmp_path):
    made = back_up(source.engine, source.storage, tmp_path / "backup", source.clock())
    assert made.missing == ()
    assert restore(target.engine, target.storage, tmp_path / "backup") == made
    assert rows(target.engine) == rows(source.engine)
    assert made.rows == sum(map(len, rows(source.engine).values()))
    assert lost(target) == set()
    assert len(list(target.storage.blobs())) == made.blobs
    assert shown(target, source) == shown(source, source)


@pytest.mark.parametrize("target", BOTH, indirect=True)
def test_life_goes_on_after_a_restore(source, target, tmp_path):
    back_up(source.engine, source.storage, tmp_path / "backup", source.clock())
    restore(target.engine, target.storage, tmp_path / "backup")
    with unit_of_work(target.engine) as session:
        newest = session.scalar(select(func.max(Event.id)))
        events.write(session, "restored", "root", source.clock())
    with read_only(target.engine) as session:
        assert session.scalar(select(Event.id).where(Event.kind == "restored")) == newest + 1


@pytest.mark.parametrize("source", BOTH, indirect=True)
@pytest.mark.parametrize("target", ["sqlite"], indirect=True)
def test_a_backup_made_while_submissions_arrive_is_of_one_moment_and_lacks_no_blob(source, target, tmp_path):
    over, begun = threading.Event(), threading.Event()
    before = shown(source, source)

    def arriving(name):
        count = 0
        while not over.is_set():
            source.submit(name, source=f"def unlearning(net):\n    return {name!r}, {count}\n")
            count += 1
            begun.set()
        return count

    with ThreadPoolExecutor(2) as pool:
        work = [pool.submit(arriving, name) for name in ("ada", "grace")]
        begun.wait(30)
        for _ in range(3):
            made = back_up(source.engine, source.storage, tmp_path / "backup", source.clock())
        over.set()
        assert sum(one.result() for one in work) > 2
    assert made.missing == ()
    restore(target.engine, target.storage, tmp_path / "backup")
    assert lost(target) == set()
    restored, everything = rows(target.engine), rows(source.engine)
    assert 0 < len(restored["submissions"]) <= len(everything["submissions"])
    for name in ("submissions", "evaluations", "quota_entries", "events"):
        assert set(restored[name]) <= set(everything[name])
    ids = {row[0] for row in restored["submissions"]}
    with read_only(
        target.engine
    ) as session:  # each came with its evaluation, its runs and its debit, or not at all
        evaluated = select(Submission.id).where(~Submission.evaluations.any())
        assert session.scalars(evaluated).all() == []
        runs = session.execute(
            text(
                "SELECT count(*) FROM evaluations e WHERE e.n_runs <> "
                "(SELECT count(*) FROM runs r WHERE r.evaluation_id = e.id AND r.kind = 'seed')"
            )
        ).scalar()
    assert runs == 0
    assert {row[3] for row in restored["quota_entries"]} <= ids
    board = "/api/v1/competitions/digits/leaderboard"
    after = json.loads(shown(target, source)[board])
    scores = [(row["user"], row["rank"], row["score"]) for row in after["rows"]]
    assert scores == [(row["user"], row["rank"], row["score"]) for row in json.loads(before[board])["rows"]]


@pytest.mark.parametrize(("near", "far"), [("local", "remote"), ("remote", "local")])
def test_blobs_go_from_one_kind_of_storage_to_the_other(source, target, tmp_path, object_store, near, far):
    elsewhere = object_store.storage(tmp_path)
    if near == "remote":
        for blob in source.storage.blobs():
            elsewhere.put(source.storage.get(blob.digest))
        source.storage = elsewhere
    if far == "remote":
        target.storage = elsewhere
    made = back_up(source.engine, source.storage, tmp_path / "backup", source.clock())
    restore(target.engine, target.storage, tmp_path / "backup")
    assert lost(target) == set()
    assert made.missing == ()


def test_only_the_owner_can_read_a_backup(source, tmp_path):
    back_up(source.engine, source.storage, tmp_path / "backup", source.clock())
    assert stat.S_IMODE((tmp_path / "backup").stat().st_mode) == 0o700
    files = [path for path in (tmp_path / "backup").rglob("*") if path.is_file()]
    assert {stat.S_IMODE(path.stat().st_mode) for path in files} == {0o600}


def test_a_second_backup_copies_only_what_is_new_and_takes_the_place_of_the_first(
    source, tmp_path, monkeypatch
):
    folder = tmp_path / "backup"
    first = back_up(source.engine, source.storage, folder, source.clock())
    source.clock.forward(hours=1)
    source.submit("ada", source="def unlearning(net):\n    return None\n")
    saved = []
    save = LocalStorage.save
    monkeypatch.setattr(
        LocalStorage, "save", lambda self, digest, path: (saved.append(digest), save(self, digest, path))
    )
    second = back_up(source.engine, source.storage, folder, source.clock())
    assert (len(saved), second.blobs - first.blobs) == (1, 1)
    assert [path.name for path in folder.glob("rows-*")] == [second.rows_file]
    assert sorted(path.name for path in folder.iterdir()) == ["backup.json", "blobs", second.rows_file]


def test_a_backup_that_breaks_off_leaves_the_one_before_whole(source, target, tmp_path, monkeypatch):
    folder = tmp_path / "backup"
    first = back_up(source.engine, source.storage, folder, source.clock())
    source.clock.forward(hours=1)
    source.submit("ada", source="def unlearning(net):\n    return None\n")

    def full(*_):
        raise OSError("no space left")

    monkeypatch.setattr(LocalStorage, "put_file", full)
    with pytest.raises(OSError, match="no space"):
        back_up(source.engine, source.storage, folder, source.clock())
    monkeypatch.undo()
    assert restore(target.engine, target.storage, folder) == first


def test_a_blob_that_is_lost_is_named_and_everything_else_is_backed_up_and_restored(source, target, tmp_path):
    with read_only(source.engine) as session:
        digest = session.scalar(select(Submission.bundle_digest))
    (source.data_dir / "blobs" / digest[:2] / digest).unlink()
    made = back_up(source.engine, source.storage, tmp_path / "backup", source.clock())
    assert made.missing == (digest,)
    restore(target.engine, target.storage, tmp_path / "backup")
    assert rows(target.engine) == rows(source.engine)
    assert lost(target) == {digest}


def refused(target, folder, words):
    with pytest.raises(BackupUnusable, match=words):
        restore(target.engine, target.storage, folder)
    assert sum(map(len, rows(target.engine).values())) == 0
    return True


def test_only_a_whole_backup_is_restored_and_else_no_row_is_changed(source, target, tmp_path):
    folder = tmp_path / "backup"
    assert refused(target, folder, "there is no whole backup")
    made = back_up(source.engine, source.storage, folder, source.clock())
    blob = next(iter(LocalStorage(folder / "blobs").blobs()))
    path = folder / "blobs" / blob.digest[:2] / blob.digest
    data = path.read_bytes()
    path.write_bytes(b"damaged")
    assert refused(target, folder, f"its blob {blob.digest} is missing or damaged")
    path.unlink()
    assert refused(target, folder, f"its blob {blob.digest} is missing or damaged")
    path.write_bytes(data)
    file = folder / made.rows_file
    lines = file.read_bytes()
    file.write_bytes(lines[:-100])
    assert refused(target, folder, "is damaged")
    file.write_bytes(lines)
    (folder / "backup.json").write_text('{"format": 99}')
    assert refused(target, folder, "format 99")


@pytest.mark.parametrize("target", BOTH, indirect=True)
def test_a_database_that_is_not_empty_or_at_another_revision_is_refused(source, target, tmp_path):
    folder = tmp_path / "backup"
    made = back_up(source.engine, source.storage, folder, source.clock())
    with target.engine.begin() as connection:
        command.downgrade(alembic_config(connection), "-1")
    with pytest.raises(
        BackupUnusable, match=f"tables of revision {made.revision}, and the database those of"
    ):
        restore(target.engine, target.storage, folder)
    migrate(target.engine)
    restore(target.engine, target.storage, folder)
    there = rows(target.engine)
    with pytest.raises(BackupUnusable, match="not empty"):
        restore(target.engine, target.storage, folder)
    assert rows(target.engine) == there


def test_nothing_that_a_backup_restored_is_collected_as_garbage(source, target, tmp_path):
    back_up(source.engine, source.storage, tmp_path / "backup", source.clock())
    restore(target.engine, target.storage, tmp_path / "backup")
    found = collect(target.engine, target.storage, source.clock().replace(year=2100))
    assert (found.set_aside.blobs, found.kept.blobs) == (0, len(list(target.storage.blobs())))


def test_a_run_that_was_going_on_is_given_out_again(source, target, tmp_path):
    back_up(source.engine, source.storage, tmp_path / "backup", source.clock())
    restore(target.engine, target.storage, tmp_path / "backup")
    running = select(func.count()).select_from(Run).where(Run.status == "running")
    later = source.clock() + timedelta(hours=1)
    with unit_of_work(target.engine) as session:
        assert session.scalar(running) == 1
        evaluations.reap(session, later, timedelta(hours=24))
        assert session.scalar(running) == 0
