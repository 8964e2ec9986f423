"""From the open competition to the reveal, as pages and API tell it, with the clock moved by hand."""

import pytest

from app.phases import GRACE
from tests.app.conftest import FAILURE

BOARD = "/api/v1/competitions/digits/leaderboard"
PRIVATE = f"{BOARD}?split=private"
FINALS = "/api/v1/competitions/digits/finals"
CLOSING = "/api/v1/competitions/digits/closing"
REVEAL = "/api/v1/competitions/digits/reveal"
PAGE = "/competitions/digits"


@pytest.fixture
def played(world):
    """Ada is first on the public split and grace second; on the private split it will be the other way round."""
    world.reference("private")
    ids = {
        "ada": world.scored("ada", 0.09, 0.99, 0.98),
        "low": world.scored("ada", 0.05, 0.99, 0.98),
        "grace": world.scored("grace", 0.08, 0.99, 0.98),
    }
    world.clock.forward(minutes=1)
    return ids


def evaluate(world, values):
    """Score whatever final entries are queued, by their submissions."""
    while world.run(4) == "last":
        world.score(values[world.submission_of(world.last_evaluation)], 0.99, 0.98)
        if not world.queued():
            return


def closed(world, played):
    """Close, and evaluate all final entries."""
    assert world.after_the_close() == 1
    evaluate(world, {played["ada"]: 0.07, played["low"]: 0.04, played["grace"]: 0.085})


def choose(client, bearer, name, *ids):
    return client.put(FINALS, json={"submission_ids": list(ids)}, headers=bearer(name))


def test_final_entries_are_chosen_by_api_and_locked_at_the_close(client, world, bearer, played):
    answer = choose(client, bearer, "ada", played["low"])
    assert answer.status_code == 200
    found = answer.json()
    assert [(one["submission_id"], one["state"]) for one in found["entries"]] == [(played["low"], "chosen")]
    assert [one["submission_id"] for one in found["candidates"]] == [played["ada"]]
    assert (found["places"], found["locked"]) == (2, False)
    too_many = choose(client, bearer, "ada", *["f" * 32, "e" * 32, "d" * 32])
    assert (too_many.status_code, too_many.json()["advice"]) == (400, "Choose at most 2.")
    assert choose(client, bearer, "grace", played["ada"]).status_code == 404
    world.clock.now = world.clock.now.replace(month=6)
    late = choose(client, bearer, "ada", played["ada"])
    assert (late.status_code, late.json()["code"]) == (409, "conflict")
    assert "locked at the close, 2026-06-01 00:00 UTC" in late.json()["detail"]
    assert client.get(FINALS, headers=bearer("ada")).json()["locked"] is True


def test_the_form_chooses_without_a_script_and_shows_what_is_wrong(client, played, sign_in):
    sign_in("ada")
    page = client.get(f"{PAGE}/finals").text
    assert page.count('type="checkbox"') == 2
    assert " checked" not in page
    assert client.post(f"{PAGE}/finals", data={"submission": [played["ada"]]}).status_code == 303
    assert client.get(f"{PAGE}/finals").text.count(" checked") == 1
    refused = client.post(f"{PAGE}/finals", data={"submission": ["a" * 32, "b" * 32, "c" * 32]})
    assert refused.status_code == 400
    assert "Choose at most 2." in refused.text
    assert client.post(f"{PAGE}/finals").status_code == 303
    assert " checked" not in client.get(f"{PAGE}/finals").text


def test_a_page_that_was_opened_before_a_teammate_chose_does_not_undo_their_choice(
    client, bearer, played, sign_in
):
    sign_in("ada")
    opened = client.get(f"{PAGE}/finals").text
    assert opened.count('name="seen"') == 1
    assert choose(client, bearer, "ada", played["low"]).status_code == 200
    stale = client.post(f"{PAGE}/finals", data={"seen": "", "submission": [played["ada"]]})
    assert stale.status_code == 409
    assert "changed after you looked" in stale.text
    assert f'name="seen" value="{played["low"]}"' in stale.text
    fresh = {"seen": ["", played["low"]], "submission": [played["ada"]]}
    assert client.post(f"{PAGE}/finals", data=fresh).status_code == 303


