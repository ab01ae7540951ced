"""Writes a random model of 0.5 MB that llama.cpp loads: bytes are its tokens."""

from __future__ import annotations

import sys

import gguf
import numpy as np

LAYERS, WIDTH, HEADS, INNER, CONTEXT = 2, 64, 4, 128, 16384
TEMPLATE = "{% for m in messages %}{{ m['role'] }}: {{ m['content'] }}\n{% endfor %}assistant: "


def write(path: str, seed: int = 0) -> None:
    """Write the model to ``path``; the same seed gives the same weights."""
    rng = np.random.default_rng(seed)
    writer = gguf.GGUFWriter(path, "llama")
    writer.add_context_length(CONTEXT)
    writer.add_embedding_length(WIDTH)
    writer.add_block_count(LAYERS)
    writer.add_feed_forward_length(INNER)
    writer.add_head_count(HEADS)
    writer.add_head_count_kv(HEADS)
    writer.add_layer_norm_rms_eps(1e-5)
    writer.add_rope_dimension_count(WIDTH // HEADS)
    size = add_tokens(writer)
    for name, shape in tensors(size):
        weight = rng.normal(0.0, 0.2, shape).astype(np.float32)
        writer.add_tensor(name, np.ones_like(weight) if "norm" in name else weight)
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()


def add_tokens(writer: gguf.GGUFWriter) -> int:
    """Add three special tokens and one a byte; return how many there are."""
    tokens = [b"<unk>", b"<s>", b"</s>", *(b"<0x%02X>" % byte for byte in range(256))]
    kinds = [gguf.TokenType.UNKNOWN] + [gguf.TokenType.CONTROL] * 2
    kinds += [gguf.TokenType.BYTE] * 256
    writer.add_tokenizer_model("llama")
    writer.add_token_list(tokens)
    writer.add_token_scores([0.0] * len(tokens))
    writer.add_token_types(kinds)
    writer.add_bos_token_id(1)
    writer.add_eos_token_id(2)
    writer.add_unk_token_id(0)
    writer.add_chat_template(TEMPLATE)
    writer.add_vocab_size(len(tokens))
    return len(tokens)


def tensors(size: int) -> list[tuple[str, tuple[int, ...]]]:
    """Return names and shapes of the weights."""
    listed: list[tuple[str, tuple[int, ...]]] = [
        ("token_embd.weight", (size, WIDTH)),
        ("output_norm.weight", (WIDTH,)),
        ("output.weight", (size, WIDTH)),
    ]
    for layer in range(LAYERS):
        start = f"blk.{layer}."
        listed += [(f"{start}attn_{x}.weight", (WIDTH, WIDTH)) for x in "qkv"]
        listed += [
            (f"{start}attn_output.weight", (WIDTH, WIDTH)),
            (f"{start}attn_norm.weight", (WIDTH,)),
            (f"{start}ffn_norm.weight", (WIDTH,)),
            (f"{start}ffn_gate.weight", (INNER, WIDTH)),
            (f"{start}ffn_up.weight", (INNER, WIDTH)),
            (f"{start}ffn_down.weight", (WIDTH, INNER)),
        ]
    return listed


if __name__ == "__main__":
    write(sys.argv[1])
