"""Calibrate each device: what retraining takes there, and from it each run's own cutoff."""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

FRACTIONS = """
    UPDATE evaluations SET cutoff_fraction = COALESCE(cutoff_seconds / NULLIF(
        (SELECT retrain_seconds FROM references_ WHERE references_.id = evaluations.reference_id), 0), 0)
"""
CUTOFFS = """
    UPDATE runs SET cutoff_seconds =
        (SELECT cutoff_seconds FROM evaluations WHERE evaluations.id = runs.evaluation_id)
    WHERE status IN ('running', 'succeeded', 'failed')
"""
"""They ran, or run, under their evaluation's cutoff; on which device is not known."""


def upgrade() -> None:
    op.create_table(
        "calibrations",
        sa.Column("id", sa.String(32), nullable=False),
        sa.Column("reference_id", sa.String(32), nullable=False),
        sa.Column("device", sa.String(64), nullable=False),
        sa.Column("device_name", sa.String(200), nullable=False),
        sa.Column("facts", sa.JSON(), nullable=False),
        sa.Column("seconds", sa.Double(), nullable=False),
        sa.Column("repeats", sa.JSON(), nullable=False),
        sa.Column("worker", sa.String(64), nullable=False),
        sa.Column("stale", sa.Boolean(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("drift", sa.Double(), nullable=True),
        sa.Column("checked_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(
            ["reference_id"], ["references_.id"], name="fk_calibrations_reference_id_references_"
        ),
        sa.PrimaryKeyConstraint("id", name="pk_calibrations"),
        sa.UniqueConstraint("reference_id", "device", name="uq_calibrations_reference_id_device"),
    )
    with op.batch_alter_table("runs") as batch:
        batch.add_column(sa.Column("calibration_id", sa.String(32), nullable=True))
        batch.add_column(sa.Column("cutoff_seconds", sa.Double(), nullable=True))
        batch.create_foreign_key(
            "fk_runs_calibration_id_calibrations", "calibrations", ["calibration_id"], ["id"]
        )
    # not in a batch, which on SQLite makes the table anew: runs and scores point at it
    op.add_column(
        "evaluations", sa.Column("cutoff_fraction", sa.Double(), nullable=False, server_default="0")
    )
    op.execute(sa.text(FRACTIONS))
    op.execute(sa.text(CUTOFFS))
    if op.get_bind().dialect.name != "sqlite":  # which can take no default away; nothing relies on it
        op.alter_column("evaluations", "cutoff_fraction", server_default=None)


def downgrade() -> None:
    """Each run's cutoff and device are lost; an evaluation keeps the cutoff that it shows."""
    op.drop_column("evaluations", "cutoff_fraction")
    with op.batch_alter_table("runs") as batch:
        batch.drop_constraint("fk_runs_calibration_id_calibrations", type_="foreignkey")
        batch.drop_column("cutoff_seconds")
        batch.drop_column("calibration_id")
    op.drop_table("calibrations")
