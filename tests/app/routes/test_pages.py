import re

import pytest
from sqlalchemy import update

from app import registry
from app.competitions import CompetitionConfig
from app.db import unit_of_work
from app.evaluations import RunOutcome
from app.models import Score
from app.status import Verdict
from tests.bundles import zipped
from tests.seeding import GOOD, PASSWORD

SUBMIT = "/competitions/digits/submit"


def test_signing_in_sets_a_cookie_that_scripts_and_other_sites_cannot_use(client):
    answer = client.post("/sign-in", data={"name": "ada", "password": PASSWORD, "next": "/submissions"})
    assert (answer.status_code, answer.headers["Location"]) == (303, "/submissions")
    cookie = answer.headers["Set-Cookie"].lower()
    assert "httponly" in cookie
    assert "samesite=lax" in cookie
    assert "My submissions" in client.get("/submissions").text


@pytest.mark.parametrize("target", ["//evil.example", "https://evil.example", "/\\evil.example", "/\tx"])
def test_signing_in_never_leads_to_another_host(client, target):
    answer = client.post("/sign-in", data={"name": "ada", "password": PASSWORD, "next": target})
    assert answer.headers["Location"] == "/"


@pytest.mark.parametrize(("name", "password"), [("ada", "wrong"), ("nobody", PASSWORD), ("", "")])
def test_a_wrong_password_and_an_unknown_name_get_the_same_words(client, name, password):
    answer = client.post("/sign-in", data={"name": name, "password": password})
    assert answer.status_code == 401
    assert "The name or the password is wrong." in answer.text
    assert "Set-Cookie" not in answer.headers


def test_signing_out_ends_the_session_on_the_server_too(client, sign_in):
    sign_in("ada")
    secret = client.cookies["lethe_session"]
    assert client.post("/sign-out").status_code == 303
    client.cookies.set("lethe_session", secret)
    assert client.get("/submissions").headers["Location"] == "/sign-in?next=%2Fsubmissions"


def test_a_stranger_reads_competition_rules_and_leaderboard(client, world):
    world.scored("ada", 0.08, 0.98, 0.97)
    for path, words in {
        "/": "Forget the digits",
        "/competitions/digits": "What the original model remembers",
        "/competitions/digits/pages/rules": "One account per person",
        "/competitions/digits/leaderboard": "Retraining from scratch",
    }.items():
        answer = client.get(path)
        assert answer.status_code == 200
        assert words in answer.text
    assert client.get("/competitions/digits/pages/none").status_code == 404


def test_the_means_of_retraining_are_said_to_be_over_all_retrained_models(client):
    text = client.get("/competitions/digits").text
    assert "the mean of 8 models retrained without the forget set: the 4 that submissions are graded" in text


def test_an_organisers_markdown_cannot_bring_scripts(client):
    text = client.get("/competitions/digits").text
    assert "<script>alert" not in text
    assert "&lt;script&gt;alert" in text


def test_the_submit_page_shows_format_and_quota_before_anything_is_sent(client, world, sign_in):
    sign_in("ada")
    world.submit("ada")
    text = client.get(SUBMIT).text
    for words in (
        "1 of 3",
        "2026-03-03 00:00 UTC",
        "unlearning(net",
        "(images, labels)",
        "submission.py",
        "100 kB",
    ):
        assert words in text


def test_ones_submissions_to_a_competition_stand_under_what_is_left_of_the_quota(client, world, sign_in):
    world.competition("soon", opens_at="2026-04-01T00:00:00Z")
    sign_in("ada")
    world.submit("ada")
    [said] = re.findall(r'<p class="quota">.*?</p>', client.get(SUBMIT).text)
    assert said in client.get("/submissions?competition=digits").text
    for other in ("/submissions", "/submissions?competition=soon"):
        assert 'class="quota"' not in client.get(other).text
    assert client.get("/submissions?competition=nowhere").status_code == 404


