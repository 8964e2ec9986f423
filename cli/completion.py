"""`lethe completion`: what makes a shell complete commands and options."""

import click
from click.shell_completion import get_completion_class

from cli.errors import reported
from cli.options import examples

SHELLS = ("bash", "zsh", "fish")


@examples('eval "$(lethe completion bash)"')
@click.command()
@click.argument("shell", type=click.Choice(SHELLS))
@click.pass_context
@reported
def completion(context: click.Context, *, shell: str) -> None:
    """Print the script that makes SHELL complete commands, options and their values.

    bash and zsh: eval "$(lethe completion bash)" in ~/.bashrc or ~/.zshrc; fish: lethe completion fish | source.
    """
    kind = get_completion_class(shell)
    assert kind is not None
    click.echo(kind(context.find_root().command, {}, "lethe", "_LETHE_COMPLETE").source())
