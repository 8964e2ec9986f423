"""docs/reference/ says what the code says."""

import pytest

from tools.reference import COMMAND, FOLDER, pages

PAGES = pages()


@pytest.mark.parametrize("name", PAGES)
def test_the_reference_is_what_the_code_says_now(name):
    made, path = PAGES[name], FOLDER / name
    written = path.read_text(encoding="utf-8") if path.exists() else ""
    if written != made:
        changed = sorted(set(made.splitlines()) ^ set(written.splitlines()))[:5]
        pytest.fail(
            f"docs/reference/{name} is not what the code says. Run `{COMMAND}` and commit what it writes. "
            f"Among what differs: {changed}"
        )


def test_every_command_option_and_operation_is_there():
    commands, operations = (PAGES[name] for name in ("cli.md", "api/submissions.md"))
    for words in ("## lethe submit", "### lethe admin regrade", "--no-sandbox", "| 130 | INTERRUPTED |"):
        assert words in commands
    for words in (
        "`POST /api/v1/competitions/{slug}/submissions` (needs a token)",
        "[SubmissionOut](objects.md#submissionout)",
        "| `Idempotency-Key` | header |",
    ):
        assert words in operations
    for words in (
        "`PUT /api/v1/webhook` (needs a browser's session)",
        "`GET /api/v1/notices` (needs a token)",
    ):
        assert words in PAGES["api/notices.md"]
    assert "### SubmissionOut" in PAGES["api/objects.md"]
    assert "| `GET /api/v1/competitions/{slug}/data` | [" in PAGES["api.md"]


def test_nothing_else_is_there():
    assert {path.relative_to(FOLDER).as_posix() for path in FOLDER.rglob("*.md")} == set(PAGES)
