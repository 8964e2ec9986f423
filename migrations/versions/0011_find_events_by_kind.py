"""Find events by kind: the log is long, and an admin looks for one in a million."""

from alembic import op

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_index("ix_events_kind", "events", ["kind", "id"])


def downgrade() -> None:
    op.drop_index("ix_events_kind", "events")
