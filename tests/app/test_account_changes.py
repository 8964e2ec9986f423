"""Invitations, reset links, roles, disabling and sessions, on both databases."""

from datetime import timedelta
from threading import Barrier, Thread

import pytest

from app import access, accounts, auth, identities, invitations, resets, teams, tokens
from app.db import read_only, unit_of_work
from app.errors import BadRequest, Conflict, Forbidden, NotAuthenticated, NotFound
from app.models import Identity, Invitation, PasswordReset, Token, User
from app.oidc import Claims
from tests.app.conftest import DAY, NOW

PASSWORD = "correct horse"
OTHER = "battery staple"
HOUR = timedelta(hours=1)


def done(engine, act, *arguments):
    with unit_of_work(engine) as session:
        return act(session, *arguments)


def seen(engine, ask, *arguments):
    with read_only(engine) as session:
        return ask(session, *arguments)


def holds(engine, secret, kind="session", now=NOW):
    try:
        return seen(engine, auth.holder_of, secret, now, kind).user.name
    except NotAuthenticated:
        return None


@pytest.fixture
def eve(engine, world):
    """Somebody with a password, made like everybody."""
    return done(engine, auth.create_user, "eve", PASSWORD, "participant", NOW)


def invited(engine, role="participant", days=7):
    return done(engine, invitations.make, role, "for eve", "eve@example.org", days, "root", NOW)


def used(engine, secret, name="joined"):
    with unit_of_work(engine) as session:
        user = auth.insert_user(session, name, "", "participant", NOW)
        invitations.use(session, invitations.find(session, secret, NOW), user, NOW)


def test_an_invitation_is_good_once_and_only_its_digest_is_kept(engine, world):
    made, secret = invited(engine)
    assert secret not in {made.id, made.digest, made.label}
    assert seen(engine, invitations.find, secret, NOW).id == made.id
    used(engine, secret)
    with pytest.raises(NotFound, match="was used"):
        used(engine, secret, "second")
    assert seen(engine, invitations.get, made.id).used_by is not None
    assert world.events("user.invited") == world.events("user.joined") == 1


def test_of_two_who_use_an_invitation_at_once_one_gets_an_account(engine, world):
    _, secret = invited(engine)
    found = seen(engine, invitations.find, secret, NOW)
    both, lost = Barrier(2), []

    def join(name):
        both.wait()
        try:
            with unit_of_work(engine) as session:
                user = auth.insert_user(session, name, "", "participant", NOW)
                invitations.use(session, found, user, NOW)
        except Conflict:
            lost.append(name)

    threads = [Thread(target=join, args=(name,)) for name in ("first", "second")]
    for one in threads:
        one.start()
    for one in threads:
        one.join()
    assert len(lost) == 1
    with read_only(engine) as session:
        assert session.query(User).filter(User.name.in_(["first", "second"])).count() == 1


def test_an_invitation_ends_with_its_time_or_when_it_is_taken_back(engine, world):
    made, secret = invited(engine)
    assert seen(engine, invitations.find, secret, NOW + 7 * DAY - HOUR)
    with pytest.raises(NotFound):
        seen(engine, invitations.find, secret, NOW + 7 * DAY)
    done(engine, invitations.revoke, made.id, "root", NOW)
    with pytest.raises(NotFound):
        seen(engine, invitations.find, secret, NOW)
    with pytest.raises(Conflict):
        done(engine, invitations.revoke, made.id, "root", NOW)
    with pytest.raises(NotFound):
        done(engine, invitations.revoke, "nothing", "root", NOW)


@pytest.mark.parametrize("bad", [{"role": "king"}, {"days": 0}, {"days": 91}])
def test_an_invitation_that_makes_no_sense_is_refused(engine, bad):
    with pytest.raises(BadRequest):
        invited(engine, **bad)
    with read_only(engine) as session:
        assert session.query(Invitation).count() == 0


@pytest.mark.parametrize(
    "bad",
    [
        "a@[b.c",
        "a,b@x.y",
        "a@x.y,b@x.y",
        "a;b@x.y",
        "<a@x.y>",
        '"a b"@x.y',
        "a(b)@x.y",
        "a:b@x.y;",
        "a@x",
        "a@x..y",
        ".a@x.y",
        "a@-x.y",
    ],
)
def test_what_is_not_one_plain_address_is_refused(bad):
    with pytest.raises(BadRequest, match="not an e-mail address"):
        accounts.checked_email(bad)


