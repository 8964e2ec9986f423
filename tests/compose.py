"""Reads docker-compose.yml as Docker's own tool would, with the variables filled in."""

import re
from pathlib import Path

import yaml

ROOT = Path(__file__).parents[1]
SECRETS = ("postgres_password", "redis_password", "metrics_token", "storage_access_key", "storage_secret_key")
FILE = ROOT / "docker-compose.yml"
_VARIABLE = re.compile(r"\$\$|\$\{(\w+)(?::([-?])([^}]*))?\}")


def filled(text, values):
    """Replace ${NAME}, ${NAME:-default} and ${NAME:?message}; $$ is a dollar."""

    def one(found):
        if found.group() == "$$":
            return "$"
        name, kind, rest = found.groups()
        value = values.get(name, "")
        if not value and kind == "?":
            raise KeyError(f"{name}: {rest}")
        return value or (rest if kind == "-" else "")

    return _VARIABLE.sub(one, text)


def example():
    """The variables of .env.example, as a participant in shell syntax would read them, with images named."""
    lines = (ROOT / ".env.example").read_text().splitlines()
    values = dict(line.split("=", 1) for line in lines if line and not line.startswith("#"))
    return values | {name: "sha256:" + "0" * 64 for name in values if name.endswith("_IMAGE")}


def read(**values):
    return yaml.safe_load(filled(FILE.read_text(), example() | values))
