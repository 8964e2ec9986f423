"""Runs on public smoke data, and what they printed."""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add columns in place: SQLite cannot make a table anew that others point at."""
    op.add_column("references_", sa.Column("smoke", sa.Boolean(), nullable=False, server_default=sa.false()))
    op.add_column("runs", sa.Column("kind", sa.String(8), nullable=False, server_default="seed"))
    op.add_column("runs", sa.Column("log_digest", sa.String(64), nullable=True))
    op.add_column("runs", sa.Column("log_dropped_bytes", sa.Integer(), nullable=True))


def downgrade() -> None:
    """Drop smoke runs: the seeds of an evaluation are numbered from 0 again."""
    op.execute(sa.text("DELETE FROM runs WHERE kind = 'smoke'"))
    for table, name in (
        ("runs", "log_dropped_bytes"),
        ("runs", "log_digest"),
        ("runs", "kind"),
        ("references_", "smoke"),
    ):
        op.drop_column(table, name)
