import io
import json
import logging
import threading

import pytest

from app.log_lines import JsonLines, ReadableLines, belonging, configure

SECRET = "lethe_" + "Ab3-_" * 8
FORGED = 'x\r\n2026-01-01 00:00:00 INFO lethe.web all is well\u2028\x1b[31m {"level": "error"}'


@pytest.fixture
def written():
    """Log to a text in each form, and give the process its handlers back."""
    root = logging.getLogger()
    before, level = list(root.handlers), root.level

    def start(environment):
        stream = io.StringIO()
        configure(environment, stream)
        return stream

    yield start
    root.handlers[:] = before
    root.setLevel(level)


def test_production_writes_json_that_names_time_level_logger_and_ids(written):
    stream = written("production")
    with belonging(request_id="r-1"), belonging(evaluation_id="e-1"):
        logging.getLogger("lethe.web").info("took %d ms", 12, extra={"fields": {"status": 201}})
    line = json.loads(stream.getvalue())
    assert line.pop("time").endswith("Z")
    assert line == {
        "level": "info",
        "logger": "lethe.web",
        "message": "took 12 ms",
        "request_id": "r-1",
        "evaluation_id": "e-1",
        "status": 201,
    }


def test_development_writes_a_line_to_read(written):
    stream = written("development")
    with belonging(run_id="r-7"):
        logging.getLogger("lethe.worker").warning("late")
    assert stream.getvalue().endswith(" WARNING lethe.worker late [run_id=r-7]\n")


def test_ids_end_with_their_block_and_stay_in_their_thread(written):
    stream = written("production")
    log = logging.getLogger("lethe.worker")
    with belonging(run_id="mine"):
        other = threading.Thread(target=log.info, args=("other",))
        other.start()
        other.join()
    log.info("after")
    assert ["run_id" in json.loads(line) for line in stream.getvalue().splitlines()] == [False, False]


@pytest.mark.parametrize("environment", ["production", "development"])
@pytest.mark.parametrize("where", ["message", "field", "exception"])
def test_what_a_stranger_wrote_cannot_begin_a_line(written, environment, where):
    stream = written(environment)
    log = logging.getLogger("lethe.web")
    if where == "exception":
        log.error("failed", exc_info=ValueError(FORGED))
    else:
        log.info(
            "path %s",
            FORGED if where == "message" else "",
            extra={"fields": {"path": FORGED} if where == "field" else {}},
        )
    first, *rest = stream.getvalue().rstrip("\n").split("\n")
    assert "\r" not in stream.getvalue()
    assert "\x1b" not in stream.getvalue()
    assert "\u2028" not in stream.getvalue()
    if environment == "production":
        assert rest == []
        assert json.loads(first)["level"] in {"info", "error"}
    else:
        assert all(line.startswith("    ") for line in rest)


@pytest.mark.parametrize(
    "leak",
    [
        SECRET,
        f"Authorization: Bearer {SECRET}",
        "{'authorization': 'Bearer s3cretvalue'}",
        "postgresql+psycopg://lethe:s3cretvalue@db/lethe",
        "redis://:s3cretvalue@redis:6379/0",
        "Cookie: a=1; other=s3cretvalue",
        "password=s3cretvalue&name=ada",
    ],
)
@pytest.mark.parametrize("environment", ["production", "development"])
def test_what_looks_like_a_secret_is_blotted_out(written, environment, leak):
    stream = written(environment)
    log = logging.getLogger("lethe.web")
    log.warning("could not: %s", leak, extra={"fields": {"detail": leak}})
    log.error("failed", exc_info=OSError(leak))
    assert "s3cretvalue" not in stream.getvalue()
    assert SECRET not in stream.getvalue()
    assert "***" in stream.getvalue()


def test_a_lone_surrogate_is_written_out():
    record = logging.LogRecord("lethe", logging.INFO, "", 0, "a\ud800b", (), None)
    for form in (JsonLines(), ReadableLines()):
        assert form.format(record).isascii()
