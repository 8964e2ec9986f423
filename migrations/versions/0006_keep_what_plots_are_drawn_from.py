"""Beside a score, what its plots are drawn from; scores from before have none."""

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None

CURRENT = sa.text("current")


def upgrade() -> None:
    """Add the column; on SQLite before the report, for it reads through whatever stands before a column."""
    column = sa.Column("plots", sa.JSON(), nullable=True)
    if op.get_bind().dialect.name != "sqlite":
        op.add_column("scores", column)
        return
    op.drop_index("uq_scores_current", table_name="scores")  # a table that is made anew loses its condition
    with op.batch_alter_table("scores", recreate="always") as batch:
        batch.add_column(column, insert_before="report")
    op.create_index("uq_scores_current", "scores", ["evaluation_id"], unique=True, sqlite_where=CURRENT)


def downgrade() -> None:
    """Forget plots."""
    op.drop_column("scores", "plots")
