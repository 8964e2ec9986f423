"""The tiny competition with public data for smoke runs beside the hidden ones."""

import shutil
from pathlib import Path

TINY = Path(__file__).parent / "fixtures" / "tiny"
SMOKE = '''

def with_smoke(hidden):
    """Add 24 more images: 4 to forget, 4 for validation, 16 to retain."""
    labels = np.arange(24, dtype=np.int64) % 4
    images = np.random.default_rng(8).normal(0.0, 0.6, size=(24, 1, 8, 8)).astype(np.float32)
    return hidden | {
        "smoke_images": images,
        "smoke_labels": labels,
        "smoke_forget": np.arange(4),
        "smoke_val": np.arange(4, 8),
    }


hidden = load


def load():
    return with_smoke(hidden())
'''


def make_smoky(folder: Path) -> Path:
    """Copy the tiny competition into a folder of its name, and give it public data."""
    copy = shutil.copytree(TINY, folder / "tiny", ignore=shutil.ignore_patterns("__pycache__"))
    with (copy / "data.py").open("a") as file:
        file.write(SMOKE)
    return copy
