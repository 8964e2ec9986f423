"""A competition in words: its dates, what may be sent to it, and how many more times today."""

from datetime import datetime
from urllib.parse import urljoin

from cli.client.api import JsonObject
from cli.client.config import Connection
from cli.text import decimals_of, facts, moment, seconds, size

_ENDED = ("finals", "revealed")


def described(found: JsonObject, connection: Connection, now: datetime) -> str:
    """Describe a competition as the service gives it."""
    phase = str(found["phase"])
    pairs = [
        ("competition", str(found["slug"])),
        ("title", str(found["title"])),
        ("phase", phase),
        ("opens" if phase == "upcoming" else "opened", moment(found["opens_at"], now)),
        ("closed" if phase in _ENDED else "closes", moment(found["closes_at"], now)),
    ]
    if found.get("revealed_at"):
        pairs.append(("revealed", moment(found["revealed_at"], now)))
    pairs += [
        ("next", str(found["what_next"])),
        ("bundle", _bundle(found["limits"])),
        ("entry function", f"{found['entry_function']}(net, retain_loader, forget_loader, val_loader)"),
        ("runs", f"{found['runs']}, each with a seed of its own"),
        ("cutoff", _cutoff(found)),
        ("quota", _quota(found, now)),
    ]
    if found.get("disqualified"):
        pairs.append(("disqualified", str(found["disqualified"]["reason"])))
    pairs.append(("page", urljoin(f"{connection.url}/", str(found["links"]["html"]))))
    return facts(pairs)


def quota_words(quota: JsonObject, now: datetime) -> str:
    """Say how many submissions of today are used, and when they are counted anew."""
    used, limit, resets_at = quota.get("used"), quota.get("limit"), quota.get("resets_at")
    return f"{used} of {limit} submissions used today; the count starts again at {moment(resets_at, now)}"


def _bundle(limits: JsonObject) -> str:
    packed, unpacked = size(limits["max_bytes"]), size(limits["max_unpacked_bytes"])
    return f"at most {packed}, {limits['max_files']} files, {unpacked} unpacked"


def _cutoff(found: JsonObject) -> str:
    share = f"{100 * found['cutoff_fraction']:g} % of what retraining takes"
    if found["cutoff_seconds"] is None:
        return f"{share}; the competition is not prepared yet"
    return f"about {seconds(found['cutoff_seconds'], decimals_of(found, 'seconds'))} s a run, {share} on its device"


def _quota(found: JsonObject, now: datetime) -> str:
    if not found.get("quota"):
        return f"{found['limits']['per_day']} submissions a day; with a token, how many are used"
    return quota_words(found["quota"], now)
