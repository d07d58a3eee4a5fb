"""Train the packaged WordPiece vocabulary on our own grammar: `python training/make_vocabulary.py OUT.txt`.

WordPiece training is not reproducible from run to run, so the result is committed and its sha256 stands in the
checkpoints. Every single word of the lexicon is made a token; the pieces below words serve the unknown ones.
"""

import sys
from pathlib import Path

from tokenizers import Tokenizer
from tokenizers.models import WordPiece
from tokenizers.normalizers import BertNormalizer
from tokenizers.pre_tokenizers import BertPreTokenizer
from tokenizers.trainers import WordPieceTrainer

from rrsis_core.text.grammar import corpus
from rrsis_core.text.lexicon import FUNCTION_WORDS, content_words
from rrsis_core.text.tokenizer import SPECIAL_TOKENS

PIECES = 900
ALPHABET = "abcdefghijklmnopqrstuvwxyz0123456789-'.,?!"


def main(out: Path) -> None:
    """Write the vocabulary file."""
    words = sorted(content_words() | FUNCTION_WORDS)
    trainer = WordPieceTrainer(
        vocab_size=PIECES,
        special_tokens=list(SPECIAL_TOKENS),
        initial_alphabet=list(ALPHABET),
        show_progress=False,
    )
    tokenizer = Tokenizer(WordPiece(unk_token="[UNK]"))
    tokenizer.normalizer = BertNormalizer(lowercase=True)
    tokenizer.pre_tokenizer = BertPreTokenizer()
    tokenizer.train_from_iterator([*words, *corpus(20_000)], trainer)
    pieces = sorted(tokenizer.get_vocab(), key=tokenizer.get_vocab().get)
    whole = {piece for word in words for piece in word.replace("-", " - ").split()}
    whole |= {prefix + letter for letter in ALPHABET for prefix in ("", "##")}
    tokens = [*pieces, *sorted(whole - set(pieces))]
    out.write_text("\n".join(tokens) + "\n", encoding="utf-8")
    print(f"{out}: {len(tokens)} tokens")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
