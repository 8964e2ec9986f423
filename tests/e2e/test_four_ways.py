"""A competition from its announcement to its results, as its four kinds of people meet it: in the browser, with a file
from the disk, the service's own web and worker processes, and real sandboxes."""

import re
import shutil
import time
import zipfile
from contextlib import ExitStack
from datetime import UTC, datetime, timedelta

import pytest
from playwright.sync_api import expect

from app.phases import GRACE
from tests.browser.pages import looking
from tests.bundles import zipped
from tests.seeding import PASSWORD

PATIENT = 240_000
PLACE = "/competitions/stripes"
METHOD = """
import torch

def unlearning(net, retain_loader, forget_loader, val_loader):
    print("to forget:", len(forget_loader.dataset))
    with torch.no_grad():
        for p in net.parameters():
            p.add_(torch.randn_like(p) * {})
"""


@pytest.fixture(scope="module")
def rules(service):
    """The rules of a second competition with the first one's networks, which nobody has to train again."""
    folder = service.competitions / "stripes"
    shutil.copytree(service.competitions / "tiny", folder)
    path = folder / "competition.toml"
    text = path.read_text().replace("tiny", "stripes").replace("Tiny", "Stripes")
    path.write_text(text.replace("models = 4", "models = 3"))
    service.lethe("competition", "prepare", "stripes")
    return path


def test_four_people_go_from_the_first_page_to_the_results(browser, service, rules, tmp_path):
    with ExitStack() as stack:
        visitor, newcomer, olive, root = (
            stack.enter_context(looking(browser, service.url, name)).new_page()
            for name in (None, None, None, "root")
        )
        visitor_reads(visitor)
        make_account(newcomer, "newcomer")
        make_account(olive, "olive")
        admin_names_the_organiser(root, olive)
        rival = rival_submits(service)
        mine = participant_submits_a_file(newcomer, tmp_path / "my-method.zip")
        service.wait_for(rival)
        admin_grades_again(root, "newcomer")
        participant_chooses(newcomer, mine)
        organiser_moves_the_close(service, rules)
        participant_waits(newcomer)
        organiser_reveals(olive)
        participant_reads_the_results(newcomer, mine)
        visitor_reads_the_results(visitor)
        admin_reads_what_happened(root)


def reloaded_until(page, wanted):
    """Look again and again until there is what is wanted; return it."""
    deadline = time.monotonic() + PATIENT / 1000
    while not wanted.count():
        assert time.monotonic() < deadline, page.locator("main").inner_text()
        page.wait_for_timeout(500)
        page.reload()
    return wanted


def visitor_reads(page):
    page.goto("/")
    page.get_by_role("link", name="Stripes").click()
    page.get_by_role("link", name="Leaderboard").click()
    expect(page.get_by_text("No submission has been scored yet.")).to_be_visible()
    page.get_by_role("navigation", name="Competition").get_by_role("link", name="Submit").click()
    expect(page.get_by_role("heading", name="Sign in")).to_be_visible()


def make_account(page, name):
    page.goto("/sign-in")
    page.get_by_role("link", name="Make one").click()
    page.get_by_label("Name").fill(name)
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Make the account").click()
    expect(page.get_by_role("link", name=name)).to_be_visible()


def admin_names_the_organiser(admin, organiser):
    admin.goto("/admin/users?search=olive")
    admin.get_by_role("link", name="olive").click()
    admin.get_by_label("Competition").select_option("stripes")
    admin.get_by_role("button", name="Make organiser").click()
    organiser.goto("/")
    organiser.get_by_role("link", name="Organise").click()
    organiser.get_by_role("link", name="Stripes").click()
    expect(organiser.get_by_role("heading", name="Evaluations")).to_be_visible()


def rival_submits(service):
    answer = service.client.post(
        "/api/v1/competitions/stripes/submissions", content=zipped(METHOD.format(0.3))
    )
    return answer.headers["location"]


