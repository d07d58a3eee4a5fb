"""A question is a phrase with what was understood of it, and how it is asked: as typed, tile by tile, or of the scene.

Asked of the scene, a phrase goes to the model in parts, its local expressions, and geometry decides at the end. Phrases
that share a part share the work.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from rrsis_core.inference.planning import warn
from rrsis_core.text.expression import Expression, relative_words
from rrsis_core.text.parse import Parse, read_phrase
from rrsis_core.text.saying import local_text, local_texts, uncolored


@dataclass(frozen=True)
class Question:
    """A phrase, checked and understood."""

    expression: Expression
    parse: Parse
    of_scene: bool = False
    typed_too: bool = False
    """Whether the phrase is asked as typed as well, for where geometry finds nothing."""
    measured: bool = False
    """Whether colours are measured as well."""

    @property
    def text(self) -> str:
        """The phrase, cleaned."""
        return self.expression.text

    @property
    def local(self) -> list[str]:
        """What the model is asked, the target first."""
        asked = [*local_texts(self.parse.query), *([self.text] if self.typed_too else [])] if self.of_scene else []
        return list(dict.fromkeys([*(asked or [self.text]), *(plain for _, plain in self.colored.values())]))

    @property
    def colored(self) -> dict[str, tuple[str, str]]:
        """What the model is asked that names a colour: that colour, and the same without it."""
        query = self.parse.query
        if self.of_scene:
            parts = {local_text(part): part for part in query.parts()}
        else:
            parts = {} if query.needs_scene or query.also else {self.text: query}
        found = {text: uncolored(part) for text, part in parts.items()} if self.measured else {}
        return {text: (part[0], local_text(part[1])) for text, part in found.items() if part}


def read_questions(phrases: Sequence[str]) -> list[tuple[Expression, Parse]]:
    """Check phrases, and say which words were read as others. Raises ExpressionError."""
    read = [read_phrase(phrase) for phrase in phrases]
    for expression, understood in read:
        for typed, meant in understood.corrected:
            warn(f"'{expression.text}': '{typed}' was read as '{meant}'.")
    return read


def ask(read: Sequence[tuple[Expression, Parse]], reference: str, tiles: int) -> tuple[Question, ...]:
    """Decide how phrases are asked, and say what the user should know about words.

    `reference` tile: as typed. scene: of the scene. auto: of the scene where some part of the phrase means something
    only there, or asks for one thing. Where the whole area is one tile, the model sees all of it: where geometry finds
    nothing, its answer to the phrase as typed counts (measured, see docs/phrases.md), unless it says a rank, a distance
    or an area.
    """
    questions = []
    for expression, understood in read:
        query = understood.query
        of_scene = reference == "scene" or (reference == "auto" and query.asked_of_scene)
        typed_too = of_scene and reference == "auto" and tiles == 1 and not query.is_exact
        question = Question(expression, understood, of_scene, typed_too, measured=reference != "tile")
        _warn_unknown(question)
        if not question.of_scene and tiles > 1:
            _warn_relative(question, tiles)
        questions.append(question)
    return tuple(questions)


def colored_expressions(questions: Sequence[Question]) -> dict[str, tuple[str, str]]:
    """Return the local expressions that name a colour, with that colour and what is asked without it."""
    return {text: plain for question in questions for text, plain in question.colored.items()}


def local_expressions(questions: Sequence[Question]) -> list[str]:
    """Return what the model is asked for all questions, each once."""
    return list(dict.fromkeys(text for question in questions for text in question.local))


def _warn_unknown(question: Question) -> None:
    asked = " ".join(question.local)
    unknown = [word for word in question.expression.unknown if word in asked]
    if unknown:
        words = ", ".join(f"'{word}'" for word in unknown)
        warn(f"Unknown words in '{question.text}': {words}. The model has not learned them.")


def _warn_relative(question: Question, tiles: int) -> None:
    """A model sees one tile: left, right and largest mean something else there than in the whole scene."""
    if words := relative_words(question.expression):
        warn(
            f"'{question.text}' is answered tile by tile: {', '.join(words)} refers to each of {tiles} tiles, not to "
            f"the whole area. Use --reference scene, or search a smaller --bbox to make it one tile."
        )
