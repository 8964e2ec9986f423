"""Disqualifications, reruns that are looked at before they are published, quota that an admin gives or takes."""

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None

# in place: SQLite cannot make a table anew that others point at, and Alembic adds no column with a key there
HELD = """
    ALTER TABLE evaluations ADD COLUMN rerun_id VARCHAR(32)
    CONSTRAINT fk_evaluations_rerun_id_reruns REFERENCES reruns (id)
"""


def upgrade() -> None:
    op.create_table(
        "disqualifications",
        sa.Column("id", sa.String(32), nullable=False),
        sa.Column("competition_id", sa.String(32), nullable=False),
        sa.Column("submission_id", sa.String(32), nullable=True),
        sa.Column("user_id", sa.String(32), nullable=True),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("actor", sa.String(64), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("lifted_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("lifted_by", sa.String(64), nullable=True),
        sa.Column("lifted_reason", sa.Text(), nullable=True),
        sa.ForeignKeyConstraint(
            ["competition_id"], ["competitions.id"], name="fk_disqualifications_competition_id_competitions"
        ),
        sa.ForeignKeyConstraint(
            ["submission_id"], ["submissions.id"], name="fk_disqualifications_submission_id_submissions"
        ),
        sa.ForeignKeyConstraint(["user_id"], ["users.id"], name="fk_disqualifications_user_id_users"),
        sa.PrimaryKeyConstraint("id", name="pk_disqualifications"),
    )
    open_ = sa.text("lifted_at IS NULL")
    op.create_index(
        "uq_disqualifications_submission",
        "disqualifications",
        ["submission_id"],
        unique=True,
        sqlite_where=open_,
        postgresql_where=open_,
    )
    op.create_index(
        "uq_disqualifications_entrant",
        "disqualifications",
        ["competition_id", "user_id"],
        unique=True,
        sqlite_where=open_,
        postgresql_where=open_,
    )
    op.create_table(
        "reruns",
        sa.Column("id", sa.String(32), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("actor", sa.String(64), nullable=False),
        sa.Column("decision", sa.String(16), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("decided_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("decided_by", sa.String(64), nullable=True),
        sa.PrimaryKeyConstraint("id", name="pk_reruns"),
    )
    op.execute(sa.text(HELD))
    op.create_index("ix_evaluations_rerun_id", "evaluations", ["rerun_id"])
    with op.batch_alter_table("quota_entries") as batch:
        batch.alter_column("submission_id", existing_type=sa.String(32), nullable=True)
        batch.alter_column("day", existing_type=sa.String(10), nullable=True)
        batch.add_column(sa.Column("reason", sa.Text(), nullable=True))
        batch.add_column(sa.Column("actor", sa.String(64), nullable=True))


def downgrade() -> None:
    """Whoever was disqualified is back; reruns that nobody has decided on stay as they are, unpublished."""
    op.execute(sa.text("DELETE FROM quota_entries WHERE kind = 'adjust'"))
    with op.batch_alter_table("quota_entries") as batch:
        batch.drop_column("actor")
        batch.drop_column("reason")
        batch.alter_column("day", existing_type=sa.String(10), nullable=False)
        batch.alter_column("submission_id", existing_type=sa.String(32), nullable=False)
    op.drop_index("ix_evaluations_rerun_id", "evaluations")
    if op.get_bind().dialect.name != "sqlite":
        op.drop_constraint("fk_evaluations_rerun_id_reruns", "evaluations", type_="foreignkey")
    op.drop_column("evaluations", "rerun_id")
    op.drop_table("reruns")
    op.drop_table("disqualifications")