def test_addresses_that_people_have_are_taken():
    for good in ("ada@example.org", "o'neil+x_y@mail-1.example.co.uk", "a.b@xn--bcher-kva.example"):
        assert accounts.checked_email(good) == good


def test_a_reset_link_gives_a_new_password_once_and_ends_every_session_and_token(engine, world, eve):
    session_secret, api = (
        done(engine, auth.issue_token, eve, kind, "t", NOW, DAY) for kind in ("session", "api")
    )
    first, second = (done(engine, resets.issue, eve, "root", NOW) for _ in range(2))
    with pytest.raises(BadRequest):
        resets.redeem(engine, first, "short", NOW)
    assert resets.redeem(engine, first, OTHER, NOW).name == "eve"
    assert auth.verify_password(engine, "eve", OTHER).name == "eve"
    assert holds(engine, session_secret) is None
    assert holds(engine, api, "api") is None
    for secret in (first, second, "lethe_nothing", "\ud800"):
        with pytest.raises(NotFound):
            resets.redeem(engine, secret, PASSWORD, NOW)


def test_a_reset_link_removes_what_was_connected_but_not_the_only_way_in(engine, world, eve):
    elsewhere = done(engine, auth.insert_user, "elsewhere", "", "participant", NOW)
    for user in (eve, elsewhere):
        done(engine, identities.connect, Claims("https://id.example.org", user.name, "", ""), user.id, NOW)
        resets.redeem(engine, done(engine, resets.issue, user, "root", NOW), OTHER, NOW)
    with read_only(engine) as session:
        assert [one.user_id for one in session.query(Identity)] == [elsewhere.id]


def test_a_reset_link_ends_after_a_day_and_with_the_account(engine, world, eve):
    secret = done(engine, resets.issue, eve, "root", NOW)
    assert seen(engine, resets.whose, secret, NOW + DAY - HOUR).name == "eve"
    with pytest.raises(NotFound):
        seen(engine, resets.whose, secret, NOW + DAY)
    done(engine, accounts.disable, "eve", "root", NOW)
    with pytest.raises(NotFound):
        seen(engine, resets.whose, secret, NOW)


def test_letters_go_to_accounts_with_an_address_three_an_hour(engine, world, eve):
    assert done(engine, resets.to_mail, "eve", NOW) == []
    done(engine, accounts.set_email, eve.id, "Eve@example.org", NOW)
    for given in ("eve", "eve@EXAMPLE.org", "Eve@example.org"):
        [(address, name, _)] = done(engine, resets.to_mail, given, NOW)
        assert (address, name) == ("Eve@example.org", "eve")
    assert done(engine, resets.to_mail, "eve", NOW + HOUR / 2) == []
    assert len(done(engine, resets.to_mail, "eve", NOW + 2 * HOUR)) == 1
    assert done(engine, resets.to_mail, "nobody", NOW) == []


def test_a_changed_password_ends_other_sessions_and_reset_links_and_keeps_this_one(engine, world, eve):
    here, there = (done(engine, auth.issue_token, eve, "session", "b", NOW, DAY) for _ in range(2))
    link = done(engine, resets.issue, eve, "root", NOW)
    done(engine, accounts.change_password, eve.id, auth.hash_password(OTHER), here, NOW)
    assert (holds(engine, here), holds(engine, there)) == ("eve", None)
    with pytest.raises(NotFound):
        seen(engine, resets.whose, link, NOW)
    with pytest.raises(NotAuthenticated):
        auth.verify_password(engine, "eve", PASSWORD)


def test_a_disabled_account_is_let_in_nowhere_until_it_is_enabled(engine, world, eve):
    secret = done(engine, auth.issue_token, eve, "session", "b", NOW, DAY)
    done(engine, accounts.disable, "eve", "root", NOW)
    done(engine, accounts.disable, "eve", "root", NOW)
    assert holds(engine, secret) is None
    with pytest.raises(Forbidden, match="disabled"):
        auth.verify_password(engine, "eve", PASSWORD)
    with pytest.raises(NotAuthenticated):  # who does not know the password is not told
        auth.verify_password(engine, "eve", "wrong password")
    done(engine, accounts.enable, "eve", "root", NOW)
    assert holds(engine, secret) is None
    assert auth.verify_password(engine, "eve", PASSWORD).name == "eve"
    assert (world.events("user.disabled"), world.events("user.enabled")) == (1, 1)


