import click
import pytest

from cli.operator.check import Example, _outcome, _told, examples_of, scored_examples


def example(folder, name, text):
    (folder / "examples" / name).mkdir(parents=True)
    (folder / "examples" / name / "README.md").write_text(text)


def test_an_example_names_its_verdict_and_reason(tmp_path):
    example(tmp_path, "a", "# A\n\nExpected verdict: scored\n")
    example(tmp_path, "b", "# B\n\nExpected verdict: timed_out (over_cutoff)\n")
    assert [(e.folder.name, e.verdict, e.reason) for e in examples_of(tmp_path)] == [
        ("a", "scored", None),
        ("b", "timed_out", "over_cutoff"),
    ]
    assert scored_examples(tmp_path) == [tmp_path / "examples" / "a"]


@pytest.mark.parametrize("text", ["# Nothing\n", "Expected verdict: rejected\n"])
def test_an_example_without_a_verdict_or_its_reason_is_refused(tmp_path, text):
    example(tmp_path, "a", text)
    with pytest.raises(click.ClickException, match="Expected verdict"):
        examples_of(tmp_path)


def test_no_examples_at_all_are_refused(tmp_path):
    with pytest.raises(click.ClickException, match="no example bundles"):
        examples_of(tmp_path)


@pytest.mark.parametrize(
    ("answer", "expected"),
    [
        ({"id": "1", "verdict": "scored", "reason": None}, ("scored", None)),
        ({"id": "1", "verdict": "crashed", "reason": {"code": "raised"}}, ("crashed", "raised")),
        ({"id": "1", "verdict": None, "reason": None}, ("None", None)),
        ({"error": "no", "code": "missing_entry_function"}, ("rejected", "missing_entry_function")),
    ],
)
def test_an_answer_is_read_as_verdict_and_reason(answer, expected):
    assert _outcome(answer) == expected


def test_only_the_verdict_with_its_reason_counts_as_named(tmp_path, capsys):
    wanted = Example(tmp_path, "timed_out", "over_cutoff")
    assert _told(wanted, "timed_out", "over_cutoff")
    assert not _told(wanted, "timed_out", "cpu_time")
    assert not _told(wanted, "rejected", "not_authenticated")
    assert capsys.readouterr().out.count("NOT") == 2
