"""Writes `chatml/` beside itself: a byte-level BPE tokenizer of 512 tokens made as Qwen2.5's is (NFC, the same way of
splitting words, the same special tokens after the merges, tags of a thought that are ordinary text), learned from the
one text of this repository that never changes, its licence. Run: python generate-chatml.py (tokenizers 0.22.2,
transformers 5.5.4)."""

import json
from pathlib import Path

from tokenizers import AddedToken, Regex, Tokenizer, decoders, models, normalizers, pre_tokenizers, trainers
from transformers import PreTrainedTokenizerFast

HERE = Path(__file__).parent
SPECIAL = ["<|endoftext|>", "<|im_start|>", "<|im_end|>"]
NUM_TOKENS = 512
WORDS = (
    r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+"
)
CHAT_TEMPLATE = """{%- for message in messages %}
    {{- '<|im_start|>' + message.role + '\\n' + message.content + '<|im_end|>\\n' }}
{%- endfor %}
{%- if add_generation_prompt %}
    {{- '<|im_start|>assistant\\n' }}
{%- endif %}
"""

tokenizer = Tokenizer(models.BPE())
tokenizer.normalizer = normalizers.NFC()
tokenizer.pre_tokenizer = pre_tokenizers.Sequence(
    [
        pre_tokenizers.Split(Regex(WORDS), behavior="isolated"),
        pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False),
    ]
)
tokenizer.decoder = decoders.ByteLevel()
trainer = trainers.BpeTrainer(
    vocab_size=NUM_TOKENS - len(SPECIAL),
    initial_alphabet=sorted(pre_tokenizers.ByteLevel.alphabet()),
    show_progress=False,
)
tokenizer.train_from_iterator([(HERE.parents[2] / "LICENSE").read_text()], trainer)
tokenizer.add_special_tokens([AddedToken(token, normalized=False) for token in SPECIAL])

fast = PreTrainedTokenizerFast(tokenizer_object=tokenizer, eos_token="<|im_end|>", pad_token="<|endoftext|>")
fast.chat_template = CHAT_TEMPLATE
folder = HERE / "chatml"
fast.save_pretrained(folder)
ends = [fast.convert_tokens_to_ids(token) for token in ("<|im_end|>", "<|endoftext|>")]
(folder / "generation_config.json").write_text(json.dumps({"eos_token_id": ends}) + "\n")
