"""A smoke run may print more than 2 GiB, of which all but its two ends is left out and counted."""

import sqlalchemy as sa
from alembic import op

revision = "0016"
down_revision = "0015"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Count in 64 bits, as SQLite does anyway."""
    if op.get_bind().dialect.name != "sqlite":
        op.alter_column("runs", "log_dropped_bytes", type_=sa.BigInteger(), existing_nullable=True)


def downgrade() -> None:
    """Count in 32 bits; what needs more becomes the most that they hold."""
    if op.get_bind().dialect.name != "sqlite":
        op.execute("UPDATE runs SET log_dropped_bytes = 2147483647 WHERE log_dropped_bytes > 2147483647")
        op.alter_column("runs", "log_dropped_bytes", type_=sa.Integer(), existing_nullable=True)
