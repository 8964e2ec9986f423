"""Keep scores of several grader versions, one of them current, with calibrated score, intervals, flags and summary."""

import sqlalchemy as sa
from alembic import op
from alembic.operations import BatchOperations

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

CURRENT = sa.text("current")
NUMBERS = ("calibrated_score", "interval_low", "interval_high", "calibrated_low", "calibrated_high")


def upgrade() -> None:
    with op.batch_alter_table("scores") as batch:
        batch.drop_constraint("uq_scores_evaluation_id", type_="unique")
        batch.create_unique_constraint(
            "uq_scores_evaluation_id_grader_version", ["evaluation_id", "grader_version"]
        )
        _add(batch, sa.Column("current", sa.Boolean(), nullable=False, server_default=sa.true()))
        for name in NUMBERS:
            _add(batch, sa.Column(name, sa.Double(), nullable=True))
        _add(batch, sa.Column("flags", sa.JSON(), nullable=False, server_default="[]"))
        _add(batch, sa.Column("replicates", sa.JSON(), nullable=False, server_default="{}"))
        _add(batch, sa.Column("summary", sa.JSON(), nullable=True))
    with op.batch_alter_table("scores") as batch:  # the defaults were for the rows that there are
        for name in ("current", "flags", "replicates"):
            batch.alter_column(name, server_default=None)
    op.create_index(
        "uq_scores_current",
        "scores",
        ["evaluation_id"],
        unique=True,
        sqlite_where=CURRENT,
        postgresql_where=CURRENT,
    )


def _add(batch: BatchOperations, column: "sa.Column[object]") -> None:
    """Add a column; on SQLite before the report, for it reads through whatever stands before a column."""
    if op.get_bind().dialect.name == "sqlite":
        batch.add_column(column, insert_before="report")
    else:
        batch.add_column(column)


def downgrade() -> None:
    """Keep the current scores; the others are lost."""
    op.execute(sa.text("DELETE FROM scores WHERE NOT current"))
    op.drop_index("uq_scores_current", table_name="scores")
    with op.batch_alter_table("scores") as batch:
        batch.drop_constraint("uq_scores_evaluation_id_grader_version", type_="unique")
        for name in ("summary", "replicates", "flags", *reversed(NUMBERS), "current"):
            batch.drop_column(name)
        batch.create_unique_constraint("uq_scores_evaluation_id", ["evaluation_id"])
