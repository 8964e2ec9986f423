"""Workers that tell of themselves; lanes and turns in the queue of runs."""

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None

QUEUE = "ix_runs_queue"
OLD = ["status", "queued_at", "evaluation_id", "seed_index"]
NEW = ["status", "reference_id", "lane", "turn", "queued_at", "evaluation_id", "seed_index", "id"]
REFERENCES = """
    UPDATE runs SET reference_id =
        (SELECT reference_id FROM evaluations WHERE evaluations.id = runs.evaluation_id)
"""
LANES = """
    UPDATE runs SET lane = 1 WHERE evaluation_id IN
        (SELECT id FROM evaluations WHERE generation > 1 OR split <> 'public')
"""


def upgrade() -> None:
    """Add columns in place: SQLite cannot make a table anew that others point at.

    What is queued keeps its order: all of it has turn 0, and reruns go behind.
    """
    _add("users", sa.Column("turn", sa.Integer(), nullable=False, server_default="-1"))
    op.create_index("ix_users_turn", "users", ["turn"])
    _add("runs", sa.Column("reference_id", sa.String(32), nullable=False, server_default=""))
    for name in ("lane", "turn"):
        _add("runs", sa.Column(name, sa.Integer(), nullable=False, server_default="0"))
    op.execute(sa.text(REFERENCES))
    op.execute(sa.text(LANES))
    op.drop_index(QUEUE, "runs")
    op.create_index(QUEUE, "runs", NEW)
    op.create_table(
        "workers",
        sa.Column("name", sa.String(64), nullable=False),
        sa.Column("host", sa.String(255), nullable=False),
        sa.Column("pid", sa.Integer(), nullable=False),
        sa.Column("device_class", sa.String(8), nullable=False),
        sa.Column("device", sa.String(64), nullable=False),
        sa.Column("device_name", sa.String(200), nullable=False),
        sa.Column("sandboxes", sa.String(200), nullable=False),
        sa.Column("version", sa.String(32), nullable=False),
        sa.Column("state", sa.String(16), nullable=False),
        sa.Column("run_id", sa.String(32), nullable=True),
        sa.Column("started_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("seen_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("name", name="pk_workers"),
    )


def _add(table: str, column: sa.Column) -> None:
    op.add_column(table, column)
    if op.get_bind().dialect.name != "sqlite":  # which can take no default away; nothing relies on it
        op.alter_column(table, column.name, server_default=None)


def downgrade() -> None:
    """Forget turns: whoever queued first is served first again."""
    op.drop_table("workers")
    op.drop_index(QUEUE, "runs")
    op.create_index(QUEUE, "runs", OLD)
    for name in ("turn", "lane", "reference_id"):
        op.drop_column("runs", name)
    op.drop_index("ix_users_turn", "users")
    op.drop_column("users", "turn")
