"""Every route of the service, asked by everybody: the table says what each of them is answered.

Add a line for each new route; what its path and body need beyond what is here goes into `place` and BODIES.
"""

from dataclasses import dataclass

import pytest
from sqlalchemy import func, select
from starlette.routing import Mount, Route
from starlette.testclient import TestClient

from app import auth, invitations, organisers, registry, reruns, submissions, teams
from app.db import read_only, unit_of_work
from app.main import create_app
from app.models import Evaluation, Event, Token
from app.notices import account
from app.queue import Silent
from app.settings import Settings
from tests.bundles import zipped
from tests.lending import DEVICE, NAME, calibrate
from tests.seeding import DAY, GOOD, PASSWORD, World

PEOPLE = ("visitor", "ada", "grace", "omar", "olive", "root")
"""Nobody signed in; the owner of what a path names; another participant; organiser of another competition, and of this; an admin."""
# "in": to the sign-in page
TABLE = """
                                                                   visitor ada grace omar olive root
GET    /                                                               200 200 200 200 200 200
GET    /docs                                                           200 200 200 200 200 200
GET    /docs/{slug:path}                                               404 404 404 404 404 404
GET    /docs/images/{name}                                             404 404 404 404 404 404
GET    /problems                                                       200 200 200 200 200 200
GET    /competitions/{slug}                                            200 200 200 200 200 200
GET    /competitions/{slug}/leaderboard                                200 200 200 200 200 200
GET    /competitions/{slug}/pages/{tab}                                200 200 200 200 200 200
GET    /competitions/{slug}/compare                                    in  200 200 200 200 200
GET    /submissions/compare                                            in  400 400 400 400 400
GET    /competitions/{slug}/submit                                     in  200 200 200 200 200
GET    /competitions/{slug}/finals                                     in  200 200 200 200 200
POST   /competitions/{slug}/finals                                     401 303 303 303 303 303
POST   /competitions/{slug}/submit                                     401 303 303 303 303 303
GET    /submissions                                                    in  200 200 200 200 200
GET    /submissions/{submission_id}                                    in  200 404 404 200 200
POST   /submissions/{submission_id}/cancel                             401 303 404 404 303 303
GET    /competitions/{slug}/team                                       in  200 200 200 200 200
POST   /competitions/{slug}/team/create                                401 303 303 303 303 303
POST   /competitions/{slug}/team/rename                                401 404 404 404 404 404
POST   /competitions/{slug}/team/hand-over                             401 404 404 404 404 404
POST   /competitions/{slug}/team/leave                                 401 404 404 404 404 404
POST   /competitions/{slug}/team/invite                                401 404 404 404 404 404
POST   /competitions/{slug}/team/merge                                 401 404 404 404 404 404
POST   /competitions/{slug}/team/invitations/{invitation_id}/{answer}  401 303 404 404 404 404
GET    /sign-in                                                        200 200 200 200 200 200
POST   /sign-in                                                        303 303 303 303 303 303
POST   /sign-out                                                       303 303 303 303 303 303
GET    /sign-in/oidc                                                   404 404 404 404 404 404
GET    /sign-in/oidc/callback                                          404 404 404 404 404 404
POST   /sign-in/oidc/connect                                           401 404 404 404 404 404
GET    /register                                                       200 200 200 200 200 200
POST   /register                                                       303 303 303 303 303 303
GET    /forgot                                                         200 200 200 200 200 200
POST   /forgot                                                         404 404 404 404 404 404
GET    /reset                                                          404 404 404 404 404 404
POST   /reset                                                          404 404 404 404 404 404
GET    /account                                                        in  200 200 200 200 200
POST   /account/email                                                  401 303 303 303 303 303
POST   /account/password                                               401 303 303 303 303 303
POST   /account/sessions/end-others                                    401 303 303 303 303 303
POST   /account/sessions/{token_id}/end                              401 303 404 404 404 404
GET    /account/notices                                                in  200 200 200 200 200
POST   /account/notices/letters                                        401 303 303 303 303 303
POST   /account/notices/webhook                                        401 201 201 201 201 201
POST   /account/notices/webhook/remove                                 401 303 404 404 404 404
POST   /account/notices/webhook/test                                   401 303 404 404 404 404
POST   /account/identities/remove                                      401 404 404 404 404 404
POST   /account/tokens                                                 401 201 201 201 201 201
POST   /account/tokens/{token_id}/revoke                               401 303 404 404 404 404
GET    /organise                                                       in  403 403 200 200 200
GET    /organise/{slug}                                                in  403 403 404 200 200
GET    /organise/{slug}/entrants                                       in  403 403 404 200 200
GET    /organise/{slug}/evaluations/{act}                              in  403 403 404 200 200
GET    /organise/{slug}/reruns                                         in  403 403 404 200 200
GET    /organise/{slug}/calibrations                                   in  403 403 404 200 200
GET    /organise/{slug}/close                                          in  403 403 404 200 200
POST   /organise/{slug}/reveal                                         401 403 403 404 409 409
GET    /admin                                                          in  403 403 403 403 200
GET    /admin/events                                                   in  403 403 403 403 200
GET    /admin/workers                                                  in  403 403 403 403 200
GET    /admin/calibrations                                             in  403 403 403 403 200
GET    /admin/users                                                    in  403 403 403 403 200
GET    /admin/users/{name}                                             in  403 403 403 403 200
POST   /admin/users/{name}/role                                        401 403 403 403 403 303
POST   /admin/users/{name}/disable                                     401 403 403 403 403 303
POST   /admin/users/{name}/enable                                      401 403 403 403 403 303
POST   /admin/users/{name}/organise                                    401 403 403 403 403 303
POST   /admin/users/{name}/reset-link                                  401 403 403 403 403 201
GET    /admin/invitations                                              in  403 403 403 403 200
POST   /admin/invitations                                              401 403 403 403 403 201
POST   /admin/invitations/{link_id}/revoke                             401 403 403 403 403 303
GET    /admin/entrants                                                 in  403 403 403 403 200
GET    /admin/competitions/{slug}/entrants/{name}                      in  403 403 404 200 200
POST   /admin/competitions/{slug}/entrants/{name}/disqualify           401 403 403 404 303 303
POST   /admin/competitions/{slug}/entrants/{name}/quota                401 403 403 404 303 303
POST   /admin/competitions/{slug}/entrants/{name}/reinstate            401 403 403 404 409 409
POST   /admin/submissions/{submission_id}/disqualify                   401 403 403 404 303 303
POST   /admin/submissions/{submission_id}/reinstate                    401 403 403 404 409 409
POST   /admin/calibrations/{calibration_id}/remeasure                  401 403 403 404 303 303
POST   /admin/submissions/{submission_id}/rerun                        401 403 403 404 303 303
GET    /admin/evaluations                                              in  403 403 403 403 200
GET    /admin/evaluations/{act}                                        in  403 403 403 403 200
POST   /admin/evaluations/cancel                                       401 403 403 404 303 303
POST   /admin/evaluations/{evaluation_id}/cancel                       401 403 403 404 303 303
GET    /admin/reruns                                                   in  403 403 403 403 200
POST   /admin/reruns                                                   401 403 403 404 303 303
GET    /admin/reruns/{rerun_id}                                        in  403 403 404 200 200
POST   /admin/reruns/{rerun_id}/apply                                  401 403 403 404 409 409
POST   /admin/reruns/{rerun_id}/drop                                   401 403 403 404 303 303
GET    /api/v1/competitions                                            200 200 200 200 200 200
GET    /api/v1/competitions/{slug}                                     200 200 200 200 200 200
GET    /api/v1/competitions/{slug}/leaderboard                         200 200 200 200 200 200
GET    /api/v1/competitions/{slug}/leaderboard.csv                     200 200 200 200 200 200
GET    /api/v1/competitions/{slug}/comparison                          401 422 422 422 422 422
GET    /api/v1/competitions/{slug}/leaderboard/progress                200 200 200 200 200 200
GET    /api/v1/competitions/{slug}/finals                              401 200 200 200 200 200
PUT    /api/v1/competitions/{slug}/finals                              401 200 200 200 200 200
GET    /api/v1/competitions/{slug}/closing                             401 403 403 404 200 200
POST   /api/v1/competitions/{slug}/reveal                              401 403 403 404 409 409
GET    /api/v1/competitions/{slug}/data                                404 404 404 404 404 404
GET    /api/v1/competitions/{slug}/data/{sha256}                       404 404 404 404 404 404
POST   /api/v1/competitions/{slug}/submissions                         401 201 201 201 201 201
GET    /api/v1/submissions                                             401 200 200 200 200 200
GET    /api/v1/submissions/{submission_id}                             401 200 404 404 200 200
GET    /api/v1/submissions/{submission_id}/log                         401 200 404 404 200 200
GET    /api/v1/submissions/{submission_id}/bundle                      401 200 404 404 200 200
GET    /api/v1/submissions/{submission_id}/plots                       401 200 404 404 200 200
GET    /api/v1/submissions/{submission_id}/events                      401 200 404 404 200 200
POST   /api/v1/submissions/{submission_id}/cancel                      401 202 404 404 202 202
GET    /api/v1/evaluations/{evaluation_id}                             401 200 404 404 200 200
GET    /api/v1/admin/events                                            401 403 403 403 403 200
GET    /api/v1/admin/events.csv                                        401 403 403 403 403 200
GET    /api/v1/admin/overview                                          401 403 403 403 403 200
GET    /api/v1/admin/evaluations                                       401 403 403 200 200 200
POST   /api/v1/admin/evaluations/{evaluation_id}/cancel                401 403 403 404 202 202
GET    /api/v1/admin/reruns                                            401 403 403 200 200 200
POST   /api/v1/admin/reruns                                            401 403 403 404 201 201
GET    /api/v1/admin/reruns/{rerun_id}                                 401 403 403 404 200 200
POST   /api/v1/admin/reruns/{rerun_id}/apply                           401 403 403 404 409 409
POST   /api/v1/admin/reruns/{rerun_id}/drop                            401 403 403 404 200 200
GET    /api/v1/admin/workers                                           401 403 403 403 403 200
GET    /api/v1/admin/calibrations                                      401 403 403 200 200 200
GET    /api/v1/account                                                 401 200 200 200 200 200
GET    /api/v1/admin/users                                             401 403 403 403 403 200
GET    /api/v1/admin/users/{name}                                      401 403 403 403 403 200
PATCH  /api/v1/admin/users/{name}                                      401 403 403 403 403 200
POST   /api/v1/admin/users/{name}/reset-link                           401 403 403 403 403 200
GET    /api/v1/admin/invitations/{link_id}                             401 403 403 403 403 200
GET    /api/v1/admin/invitations                                       401 403 403 403 403 200
POST   /api/v1/admin/invitations                                       401 403 403 403 403 201
DELETE /api/v1/admin/invitations/{link_id}                             401 403 403 403 403 204
GET    /api/v1/admin/entrants                                          401 403 403 200 200 200
GET    /api/v1/admin/competitions/{slug}/entrants/{name}               401 403 403 404 200 200
POST   /api/v1/admin/competitions/{slug}/entrants/{name}/disqualify    401 403 403 404 200 200
POST   /api/v1/admin/competitions/{slug}/entrants/{name}/quota         401 403 403 404 201 201
POST   /api/v1/admin/competitions/{slug}/entrants/{name}/reinstate     401 403 403 404 409 409
POST   /api/v1/admin/submissions/{submission_id}/disqualify            401 403 403 404 200 200
POST   /api/v1/admin/submissions/{submission_id}/reinstate             401 403 403 404 409 409
POST   /api/v1/admin/calibrations/{calibration_id}/remeasure           401 403 403 404 200 200
POST   /api/v1/admin/submissions/{submission_id}/rerun                 401 403 403 404 201 201
GET    /api/v1/admin/competitions/{slug}/organisers                    401 403 403 403 403 200
PUT    /api/v1/admin/competitions/{slug}/organisers/{name}             401 403 403 403 403 200
DELETE /api/v1/admin/competitions/{slug}/organisers/{name}             401 403 403 403 403 200
GET    /api/v1/competitions/{slug}/team                               401 200 200 200 200 200
POST   /api/v1/competitions/{slug}/team                               401 201 201 201 201 201
PATCH  /api/v1/competitions/{slug}/team                               401 404 404 404 404 404
POST   /api/v1/competitions/{slug}/team/hand-over                     401 404 404 404 404 404
POST   /api/v1/competitions/{slug}/team/leave                         401 404 404 404 404 404
POST   /api/v1/competitions/{slug}/team/invitations                   401 404 404 404 404 404
POST   /api/v1/invitations/{invitation_id}/accept                     401 200 404 404 404 404
POST   /api/v1/invitations/{invitation_id}/decline                    401 200 404 404 404 404
POST   /api/v1/invitations/{invitation_id}/withdraw                   401 404 404 404 404 404
GET    /api/v1/notices                                                401 200 200 200 200 200
PATCH  /api/v1/notices                                                401 200 200 200 200 200
PUT    /api/v1/webhook                                                401 403 403 403 403 403
DELETE /api/v1/webhook                                                401 403 403 403 403 403
POST   /api/v1/webhook/test                                           401 202 404 404 404 404
GET    /api/v1/openapi.json                                           200 200 200 200 200 200
GET    /healthz                                                        200 200 200 200 200 200
GET    /readyz                                                         200 200 200 200 200 200
GET    /metrics                                                        401 401 401 401 401 401
"""
SIGN_IN = {"data": {"name": "ada", "password": PASSWORD}}
RERUN = {"reason": "a new reference"}
QUOTA = {"reason": "lost to a fault", "amount": 1}
TEAM = {"name": "The colander"}
WEBHOOK = {"url": "https://example.org/hook"}
BODIES = {
    "POST /account/notices/webhook": {"data": WEBHOOK},
    "PATCH /api/v1/notices": {"json": {"letters": False}},
    "PUT /api/v1/webhook": {"json": WEBHOOK},
    "POST /competitions/{slug}/team/create": {"data": TEAM},
    "POST /competitions/{slug}/team/rename": {"data": TEAM},
    "POST /competitions/{slug}/team/hand-over": {"data": TEAM},
    "POST /competitions/{slug}/team/invite": {"data": TEAM},
    "POST /competitions/{slug}/team/merge": {"data": TEAM},
    "POST /api/v1/competitions/{slug}/team": {"json": TEAM},
    "PATCH /api/v1/competitions/{slug}/team": {"json": TEAM},
    "POST /api/v1/competitions/{slug}/team/hand-over": {"json": TEAM},
    "POST /api/v1/competitions/{slug}/team/invitations": {"json": TEAM},
    "POST /register": {"data": {"name": "newcomer", "password": PASSWORD}},
    "POST /forgot": {"data": {"who": "ada"}},
    "POST /account/password": {"data": {"old": PASSWORD, "new": PASSWORD[::-1]}},
    "POST /admin/users/{name}/role": {"data": {"role": "admin"}},
    "POST /admin/users/{name}/organise": {"data": {"competition": "digits"}},
    "PATCH /api/v1/admin/users/{name}": {"json": {"disabled": True}},
    "POST /api/v1/admin/invitations": {"json": {"label": "somebody"}},
    "POST /competitions/{slug}/submit": {"files": {"bundle": ("a.zip", zipped(GOOD), "application/zip")}},
    "PUT /api/v1/competitions/{slug}/finals": {"json": {"submission_ids": []}},
    "POST /api/v1/competitions/{slug}/reveal": {"json": {}},
    "POST /sign-in": SIGN_IN,
    "POST /account/email": {"data": {"email": "me@example.org", "password": PASSWORD}},
    "POST /account/tokens": {"data": {"label": "laptop"}},
    "POST /admin/competitions/{slug}/entrants/{name}/disqualify": {"data": RERUN},
    "POST /admin/competitions/{slug}/entrants/{name}/quota": {"data": QUOTA},
    "POST /admin/competitions/{slug}/entrants/{name}/reinstate": {"data": RERUN},
    "POST /admin/submissions/{submission_id}/disqualify": {"data": RERUN},
    "POST /admin/submissions/{submission_id}/reinstate": {"data": RERUN},
    "POST /api/v1/admin/competitions/{slug}/entrants/{name}/disqualify": {"json": RERUN},
    "POST /api/v1/admin/competitions/{slug}/entrants/{name}/quota": {"json": QUOTA},
    "POST /api/v1/admin/competitions/{slug}/entrants/{name}/reinstate": {"json": RERUN},
    "POST /api/v1/admin/submissions/{submission_id}/disqualify": {"json": RERUN},
    "POST /api/v1/admin/submissions/{submission_id}/reinstate": {"json": RERUN},
    "POST /admin/submissions/{submission_id}/rerun": {"data": RERUN | {"split": "private"}},
    "POST /api/v1/admin/submissions/{submission_id}/rerun": {"json": RERUN | {"split": "private"}},
    "POST /admin/evaluations/{evaluation_id}/cancel": {"data": RERUN},
    "POST /api/v1/admin/evaluations/{evaluation_id}/cancel": {"json": RERUN},
    "GET /admin/evaluations/{act}": {"params": {"all": "yes"}},
    "GET /organise/{slug}/evaluations/{act}": {"params": {"all": "yes"}},
    "POST /api/v1/competitions/{slug}/submissions": {"content": zipped(GOOD)},
}
RUNNING = ("/cancel",)
"""Ends of routes that need a submission that is still under way; the others get one that has ended."""


