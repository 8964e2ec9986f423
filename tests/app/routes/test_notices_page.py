"""The page of notices names what each was about, and leads there."""

from app import registry
from app.db import unit_of_work
from app.models import Evaluation
from app.notices import outbox


def test_what_was_told_leads_to_the_submission_or_to_the_results(world, client, sign_in):
    submission = world.submit("ada")
    with unit_of_work(world.engine) as session:
        ada, now = world.user("ada").id, world.clock()
        evaluation = session.query(Evaluation.id).filter_by(submission_id=submission).scalar()
        outbox.add(session, ada, "webhook", outbox.DONE, now, evaluation_id=evaluation)
        competition = registry.get_competition(session, "digits").id
        outbox.add(session, ada, "webhook", outbox.REVEALED, now, competition_id=competition)
        outbox.add(session, ada, "webhook", outbox.TEST, now)
    sign_in("ada")
    page = client.get("/account/notices").text
    assert f'<a href="/submissions/{submission}">Submission' in page
    assert (
        '<a href="/competitions/digits/leaderboard?split=private">Results of <code>digits</code></a>' in page
    )
    assert '<th scope="row">Test</th>' in page
