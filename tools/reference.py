"""Writes docs/reference/ from the code itself: `python -m tools.reference`."""

from pathlib import Path

from tools.api_reference import api_reference
from tools.cli_reference import cli_reference

FOLDER = Path(__file__).parents[1] / "docs" / "reference"
COMMAND = ".venv/bin/python -m tools.reference"
PAGES = {"cli.md": cli_reference, "api.md": api_reference}


def main() -> None:
    """Write every page."""
    FOLDER.mkdir(parents=True, exist_ok=True)
    for name, made in PAGES.items():
        (FOLDER / name).write_text(made(), encoding="utf-8")
        print(f"docs/reference/{name}")


if __name__ == "__main__":
    main()
