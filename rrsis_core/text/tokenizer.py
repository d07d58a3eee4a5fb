"""A tokenizer turns expressions into token ids and an attention mask, by WordPiece.

The packaged vocabulary was trained by `training/make_vocabulary.py` on our own grammar. A folder of a Hugging Face
BERT works as well: its `vocab.txt` is read.
"""

import hashlib
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from tokenizers import Tokenizer
from tokenizers.models import WordPiece
from tokenizers.normalizers import BertNormalizer
from tokenizers.pre_tokenizers import BertPreTokenizer

from rrsis_core.contract import WeightsError
from rrsis_core.text.phrases import Scope, target_words

SPECIAL_TOKENS = ("[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]")


class ExpressionTokenizer:
    """Lower-casing WordPiece over a vocabulary file: one token a line, the line number is the id."""

    def __init__(self, vocabulary: str | Path) -> None:
        path = Path(vocabulary)
        path = path / "vocab.txt" if path.is_dir() else path
        try:
            data = path.read_bytes()
        except OSError as error:
            raise WeightsError(
                f"The vocabulary {path} cannot be read.",
                code="weights.not_found",
                hint="Give a vocab.txt or a BERT folder that holds one.",
            ) from error
        tokens = data.decode("utf-8").split("\n")
        self.sha256 = hashlib.sha256(data).hexdigest()
        self._ids = {token: index for index, token in enumerate(tokens) if token}
        missing = [token for token in SPECIAL_TOKENS if token not in self._ids]
        if missing:
            raise WeightsError(
                f"The vocabulary {path} lacks {', '.join(missing)}.",
                code="weights.vocabulary",
                hint="Give a BERT WordPiece vocabulary.",
            )
        self._tokenizer = Tokenizer(WordPiece(self._ids, unk_token="[UNK]", max_input_chars_per_word=100))
        self._tokenizer.normalizer = BertNormalizer(lowercase=True)
        self._tokenizer.pre_tokenizer = BertPreTokenizer()

    @property
    def size(self) -> int:
        """Number of token ids."""
        return max(self._ids.values()) + 1

    def tokens(self, expression: str) -> list[str]:
        """Return the word pieces of an expression, without special tokens."""
        return list(self._tokenizer.encode(expression).tokens)

    def encode(self, expressions: Sequence[str], max_tokens: int) -> tuple[np.ndarray, np.ndarray]:
        """Return token ids (P, max_tokens) int64 and the attention mask (P, max_tokens) bool.

        As in LAVT, RMSIN and FIANet, [CLS] pieces [SEP] is cut at max_tokens: a long expression loses its [SEP].
        """
        ids = np.full((len(expressions), max_tokens), self._ids["[PAD]"], np.int64)
        mask = np.zeros((len(expressions), max_tokens), bool)
        for row, expression in enumerate(expressions):
            pieces = [self._ids["[CLS]"], *self._tokenizer.encode(expression).ids, self._ids["[SEP]"]][:max_tokens]
            ids[row, : len(pieces)] = pieces
            mask[row, : len(pieces)] = True
        return ids, mask

    def encode_targets(
        self, expressions: Sequence[str], max_tokens: int, scope: Scope = "subject_nouns"
    ) -> tuple[np.ndarray, np.ndarray]:
        """Return token ids as `encode` does, and (P, max_tokens) int64: 0 padding, 1 token, 2 piece of a target word.

        What target words are is told in `rrsis_core.text.phrases`.
        """
        ids, mask = self.encode(expressions, max_tokens)
        kinds = mask.astype(np.int64)
        for row, expression in enumerate(expressions):
            targets = [(start, start + len(word)) for start, word in target_words(expression, scope)]
            pieces = self._tokenizer.encode(expression).offsets[: max_tokens - 1]
            for position, (start, stop) in enumerate(pieces, start=1):
                if any(start < last and first < stop for first, last in targets):
                    kinds[row, position] = 2
        return ids, kinds
