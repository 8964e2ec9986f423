"""A notice may tell of a competition's results."""

import sqlalchemy as sa
from alembic import op

revision = "0017"
down_revision = "0016"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Let a notice point at a competition, once for each person and way."""
    with op.batch_alter_table("notices") as batch:
        batch.add_column(sa.Column("competition_id", sa.String(32), nullable=True))
        batch.create_foreign_key(
            "fk_notices_competition_id_competitions", "competitions", ["competition_id"], ["id"]
        )
        batch.create_unique_constraint(
            "uq_notices_competition_id_user_id_channel", ["competition_id", "user_id", "channel"]
        )


def downgrade() -> None:
    """Forget the notices of results."""
    op.execute("DELETE FROM notices WHERE competition_id IS NOT NULL")
    with op.batch_alter_table("notices") as batch:
        batch.drop_constraint("uq_notices_competition_id_user_id_channel", type_="unique")
        batch.drop_constraint("fk_notices_competition_id_competitions", type_="foreignkey")
        batch.drop_column("competition_id")
