"""Which reviews are good enough to be answers."""

from pydantic import BaseModel, ConfigDict, Field


class ReviewRules(BaseModel):
    """Part `human` of section `ask`."""

    model_config = ConfigDict(frozen=True, strict=True, extra="forbid")

    min_words: int = Field(ge=1)  # of an answer
    min_confidence: int  # of the reviewer, as the venue's scale begins: 3 of 5 is 'fairly confident'
    accept_rating: int  # from which a rating that says no word for or against speaks for acceptance
    agreeing: bool  # whether a review must speak for what was decided
    num_passages: int = Field(ge=1)  # of the paper that carry an answer, at least
    max_passages: int = Field(ge=1)
