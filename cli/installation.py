"""The installation that an operator's command works on: settings, database, and words for what can go wrong there."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from cli.errors import CliError, usage_error
from cli.exit_codes import ExitCode

if TYPE_CHECKING:
    from sqlalchemy import Engine
    from sqlalchemy.orm import Session

    from app.settings import Settings


def settings_of_environment() -> "Settings":
    """Read LETHE_* and make the data folder. Raises CliError."""
    from app.settings import make_data_dir

    settings = read_settings()
    try:
        make_data_dir(settings)
    except OSError as error:
        raise _failed(
            f"The data folder cannot be made: {error}", "no_data_dir", "Set LETHE_DATA_DIR."
        ) from error
    return settings


def read_settings() -> "Settings":
    """Read LETHE_* and make nothing. Raises CliError."""
    from pydantic import ValidationError

    from app.settings import Settings

    try:
        return Settings()
    except ValidationError as error:
        problems = "; ".join(
            f"LETHE_{'_'.join(map(str, e['loc'])).upper()}: {e['msg']}" for e in error.errors()
        )
        raise usage_error(problems, "bad_setting") from error


def migrated_database(settings: "Settings") -> "Engine":
    """Return an engine on a database that has this version's schema. Raises CliError."""
    from app.db import is_migrated, make_engine

    with words_for_errors(settings):
        engine = make_engine(settings.url)
        if is_migrated(engine):
            return engine
    raise _failed(
        "The database does not have this version's tables.", "not_migrated", "Run `lethe migrate` first."
    )


@contextmanager
def writing() -> "Iterator[Session]":
    """Change the database of this machine's installation in one transaction. Raises CliError."""
    from app.db import unit_of_work

    engine = migrated_database(settings_of_environment())
    with words_for_errors(), unit_of_work(engine) as session:
        yield session


@contextmanager
def reading() -> "Iterator[Session]":
    """Read the database of this machine's installation. Raises CliError."""
    from app.db import read_only

    engine = migrated_database(settings_of_environment())
    with words_for_errors(), read_only(engine) as session:
        yield session


@contextmanager
def words_for_errors(settings: "Settings | None" = None) -> Iterator[None]:
    """Turn Lethe's own errors into CliError, and those of a database or a storage that cannot be used."""
    from sqlalchemy.exc import ArgumentError, InterfaceError, OperationalError

    from app.errors import LetheError
    from app.garbage import ManifestUnreadable
    from app.storage import DamagedBlob, StorageAway, StorageMisconfigured

    try:
        yield
    except LetheError as error:
        raise CliError(error.detail, code=error.code, advice=error.advice) from error
    except (OperationalError, InterfaceError) as error:
        cause = " ".join(str(error.orig).split())
        raise _failed(
            f"The database cannot be used: {cause}", "no_database", "See LETHE_DATABASE_URL."
        ) from error
    except StorageMisconfigured as error:
        raise usage_error(f"{error}.", "bad_storage") from error
    except StorageAway as error:
        raise _failed(f"{error}.", "no_storage", "See LETHE_STORAGE_URL.") from error
    except (DamagedBlob, ManifestUnreadable) as error:
        raise _failed(f"{error}.", "damaged_storage", "Bring the file back from a backup.") from error
    except (ArgumentError, ModuleNotFoundError) as error:
        if settings is None or not settings.database_url:
            raise
        raise usage_error(f"LETHE_DATABASE_URL cannot be used: {error}", "bad_database_url") from error


def _failed(message: str, code: str, advice: str) -> CliError:
    return CliError(message, code=code, exit_code=ExitCode.FAILED, advice=advice)