def rows():
    for line in TABLE.strip().splitlines()[1:]:
        method, path, *outcomes = line.split()
        assert len(outcomes) == len(PEOPLE), f"{method} {path} needs an outcome for each of {PEOPLE}"
        yield f"{method} {path}", dict(zip(PEOPLE, outcomes, strict=True))


EXPECTED = dict(rows())


@dataclass
class Place:
    """A world with something of ada's in it, and what stands for each name in a path."""

    world: World
    sessions: dict[str, str]
    ended: dict[str, str]
    running: dict[str, str]


def with_session(world, name):
    with unit_of_work(world.engine) as session:
        user = auth.holder_of(session, world.tokens[name], world.clock(), "api").user
        return auth.issue_token(session, user, "session", "browser", world.clock(), DAY)


def rerun_of(world, submission):
    """Cancel a submission and grade it again, as a rerun of many; return the rerun's id."""
    root = world.user("root")
    with unit_of_work(world.engine) as session:
        [ended] = submissions.cancel(session, submission, root, world.clock())
        return reruns.make(session, [ended.id], "again", root, world.clock(), queue_due=DAY, bell=Silent()).id


@pytest.fixture(scope="module")
def place(tmp_path_factory):
    world = World(tmp_path_factory.mktemp("everybody"))
    for name in PEOPLE[1:-1]:
        world.person(name)
    world.person("root", "admin")
    world.competition(n_models=3)
    world.competition("faces", n_models=3)
    world.reference(smoke=True, n_models=3)
    world.reference("private", n_models=3)
    with unit_of_work(world.engine) as session:
        organisers.grant(session, "digits", "olive", "root", world.clock())
        organisers.grant(session, "faces", "omar", "root", world.clock())
        digits = registry.get_competition(session, "digits")
        reference = registry.current_reference(session, digits, "public")
        calibration = calibrate(session, reference, world.clock(), 8.0, DEVICE, NAME).id
        link = invitations.make(session, "participant", "", "", 7, "root", world.clock())[0].id
    sessions = {name: with_session(world, name) for name in PEOPLE[1:]}
    ended = world.submit("ada")
    world.smoke(b"hello")
    world.run(3)
    world.score(0.08, 0.98, 0.97)
    running = world.submit("ada")
    rerun = rerun_of(world, world.submit("grace"))
    with read_only(world.engine) as session:
        token = session.scalar(select(Token.id).where(Token.digest == auth.digest_of(world.tokens["ada"])))
        own = dict(session.execute(select(Evaluation.submission_id, Evaluation.id)).all())
    names = {"slug": "digits", "tab": "rules", "name": "grace", "token_id": token}
    world.person("mia")
    with unit_of_work(world.engine) as session:
        mia = world.user("mia")
        teams.create(session, "digits", "The sieve", mia, world.clock())
        invitation = teams.invite(session, "digits", "ada", mia, world.clock()).id
    names |= {"rerun_id": rerun, "act": "rerun"}
    names |= {"calibration_id": calibration, "sha256": "0" * 64}
    names |= {"calibration_id": calibration, "sha256": "0" * 64, "link_id": link}
    with unit_of_work(world.engine) as session:
        account.set_webhook(session, world.user("ada"), WEBHOOK["url"], world.clock(), private=False)
    names |= {"invitation_id": invitation, "answer": "accept"}
    return Place(
        world,
        sessions,
        names | {"submission_id": ended, "evaluation_id": own[ended]},
        names | {"submission_id": running, "evaluation_id": own[running]},
    )


