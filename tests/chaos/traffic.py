"""People over HTTP: they try again, with the same key, until they are answered."""

import random
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from itertools import count

import httpx

from app import auth
from app.db import unit_of_work
from tests.chaos.plans import Plan, bundle
from tests.chaos.site import Site

PATIENCE = 120.0
ANSWER_SECONDS = 8.0
PEOPLE = 6


@dataclass
class Sent:
    """A submission that was answered with 201, and what may have happened to it since."""

    id: str
    plan: Plan
    cancelled: bool = False
    lost: bool = False  # its bundle was destroyed
    hurt: bool = False  # a sandbox of it was killed from outside
    reruns: int = field(default=0)


class Crowd:
    """A few participants and an admin. Threads may share it."""

    def __init__(self, site: Site, seed: int) -> None:
        self._site = site
        self._chance = random.Random(seed)
        self._numbers = count(seed * 1_000_000)
        self.sent: list[Sent] = []
        now = datetime.now(UTC)
        with unit_of_work(site.engine) as session:
            names = [(f"p{number}", "participant") for number in range(PEOPLE)] + [("root", "admin")]
            tokens = [
                auth.issue_token(
                    session, auth.create_user(session, name, "correct horse", role, now), "api", "", now, None
                )
                for name, role in names
            ]
        *self._tokens, self._admin = tokens

    def submit(self, plan: Plan) -> Sent:
        """Submit a bundle until somebody says 201."""
        number = next(self._numbers)
        token = self._chance.choice(self._tokens)
        headers = {"Authorization": f"Bearer {token}", "Idempotency-Key": f"key-{number}"}
        answer = self._insist(
            "/api/v1/competitions/tiny/submissions", headers, {201}, content=bundle(plan, number)
        )
        one = Sent(answer.json()["id"], plan)
        self.sent.append(one)
        return one

    def half_an_upload(self, break_off: Callable[[], None]) -> None:
        """Send a body's first half; then something happens, and the rest never comes."""

        def body() -> Iterator[bytes]:
            yield bundle(Plan.SCORED, 0)[:100]
            time.sleep(0.3)
            break_off()
            time.sleep(0.3)
            yield b"more"

        headers = {"Authorization": f"Bearer {self._tokens[0]}"}
        url = f"http://127.0.0.1:{self._site.ports[0]}/api/v1/competitions/tiny/submissions"
        try:
            answer = httpx.post(url, headers=headers, content=body(), timeout=ANSWER_SECONDS)
        except httpx.HTTPError:
            return
        assert answer.status_code >= 400, answer.text

    def cancel(self, one: Sent) -> None:
        """Cancel until told that it is, or that it has ended."""
        one.cancelled = True
        self._insist(f"/api/v1/submissions/{one.id}/cancel", self._root, {202, 409})

    def rerun(self, one: Sent) -> None:
        """Have it graded again, until that is under way."""
        one.reruns += 1
        body = {"split": "public", "reason": "chaos"}
        self._insist(f"/api/v1/admin/submissions/{one.id}/rerun", self._root, {201, 409}, json=body)

    @property
    def _root(self) -> dict[str, str]:
        return {"Authorization": f"Bearer {self._admin}"}

    def _insist(self, path: str, headers: dict[str, str], wanted: set[int], **body: object) -> httpx.Response:
        deadline = time.monotonic() + PATIENCE
        said = ""
        for turn in count(self._chance.randrange(len(self._site.ports))):
            assert time.monotonic() < deadline, f"{path} was never answered; last: {said}"
            url = f"http://127.0.0.1:{self._site.ports[turn % len(self._site.ports)]}{path}"
            try:
                answer = httpx.post(url, headers=headers, timeout=ANSWER_SECONDS, **body)
            except httpx.HTTPError as error:
                said = repr(error)
            else:
                if answer.status_code in wanted:
                    return answer
                said = f"{answer.status_code} {answer.text[:300]}"
                assert answer.status_code in {429, *range(500, 600)}, (
                    said
                )  # ours to mend, or too much at once
            time.sleep(0.2)
        raise AssertionError
