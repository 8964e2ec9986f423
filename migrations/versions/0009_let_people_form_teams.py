"""Teams, their members and invitations, and whose a submission is."""

import sqlalchemy as sa
from alembic import op

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None

FOREIGN_KEY = "fk_submissions_team_id_teams"
IN_PLACE = (
    f"ALTER TABLE submissions ADD COLUMN team_id VARCHAR(32) CONSTRAINT {FOREIGN_KEY} REFERENCES teams (id)"
)
"""For SQLite, which cannot add a constraint later, nor make a table anew that others point at."""


def upgrade() -> None:
    op.create_table(
        "teams",
        sa.Column("id", sa.String(32), nullable=False),
        sa.Column("competition_id", sa.String(32), nullable=False),
        sa.Column("name", sa.String(40), nullable=False),
        sa.Column("name_key", sa.String(160), nullable=False),
        sa.Column("leader_id", sa.String(32), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        _points("teams", "competition_id", "competitions"),
        _points("teams", "leader_id", "users"),
        sa.PrimaryKeyConstraint("id", name="pk_teams"),
        sa.UniqueConstraint("competition_id", "name_key", name="uq_teams_competition_id_name_key"),
    )
    op.create_table(
        "team_members",
        sa.Column("competition_id", sa.String(32), nullable=False),
        sa.Column("user_id", sa.String(32), nullable=False),
        sa.Column("team_id", sa.String(32), nullable=False),
        sa.Column("joined_at", sa.DateTime(timezone=True), nullable=False),
        _points("team_members", "competition_id", "competitions"),
        _points("team_members", "user_id", "users"),
        _points("team_members", "team_id", "teams"),
        sa.PrimaryKeyConstraint("competition_id", "user_id", name="pk_team_members"),
    )
    op.create_index("ix_team_members_team_id", "team_members", ["team_id"])
    _create_invitations()
    op.add_column("competitions", sa.Column("team_changes", sa.Integer(), nullable=False, server_default="0"))
    if op.get_bind().dialect.name == "sqlite":
        op.execute(sa.text(IN_PLACE))
    else:
        op.alter_column("competitions", "team_changes", server_default=None)  # nothing relies on it
        op.add_column("submissions", sa.Column("team_id", sa.String(32), nullable=True))
        op.create_foreign_key(FOREIGN_KEY, "submissions", "teams", ["team_id"], ["id"])
    op.create_index("ix_submissions_team_id", "submissions", ["team_id"])


def _create_invitations() -> None:
    op.create_table(
        "team_invitations",
        sa.Column("id", sa.String(32), nullable=False),
        sa.Column("team_id", sa.String(32), nullable=False),
        sa.Column("user_id", sa.String(32), nullable=True),
        sa.Column("invited_team_id", sa.String(32), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        _points("team_invitations", "team_id", "teams"),
        _points("team_invitations", "user_id", "users"),
        _points("team_invitations", "invited_team_id", "teams"),
        sa.PrimaryKeyConstraint("id", name="pk_team_invitations"),
        sa.UniqueConstraint("team_id", "user_id", name="uq_team_invitations_team_id_user_id"),
        sa.UniqueConstraint("team_id", "invited_team_id", name="uq_team_invitations_team_id_invited_team_id"),
    )
    for column in ("user_id", "invited_team_id"):
        op.create_index(f"ix_team_invitations_{column}", "team_invitations", [column])


def _points(table: str, column: str, target: str) -> sa.ForeignKeyConstraint:
    return sa.ForeignKeyConstraint([column], [f"{target}.id"], name=f"fk_{table}_{column}_{target}")


def downgrade() -> None:
    """Forget teams: each submission is its sender's alone."""
    op.drop_index("ix_submissions_team_id", "submissions")
    if op.get_bind().dialect.name != "sqlite":
        op.drop_constraint(FOREIGN_KEY, "submissions", type_="foreignkey")
    op.drop_column("submissions", "team_id")
    op.drop_column("competitions", "team_changes")
    for table in ("team_invitations", "team_members", "teams"):
        op.drop_table(table)