def application_of(place, data_dir):
    world = place.world.copy(data_dir)
    return world, create_app(Settings(data_dir=data_dir, registration="open"), clock=world.clock)


def ask(place, application, route, person):
    """Send one request as somebody: pages with their cookie, the API with their token."""
    method, template = route.split(" ")
    names = place.running if template.endswith(RUNNING) else place.ended
    headers, cookies = {"Sec-Fetch-Site": "same-origin"}, {}
    if person != "visitor" and template.startswith("/api/"):
        headers["Authorization"] = f"Bearer {place.world.tokens[person]}"
    elif person != "visitor":
        cookies["lethe_session"] = place.sessions[person]
    with TestClient(application, headers=headers, cookies=cookies, follow_redirects=False) as client:
        more = BODIES.get(route, {})
        if route.endswith(("POST /admin/evaluations/cancel", "POST /admin/reruns")):
            more = {"data": RERUN | {"evaluation": names["evaluation_id"]}}
        elif route == "POST /api/v1/admin/reruns":
            more = {"json": RERUN | {"evaluations": [names["evaluation_id"]]}}
        return client.request(method, template.replace(":path}", "}").format(**names), **more)


def outcome(answer):
    to_sign_in = answer.headers.get("location", "").startswith("/sign-in")
    return "in" if answer.status_code == 303 and to_sign_in else str(answer.status_code)


