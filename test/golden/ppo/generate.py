"""Golden advantages and value losses of PPO, by TorchRL's own functions.

Run in an environment that has bench/peers/requirements.txt, torchrl 0.14.1 and tensordict 0.15.3 installed:

    python test/golden/ppo/generate.py

golden.json, float64 rounded to float32:

    answers[]      rewards and values per token, of answers of different lengths
    gae[]          {gamma, lambda, advantages[answer], returns[answer]}: generalized_advantage_estimate, done at the last token
    values         {values, oldValues, returns, clip, loss, gradient}: half the mean of torchrl's clipped squared error
                   (_clip_value_loss with "l2"), and its gradient in the values
"""

import sys
from pathlib import Path

import torch
from torchrl.objectives.utils import _clip_value_loss, distance_loss
from torchrl.objectives.value.functional import generalized_advantage_estimate

HERE = Path(__file__).parent
sys.path.insert(0, str(HERE.parent))
from golden_json import numbers, write  # noqa: E402

LENGTHS = (6, 1, 13)


def advantages(gamma, lmbda, answers):
    rows = []
    for rewards, values in answers:
        T = len(rewards)
        done = torch.zeros(T, 1, dtype=torch.bool)
        done[-1] = True
        following = torch.cat([values[1:], torch.full((1,), 9.0).double()])  # never read: the answer is over
        rows.append(
            generalized_advantage_estimate(
                gamma, lmbda, values[:, None], following[:, None], rewards[:, None], done, done
            )
        )
    return {
        "gamma": gamma,
        "lambda": lmbda,
        "advantages": [numbers(a[:, 0].float()) for a, _ in rows],
        "returns": [numbers(r[:, 0].float()) for _, r in rows],
    }


def value_loss(generator, clip):
    returns, old = (torch.randn(10, generator=generator).double() for _ in range(2))
    # Most move towards their return, some beyond the clip.
    values = (old + 0.4 * (returns - old) + torch.randn(10, generator=generator).double() * 0.1).requires_grad_()
    free = distance_loss(returns, values, loss_function="l2")
    pessimistic, _ = _clip_value_loss(old, values, torch.tensor(clip).double(), returns, free, "l2")
    loss = 0.5 * pessimistic.mean()
    loss.backward()
    record = {"values": values, "oldValues": old, "returns": returns, "loss": loss, "gradient": values.grad}
    return {"clip": clip} | {name: numbers(value.detach().float()) for name, value in record.items()}


def main():
    generator = torch.Generator().manual_seed(4)
    answers = [
        (torch.randn(T, generator=generator).double(), torch.randn(T, generator=generator).double()) for T in LENGTHS
    ]
    settings = [(1.0, 0.95), (1.0, 1.0), (0.99, 0.9), (1.0, 0.0)]
    record = {
        "answers": [{"rewards": numbers(r.float()), "values": numbers(v.float())} for r, v in answers],
        "gae": [advantages(gamma, lmbda, answers) for gamma, lmbda in settings],
        "values": value_loss(generator, 0.25),
    }
    write(HERE / "golden.json", record)


if __name__ == "__main__":
    main()