def test_the_names_in_a_batch_stand_where_one_submits(client, world, sign_in):
    sign_in("ada")
    batches = {"size": 32, "kind": "dict", "fields": {"image": "images", "age_group": "labels"}}
    with unit_of_work(world.engine) as session:
        one = registry.get_competition(session, "digits")
        config = CompetitionConfig.model_validate(one.config | {"batches": batches})
        registry.register(session, config, one.pages, world.clock())
    for page in (SUBMIT, "/competitions/digits"):
        assert '{"image": images, "age_group": labels}</code>, 32 images each' in client.get(page).text
    assert client.get("/api/v1/competitions/digits").json()["batches"] == batches


def test_a_plain_form_submits_and_leads_to_the_submission(client, sign_in):
    sign_in("ada")
    files = {"bundle": ("b.zip", zipped(GOOD))}
    answer = client.post(f"{SUBMIT}?key=form-1", files=files, data={"note": "by form"})
    assert answer.status_code == 303
    again = client.post(f"{SUBMIT}?key=form-1", files=files, data={"note": "by form"})
    assert again.headers["Location"] == answer.headers["Location"]
    text = client.get(answer.headers["Location"]).text
    assert "by form" in text
    assert "Next in the queue." in text


@pytest.mark.parametrize(
    ("files", "code", "status"),
    [
        ({"bundle": ("b.zip", b"hello")}, "not_a_zip", 422),
        ({"bundle": ("b.zip", zipped("x = 1"))}, "missing_entry_function", 422),
        ({"bundle": ("b.zip", bytes(100_001))}, "bundle_too_large", 413),
        ({"bundle": ("b.zip", bytes(300_000))}, "bundle_too_large", 413),
        ({"other": ("b.zip", b"x")}, "bad_request", 400),
    ],
)
def test_a_refused_form_says_why_on_a_page(client, world, sign_in, files, code, status):
    sign_in("ada")
    answer = client.post(SUBMIT, files=files)
    assert answer.status_code == status
    assert code in answer.text
    assert "What to do:" in answer.text
    assert "0 of 3" in client.get(SUBMIT).text
    uploads = world.data_dir / "uploads"
    assert not uploads.exists() or not list(uploads.iterdir())


def test_a_form_from_a_stranger_or_over_the_quota_is_refused_before_it_is_read(client, world, sign_in):
    garbage = {"content": b"not a form", "headers": {"Content-Type": "multipart/form-data; boundary=x"}}
    assert client.post(SUBMIT, **garbage).status_code == 401
    sign_in("ada")
    assert client.post(SUBMIT, **garbage).status_code == 400
    for _ in range(3):
        world.submit("ada")
    assert client.post(SUBMIT, **garbage).status_code == 429
    assert "Nothing is left for today." in client.get(SUBMIT).text


def test_pages_that_cannot_take_a_bundle_say_why(client, world, sign_in):
    sign_in("ada")
    world.competition("late", closes_at="2026-02-01T00:00:00Z")
    world.competition("soon", opens_at="2026-04-01T00:00:00Z")
    world.competition("raw", prepared=False)
    for slug, words in {"late": "has closed", "soon": "not open yet", "raw": "not prepared yet"}.items():
        text = client.get(f"/competitions/{slug}/submit").text
        assert words in text
        assert 'type="file"' not in text
        assert client.get(f"/competitions/{slug}").status_code == 200
        assert client.get(f"/competitions/{slug}/leaderboard").status_code == 200


def test_a_running_submission_has_a_link_to_reload_it_without_scripts_and_a_finished_one_has_none(
    client, world, sign_in
):
    sign_in("ada")
    page = f"/submissions/{world.submit('ada')}"
    assert "No run has ended yet." in client.get(page).text
    world.run(2)
    world.claim_one()
    text = client.get(page).text
    assert "<strong>2 of 4</strong> runs done, 1 running now" in text
    assert '<noscript><p class="box empty"><a href="">Reload</a>' in text
    assert "Cancel this submission" in text
    world.run(1, RunOutcome(1.48, None, Verdict.TIMED_OUT, "over_cutoff"))
    text = client.get(page).text
    assert "<noscript>" not in text
    for words in ("over_cutoff", "What to change", "Yours", "spent, since runs had started", "run 4 of 4"):
        assert words in text


