"""Small random models of every causal language model that transformers can build."""

import torch
from transformers import CONFIG_MAPPING, MODEL_FOR_CAUSAL_LM_MAPPING, AutoModelForCausalLM

VOCABULARY = 128
MAX_PARAMETERS = 40_000_000
SMALL = {
    "vocab_size": VOCABULARY,
    "logits_scaling": 8.0,
    "logit_scale": 0.25,
    "lm_head_multiplier": 0.5,
    "final_logit_softcapping": 0.2,
    "pad_token_id": 0,
    "bos_token_id": 1,
    "eos_token_id": 2,
    "decoder_start_token_id": 1,
    **dict.fromkeys(("hidden_size", "d_model", "n_embd", "dim", "word_embed_proj_dim", "embedding_size"), 64),
    **dict.fromkeys(("intermediate_size", "ffn_dim", "d_ff", "decoder_ffn_dim", "encoder_ffn_dim", "n_inner"), 96),
    **dict.fromkeys(("num_hidden_layers", "n_layer", "n_layers", "num_layers", "decoder_layers", "encoder_layers"), 2),
    **dict.fromkeys(("num_attention_heads", "n_head", "n_heads", "num_heads", "decoder_attention_heads"), 4),
    **dict.fromkeys(("num_key_value_heads", "num_kv_heads"), 2),
    **dict.fromkeys(("max_position_embeddings", "n_positions", "n_ctx", "max_seq_len"), 128),
    **dict.fromkeys(("head_dim", "qk_nope_head_dim", "v_head_dim", "qk_rope_head_dim", "rotary_dim"), 16),
    **dict.fromkeys(("kv_lora_rank", "q_lora_rank"), 16),
    **dict.fromkeys(("moe_intermediate_size", "shared_expert_intermediate_size"), 48),
    **dict.fromkeys(("num_experts", "num_local_experts", "n_routed_experts", "moe_num_experts"), 8),
    **dict.fromkeys(("n_group", "topk_group", "first_k_dense_replace"), 1),
    **dict.fromkeys(("num_experts_per_tok", "top_k", "moe_topk"), 3),
}


def list_model_types():
    """Return the types of config that have a causal language model."""
    kinds = set(MODEL_FOR_CAUSAL_LM_MAPPING)
    return sorted(name for name, config in CONFIG_MAPPING.items() if config in kinds)


def make_small_config(name):
    """Return a small config of a type; keys that the type does not have are left out."""
    kind = CONFIG_MAPPING[name]
    known = set(vars(kind())) | set(getattr(kind, "attribute_map", {}))
    sizes = {key: size for key, size in SMALL.items() if key in known}
    if "kv_lora_rank" in known:  # each head has its own keys and values
        sizes["num_key_value_heads"] = sizes["num_attention_heads"]
    return kind(**sizes)


def make_small_model(name):
    """Return a small random model of a type in evaluation mode, in float32."""
    config = make_small_config(name)
    config.get_text_config().use_cache = False
    with torch.device("meta"):
        num = AutoModelForCausalLM.from_config(config).num_parameters()
    if num > MAX_PARAMETERS:
        raise ValueError(f"{num:,} parameters")
    torch.manual_seed(0)
    return AutoModelForCausalLM.from_config(config).float().eval()
