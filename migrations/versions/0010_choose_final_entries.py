"""Final entries, and when a competition took them and revealed what came of them."""

import sqlalchemy as sa
from alembic import op

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None

MOMENTS = ("closed_at", "revealed_at")


def upgrade() -> None:
    """Add columns in place. A competition that has closed before is closed anew, with nothing chosen."""
    for name in MOMENTS:
        op.add_column("competitions", sa.Column(name, sa.DateTime(timezone=True), nullable=True))
    op.create_table(
        "final_entries",
        sa.Column("submission_id", sa.String(32), nullable=False),
        sa.Column("competition_id", sa.String(32), nullable=False),
        sa.Column("state", sa.String(8), nullable=False),
        sa.Column("automatic", sa.Boolean(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["submission_id"], ["submissions.id"], name="fk_final_entries_submission_id_submissions"
        ),
        sa.ForeignKeyConstraint(
            ["competition_id"], ["competitions.id"], name="fk_final_entries_competition_id_competitions"
        ),
        sa.PrimaryKeyConstraint("submission_id", name="pk_final_entries"),
    )
    op.create_index("ix_final_entries_competition_id", "final_entries", ["competition_id"])


def downgrade() -> None:
    """Forget choices and closes; evaluations on the private split stay."""
    op.drop_table("final_entries")
    for name in reversed(MOMENTS):
        op.drop_column("competitions", name)
