"""Webhooks, the outbox of notices, and who wants no letters."""

import sqlalchemy as sa
from alembic import op

revision = "0013"
down_revision = "0012"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("users", sa.Column("mail_notices", sa.Boolean(), nullable=False, server_default=sa.true()))
    if op.get_bind().dialect.name != "sqlite":  # which can take no default away; nothing relies on it
        op.alter_column("users", "mail_notices", server_default=None)
    op.create_table(
        "webhooks",
        sa.Column("user_id", sa.String(32), nullable=False),
        sa.Column("url", sa.String(500), nullable=False),
        sa.Column("secret", sa.String(64), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["user_id"], ["users.id"], name="fk_webhooks_user_id_users"),
        sa.PrimaryKeyConstraint("user_id", name="pk_webhooks"),
    )
    op.create_table(
        "notices",
        sa.Column("id", sa.String(32), nullable=False),
        sa.Column("user_id", sa.String(32), nullable=False),
        sa.Column("channel", sa.String(8), nullable=False),
        sa.Column("kind", sa.String(32), nullable=False),
        sa.Column("evaluation_id", sa.String(32), nullable=True),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("due_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("tried_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("delivered_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("outcome", sa.String(200), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["user_id"], ["users.id"], name="fk_notices_user_id_users"),
        sa.ForeignKeyConstraint(
            ["evaluation_id"], ["evaluations.id"], name="fk_notices_evaluation_id_evaluations"
        ),
        sa.PrimaryKeyConstraint("id", name="pk_notices"),
        sa.UniqueConstraint(
            "evaluation_id", "user_id", "channel", name="uq_notices_evaluation_id_user_id_channel"
        ),
    )
    op.create_index("ix_notices_user_id_created_at", "notices", ["user_id", "created_at"])
    op.create_index("ix_notices_due_at", "notices", ["due_at"])


def downgrade() -> None:
    """Forget notices and where they went."""
    op.drop_table("notices")
    op.drop_table("webhooks")
    op.drop_column("users", "mail_notices")
