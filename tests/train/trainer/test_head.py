"""The loss and the scores of every causal language model of transformers are those of the model's own forward pass."""

import pytest
import torch
from torch.nn.functional import cross_entropy

from eval.scoring import score_tokens
from tests.train.tiny_models import list_model_types, make_small_model
from train.trainer.loss import sum_token_losses

SCALED = ("granite", "granitemoe", "cohere", "cohere2", "falcon_h1", "nanochat", "gemma2", "gemma3_text", "hyperclovax")
PLAIN = ("llama", "gpt2", "opt", "bloom")
# Their own loss compares the output of a token with the token itself, so it is not that of the next token.
UNSHIFTED = ("bart", "bigbird_pegasus", "blenderbot", "blenderbot-small", "cpmant", "marian", "mbart", "mvp")
UNSHIFTED += ("pegasus", "plbart", "trocr", "whisper", "xlm", "xlnet")
REFUSED = ("prophetnet",)  # its decoder returns two streams, of which its head takes the second


def compare_losses(name):
    """Return the model's own loss, that of training and that of evaluation, in nats a token, or skip."""
    try:
        model = make_small_model(name)
        ids = torch.randint(3, 100, (1, 40), generator=torch.Generator().manual_seed(1))
        with torch.no_grad():
            own = model(input_ids=ids, labels=ids, use_cache=False)
    except Exception as error:  # noqa: BLE001 - transformers has no small model of it, for whatever reason
        pytest.skip(f"no small {name}: {type(error).__name__} {str(error)[:80]}")
    expected = own["loss"].item()
    if name in UNSHIFTED:
        expected = cross_entropy(own["logits"][0, :-1].float(), ids[0, 1:]).item()
    with torch.no_grad():
        loss, num = sum_token_losses(model, {"input_ids": ids}, ids)
    return expected, loss.item() / num, score_tokens(model, ids)[0].mean().item()


@pytest.mark.parametrize("name", [*SCALED, *PLAIN])
def test_training_and_evaluation_have_the_models_own_loss(name):
    own, trained, scored = compare_losses(name)
    assert trained == pytest.approx(own, rel=1e-5)
    assert scored == pytest.approx(own, rel=1e-5)


@pytest.mark.slow
@pytest.mark.parametrize("name", [name for name in list_model_types() if name not in (*SCALED, *PLAIN, *REFUSED)])
def test_every_model_type_has_its_own_loss(name):
    own, trained, scored = compare_losses(name)
    assert trained == pytest.approx(own, rel=1e-4)
    assert scored == pytest.approx(own, rel=1e-4)


@pytest.mark.parametrize("name", SCALED)
def test_the_scale_of_the_logits_is_not_one(name):
    """The small models scale, so the tests above would see a loss that does not."""
    model = make_small_model(name)
    ids = torch.randint(3, 100, (1, 40))
    hidden = model.base_model(ids).last_hidden_state
    with torch.no_grad():
        assert not torch.allclose(model.get_output_embeddings()(hidden), model(ids).logits, atol=1e-4)


def test_gradients_are_the_models_own():
    torch.manual_seed(0)
    ids = torch.randint(3, 100, (1, 700))
    grads = []
    for own in (True, False):
        model = make_small_model("granite").train()
        loss = (
            model(input_ids=ids, labels=ids).loss if own else sum_token_losses(model, {"input_ids": ids}, ids)[0] / 699
        )
        loss.backward()
        grads.append({name: parameter.grad for name, parameter in model.named_parameters()})
    for name, grad in grads[0].items():
        assert torch.allclose(grad, grads[1][name], atol=1e-6), name
