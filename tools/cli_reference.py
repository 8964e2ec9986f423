"""docs/reference/cli.md from click's own description of the commands."""

import ast
import inspect
import itertools
from collections.abc import Iterator

import click

import cli.exit_codes
from cli.main import main
from tools.markdown import NOTE, cell, prose, table


def cli_reference() -> str:
    """Return the page."""
    parts = [
        "# Command reference",
        NOTE,
        "What they are for, with examples: [the `lethe` command](../cli.md).",
    ]
    parts += list(_commands(click.Context(main, info_name="lethe"), main, 0))
    parts += ["## Exit codes", table(("code", "name", "meaning"), list(_exit_codes()))]
    return "\n\n".join(parts) + "\n"


def _commands(context: click.Context, command: click.Command, depth: int) -> Iterator[str]:
    if depth:
        yield from _described(context, command, depth)
    if isinstance(command, click.Group):
        for name in command.list_commands(context):
            found = command.get_command(context, name)
            assert found is not None
            inner = click.Context(found, info_name=name, parent=context)
            yield from _commands(inner, found, depth + 1)


def _described(context: click.Context, command: click.Command, depth: int) -> Iterator[str]:
    yield f"{'#' * (depth + 1)} {context.command_path}"
    if not isinstance(command, click.Group):
        usage = " ".join([context.command_path, *command.collect_usage_pieces(context)])
        yield f"```\n{usage}\n```"
    yield prose(command.help or "")
    rows = [_option(context, one) for one in command.params if isinstance(one, click.Option)]
    if rows:
        yield table(("option", "meaning"), rows)
    if command.epilog:
        _, *lines = command.epilog.removeprefix("\b\n").splitlines()
        yield "\n".join(["```", *(line.strip() for line in lines), "```"])


def _option(context: click.Context, option: click.Option) -> tuple[str, str]:
    record = option.get_help_record(context)
    assert record is not None, option.name
    return f"`{record[0].strip()}`".replace("|", "\\|"), cell(record[1])


def _exit_codes() -> Iterator[tuple[str, str, str]]:
    """Yield each code with the docstring below it, which Python itself does not keep."""
    tree = ast.parse(inspect.getsource(cli.exit_codes.ExitCode))
    assert isinstance(tree.body[0], ast.ClassDef)
    body = tree.body[0].body
    for member, words in itertools.pairwise(body):
        if isinstance(member, ast.Assign) and isinstance(words, ast.Expr):
            name = ast.unparse(member.targets[0])
            yield str(int(cli.exit_codes.ExitCode[name])), name, cell(str(ast.literal_eval(words.value)))