def test_a_choice_by_api_that_says_what_was_seen_is_refused_once_that_has_changed(client, bearer, played):
    def put(chosen, seen):
        wanted = {"submission_ids": [played[one] for one in chosen], "seen": [played[one] for one in seen]}
        return client.put(FINALS, json=wanted, headers=bearer("ada"))

    assert put(["low"], seen=[]).status_code == 200
    late = put(["ada"], seen=[])
    assert (late.status_code, late.json()["code"]) == (409, "conflict")
    entries = client.get(FINALS, headers=bearer("ada")).json()["entries"]
    assert [one["submission_id"] for one in entries] == [played["low"]]
    assert put(["ada"], seen=["low"]).status_code == 200


def test_a_choice_that_failed_meanwhile_is_shown_as_lost(client, world, bearer, sign_in, played):
    world.clock.forward(days=1)
    risky = world.submit("ada")
    assert choose(client, bearer, "ada", risky).status_code == 200
    world.run(1, FAILURE)
    sign_in("ada")
    page = client.get(f"{PAGE}/finals").text
    assert "ended without a score and cannot count" in page
    assert " checked" not in page


def test_nothing_of_the_private_split_is_to_be_had_before_the_reveal(
    client, world, bearer, sign_in, played, statements
):
    closed(world, played)
    urls = (PRIVATE, f"{BOARD}.csv?split=private")
    for headers in ({}, bearer("ada")):
        for url in urls:
            assert client.get(url, headers=headers).status_code == 404
    seen_by_root = [client.get(url, headers=bearer("root")) for url in urls]
    assert [answer.status_code for answer in seen_by_root] == [200, 200]
    assert {answer.headers["Cache-Control"] for answer in seen_by_root} == {"private, no-store"}
    assert "ETag" not in seen_by_root[0].headers
    etag = {"If-None-Match": "*"}
    for headers in ({}, bearer("ada"), etag):  # after an organiser looked, nothing of it is in memory
        for url in urls:
            assert client.get(url, headers=headers).status_code == 404
    assert client.app.state.context.boards.known("digits", "json", "private") is None
    public = client.get(BOARD).json()
    assert {row["public_rank"] for row in public["rows"]} == {None}
    sign_in("ada")
    for path in (f"{PAGE}/leaderboard?split=private", f"/submissions/{played['ada']}", f"{PAGE}/finals"):
        page = client.get(path).text
        assert "0.067" not in page  # 0.07 x 0.99 x 0.98, ada's private score
        assert "0.082" not in page
    assert "hidden until the results are revealed" in client.get(f"{PAGE}/leaderboard?split=private").text
    for entry in client.get(FINALS, headers=bearer("ada")).json()["entries"]:
        assert entry["evaluation"] == "complete"
        assert entry["score"] in {0.0873, 0.0485}
        assert (entry["private_verdict"], entry["private_score"]) == (None, None)
    assert client.get(CLOSING, headers=bearer("ada")).status_code == 403


def test_while_final_entries_are_evaluated_their_owner_reads_only_that_they_are(
    client, world, bearer, played
):
    world.after_the_close()
    states = {one["evaluation"] for one in client.get(FINALS, headers=bearer("ada")).json()["entries"]}
    assert states == {"running"}
    closing = client.get(CLOSING, headers=bearer("root")).json()
    assert (closing["entries"], closing["complete"], len(closing["running"])) == (3, 0, 3)
    refused = client.post(REVEAL, json={}, headers=bearer("root"))
    assert (refused.status_code, refused.json()["detail"]) == (
        409,
        "3 of 3 final entries are still being evaluated, or graded again.",
    )


