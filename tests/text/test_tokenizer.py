import numpy as np
import pytest

from rrsis_core.contract import WeightsError
from rrsis_core.text.lexicon import content_words
from rrsis_core.text.tokenizer import ExpressionTokenizer
from rrsis_core.weights import vocabulary_path


@pytest.fixture(scope="module")
def tokenizer():
    return ExpressionTokenizer(vocabulary_path())


def test_known_words_are_one_token_each(tokenizer):
    for word in content_words():
        if word.isalpha():
            assert tokenizer.tokens(word) == [word]


def test_unknown_words_fall_into_pieces_and_never_into_unk(tokenizer):
    assert "[UNK]" not in tokenizer.tokens("xylophone gargoyle-zq 12.5")


def test_ids_and_mask(tokenizer):
    ids, mask = tokenizer.encode(["the road", "a"], 6)
    assert ids.shape == mask.shape == (2, 6)
    assert ids.dtype == np.int64
    assert mask.sum(axis=1).tolist() == [4, 3]
    assert (ids[~mask] == 0).all()


def test_a_long_expression_is_cut_and_loses_its_sep(tokenizer):
    short = tokenizer.encode(["road river lake"], 5)[0][0]
    cut = tokenizer.encode(["road river lake"], 4)[0][0]
    assert cut.tolist() == short[:4].tolist()


def test_the_bert_vocabulary_gives_berts_ids(shared):
    ids, mask = ExpressionTokenizer(shared / "bert_vocab").encode(["The baseball field on the top"], 10)
    assert ids[0].tolist() == [101, 1996, 3598, 2492, 2006, 1996, 2327, 102, 0, 0]
    assert mask[0].sum() == 8


def test_a_missing_or_foreign_vocabulary_is_an_error(tmp_path):
    with pytest.raises(WeightsError) as caught:
        ExpressionTokenizer(tmp_path / "none.txt")
    assert caught.value.code == "weights.not_found"
    (tmp_path / "vocab.txt").write_text("a\nb\n")
    with pytest.raises(WeightsError) as caught:
        ExpressionTokenizer(tmp_path)
    assert caught.value.code == "weights.vocabulary"
