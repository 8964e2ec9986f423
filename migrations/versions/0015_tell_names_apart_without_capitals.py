"""Names of accounts are told apart without capitals."""

import sqlalchemy as sa
from alembic import op

revision = "0015"
down_revision = "0014"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Give each account its name's key. Of those that differ by capitals alone one has it; the others keep their own names."""
    op.add_column("users", sa.Column("name_key", sa.String(64), nullable=False, server_default=""))
    op.execute("UPDATE users SET name_key = lower(name)")
    connection = op.get_bind()
    names = connection.scalars(sa.text("SELECT name FROM users ORDER BY created_at, id")).all()
    taken = {name for name in names if name == name.lower()}
    for name in names:
        if name not in taken and name.lower() in taken:
            connection.execute(sa.text("UPDATE users SET name_key = name WHERE name = :name"), {"name": name})
        taken.add(name.lower())
    op.create_index("ix_users_name_key", "users", ["name_key"], unique=True)
    if connection.dialect.name != "sqlite":  # which can take no default away; nothing relies on it
        op.alter_column("users", "name_key", server_default=None)


def downgrade() -> None:
    """Tell names apart by capitals again."""
    op.drop_index("ix_users_name_key", "users")
    op.drop_column("users", "name_key")
