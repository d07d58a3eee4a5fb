"""A tagger gives each word of an expression its part of speech, as a Penn tag: NN, JJ, IN ...

Ours was trained by `training/make_tagger.py` on our own grammar and is packaged; NLTK's official one is used where its
data are installed in NLTK's own folders and somebody asks for it.
"""

import json
from functools import cache
from pathlib import Path
from typing import Literal

import nltk.data
from nltk.tag.perceptron import PerceptronTagger
from nltk.tokenize import TreebankWordTokenizer

TaggerName = Literal["own", "official", "auto"]
_OWN = Path(__file__).parents[1] / "weights/files/tagger.json"
_OFFICIAL = "taggers/averaged_perceptron_tagger_eng"
_tokenizer = TreebankWordTokenizer()


def split_words(text: str) -> list[str]:
    """Split a text into words and signs, by the rules of the Penn Treebank."""
    return [str(word) for word in _tokenizer.tokenize(text)]


def load_tagger(name: TaggerName = "own") -> PerceptronTagger:
    """Return a tagger: our own, the official one (LookupError where it is not installed), or the latter if it is."""
    if name == "auto":
        name = "official" if has_official() else "own"
    return _own() if name == "own" else _official()


def has_official() -> bool:
    """Tell whether NLTK's English tagger lies in one of NLTK's data folders."""
    try:
        nltk.data.find(_OFFICIAL)
    except LookupError:
        return False
    return True


@cache
def _own() -> PerceptronTagger:
    weights, words, classes = json.loads(_OWN.read_text(encoding="utf-8"))
    return PerceptronTagger.decode_json_obj((weights, words, classes))


@cache
def _official() -> PerceptronTagger:
    return PerceptronTagger(lang="eng")
