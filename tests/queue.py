"""Makes the queue long: copies of an evaluation that there is, straight in SQL."""

from sqlalchemy import text

EVALUATIONS = """
    WITH RECURSIVE n(k) AS (SELECT 1 UNION ALL SELECT k + 1 FROM n WHERE k < :count)
    INSERT INTO evaluations (id, submission_id, reference_id, split, generation, status, published,
        cancel_requested, n_runs, cutoff_fraction, cutoff_seconds, fence, losses, due_at, created_at)
    SELECT 'filler' || k, submission_id, reference_id, split, 1000 + k, status, :no, :no,
        :runs, cutoff_fraction, cutoff_seconds, fence, losses, due_at, created_at
    FROM evaluations, n WHERE id = (SELECT min(id) FROM evaluations WHERE status = 'queued')
"""
RUNS = """
    WITH RECURSIVE n(k) AS (SELECT 0 UNION ALL SELECT k + 1 FROM n WHERE k < :runs - 1)
    INSERT INTO runs (id, evaluation_id, reference_id, lane, turn, kind, seed_index, seed, status, fence,
        losses, queued_at)
    SELECT 'r' || k || '-' || substr(evaluations.id, 7), evaluations.id, reference_id, 0,
        generation - 1000, 'seed', k, k, 'queued', 0, 0, created_at
    FROM evaluations, n WHERE evaluations.id LIKE 'filler%'
"""


def fill(engine, runs, each=100):
    """Queue so many runs more, `each` of them in one evaluation, behind the first queued one that there is."""
    each = min(each, runs)
    with engine.begin() as connection:
        connection.execute(text(EVALUATIONS), {"count": runs // each, "runs": each, "no": False})
        connection.execute(text(RUNS), {"runs": each})
    with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        connection.execute(text("ANALYZE"))
