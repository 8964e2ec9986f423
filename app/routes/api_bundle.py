"""API v1: a bundle as it was submitted."""

import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated

from fastapi import APIRouter, Depends, Response
from fastapi.responses import FileResponse

from app import submissions, uploads
from app.dependencies import Ctx, Person, Reading
from app.routes import answers
from app.routes.api import SubmissionId
from app.routes.etags import IfNoneMatch, is_known
from app.routes.security import SIGNED_IN

router = APIRouter(prefix="/api/v1", tags=["submissions"])


def scratch(context: Ctx) -> Iterator[Path]:
    """Yield a place for a file that is gone once the answer has been sent, or could not be."""
    context.uploads.mkdir(parents=True, exist_ok=True)
    path = context.uploads / f"bundle-{uuid.uuid4().hex}"
    try:
        yield path
    finally:
        uploads.discard(path)


@router.get(
    "/submissions/{submission_id}/bundle",
    response_class=FileResponse,
    summary="Download a submission's bundle",
    responses={
        200: {"description": "The zip as it was submitted", "content": {"application/zip": {}}},
        206: {"description": "The bytes that Range asked for"},
        304: {"description": "You have it: its ETag is `bundle_digest`"},
        416: {"description": "Range lies beyond the end"},
        **answers.problems(401, 404),
    },
    dependencies=SIGNED_IN,
)
def read_bundle(
    submission_id: SubmissionId,
    context: Ctx,
    session: Reading,
    person: Person,
    path: Annotated[Path, Depends(scratch, scope="request")],
    if_none_match: IfNoneMatch = None,
) -> Response:
    """Download the zip that was submitted. It is its owner's, their team's and organisers' to read."""
    digest = submissions.get(session, submission_id, person).bundle_digest
    session.close()  # the store may take its time, and no transaction waits for it
    headers = {"ETag": f'"{digest}"', "Cache-Control": "private, no-cache"}
    if is_known(digest, if_none_match):
        return Response(status_code=304, headers=headers)
    context.storage.save(digest, path)
    name = f"lethe-{submission_id}.zip"
    return FileResponse(path, headers=headers, filename=name, media_type="application/zip")
