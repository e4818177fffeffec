"""Golden scores of tiny reward models both ways, and golden pairwise losses.

Run in an environment that has bench/peers/requirements.txt installed, after write.mts has written the folders `ours-*`:

    python test/golden/reward/generate.py

A folder `theirs-*` is a random …ForSequenceClassification as transformers writes it; `ours-*` is one that aha wrote.
transformers loads each, and its golden.json holds:

    sequences          S lists of token ids; one ends with padding (id 0) of its own, before which its score is read
    scores[s]          the score of each, computed in float32 on a padded batch
    pairs              of a Bradley-Terry loss in which sequence 2i beats 2i + 1: {loss, gradients[name]: {norm, first (8
                       values), last (8 values)}}

losses.json holds TRL's own `RewardTrainer.compute_loss` on given scores:

    chosen, rejected, margin   P each
    cases[]                    {hasMargin, centre (center_rewards_coefficient), loss, gradient of the scores:
                               chosen[P] then rejected[P], accuracy}
    pointwise                  {scores, labels, loss, gradient} of torch's binary_cross_entropy_with_logits
"""

import shutil
import sys
from collections import defaultdict
from pathlib import Path
from types import SimpleNamespace

import torch
from transformers import AutoModelForSequenceClassification, LlamaConfig, Qwen2Config, Qwen3Config
from trl import RewardTrainer

HERE = Path(__file__).parent
sys.path.insert(0, str(HERE.parent))
from golden_json import numbers, write  # noqa: E402

LENGTHS = (5, 19, 12, 2, 30, 7)
SHARED = {
    "vocab_size": 60,
    "hidden_size": 16,
    "intermediate_size": 24,
    "num_hidden_layers": 2,
    "num_attention_heads": 2,
    "num_key_value_heads": 1,
    "max_position_embeddings": 64,
    "initializer_range": 0.3,
    "num_labels": 1,
    "pad_token_id": 0,
    "bos_token_id": 1,
    "eos_token_id": 2,
}
THEIRS = {
    "theirs-qwen2": (Qwen2Config, {"tie_word_embeddings": True}),
    "theirs-qwen3": (Qwen3Config, {"head_dim": 8}),
    "theirs-llama": (LlamaConfig, {"attention_bias": True}),
}


def write_theirs(name, config_class, settings, generator):
    model = AutoModelForSequenceClassification.from_config(config_class(**{**SHARED, **settings}))
    with torch.no_grad():
        for key, parameter in model.named_parameters():
            parameter.normal_(0.0, 0.3, generator=generator)
            if "norm" in key:
                parameter.add_(1.0)
    shutil.rmtree(HERE / name, ignore_errors=True)
    model.save_pretrained(HERE / name)
    (HERE / name / "model.safetensors").chmod(0o644)


def golden(folder, generator):
    model, report = AutoModelForSequenceClassification.from_pretrained(
        folder, dtype=torch.float32, output_loading_info=True
    )
    if any(report[kind] for kind in ("missing_keys", "unexpected_keys", "mismatched_keys")):
        raise AssertionError(f"{folder}: {report}")
    model.eval()
    sequences = [torch.randint(3, 60, (length,), generator=generator) for length in LENGTHS]
    sequences[4][-2:] = 0
    padded = torch.nn.utils.rnn.pad_sequence(sequences, batch_first=True, padding_value=0)
    scores = model(input_ids=padded, attention_mask=(padded != 0).long()).logits[:, 0]
    loss = -torch.nn.functional.logsigmoid(scores[0::2] - scores[1::2]).mean()
    loss.backward()
    gradients = {}
    for name, parameter in model.named_parameters():
        if parameter.grad is None:
            continue
        flat = parameter.grad.reshape(-1)
        gradients[name] = {
            "norm": numbers(flat.double().norm().float()),
            "first": numbers(flat[:8]),
            "last": numbers(flat[-8:]),
        }
    return {
        "sequences": [ids.tolist() for ids in sequences],
        "scores": numbers(scores),
        "pairs": {"loss": numbers(loss), "gradients": gradients},
    }


def trl_loss(chosen, rejected, margin, centre):
    scores = torch.cat([chosen, rejected]).double().requires_grad_()
    inputs = {"attention_mask": torch.ones(len(scores), 1)}
    if margin is not None:
        inputs["margin"] = margin.double()
    trainer = SimpleNamespace(
        model=SimpleNamespace(training=True),
        args=SimpleNamespace(center_rewards_coefficient=centre),
        accelerator=SimpleNamespace(gather=lambda x: x, gather_for_metrics=lambda x: x),
        _metrics={"train": defaultdict(list)},
        _total_train_tokens=0,
        _tp_size=1,
    )

    def model(**_):
        return SimpleNamespace(logits=scores[:, None])

    loss = RewardTrainer.compute_loss(trainer, model, inputs)
    loss.backward()
    return {
        "hasMargin": margin is not None,
        "centre": centre or 0,
        "loss": numbers(loss.float()),
        "gradient": numbers(scores.grad.float()),
        "accuracy": numbers(torch.tensor(trainer._metrics["train"]["accuracy"][0])),
    }


def losses(generator):
    chosen, rejected = (torch.randn(6, generator=generator) * 2 for _ in range(2))
    margin = torch.rand(6, generator=generator) * 2
    cases = [trl_loss(chosen, rejected, m, c) for m in (None, margin) for c in (None, 0.01)]
    scores = (torch.randn(6, generator=generator) * 3).requires_grad_()
    labels = torch.tensor([1.0, 0, 1, 1, 0, 0])
    loss = torch.nn.functional.binary_cross_entropy_with_logits(scores, labels)
    loss.backward()
    return {
        "chosen": numbers(chosen),
        "rejected": numbers(rejected),
        "margin": numbers(margin),
        "cases": cases,
        "pointwise": {
            "scores": numbers(scores),
            "labels": numbers(labels),
            "loss": numbers(loss),
            "gradient": numbers(scores.grad),
        },
    }


def main():
    torch.set_num_threads(1)
    generator = torch.Generator().manual_seed(11)
    for name, (config_class, settings) in THEIRS.items():
        write_theirs(name, config_class, settings, generator)
    for folder in sorted(path for path in HERE.iterdir() if (path / "config.json").exists()):
        record = golden(folder, generator)
        write(folder / "golden.json", record)
        print(folder.name, record["scores"])
    write(HERE / "losses.json", losses(generator))


if __name__ == "__main__":
    main()