def test_a_score_is_shown_beside_retraining_with_its_digests(client, world, sign_in):
    sign_in("ada")
    text = client.get(f"/submissions/{world.scored('ada', 0.08, 0.98, 0.97)}").text
    for words in (
        "0.0760",
        "0.0923",
        "Retain ratio",
        "version 1",
        "<svg",
        "Left of the cutoff",
        "less than the cutoff of 1.48 s",
    ):
        assert words in text


def test_seeds_are_said_to_stay_secret(client, world, sign_in):
    sign_in("ada")
    assert "(seeds stay secret)" in client.get(f"/submissions/{world.submit('ada')}").text


def test_only_ones_best_submission_is_said_to_be_on_the_leaderboard(client, world, sign_in):
    sign_in("ada")
    best, other = world.scored("ada", 0.08, 0.98, 0.97), world.scored("ada", 0.05, 0.98, 0.97)
    world.scored("grace", 0.09, 0.98, 0.97)
    assert "See it on the leaderboard" in client.get(f"/submissions/{best}").text
    text = client.get(f"/submissions/{other}").text
    assert "See it on the leaderboard" not in text
    assert "Your best submission" in text
    assert f'href="/submissions/{best}"' in text


def test_what_stands_behind_a_score_is_shown_with_what_to_do(client, world, sign_in):
    sign_in("ada")
    submission = world.scored("ada", 0.08, 0.98, 0.97)
    text = client.get(f"/submissions/{submission}").text
    assert re.findall(r"(?s)Forget accuracy.*?strong.>(.+?)<.*?<td>(.+?)<.*?forgets too little", text) == [
        ("63.1 %", "57.4 %, as retraining")
    ]
    assert "Examples that a test tells apart" not in text  # it is not known here
    with unit_of_work(world.engine) as session:
        session.execute(update(Score).values(summary=None))
    assert "Behind the score" not in client.get(f"/submissions/{submission}").text


def test_cancelling_on_the_page_gives_the_quota_back(client, world, sign_in):
    sign_in("ada")
    page = f"/submissions/{world.submit('ada')}"
    assert client.post(f"{page}/cancel").status_code == 303
    text = client.get(page).text
    assert "cancelled_on_request" in text
    assert "given back" in text


def test_blame_and_quota_say_what_the_ledger_says_after_a_rerun(client, world, sign_in, bearer):
    submission = world.submit("ada")
    for _ in range(3):  # our fault
        world.lose_one()
    sign_in("ada")
    page = f"/submissions/{submission}"
    assert "<dd>Ours</dd>" in client.get(page).text
    rerun = f"/api/v1/admin/submissions/{submission}/rerun"
    client.post(rerun, json={"reason": "r"}, headers=bearer("root"))
    world.run(1, RunOutcome(1.48, None, Verdict.TIMED_OUT, "over_cutoff"))
    text = client.get(page).text
    assert "<dd>Yours</dd>" in text
    assert "given back, since an earlier evaluation of it ended through our fault" in text
    charged = world.submit("ada")
    world.run(1, RunOutcome(1.48, None, Verdict.TIMED_OUT, "over_cutoff"))
    rerun = f"/api/v1/admin/submissions/{charged}/rerun"
    client.post(rerun, json={"reason": "r"}, headers=bearer("root"))
    world.run(1, RunOutcome(0.2, None, Verdict.CRASHED, "raised"))
    assert (
        "spent on the first evaluation; a rerun costs nothing" in client.get(f"/submissions/{charged}").text
    )


