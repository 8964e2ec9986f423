"""A submission in words."""

import shlex
from statistics import median
from urllib.parse import urljoin

from cli.client.api import JsonObject
from cli.client.config import Connection
from cli.exit_codes import ExitCode
from cli.progress import expected, remarks, stage
from cli.text import decimals_of, duration, facts, moment, number, reach, seconds


def exit_code(submission: JsonObject) -> ExitCode:
    """Return what a submission's state means to a script: only an end without a score is a failure."""
    failed = submission["status"] == "done" and submission.get("verdict") != "scored"
    return ExitCode.FAILED if failed else ExitCode.OK


def described(submission: JsonObject, connection: Connection) -> str:
    """Describe a submission: where it is, how it fared and why."""
    words, finished, total = stage(submission)
    pairs = [("submission", str(submission["id"])), ("competition", str(submission.get("competition", "-")))]
    if submission.get("note"):
        pairs.append(("note", str(submission["note"])))
    pairs.append(("submitted", moment(submission.get("created_at"))))
    verdict = str(submission.get("verdict") or "").replace("_", " ")
    pairs.append(("status", verdict or words.lower()))
    pairs.append(("runs", f"{finished} of {total} finished"))
    pairs += _progress(submission)
    pairs += score_facts(submission) + _reason(submission) + _smoke(submission) + _seconds(submission)
    if page := (submission.get("links") or {}).get("html"):
        pairs.append(("page", urljoin(f"{connection.url}/", str(page))))
    return facts(pairs)


def next_command(submission: JsonObject, connection: Connection) -> str:
    """Say what to run after a submission has ended."""
    if submission.get("verdict") == "scored":
        board = shlex.quote(str(submission.get("competition")))
        return f"See where it stands: lethe leaderboard {board}{connection.flags}"
    fault = (submission.get("reason") or {}).get("fault")
    if fault == "lethe":
        # not with --wait: until a rerun has ended, the submission is shown as it is now
        again = f"lethe status {shlex.quote(str(submission['id']))}{connection.flags}"
        return f"There is nothing to mend: an organiser reruns it. What has come of that: {again}"
    if fault == "nobody":
        return "To submit it once more: the same command with --again, for without that it finds this one."
    return "When it is mended, submit it again: the same command takes what has changed."


def _progress(submission: JsonObject) -> list[tuple[str, str]]:
    """Say how long each stage took, when it may be done, and what went wrong on our side."""
    passed = [
        one for one in (submission.get("progress") or {}).get("stages") or [] if (one["seconds"] or 0) >= 0.5
    ]
    found = [("took", ", ".join(f"{one['name']} {duration(one['seconds'])}" for one in passed))]
    if submission["status"] != "done":
        found.append(("expected", expected(submission)))
    found += [("on our side", remark) for remark in remarks(submission)]
    return [(name, words) for name, words in found if words]


def score_facts(submission: JsonObject) -> list[tuple[str, str]]:
    """Return names and values of a submission's score; nothing where there is none."""
    score = submission.get("score")
    if not isinstance(score, dict):
        return []
    digits = decimals_of(submission, "score")
    official = _with_reach(score, "score", "interval_low", "interval_high", digits)
    retraining = number(score.get("retraining_score"), digits)
    pairs = [("official score", f"{official} (retraining itself: {retraining})")]
    if score.get("calibrated_score") is not None:
        calibrated = _with_reach(score, "calibrated_score", "calibrated_low", "calibrated_high", digits)
        pairs.append(("calibrated score", f"{calibrated} (retraining itself: 1 by definition)"))
    if score.get("ranked_by") == "calibrated":
        pairs.reverse()
    if score.get("ranked_by"):
        pairs.append(("ranked by", f"the {score['ranked_by']} score"))
    pairs += [
        ("forgetting", number(score.get("forgetting_quality"), digits)),
        ("retain ratio", number(score.get("retain_ratio"), digits)),
        ("test ratio", number(score.get("test_ratio"), digits)),
    ]
    return pairs + [("flag", f"{flag['code']}: {flag['meaning']}") for flag in score.get("flags") or []]


def _with_reach(score: JsonObject, name: str, low: str, high: str, digits: int) -> str:
    """Write a number with half of its 95 % interval, where that is known."""
    half = reach(score.get(low), score.get(high), digits)
    pointless = (score.get("summary") or {}).get("share_without_points") == 1
    return (
        number(score.get(name), digits)
        + (f" +- {half}" if half != "-" else "")
        + (", no example earns points" if pointless else "")
    )


def _reason(submission: JsonObject) -> list[tuple[str, str]]:
    reason = submission.get("reason")
    if not isinstance(reason, dict):
        return []
    charged = {"participant": "yours", "lethe": "ours; your quota is given back"}.get(
        reason.get("fault", ""), "nobody's"
    )
    return [
        ("reason", f"{reason.get('code')}: {reason.get('cause')}"),
        ("what to do", str(reason.get("advice"))),
        ("fault", charged),
    ]


def _smoke(submission: JsonObject) -> list[tuple[str, str]]:
    """Say how the run on public data went, and where its log is."""
    smoke = submission.get("smoke")
    if not isinstance(smoke, dict):
        return []
    words = str(smoke.get("status")) + (f" ({smoke['reason']})" if smoke.get("reason") else "")
    where = f"; its log: lethe log {submission['id']}" if smoke.get("log") else ""
    return [("smoke run", words + where)]


def _seconds(submission: JsonObject) -> list[tuple[str, str]]:
    ended = [run for run in submission.get("run_details") or [] if run.get("seconds") is not None]
    times = [run["seconds"] for run in ended]
    cutoff = _cutoff([run.get("cutoff_seconds") for run in ended], submission.get("cutoff_seconds"))
    if not times:
        return [("seconds a run", cutoff)]
    digits = decimals_of(submission, "seconds")
    middle, longest = (seconds(found, digits) for found in (median(times), max(times)))
    return [("seconds a run", f"median {middle}, longest {longest}, {cutoff}")]


def _cutoff(own: list[float | None], nominal: float | None) -> str:
    """Write the cutoff: that of the runs, which may differ, or before any has ended the nominal one."""
    known = sorted({seconds(one) for one in own if one is not None}, key=float)
    if not known:
        return f"cutoff {seconds(nominal)} s" if own else f"cutoff about {seconds(nominal)} s"
    return f"cutoff {known[0]} s" if len(known) == 1 else f"cutoffs {known[0]} to {known[-1]} s"
