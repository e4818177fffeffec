"""Golden supervised training: a plain PyTorch loop over the same rows, one sequence at a time, no packing, no padding.

Run in an environment that has bench/peers/requirements.txt installed:

    python test/golden/sft/generate.py

Beside this file: model/ (a tiny random Qwen2 as transformers writes it; its tokenizer is ../tokenizer/tiny, which prefills
the thought), trained.safetensors (its weights after the loop) and golden.json:

    seed, settings                what the loop was run with, under our names
    rows                          the data set: conversations, a prompt with its completion, a text
    sequences[]                   {ids, trained} of each trained turn, in the order of the rows
    order                         which sequence is taken when, over all steps
    steps[]                       {loss, gradNorm (before clipping), lr, tokens}

The order is drawn here by a second implementation of the documented streams (Philox 4x32-10, Fisher-Yates).
"""

import json
import math
import sys
from pathlib import Path

import torch
from safetensors.torch import save_file
from transformers import AutoTokenizer, Qwen2Config, Qwen2ForCausalLM

HERE = Path(__file__).parent
sys.path.insert(0, str(HERE.parent))
from golden_json import numbers, write  # noqa: E402

SEED = 5
SETTINGS = {
    "steps": 14,
    "batchSize": 3,
    "lr": 4e-3,
    "warmupSteps": 3,
    "lrFloor": 0.1,
    "maxGradNorm": 1.0,
    "weightDecay": 0.01,
    "beta1": 0.9,
    "beta2": 0.95,
}
THINK = "<think>\n"
ROWS = [
    {
        "messages": [
            {"role": "system", "content": "You add."},
            {"role": "user", "content": "What is 3 + 4?"},
            {"role": "assistant", "content": "<think>\nFirst I add the numbers.\n</think>\n\n7"},
        ]
    },
    {
        "messages": [
            {"role": "user", "content": "1+1?"},
            {"role": "assistant", "content": "2", "reasoning_content": "One and one."},
            {"role": "user", "content": "And 2+2?"},
            {"role": "assistant", "content": "<think>\nTwo and two. Wait, that is 4.\n</think>\n\n4"},
        ]
    },
    {
        "messages": [
            {"role": "user", "content": "Größe?"},
            {"role": "assistant", "content": "<think>\nnaïve\n</think>\n\nnot this one", "train": False},
            {"role": "user", "content": "你好"},
            {"role": "assistant", "content": "<think>\n\n</think>\n\n你好，世界 🙂"},
        ]
    },
    {"prompt": "7 * 6?", "completion": "<think>\nI check the sum.\n</think>\n\n<answer> 42 </answer>"},
    {"text": "for (let i = 0; i < 10; i++) { total += values[i]; }"},
]


def whole(message):
    thought = message.get("reasoning_content")
    return message["content"] if thought is None else f"<think>\n{thought}\n</think>\n\n{message['content']}"


def sequences_of(row, tokenizer):
    encode = lambda text: tokenizer.encode(text, add_special_tokens=False)  # noqa: E731
    if "text" in row:
        ids = encode(row["text"]) + [tokenizer.eos_token_id]
        return [{"ids": ids, "trained": [0] + [1] * (len(ids) - 1)}]
    messages = row.get("messages") or [
        {"role": "user", "content": row["prompt"]},
        {"role": "assistant", "content": row["completion"]},
    ]
    found = []
    for turn, message in enumerate(messages):
        if message["role"] != "assistant" or message.get("train") is False:
            continue
        # The history as chat shows it: without the thoughts of earlier turns.
        history = [
            {"role": m["role"], "content": whole(m).split("</think>")[-1].strip() if m["role"] == "assistant" else m["content"]}
            for m in messages[:turn]
        ]
        prompt = tokenizer.apply_chat_template(history, tokenize=False, add_generation_prompt=True)
        assert prompt.endswith(THINK) and whole(message).startswith(THINK)
        prompt_ids = encode(prompt)
        ids = prompt_ids + encode(whole(message)[len(THINK) :]) + [tokenizer.eos_token_id]
        found.append({"ids": ids, "trained": [0] * len(prompt_ids) + [1] * (len(ids) - len(prompt_ids))})
    return found


