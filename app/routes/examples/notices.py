"""Examples of notices for the OpenAPI document."""

from typing import Any

from app.routes.answers import Words
from app.routes.examples.common import SUBMISSION

WEBHOOK = {"url": "https://example.org/lethe", "created_at": "2026-03-01T11:00:00Z"}
NEW_WEBHOOK = WEBHOOK | {"secret": "lethe_hook_..."}
NOTICE: dict[str, Any] = {
    "id": "6b7c8d9e0f1a2b3c4d5e6f7a8b9c0d1e",
    "kind": "evaluation.done",
    "channel": "webhook",
    "state": "delivered",
    "submission_id": SUBMISSION["id"],
    "competition": None,
    "created_at": "2026-03-01T12:04:00Z",
    "attempts": 1,
    "tried_at": "2026-03-01T12:04:02Z",
    "next_at": None,
    "outcome": "answered 200",
}
TEST: dict[str, Any] = NOTICE | {
    "kind": "test",
    "state": "waiting",
    "submission_id": None,
    "attempts": 0,
    "tried_at": None,
    "next_at": "2026-03-01T12:04:00Z",
    "outcome": "",
}
NOTICES = {"email": "ada@example.org", "letters": True, "webhook": WEBHOOK, "items": [NOTICE]}
BAD_URL: Words = (
    "bad_request",
    "The request cannot be understood",
    "A webhook's URL begins with https:// and names a host.",
    "Give the address of your receiver, https://...",
)
BY_TOKEN: Words = (
    "forbidden",
    "You may not do this",
    "An API token cannot manage the account that it belongs to.",
    "Sign in with your password, on the sign-in page.",
)
NO_WEBHOOK: Words = ("not_found", "Not found", "You have no webhook.", "Set its URL first.")
MANY_TESTS: Words = (
    "conflict",
    "Not possible in this state",
    "3 tests have not been delivered yet.",
    "See below what they met.",
)
OFTEN: Words = (
    "too_many_attempts",
    "Too many attempts",
    "You have sent 20 tests within an hour.",
    "Wait 12 min, then try again.",
)
