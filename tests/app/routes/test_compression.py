import gzip

import pytest

GZIP = {"Accept-Encoding": "gzip"}


def raw(client, path, **headers):
    with client.stream("GET", path, headers=headers) as answer:
        return answer, b"".join(answer.iter_raw())


def test_a_page_travels_compressed_to_whom_asks_for_it(client):
    answer, body = raw(client, "/problems", **GZIP)
    plain_answer, plain = raw(client, "/problems", **{"Accept-Encoding": "identity"})
    assert answer.headers["Content-Encoding"] == "gzip"
    assert "Content-Encoding" not in plain_answer.headers
    assert gzip.decompress(body) == plain
    assert len(body) < len(plain) / 2
    assert answer.headers["Vary"] == plain_answer.headers["Vary"] == "Accept-Encoding"


def test_a_static_file_travels_compressed_too(client):
    answer, body = raw(client, "/static/lethe.css", **GZIP)
    assert answer.headers["Content-Encoding"] == "gzip"
    assert b"--accent" in gzip.decompress(body)


@pytest.mark.parametrize(
    "path", ["/account", "/api/v1/openapi.json", "/api/v1/competitions/digits/leaderboard"]
)
def test_what_may_hold_a_secret_or_is_kept_as_bytes_stays_as_it_is(client, sign_in, path):
    sign_in("ada")
    answer, body = raw(client, path, **GZIP)
    assert answer.status_code == 200
    assert len(body) > 300
    assert "Content-Encoding" not in answer.headers


def test_a_token_that_is_shown_once_is_not_compressed(client, sign_in):
    sign_in("ada")
    answer = client.post("/account/tokens", data={"label": "laptop"}, headers=GZIP)
    assert answer.status_code == 201
    assert "Content-Encoding" not in answer.headers


def test_head_of_a_page_says_what_get_would(client):
    head, got = client.head("/problems", headers=GZIP), raw(client, "/problems", **GZIP)
    assert head.content == b""
    assert head.headers["Content-Length"] == got[0].headers["Content-Length"] == str(len(got[1]))
