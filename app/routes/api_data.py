"""API v1 for everybody: the public data of competitions."""

from typing import Annotated

from fastapi import APIRouter, Path, Response
from fastapi.responses import FileResponse

from app.dependencies import Ctx, Now, Reading
from app.routes import answers
from app.routes.door import Slug
from app.routes.etags import IfNoneMatch, is_known, of_body, unless_known
from app.routes.examples import data as data_examples
from app.schemas.data import PublicDataOut
from app.views import public_data

router = APIRouter(prefix="/api/v1", tags=["competitions"])
LIST_HEADERS = {"Cache-Control": "no-cache"}
Digest = Annotated[str, Path(description="the file's `sha256`", examples=[data_examples.DIGEST])]


@router.get(
    "/competitions/{slug}/data",
    summary="List the public data",
    response_model=PublicDataOut,
    responses={
        200: answers.ok("The files, and the rules that go with them", data_examples.PUBLIC_DATA),
        304: {"description": "Unchanged since the ETag in If-None-Match"},
        **answers.problems(404, 409, s404=data_examples.NO_DATA, s409=data_examples.NOT_PREPARED),
    },
)
def list_data(
    slug: Slug, context: Ctx, session: Reading, now: Now, if_none_match: IfNoneMatch = None
) -> Response:
    """List the files that every smoke run sees: what the organiser declared public, and nothing of a hidden split.

    With them and `rules`, `lethe local` runs and grades a bundle on your own machine.
    """
    given = public_data.given(session, slug, now)
    session.close()  # the store may take its time, and no transaction waits for it
    body = public_data.described(given, context.public_files.of(given.digest)).model_dump_json()
    return unless_known(of_body(body), if_none_match, lambda: body, "application/json", LIST_HEADERS)


@router.get(
    "/competitions/{slug}/data/{sha256}",
    response_class=FileResponse,
    summary="Download a public file",
    responses={
        200: {"description": "The file", "content": {"application/octet-stream": {}}},
        206: {"description": "The bytes that Range asked for"},
        304: {"description": "You have it: its ETag is its digest"},
        416: {"description": "Range lies beyond the end"},
        **answers.problems(404, 409, s404=data_examples.NO_FILE, s409=data_examples.NOT_PREPARED),
    },
)
def download_file(
    slug: Slug, sha256: Digest, context: Ctx, session: Reading, now: Now, if_none_match: IfNoneMatch = None
) -> Response:
    """Download one of the listed files. `Range` resumes; what you have whole must have the digest in its address."""
    given = public_data.given(session, slug, now)
    session.close()
    found, path = context.public_files.find(given.digest, sha256)
    headers = {"ETag": f'"{sha256}"', "Cache-Control": "public, max-age=31536000, immutable"}
    if is_known(sha256, if_none_match):
        return Response(status_code=304, headers=headers)
    return FileResponse(path, headers=headers, filename=found.name, media_type="application/octet-stream")
