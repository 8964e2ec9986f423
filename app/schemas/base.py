"""What every answer of the API is built on: frozen, and rounded as its competition publishes."""

from typing import Annotated, Any, Self

from pydantic import AfterValidator, BaseModel, ConfigDict, ValidationInfo

from app.competitions import Publish


def _publish(info: ValidationInfo) -> Publish:
    if not isinstance(info.context, Publish):
        raise ValueError("is rounded as its competition says: build it with Out.rounded")  # noqa: TRY004 - pydantic's way
    return info.context


def _score(value: float, info: ValidationInfo) -> float:
    return _publish(info).score(value)


def _seconds(value: float, info: ValidationInfo) -> float:
    return _publish(info).seconds(value)


# Nothing of these types can be answered without the rounding of its competition: more digits would carry more of the
# hidden data out than the score is meant to.
Graded = Annotated[float, AfterValidator(_score)]
Seconds = Annotated[float, AfterValidator(_seconds)]


class Out(BaseModel):
    """Something that Lethe answers."""

    model_config = ConfigDict(frozen=True)

    @classmethod
    def rounded(cls, publish: Publish, **values: Any) -> Self:
        """Build it with every score and time rounded as its competition publishes them."""
        return cls.model_validate(values, context=publish)
