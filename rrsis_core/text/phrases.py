"""Target words are the words of an expression that name what is looked for: those that BTDNet hides from its prior.

Its paper hides "key subject phrases" found with NLTK; the reading here is that of the nouns of the subject, up to the
first word that leads away from it.
"""

from typing import Literal

from nltk.tag.perceptron import PerceptronTagger

from rrsis_core.text.tagger import load_tagger, split_words

Scope = Literal["subject_nouns", "subject_np", "all_nouns"]
_NOUNS = ("NN", "NNS", "NNP", "NNPS")
_ENDS = ("IN", "TO", "WDT", "WP", "VBG", "VBN", "VBZ", "VBP", ",")
# Requests before the expression proper, which taggers take for nouns: "search a pool".
_REQUESTS = "please find search show locate segment select highlight look for where is are me give".split()


def target_words(
    expression: str, scope: Scope = "subject_nouns", tagger: PerceptronTagger | None = None
) -> list[tuple[int, str]]:
    """Return the target words with where each begins in the expression: [(9, "storage"), (17, "tank")].

    `scope` subject_nouns: the nouns before the first preposition, verb, "to", relative pronoun or comma that follows a
    noun; subject_np: these with the adjectives and determiners before them; all_nouns: every noun. Where there is no
    noun, the first word that is neither determiner nor preposition; nothing in an expression without a word.
    The tagger is NLTK's official one where it is installed, else ours.
    """
    spans = _word_spans(expression)
    tags = [tag for _, tag in (tagger or load_tagger("auto")).tag([word.lower() for _, word in spans])]
    first = next((i for i, (_, word) in enumerate(spans) if word.lower() not in _REQUESTS), 0)
    tags = ["VB" if index < first else tag for index, tag in enumerate(tags)]
    nouns = [index for index, tag in enumerate(tags) if tag in _NOUNS]
    if not nouns:
        chosen = [i for i, tag in enumerate(tags) if i >= first and tag not in ("DT", "IN", "TO", ",", ".")][:1]
    elif scope == "all_nouns":
        chosen = nouns
    else:
        end = next((i for i, tag in enumerate(tags) if i > nouns[0] and tag in _ENDS), len(tags))
        chosen = [index for index in nouns if index < end]
        if scope == "subject_np":
            chosen = [i for i in range(chosen[-1] + 1) if i in chosen or tags[i].startswith(("JJ", "DT"))]
    return [spans[index] for index in chosen]


def _word_spans(expression: str) -> list[tuple[int, str]]:
    """Return the words with where they begin; quotes, which the tokenizer rewrites, are left out."""
    spans, position = [], 0
    for word in split_words(expression):
        start = expression.find(word, position)
        if start >= 0:
            spans.append((start, word))
            position = start + len(word)
    return spans