def test_the_reveal_shows_the_private_board_with_the_places_that_changed(
    client, world, bearer, played, sign_in
):
    closed(world, played)
    for url in (PRIVATE, BOARD):
        client.get(url)
    answer = client.post(REVEAL, json={}, headers=bearer("root"))
    assert (answer.status_code, answer.json()["phase"]) == (200, "revealed")
    board = client.get(PRIVATE)
    assert [(row["entrant"], row["public_rank"], row["rank_change"]) for row in board.json()["rows"]] == [
        ("grace", 2, 1),
        ("ada", 1, -1),
    ]
    assert board.json()["split"] == "private"
    own = client.get(FINALS, headers=bearer("ada")).json()["entries"]
    assert {one["private_verdict"] for one in own} == {"scored"}
    assert 0.0679 in {one["private_score"] for one in own}
    again = client.get(PRIVATE, headers={"If-None-Match": board.headers["ETag"]})
    assert again.status_code == 304
    assert client.get(BOARD).json()["rows"][0]["entrant"] == "ada"
    assert client.post(REVEAL, json={}, headers=bearer("root")).status_code == 409
    assert "public_rank" in client.get(f"{BOARD}.csv?split=private").text
    sign_in("ada")
    for path in (f"{PAGE}/finals", f"/submissions/{played['ada']}"):
        assert "0.0679" in client.get(path).text


def test_memory_never_gives_one_splits_board_for_the_others(client, world, bearer, played, statements):
    closed(world, played)
    world.revealed()
    first = {url: client.get(url).json()["split"] for url in (BOARD, PRIVATE, f"{BOARD}?split=public")}
    assert list(first.values()) == ["public", "private", "public"]
    with statements() as seen:
        assert {url: client.get(url).json()["split"] for url in first} == first
    assert not any("FROM scores" in one for one in seen)
    assert client.get(f"{BOARD}?split=secret").status_code == 422


def test_an_organiser_reveals_with_a_button_after_a_preview(client, world, sign_in, played):
    closed(world, played)
    sign_in("root")
    page = client.get("/organise/digits/close").text
    assert "Reveal the results" in page
    assert "up 1" in page
    assert "down 1" in page
    answer = client.post("/organise/digits/reveal")
    assert answer.status_code == 303
    board = client.get(answer.headers["location"]).text
    assert "Private leaderboard: the results." in board
    assert "up 1" in board
    assert "The results were revealed" in client.get("/organise/digits/close").text


def test_every_page_of_a_competition_says_its_phase_and_what_comes_next(client, world, sign_in, played):
    sign_in("ada")
    paths = (PAGE, f"{PAGE}/leaderboard", f"{PAGE}/submit", f"{PAGE}/finals", f"{PAGE}/pages/rules")
    world.competition("faces", opens_at="2026-04-01T00:00:00Z", title="Faces")
    said = {
        "open": ("Closes ", "choose up to 2 final entries", "in 90 days"),
        "finals": ("Closed ", "an organiser reveals the results", "final evaluation"),
        "revealed": ("revealed ", "The private leaderboard decides.", "results revealed"),
    }
    for phase, words in said.items():
        if phase == "finals":
            closed(world, played)
            sign_in("ada")
        if phase == "revealed":
            world.revealed()
        assert client.get("/api/v1/competitions/digits").json()["phase"] == phase
        for path in paths:
            text = client.get(path).text
            assert [word for word in words if word not in text] == [], (phase, path)
    assert 'id="phase-revealed"' in client.get("/").text


def test_the_home_page_groups_competitions_by_phase(client, world):
    world.competition("faces", opens_at="2026-04-01T00:00:00Z", title="Faces")
    world.competition("late", closes_at="2026-02-01T00:00:00Z", title="Late")
    text = client.get("/").text
    places = [text.index(f'id="phase-{name}"') for name in ("open", "upcoming", "finals")]
    assert places == sorted(places)
    assert "phase-revealed" not in text


def test_a_late_entry_is_refused_with_the_time_of_the_close(client, world, bearer):
    world.clock.now = world.clock.now.replace(month=6) + GRACE
    answer = client.post("/api/v1/competitions/digits/submissions", content=b"x", headers=bearer("ada"))
    assert (answer.status_code, answer.json()["code"]) == (409, "competition_closed")
    assert "closed at 2026-06-01 00:00 UTC" in answer.json()["detail"]