def participant_submits_a_file(page, path):
    with zipfile.ZipFile(path, "w") as bundle:
        bundle.writestr("submission.py", METHOD.format(0.01))
    page.goto(f"{PLACE}/submit")
    page.get_by_label("Zip file").set_input_files(path)
    page.get_by_label("Note").fill("small steps")
    page.get_by_role("button", name="Submit", exact=True).click()
    page.wait_for_url("**/submissions/*")
    page.evaluate("window.stayed = true")
    expect(page.get_by_role("region", name="Log of the smoke run")).to_contain_text(
        "to forget: 4", timeout=PATIENT
    )
    expect(page.get_by_role("status").first).to_contain_text("scored", timeout=PATIENT)
    assert page.evaluate("window.stayed")
    mine = page.url
    page.get_by_role("link", name="See it on the leaderboard").click()
    expect(page.locator("tr.own")).to_contain_text("newcomer")
    return mine


def admin_grades_again(page, person):
    page.goto(f"/admin/evaluations?competition=stripes&person={person}")
    page.get_by_role("checkbox").check()
    page.get_by_role("button", name="Rerun…").click()
    page.get_by_label("Why?").fill("to see whether it comes out alike")
    page.keyboard.press("Enter")
    page.wait_for_url("**/admin/reruns/*")
    reloaded_until(page, page.get_by_role("button", name="Apply all")).click()
    expect(page.get_by_text("Applied by root")).to_be_visible()


def participant_chooses(page, mine):
    page.goto(f"{PLACE}/finals")
    page.get_by_role("checkbox", name="small steps").check()
    page.get_by_role("button", name="Keep this choice").click()
    expect(page.get_by_text("1 of 2 chosen")).to_be_visible()
    page.goto(f"{PLACE}/leaderboard?split=private")
    expect(page.get_by_role("table")).to_have_count(0)
    page.goto(mine)
    expect(page.get_by_role("cell", name="private")).to_have_count(0)


def organiser_moves_the_close(service, rules):
    over = datetime.now(UTC) - GRACE - timedelta(minutes=1)
    text = re.sub("closes_at = .*", f"closes_at = {over.isoformat(timespec='seconds')}", rules.read_text())
    rules.write_text(text)
    service.lethe("competition", "prepare", "stripes")


def participant_waits(page):
    page.goto(f"{PLACE}/submit")
    expect(page.get_by_text("The competition has closed.")).to_be_visible()
    page.goto(f"{PLACE}/finals")
    reloaded_until(page, page.locator(".badge", has_text="complete"))
    expect(page.get_by_text("as you chose")).to_be_visible()
    page.goto(f"{PLACE}/leaderboard?split=private")
    expect(page.get_by_role("table")).to_have_count(0)


def organiser_reveals(page):
    page.goto("/organise/stripes/close")
    reveal = reloaded_until(page, page.get_by_role("button", name="Reveal the results"))
    expect(page.get_by_role("table").get_by_role("row")).to_have_count(3)
    reveal.click()
    expect(page.get_by_text("Private leaderboard: the results.")).to_be_visible()


def participant_reads_the_results(page, mine):
    page.goto(mine)
    expect(page.get_by_role("cell", name="private")).to_have_count(1)
    page.goto(f"{PLACE}/leaderboard?split=private")
    expect(page.locator("tr.own")).to_contain_text(re.compile("unchanged|▲1|▼1"))


def visitor_reads_the_results(page):
    page.goto("/")
    results = page.get_by_role("region", name="Results revealed")
    results.get_by_role("link", name="Leaderboard").click()
    page.get_by_role("link", name="Private", exact=True).click()
    rows = page.get_by_role("region", name="Leaderboard").locator("tbody tr:not(.baseline)")
    expect(rows).to_have_count(2)
    expect(rows.filter(has_text="ada")).to_contain_text(re.compile("unchanged|▲1|▼1"))


def admin_reads_what_happened(page):
    for kind in ("competition.closed", "competition.revealed"):
        page.goto(f"/admin/events?kind={kind}")
        expect(page.get_by_role("row").filter(has_text="stripes")).to_have_count(1)
