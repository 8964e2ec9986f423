import numpy as np
import pytest

from tests.cli.score.arrays import FULL, N, S


@pytest.fixture
def pair():
    rng = np.random.default_rng(3)
    return rng.normal(size=(N, S)), rng.normal(size=(N, S))


@pytest.fixture
def files(tmp_path, pair):
    """Paths of U.npy, R.npy and both.npz."""
    paths = [tmp_path / name for name in ("U.npy", "R.npy", "both.npz")]
    np.save(paths[0], pair[0])
    np.save(paths[1], pair[1])
    np.savez(paths[2], U=pair[0], R=pair[1])
    return paths


@pytest.fixture
def archive(tmp_path):
    """Write an archive of the full arrays with changes; None leaves one out."""

    def write(name="full.npz", **changes):
        arrays = {key: value for key, value in (FULL | changes).items() if value is not None}
        np.savez(tmp_path / name, **arrays)
        return tmp_path / name

    return write
