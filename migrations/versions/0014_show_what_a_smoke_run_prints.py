"""What a smoke run has printed so far."""

import sqlalchemy as sa
from alembic import op

revision = "0014"
down_revision = "0013"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Nothing is known of what runs that go on have printed."""
    op.add_column("runs", sa.Column("printed", sa.Text(), nullable=True))


def downgrade() -> None:
    """Forget it; a run that has ended has its log."""
    op.drop_column("runs", "printed")
