"""The admin's commands against a real service: look, rerun many, disqualify, give quota."""

import json


def test_an_admin_reruns_what_matches_looks_and_applies(world, lethe):
    submission = world.scored("ada", 0.08, 0.98, 0.97)
    listed = lethe("admin", "evaluations", "--person", "ada")
    assert submission[:8] in listed.stdout
    made = lethe("admin", "rerun", "start", "--person", "ada", "--reason", "a driver was wrong")
    assert made.exit_code == 0, made.stderr
    which = made.stdout.strip()
    early = lethe("admin", "rerun", "apply", which)
    assert (early.exit_code, "still under way" in early.stderr) == (1, True)
    world.run(4)
    world.score(0.05, 0.98, 0.97)
    shown = lethe("admin", "rerun", "show", which)
    assert "ready, 1 of 1 ended" in shown.stdout
    assert shown.stdout.splitlines()[-1].split() == ["ada", "1", "1", "0.0760", "0.0475"]
    assert "Applied: 1 of 1" in lethe("admin", "rerun", "apply", which).stderr
    assert json.loads(lethe("admin", "rerun", "list", "--json").stdout)["items"][0]["state"] == "applied"
    assert lethe("admin", "rerun", "drop", which).exit_code == 1


def test_scores_have_as_many_decimals_as_their_competition_publishes(world, lethe):
    world.competition(publish={"score_decimals": 2})
    world.scored("ada", 0.08, 0.98, 0.97)
    assert lethe("admin", "evaluations").stdout.split()[-4] == "0.08"
    which = lethe("admin", "rerun", "start", "--person", "ada", "--reason", "again").stdout.strip()
    world.run(4)
    world.score(0.05, 0.98, 0.97)
    shown = lethe("admin", "rerun", "show", which)
    assert shown.stdout.splitlines()[-1].split() == ["ada", "1", "1", "0.08", "0.05"]


def test_reruns_are_listed_page_by_page_and_by_competition(world, lethe, monkeypatch):
    world.scored("ada", 0.08, 0.98, 0.97)
    monkeypatch.setattr("app.views.reruns.PAGE_SIZE", 1)
    for reason in ("the first", "the second"):
        made = lethe("admin", "rerun", "start", "--person", "ada", "--reason", reason)
        assert lethe("admin", "rerun", "drop", made.stdout.strip()).exit_code == 0
    one = lethe("admin", "rerun", "list", "--competition", "digits")
    other = lethe("admin", "rerun", "list", "--cursor", one.stderr.split()[-1])
    held = [[word in page.stdout for page in (one, other)] for word in ("the first", "the second")]
    assert sorted(held) == [[False, True], [True, False]]
    assert "More" not in other.stderr
    assert "the " not in lethe("admin", "rerun", "list", "--competition", "faces").stdout


def test_nothing_is_rerun_without_a_filter_or_a_name(world, lethe):
    assert lethe("admin", "rerun", "start", "--reason", "all").exit_code == 1


def test_an_admin_disqualifies_and_reinstates(world, lethe):
    submission = world.scored("ada", 0.08, 0.98, 0.97)
    out = lethe("admin", "disqualify", submission, "--reason", "copied", "--json")
    assert json.loads(out.stdout)["disqualified"]["reason"] == "copied"
    assert lethe("admin", "reinstate", submission, "--reason", "a mistake").exit_code == 0
    theirs = ("--entrant", "ada", "--competition", "digits", "--reason", "two accounts")
    assert lethe("admin", "disqualify", *theirs).exit_code == 0
    assert lethe("admin", "disqualify", *theirs).exit_code == 1
    assert lethe("admin", "reinstate", *theirs).exit_code == 0
    assert lethe("admin", "disqualify", "--entrant", "ada", "--reason", "x").exit_code == 2


def test_an_admin_gives_quota_cancels_and_reads_the_log(world, lethe):
    given = lethe("admin", "quota", "ada", "2", "--competition", "digits", "--reason", "downtime")
    assert "ada has 5 of 5 left today" in given.stderr
    world.submit("ada")
    [one] = json.loads(lethe("admin", "evaluations", "--json").stdout)["items"]
    assert "4 for any" in lethe("admin", "overview").stdout
    assert "cancelled" in lethe("admin", "cancel", one["id"], "--reason", "by mistake").stderr
    log = lethe("admin", "events", "--kind", "evaluation.cancel_asked")
    assert "by mistake" in log.stdout
    table = lethe("admin", "events", "--csv", "--actor", "root").stdout
    assert table.splitlines()[0] == "id,at,kind,actor,submission_id,evaluation_id,detail"


def test_evaluations_are_listed_by_whether_they_are_shown(world, lethe):
    submission = world.scored("ada", 0.08, 0.98, 0.97)
    world.rerun(submission)
    shown, hidden = (
        json.loads(lethe("admin", "evaluations", "--shown", which, "--json").stdout)["items"]
        for which in ("yes", "no")
    )
    assert [[one["generation"] for one in found] for found in (shown, hidden)] == [[1], [2]]
    assert lethe("admin", "evaluations", "--shown", "perhaps").exit_code == 2


def test_entrants_are_listed_with_whether_they_count(world, lethe):
    world.person("grace")
    world.competition("faces")
    for name, slug in (("ada", "digits"), ("grace", "digits"), ("ada", "faces")):
        world.submit(name, slug=slug)
    lethe("admin", "disqualify", "--entrant", "ada", "--competition", "digits", "--reason", "two accounts")
    rows = lethe("admin", "entrants", "digits").stdout.splitlines()[1:]
    assert [[row.split()[1], row.split()[-1]] for row in rows] == [
        ["ada", "disqualified"],
        ["grace", "counts"],
    ]
    assert len(lethe("admin", "entrants").stdout.splitlines()) == 4
    found = json.loads(lethe("admin", "entrants", "digits", "--name", "gra", "--json").stdout)["items"]
    assert [one["name"] for one in found] == ["grace"]


def test_entrants_are_listed_page_by_page(world, lethe, monkeypatch):
    monkeypatch.setattr("app.views.entrants.PAGE_SIZE", 1)
    world.person("grace")
    for name in ("ada", "grace"):
        world.submit(name)
    first = lethe("admin", "entrants", "digits")
    second = lethe("admin", "entrants", "digits", "--cursor", first.stderr.split()[-1])
    assert ["ada" in first.stdout, "grace" in first.stdout] == [True, False]
    assert ["ada" in second.stdout, "grace" in second.stdout] == [False, True]
    assert "More" not in second.stderr


def test_a_participants_token_is_refused(world, lethe, env):
    env.setenv("LETHE_TOKEN", world.tokens["ada"])
    for what in (("overview",), ("workers",), ("closing", "digits"), ("reveal", "digits", "--yes")):
        assert lethe("admin", *what).exit_code == 3
