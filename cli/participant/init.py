"""`lethe init`: a folder with a submission that scores, to change from there."""

from pathlib import Path

import click

from cli.errors import CliError, reported
from cli.options import examples
from cli.text import say

STARTER = Path(__file__).with_name("starter") / "submission.py"


@examples("lethe init my-method")
@click.command()
@click.argument(
    "folder", default="my-method", type=click.Path(file_okay=False, path_type=Path), metavar="[DIR]"
)
@reported
def init(*, folder: Path) -> None:
    """Write a submission that scores into DIR (my-method if not given), to start from.

    It fine-tunes on what may be kept, in a few lines that explain themselves. Never overwrites anything.
    """
    target = folder / "submission.py"
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with target.open("x", encoding="utf-8") as file:
            file.write(STARTER.read_text(encoding="utf-8"))
    except FileExistsError:
        raise CliError(
            f"{target if target.exists() else folder} is there already, and stays as it is.",
            code="exists",
            advice="Name another folder: lethe init DIR",
        ) from None
    except OSError as error:
        raise CliError(f"{folder} cannot be written: {error.strerror}.", code="cannot_write") from error
    click.echo(str(folder))
    say(f"Try it here: lethe local {folder} --competition SLUG")
    say(f"Submit it:   lethe submit {folder} --competition SLUG --wait")