def philox(key, counter):
    (k0, k1), (c0, c1, c2, c3) = key, counter
    for _ in range(10):
        p0, p1 = 0xD2511F53 * c0, 0xCD9E8D57 * c2
        c0, c1, c2, c3 = (p1 >> 32) ^ c1 ^ k0, p1 & 0xFFFFFFFF, (p0 >> 32) ^ c3 ^ k1, p0 & 0xFFFFFFFF
        k0, k1 = (k0 + 0x9E3779B9) & 0xFFFFFFFF, (k1 + 0xBB67AE85) & 0xFFFFFFFF
    return c0, c1, c2, c3


def stream_key(seed, purpose, *indices):
    key = (seed & 0xFFFFFFFF, seed >> 32)
    padded = purpose + "\0" * (len(purpose) % 2)
    for a, b in zip(padded[::2], padded[1::2]):
        key = philox(key, (ord(a), ord(b), len(purpose), 1))[:2]
    for index in indices:
        key = philox(key, (index & 0xFFFFFFFF, index >> 32, len(indices), 2))[:2]
    return key


def permutation(key, count):
    order = list(range(count))
    for i in range(count - 1, 0, -1):
        a, b, _, _ = philox(key, (i, 0, 0, 3))
        j = math.floor(((a >> 5) * 67108864 + (b >> 6)) / 9007199254740992 * (i + 1))
        order[i], order[j] = order[j], order[i]
    return order


def learning_rate(step):
    lr, warmup, floor, steps = (SETTINGS[name] for name in ("lr", "warmupSteps", "lrFloor", "steps"))
    if step < warmup:
        return lr * (step + 1) / (warmup + 1)
    done = (step - warmup) / (steps - warmup)
    return lr * (floor + (1 - floor) * 0.5 * (1 + math.cos(math.pi * done)))


def main():
    tokenizer = AutoTokenizer.from_pretrained(HERE.parent / "tokenizer" / "tiny")
    torch.manual_seed(0)
    config = Qwen2Config(
        vocab_size=len(tokenizer),
        hidden_size=16,
        intermediate_size=24,
        num_hidden_layers=2,
        num_attention_heads=2,
        num_key_value_heads=1,
        max_position_embeddings=128,
        initializer_range=0.2,
        tie_word_embeddings=True,
        bos_token_id=tokenizer.bos_token_id,
        eos_token_id=tokenizer.eos_token_id,
    )
    model = Qwen2ForCausalLM(config).float()
    model.save_pretrained(HERE / "model")
    sequences = [sequence for row in ROWS for sequence in sequences_of(row, tokenizer)]
    wanted = SETTINGS["steps"] * SETTINGS["batchSize"]
    passes = range(math.ceil(wanted / len(sequences)))
    order = [i for n in passes for i in permutation(stream_key(SEED, "rows", n), len(sequences))][:wanted]

    betas = (SETTINGS["beta1"], SETTINGS["beta2"])
    optimizer = torch.optim.AdamW(model.parameters(), betas=betas, weight_decay=SETTINGS["weightDecay"])
    steps = []
    for step in range(SETTINGS["steps"]):
        batch = [sequences[i] for i in order[step * SETTINGS["batchSize"] :][: SETTINGS["batchSize"]]]
        tokens = sum(sum(one["trained"]) for one in batch)
        loss = 0.0
        for one in batch:
            ids = torch.tensor(one["ids"])
            logprobs = model(ids[None]).logits[0, :-1].log_softmax(-1).gather(1, ids[1:, None])[:, 0]
            part = -(logprobs * torch.tensor(one["trained"][1:])).sum() / tokens
            part.backward()
            loss += part.item()
        norm = torch.nn.utils.clip_grad_norm_(model.parameters(), SETTINGS["maxGradNorm"]).item()
        optimizer.param_groups[0]["lr"] = learning_rate(step)
        optimizer.step()
        optimizer.zero_grad()
        steps.append({"loss": loss, "gradNorm": norm, "lr": learning_rate(step), "tokens": tokens})

    weights = {name: value.detach().clone() for name, value in model.named_parameters()}
    save_file(weights, HERE / "trained.safetensors")
    record = {"seed": SEED, "settings": SETTINGS, "rows": ROWS, "sequences": sequences, "order": order, "steps": steps}
    write(HERE / "golden.json", record, depth=2)


if __name__ == "__main__":
    main()