def test_another_persons_submission_is_a_page_that_says_not_found(client, world, sign_in):
    sign_in("grace")
    answer = client.get(f"/submissions/{world.submit('ada')}")
    assert answer.status_code == 404
    assert "There is no such submission" in answer.text


def test_ones_own_row_is_marked_on_the_leaderboard(client, world, sign_in):
    world.scored("ada", 0.08, 0.98, 0.97)
    world.scored("grace", 0.06, 0.98, 0.97)
    sign_in("grace")
    text = client.get("/competitions/digits/leaderboard").text
    assert "You are on place 2<" in text
    assert text.count('class="own"') == 1


@pytest.mark.parametrize("path", ["/competitions/digits/leaderboard", "/submissions"])
def test_a_list_shows_when_in_utc_and_how_long_ago_without_a_mouse(client, world, sign_in, path):
    world.scored("ada", 0.08, 0.98, 0.97)
    sign_in("ada")
    world.clock.forward(hours=3)
    [when] = re.findall(
        r">2026-03-02 (\d\d:\d\d)(?: UTC)?</time>.*<span class=\"ago\">\d hours ago</span>",
        client.get(path).text,
    )
    assert when.startswith("09:")


def test_a_tie_shows_the_places_that_it_spans_and_the_rule(client, world, sign_in):
    world.scored("ada", 0.08, 1.0, 1.0)
    world.scored("grace", 0.06, 1.0, 1.0)
    world.person("barbara")
    world.scored("barbara", 0.0601, 1.0, 1.0)
    sign_in("grace")
    text = client.get("/competitions/digits/leaderboard").text
    assert re.findall(r'class="num place">(.+?)<', text) == ["1", "2\N{EN DASH}3", "2\N{EN DASH}3"]
    assert text.count('<tbody class="tied">') == 1
    assert "You are on place 2\N{EN DASH}3" in text
    assert "95 % interval of the difference" in text


def test_a_board_with_flags_explains_each_of_them_once(client, world, sign_in):
    world.scored("ada", 0.08, 1.0, 1.0, flags=("clipped", "ties"))
    world.scored("grace", 0.06, 1.0, 1.0, flags=("clipped",))
    text = client.get("/competitions/digits/leaderboard").text
    assert text.count('href="#flag-clipped"') == 2
    assert text.count('id="flag-clipped"') == text.count('id="flag-ties"') == 1
    assert "cut off or squashed" in text
    sign_in("ada")
    [mine] = client.get("/api/v1/competitions/digits/leaderboard").json()["rows"][:1]
    page = client.get(f"/submissions/{mine['submission_id']}").text
    assert "Flags on these outputs" in page
    assert "<code>ties</code>" in page
    assert "cut off or squashed" in page


def rank_by_calibrated(world):
    with unit_of_work(world.engine) as session:
        one = registry.get_competition(session, "digits")
        config = one.config | {"evaluation": {"models": 8, "ranking": "calibrated"}}
        registry.register(session, CompetitionConfig.model_validate(config), one.pages, world.clock())


def test_a_board_by_calibrated_score_says_so_and_retraining_stands_at_1(client, world, sign_in):
    submission = world.scored("ada", 0.12, 1.0, 1.0)
    world.scored("grace", 0.06, 1.0, 1.0)
    world.clock.forward(seconds=1)
    before = client.get("/competitions/digits/leaderboard").text
    rank_by_calibrated(world)
    text = client.get("/competitions/digits/leaderboard").text
    assert "ranked by the official score" in before
    assert "ranked by the calibrated score" in text
    cells = re.findall(r'num strong">([\d.]+)', text)
    assert cells == ["1.3029", "1.0000", "0.6515"]
    sign_in("ada")
    page = client.get(f"/submissions/{submission}").text
    assert "calibrated score, by which it ranks" in page
    assert page.index("1.3029") < page.index("0.1200")
    assert re.findall(r'class="total"><th[^>]*>(.+?)<', page) == ["Calibrated score"]
    assert re.search(r"0\.0923 .{1,30}± 0\.0069", page)
    assert "calibrated score of retraining" in page
    assert 'calibrated<span class="hidden"> score</span></span></td>' in client.get("/submissions").text
    assert "its official score is 0.0923" in client.get("/competitions/digits").text


