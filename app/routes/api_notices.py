"""API v1 for a person's notices: letters, and a webhook."""

from fastapi import APIRouter

from app.dependencies import AccountHolder, Ctx, Now, Person, Reading, Writing
from app.notices import account
from app.routes.answers import ok, problems
from app.routes.examples import notices as examples
from app.routes.security import IN_BROWSER, SIGNED_IN
from app.schemas.notices import NewWebhookOut, NoticeOut, NoticesIn, NoticesOut, WebhookIn
from app.views import notices as views

router = APIRouter(prefix="/api/v1", tags=["notices"])


@router.get(
    "/notices",
    summary="Read how I am told",
    dependencies=SIGNED_IN,
    responses={200: ok("Now", examples.NOTICES), **problems(401)},
)
def read_notices(session: Reading, person: Person) -> NoticesOut:
    """Read whether you get letters, your webhook without its secret, and your last 20 notices."""
    return views.describe(session, person)


@router.patch(
    "/notices",
    summary="Turn letters on or off",
    dependencies=SIGNED_IN,
    responses={200: ok("Now", examples.NOTICES), **problems(401, unsafe=True)},
)
def change_notices(wanted: NoticesIn, session: Writing, person: Person, now: Now) -> NoticesOut:
    """Say whether you want a letter at the end of each evaluation; its address is on your account page."""
    account.set_letters(session, person.id, wanted=wanted.letters, now=now)
    return views.describe(session, person)


@router.put(
    "/webhook",
    summary="Set my webhook",
    dependencies=IN_BROWSER,
    responses={
        200: ok("Set", examples.NEW_WEBHOOK),
        **problems(400, 401, 403, unsafe=True, s400=examples.BAD_URL, s403=examples.BY_TOKEN),
    },
)
def set_webhook(
    wanted: WebhookIn, context: Ctx, session: Writing, person: AccountHolder, now: Now
) -> NewWebhookOut:
    """Send notices to an https URL from now on, each as a POST of JSON.

    This takes the session of a browser that is signed in: an API token is refused, for a webhook outlives it.

    `Lethe-Signature: t=...,v1=...` holds the time and the HMAC-SHA256, by the secret, of `t.body`. What is not answered
    with 2xx within 10 seconds is sent again, later and later, for three days; a notice may arrive twice, with the same
    `Lethe-Notice`. Addresses that are not on the public internet are refused, and redirects are not followed.
    """
    private = context.settings.webhook_private_networks
    hook = account.set_webhook(session, person, wanted.url, now, private=private)
    return NewWebhookOut(url=hook.url, created_at=hook.created_at, secret=hook.secret)


@router.delete(
    "/webhook",
    summary="Remove my webhook",
    dependencies=IN_BROWSER,
    responses={
        200: ok("Removed", examples.NOTICES | {"webhook": None}),
        **problems(401, 403, 404, unsafe=True, s403=examples.BY_TOKEN, s404=examples.NO_WEBHOOK),
    },
)
def remove_webhook(session: Writing, person: AccountHolder, now: Now) -> NoticesOut:
    """Send nothing to it any more. This too takes a browser's session: an API token is refused."""
    account.remove_webhook(session, person, now)
    session.flush()
    return views.describe(session, person)


@router.post(
    "/webhook/test",
    status_code=202,
    summary="Send a test to my webhook",
    dependencies=SIGNED_IN,
    responses={
        202: ok("On its way", examples.TEST),
        **problems(
            *(401, 404, 409, 429),
            unsafe=True,
            s404=examples.NO_WEBHOOK,
            s409=examples.MANY_TESTS,
            s429=examples.OFTEN,
        ),
    },
)
def test_webhook(session: Writing, person: Person, now: Now) -> NoticeOut:
    """Send `{"id", "type": "test", "created_at"}`; read what came of it among your notices. 20 may be sent within an hour."""
    sent = account.send_test(session, person, now)
    session.flush()
    return next(one for one in views.describe(session, person).items if one.id == sent.id)
