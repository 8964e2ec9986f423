"""`lethe admin`: what admins decide about a service, and what operators do on its own machine."""

import click

from cli.admin.closing import closing, reveal
from cli.admin.evaluations import cancel, evaluations, events, overview
from cli.admin.machines import calibrations, remeasure, workers
from cli.admin.people import disqualify, entrants, quota, reinstate
from cli.admin.reruns import rerun
from cli.operator.backup import backup, restore
from cli.operator.gc import gc
from cli.operator.invite import invite
from cli.operator.regrade import regrade

OVER_THE_API = (
    overview,
    evaluations,
    cancel,
    rerun,
    entrants,
    disqualify,
    reinstate,
    quota,
    closing,
    reveal,
    workers,
    calibrations,
    remeasure,
    events,
)
ON_ITS_MACHINE = (invite, regrade, gc, backup, restore)


@click.group()
def admin() -> None:
    """Look after an installation: grades, blobs, backups, and what people sent."""


for command in (*OVER_THE_API, *ON_ITS_MACHINE):
    admin.add_command(command)
