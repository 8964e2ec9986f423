"""`lethe admin workers`, `calibrations` and `remeasure`: look after the machines of a service."""

from urllib.parse import quote

import click

from cli.client.api import Api, JsonObject, signed_in
from cli.client.config import connection, url_option
from cli.errors import reported
from cli.options import examples, json_option, printed
from cli.text import facts, moment, number, say, seconds, table

_WORKERS = ("worker", "state", "device", "sandboxes", "version", "process", "started", "heard of")
_LEASES = ("evaluation", "run", "submission", "split", "seed", "worker", "since", "cutoff", "lease until")
_CALIBRATIONS = ("calibration", "split", "device", "seconds", "repeats", "measured", "last look", "state")


@examples("lethe admin workers")
@click.command()
@json_option
@url_option
@reported
def workers(*, as_json: bool, url: str | None) -> None:
    """List the workers, what waits for them, and the runs that are lent."""
    with signed_in(url) as api:
        found = _whole(api, "admin/workers")
    if as_json:
        printed(found)
        return
    click.echo(facts([("runs queued", _queue(found["queue"]))]))
    for title, header, rows in (
        ("workers", _WORKERS, [_worker(one) for one in found["items"]]),
        ("leases", _LEASES, [_lease(one) for one in found["leases"]]),
    ):
        drawn = table(header, rows, right=("seed", "cutoff"))
        click.echo(f"\n{drawn}" if rows else f"\n{title}: none")


def _whole(api: Api, path: str) -> JsonObject:
    """Read a short list to its end; the API gives it page by page."""
    found = api.read(path)
    while found["next"]:
        page = api.read(str(found["next"]).removeprefix("/api/v1/"))
        found |= {"items": found["items"] + page["items"], "next": page["next"]}
    return found


def _queue(queue: JsonObject) -> str:
    since = f", the oldest since {moment(queue['oldest_queued_at'])}" if queue["oldest_queued_at"] else ""
    return f"{queue['normal']}, and {queue['low']} of reruns{since}"


def _worker(one: JsonObject) -> tuple[str, ...]:
    return (
        one["name"],
        one["state"] + (f" {one['run_id'][:8]}" if one["run_id"] else ""),
        f"{one['device_class']}: {one['device_name']} {one['device']}",
        one["sandboxes"],
        one["version"],
        f"{one['pid']} on {one['host']}",
        moment(one["started_at"]),
        moment(one["seen_at"]),
    )


def _lease(one: JsonObject) -> tuple[str, ...]:
    return (
        one["evaluation_id"],
        one["run_id"][:8],
        one["submission_id"][:8],
        f"{one['competition']} {one['split']}",
        "smoke" if one["seed_index"] < 0 else str(one["seed_index"]),
        one["worker"] or "-",
        moment(one["started_at"]) if one["started_at"] else "-",
        seconds(one["cutoff_seconds"]),
        moment(one["lease_until"]) if one["lease_until"] else "-",
    )


@examples("lethe admin calibrations")
@click.command()
@json_option
@url_option
@reported
def calibrations(*, as_json: bool, url: str | None) -> None:
    """List what retraining takes on each device, and which devices have drifted."""
    with signed_in(url) as api:
        found = _whole(api, "admin/calibrations")
    if as_json:
        printed(found)
        return
    click.echo(table(_CALIBRATIONS, [_calibration(one) for one in found["items"]], right=("seconds",)))
    if any(one["drifted"] and not one["stale"] for one in found["items"]):
        say(
            f"Once a device that has drifted is to stay as it is: `lethe admin remeasure CALIBRATION{connection(url).flags}`."
        )


def _calibration(one: JsonObject) -> tuple[str, ...]:
    replaced = "" if one["current"] else ", replaced"
    looked = "-" if one["drift"] is None else f"x {number(one['drift'], 2)}, {moment(one['checked_at'])}"
    return (
        one["id"],
        f"{one['competition']} {one['split']}, version {one['reference_version']}{replaced}",
        f"{one['device_name']} {one['device']}",
        seconds(one["seconds"]),
        ", ".join(number(each, 3) for each in one["repeats"]),
        f"{moment(one['measured_at'])}, {one['worker']}",
        looked,
        "to be measured again" if one["stale"] else "drifted" if one["drifted"] else "-",
    )


@examples("lethe admin remeasure 3b9e...")
@click.command()
@click.argument("calibration_id", metavar="CALIBRATION")
@json_option
@url_option
@reported
def remeasure(*, calibration_id: str, as_json: bool, url: str | None) -> None:
    """Have the device of a CALIBRATION, by its id, measured again before it takes another run of that split."""
    with signed_in(url) as api:
        found = api.change(f"admin/calibrations/{quote(calibration_id, safe='')}/remeasure")
    if as_json:
        printed(found)
    say(
        f"{found['device_name']} is measured again before its next run of {found['competition']} {found['split']}."
    )
