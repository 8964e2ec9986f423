"""What the API speaks of accounts and of who may do what."""

from pydantic import Field

from app.schemas import Out


class OrganiserList(Out):
    """Who organises a competition."""

    competition: str = Field(description="slug")
    items: list[str] = Field(
        description="names, in their order; admins, who may do the same, are not among them"
    )
