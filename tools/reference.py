"""Writes docs/reference/ from the code itself: `python -m tools.reference`."""

from pathlib import Path

from tools.api_reference import api_reference
from tools.cli_reference import cli_reference

FOLDER = Path(__file__).parents[1] / "docs" / "reference"
COMMAND = ".venv/bin/python -m tools.reference"


def pages() -> dict[str, str]:
    """Return what is to stand in docs/reference/, by name."""
    return {"cli.md": cli_reference()} | api_reference()


def main() -> None:
    """Write every page."""
    written = pages()
    for path in FOLDER.rglob("*.md"):
        if path.relative_to(FOLDER).as_posix() not in written:
            path.unlink()
    for name, text in written.items():
        path = FOLDER / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
        print(f"docs/reference/{name}")


if __name__ == "__main__":
    main()