def test_scores_that_cannot_be_calibrated_are_counted_and_not_ranked(client, world, sign_in):
    submission = world.scored("ada", 0.08, 1.0, 1.0)
    with unit_of_work(world.engine) as session:
        session.execute(update(Score).values(calibrated_score=None))
    rank_by_calibrated(world)
    text = client.get("/competitions/digits/leaderboard").text
    assert "1 scored submission has no calibrated score." in text
    assert "No submission has been scored" not in text
    sign_in("ada")
    page = client.get(f"/submissions/{submission}").text
    assert "no calibrated score, by which this competition ranks" in page
    assert "See it on the leaderboard" not in page


def test_a_score_from_before_there_were_intervals_is_shown_without_any(client, world, sign_in):
    submission = world.scored("ada", 0.08, 1.0, 1.0)
    nothing = dict.fromkeys(("interval_low", "interval_high", "calibrated_low", "calibrated_high"))
    with unit_of_work(world.engine) as session:
        session.execute(update(Score).values(**nothing, calibrated_score=None, replicates={}))
    board = client.get("/competitions/digits/leaderboard").text
    assert "There are no intervals here" in board
    assert "half of its 95 % interval" not in board
    sign_in("ada")
    page = client.get(f"/submissions/{submission}").text
    assert "N is too small" in page
    assert "alibrated" not in page


def test_a_score_of_0_is_shown_without_an_interval_and_says_why(client, world, sign_in):
    submission = world.scored("ada", 0.08, 1.0, 1.0)
    nothing = dict.fromkeys(
        ("score", "interval_low", "interval_high", "calibrated_score", "calibrated_low", "calibrated_high"),
        0.0,
    )
    with unit_of_work(world.engine) as session:
        session.execute(update(Score).values(**nothing, summary={"share_without_points": 1.0}))
    sign_in("ada")
    page = client.get(f"/submissions/{submission}").text
    assert "official score, by which it ranks; no example earns points" in page
    assert "± 0.0000" not in page
    assert "± 0.0000" not in client.get("/competitions/digits/leaderboard").text


def test_a_token_is_shown_once_works_and_can_be_revoked(client, world, sign_in):
    world.clock.forward(seconds=1)
    sign_in("ada")
    made = client.post("/account/tokens", data={"label": "my laptop"})
    secret = made.text.split('id="secret">')[1].split("<")[0]
    assert client.get("/account").text.count(secret) == 0
    headers = {"Authorization": f"Bearer {secret}"}
    client.cookies.clear()
    assert client.get("/api/v1/submissions", headers=headers).status_code == 200
    sign_in("ada")
    token_id = made.text.split("/account/tokens/")[1].split("/")[0]
    sign_in("grace")
    assert client.post(f"/account/tokens/{token_id}/revoke").status_code == 404
    sign_in("ada")
    assert client.post(f"/account/tokens/{token_id}/revoke").status_code == 303
    client.cookies.clear()
    assert client.get("/api/v1/submissions", headers=headers).status_code == 401


def test_the_admin_filters_reruns_and_reads_the_log(client, world, sign_in):
    done = world.scored("ada", 0.08, 0.98, 0.97)
    waiting = world.submit("grace")
    sign_in("root")
    assert waiting[:8] in client.get("/admin/evaluations?status=queued").text
    assert done[:8] not in client.get("/admin/evaluations?status=queued").text
    assert client.get("/admin/evaluations?status=nonsense").status_code == 422
    answer = client.post(f"/admin/submissions/{done}/rerun", data={"reason": "looks odd"})
    assert answer.status_code == 303
    assert "looks odd" in client.get(f"/admin/events?submission={done}").text
    assert client.post(f"/submissions/{waiting}/cancel").status_code == 303