def count_events(world):
    with read_only(world.engine) as session:
        return session.scalar(select(func.count(Event.id)))


@pytest.mark.parametrize("route", EXPECTED)
def test_everybody_is_answered_as_the_table_says_and_a_refusal_changes_nothing(place, route, tmp_path):
    found, changed = {}, True
    for person in PEOPLE:
        if changed:  # each meets the same world
            world, application = application_of(place, tmp_path / person)
        before = count_events(world)
        answer = ask(place, application, route, person)
        found[person] = outcome(answer)
        changed = answer.status_code < 400 and not route.startswith("GET ")
        if answer.status_code >= 400:
            assert count_events(world) == before, f"{person} was refused, yet something changed"
    assert found == EXPECTED[route]


def every_route(routes):
    """Yield "METHOD /path" of each route, those of included routers too; files under /static are none."""
    for route in routes:
        if isinstance(route, Route):
            yield from (f"{method} {route.path}" for method in route.methods - {"HEAD"})
        elif not isinstance(route, Mount):
            yield from every_route(route.original_router.routes)


def test_the_table_names_every_route_and_no_other(place, tmp_path):
    _, application = application_of(place, tmp_path)
    there = set(every_route(application.routes))
    new, gone = sorted(there - set(EXPECTED)), sorted(set(EXPECTED) - there)
    lines = "\n".join(f"{route:<70} ? ? ? ? ? ?" for route in new)
    assert not new, f"Say in TABLE what each of {PEOPLE} is answered:\n{lines}"
    assert not gone, f"Take out of TABLE what is no route any more: {gone}"