def test_a_token_of_a_disabled_account_is_dead_even_if_it_were_left(engine, world, eve):
    secret = done(engine, auth.issue_token, eve, "api", "t", NOW, None)
    with unit_of_work(engine) as session:
        session.get_one(User, eve.id).disabled_at = NOW
    assert holds(engine, secret, "api") is None


def test_a_role_is_changed_by_another_and_never_ones_own(engine, world, eve):
    secret = done(engine, auth.issue_token, eve, "api", "t", NOW, None)
    done(engine, accounts.set_role, "eve", "admin", "root", NOW)
    assert access.is_admin(seen(engine, auth.holder_of, secret, NOW, "api").user)
    for act, more in ((accounts.set_role, ["participant"]), (accounts.disable, [])):
        with pytest.raises(Conflict, match="your own"):
            done(engine, act, "eve", *more, "eve", NOW)
    with pytest.raises(BadRequest):
        done(engine, accounts.set_role, "eve", "organiser", "root", NOW)
    with pytest.raises(NotFound):
        done(engine, accounts.set_role, "nobody", "admin", "root", NOW)


def test_of_two_admins_who_demote_each_other_at_once_one_stays(engine, world, eve):
    done(engine, auth.create_user, "max", PASSWORD, "admin", NOW)
    done(engine, accounts.set_role, "eve", "admin", "an operator", NOW)
    refused = []

    def second():
        try:
            done(engine, accounts.set_role, "eve", "participant", "max", NOW)
        except Forbidden as error:
            refused.append(str(error))

    other = Thread(target=second)
    with unit_of_work(engine) as session:
        accounts.set_role(session, "max", "participant", "eve", NOW)
        session.flush()
        other.start()
        other.join(0.5)  # it waits for what is locked here
    other.join()
    assert refused == ["You are not an admin any more."]
    assert seen(engine, accounts.by_name, "eve").role == "admin"


def test_who_is_an_admin_no_more_disables_nobody(engine, world, eve):
    done(engine, auth.create_user, "max", PASSWORD, "participant", NOW)
    with pytest.raises(Forbidden, match="not an admin any more"):
        done(engine, accounts.disable, "eve", "max", NOW)


def test_an_account_does_not_take_a_teams_name(engine, world, eve):
    done(engine, teams.create, "digits", "Sieve", eve, NOW)
    for name in ("Sieve", "sieve"):
        with pytest.raises(Conflict, match="is taken"):
            done(engine, auth.create_user, name, PASSWORD, "participant", NOW)
    claims = Claims("https://id.example.org", "u-1", "sieve", "")
    assert done(engine, identities.sign_in, claims, NOW).name == "sieve-2"


def test_all_sessions_but_one_end_and_tokens_stay(engine, world, eve):
    here, *others = (done(engine, auth.issue_token, eve, "session", "b", NOW, DAY) for _ in range(3))
    api = done(engine, auth.issue_token, eve, "api", "t", NOW, None)
    assert done(engine, tokens.end_others, eve, here, NOW) == 2
    assert done(engine, tokens.end_others, eve, here, NOW) == 0
    assert [holds(engine, one) for one in (here, *others)] == ["eve", None, None]
    assert holds(engine, api, "api") == "eve"
    overview = seen(engine, tokens.overview, eve, here, NOW)
    assert [one.id for one in overview["sessions"]] == [overview["this_session"]]


def test_an_account_without_a_password_signs_in_with_none(engine, world):
    done(engine, auth.insert_user, "elsewhere", "", "participant", NOW)
    for password in ("", "anything at all"):
        with pytest.raises(NotAuthenticated):
            auth.verify_password(engine, "elsewhere", password)


def test_expired_reset_links_go_when_the_next_is_made(engine, world, eve):
    done(engine, resets.issue, eve, "root", NOW)
    done(engine, resets.issue, eve, "root", NOW + 2 * DAY)
    with read_only(engine) as session:
        assert session.query(PasswordReset).count() == 1
        assert session.query(Token).count() == 0
