"""The `lethe` command. A subcommand's module is imported only when that subcommand is called."""

from importlib import import_module
from typing import NamedTuple

import click
from click.exceptions import NoSuchCommand
from click.shell_completion import CompletionItem


class Lazy(NamedTuple):
    """Where a subcommand is, and what --help says of it."""

    target: str
    summary: str


SECTIONS = {
    "Take part": {
        "init": Lazy("cli.participant.init:init", "Write a submission that scores, to start from."),
        "local": Lazy("cli.local.command:local", "Try a bundle on public data, on this machine."),
        "submit": Lazy(
            "cli.participant.submit:submit", "Submit a bundle, and wait for its score if asked to."
        ),
        "status": Lazy(
            "cli.participant.status:status", "Show or follow a submission, by default my last one."
        ),
        "cancel": Lazy(
            "cli.participant.cancel:cancel", "Cancel a submission, by default the last one that I sent."
        ),
        "submissions": Lazy("cli.participant.submissions:submissions", "List my submissions."),
        "log": Lazy("cli.participant.log:log", "Print what a submission's run on public data printed."),
        "download": Lazy("cli.participant.download:download", "Download a bundle as it was submitted."),
        "final": Lazy(
            "cli.participant.final:final", "Choose the final entries that a competition decides by."
        ),
        "leaderboard": Lazy("cli.participant.leaderboard:leaderboard", "Show a competition's leaderboard."),
        "team": Lazy(
            "cli.participant.team:team",
            "Take part with others: create, invite, accept, merge, hand over, leave.",
        ),
        "compare": Lazy("cli.participant.compare:compare", "Say which of two submissions is better."),
        "competitions": Lazy(
            "cli.participant.competitions:competitions",
            "List the competitions, or show the dates and limits of one.",
        ),
        "data": Lazy("cli.participant.data:data", "Download a competition's public data."),
        "login": Lazy("cli.participant.login:login", "Keep an API token for the commands above."),
        "score": Lazy("cli.score.command:score", "Grade arrays of confidences or logits: the full report."),
        "completion": Lazy("cli.completion:completion", "Make a shell complete commands and options."),
    },
    "Organise": {
        "competition": Lazy(
            "cli.organiser.competition:competition",
            "Validate and prepare competitions, and reveal their results.",
        ),
    },
    "Run the service": {
        "up": Lazy("cli.operator.up:up", "Run web service and worker together on this machine."),
        "serve": Lazy("cli.operator.processes:serve", "Run the web service."),
        "worker": Lazy("cli.operator.processes:worker", "Run submissions in sandboxes and grade them."),
        "migrate": Lazy("cli.operator.processes:migrate", "Bring the database to this version's schema."),
        "user": Lazy("cli.operator.users:user", "Manage accounts and tokens."),
        "admin": Lazy(
            "cli.admin.group:admin",
            "Grade again, disqualify, give quota, look into the log, back up and restore.",
        ),
    },
}
"""The commands by whom they are for, in the order in which people meet them."""

COMMANDS = {name: lazy for section in SECTIONS.values() for name, lazy in section.items()}


class LazyGroup(click.Group):
    """A group that knows its subcommands by name and imports each on first use."""

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002 - click's signature
        """Name the subcommands in the order in which people meet them."""
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:  # noqa: ARG002
        """Import the subcommand."""
        if cmd_name not in COMMANDS:
            return None
        module, attribute = COMMANDS[cmd_name].target.split(":")
        command = getattr(import_module(module), attribute)
        assert isinstance(command, click.Command)
        return command

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """Find the subcommand; for an unknown one, name those that look like it."""
        try:
            return super().resolve_command(ctx, args)
        except NoSuchCommand as error:
            raise NoSuchCommand(error.command_name, possibilities=COMMANDS, ctx=ctx) from None

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:  # noqa: ARG002
        """List the subcommands for --help without importing one."""
        widest = max(map(len, COMMANDS))
        for title, section in SECTIONS.items():
            with formatter.section(title):
                formatter.write_dl([(name.ljust(widest), lazy.summary) for name, lazy in section.items()])

    def shell_complete(self, ctx: click.Context, incomplete: str) -> list[CompletionItem]:
        """Complete the names of subcommands without importing one."""
        names = [
            CompletionItem(name, help=lazy.summary)
            for name, lazy in COMMANDS.items()
            if name.startswith(incomplete)
        ]
        return names + click.Command.shell_complete(self, ctx, incomplete)


@click.group(cls=LazyGroup, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="lethe")
def main() -> None:
    """Lethe grades machine-unlearning algorithms.

    A first submission: `lethe login`, then `lethe submit my-folder --competition SLUG --wait`.
    Exit codes: 0 ok, 1 failed, 2 usage, 3 token, 4 quota, 5 network, 6 time-out.
    """


if __name__ == "__main__":
    main(prog_name="lethe")
