"""Section `chat` of params.yaml."""

from pydantic import Field

from eval.models.records import ModelParams, Sampling
from pipeline.endpoint.endpoint_params import EndpointParams
from pipeline.params import Params

DEFAULT_MODEL = "data/models/smollm2-135m/merged"  # what the default run makes


class ChatParams(Params):
    """Section `chat` of params.yaml, read by the commands `chat` and `answer`."""

    model: ModelParams
    endpoint: EndpointParams  # of a model behind an address; address and name come from the command line
    sampling: Sampling
    conversation_tokens: int = Field(ge=1)  # of the context that are kept for questions and earlier answers
    max_file_bytes: int = Field(ge=1)  # of an upload
    max_files: int = Field(ge=1)  # of a session
    max_turns: int = Field(ge=1)  # questions of a session
    max_question_characters: int = Field(ge=1)
    max_sessions: int = Field(ge=1)  # at once; whoever comes later is told to wait
    max_total_bytes: int = Field(ge=1)  # of the files and texts of all sessions together
    idle_minutes: float = Field(gt=0)  # after which a session and its files are deleted
    num_readers: int = Field(ge=1)  # files read, and pages drawn, at a time
