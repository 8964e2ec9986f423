"""Organisers of single competitions; an e-mail address on each account."""

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Nobody is an organiser or has an address yet."""
    op.add_column("users", sa.Column("email", sa.String(254), nullable=True))
    op.create_table(
        "competition_organisers",
        sa.Column("user_id", sa.String(32), nullable=False),
        sa.Column("competition_id", sa.String(32), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["user_id"], ["users.id"], name="fk_competition_organisers_user_id_users"),
        sa.ForeignKeyConstraint(
            ["competition_id"],
            ["competitions.id"],
            name="fk_competition_organisers_competition_id_competitions",
        ),
        sa.PrimaryKeyConstraint("user_id", "competition_id", name="pk_competition_organisers"),
    )
    op.create_index("ix_competition_organisers_competition_id", "competition_organisers", ["competition_id"])


def downgrade() -> None:
    """Forget who organised what: admins alone are left."""
    op.drop_table("competition_organisers")
    op.drop_column("users", "email")
