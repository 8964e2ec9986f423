"""`lethe init`: a folder with a submission that scores, to change from there."""

from keyword import iskeyword
from pathlib import Path

import click

from cli.client.api import Api, JsonObject
from cli.client.config import connection, url_option
from cli.errors import CliError, reported
from cli.options import examples
from cli.text import say

STARTER = Path(__file__).with_name("starter") / "submission.py"
_ENTRY = "unlearning"
_PAIRS = """\
        # A batch is (images, labels). In some competitions it is a dict: its data page names the keys.
        for images, labels in retain_loader:
"""


@examples("lethe init my-method", "lethe init my-method --competition digits")
@click.command()
@click.argument(
    "folder", default="my-method", type=click.Path(file_okay=False, path_type=Path), metavar="[DIR]"
)
@click.option(
    "--competition",
    "-c",
    metavar="SLUG",
    help="Whose entry function and batches it is written for. [default: unlearning, and tuples (images, labels)]",
)
@url_option
@reported
def init(*, folder: Path, competition: str | None, url: str | None) -> None:
    """Write a submission that scores into DIR (my-method if not given), to start from.

    It fine-tunes on what may be kept, in a few lines that explain themselves. Never overwrites anything. Asks the
    service for the competition's rules only if you name one; needs no token.
    """
    source = STARTER.read_text(encoding="utf-8")
    if competition is not None:
        with Api(connection(url)) as api:
            source = written_for(api.competition(competition), source)
    target = folder / "submission.py"
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with target.open("x", encoding="utf-8") as file:
            file.write(source)
    except FileExistsError:
        raise CliError(
            f"{target if target.exists() else folder} is there already, and stays as it is.",
            code="exists",
            advice="Name another folder: lethe init DIR",
        ) from None
    except OSError as error:
        raise CliError(f"{folder} cannot be written: {error.strerror}.", code="cannot_write") from error
    click.echo(str(folder))
    slug = competition or "SLUG"
    say(f"Try it here: lethe local {folder} --competition {slug}")
    say(f"Submit it:   lethe submit {folder} --competition {slug} --wait")


def written_for(rules: JsonObject, source: str) -> str:
    """Return the starter with a competition's own entry function and batches. Raises CliError."""
    entry = str(rules["entry_function"])
    if not entry.isidentifier() or iskeyword(entry):  # it becomes part of a program
        raise CliError(f"The service names an entry function {entry!r}.", code="no_name")
    source = source.replace(f"{_ENTRY}(", f"{entry}(")
    if rules["batches"]["kind"] == "tuple":
        return source.replace(_PAIRS, _PAIRS.partition("\n")[2])
    names = {what: name for name, what in rules["batches"]["fields"].items()}
    pair = f"batch[{names['images']!r}], batch[{names['labels']!r}]"
    return source.replace(
        _PAIRS, f"        for batch in retain_loader:\n            images, labels = {pair}\n"
    )
