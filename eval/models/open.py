"""Open a model by what users call it by: a folder, a name on the Hub, or the address of an endpoint."""

from pathlib import Path

from eval.models.local import LocalModel
from eval.models.records import ChatModel, ModelParams
from eval.models.remote import EndpointModel
from pipeline.endpoint.endpoint_params import EndpointParams


def open_model(reference: str, params: ModelParams, endpoint: EndpointParams, *, store: Path) -> ChatModel:
    """Return a model that can be asked.

    Args:
        reference: A folder, a name on the Hub, or http(s)://…/v1, optionally with '#' and the server's name of the
            model.
        params: How a model that runs here is loaded.
        endpoint: How a server is asked; its address and the model's name are taken from the reference.
        store: The folder that records the replies of a server.

    Raises:
        InputError: There is no such model.
    """
    if not reference.startswith(("http://", "https://")):
        return LocalModel(reference, params)
    address, _, name = reference.partition("#")
    return EndpointModel(endpoint.model_copy(update={"base_url": address, "model": name or endpoint.model}), store)
