"""What mkdocstrings does not know of this project's docstrings.

It shows "Call arguments:" as a section whose items run together, puts a dash
before a result that has no name, and takes a list that follows a colon without
an empty line for more of the sentence.
"""

import re
import textwrap

from griffe import Extension

# Up to the next empty line.
CALL_ARGUMENTS = re.compile(
    r"^Call arguments( \(.*\))?:(.*(?:\n.*\S.*)*)", re.MULTILINE
)
ITEM = re.compile(r"^ {4}(\w+): ", re.MULTILINE)
RESULT = re.compile(
    r"^(Returns|Yields):\n((?: {4}.*\n?|\n(?= {4}))+)", re.MULTILINE
)
LIST_AFTER_COLON = re.compile(r":\n( *)- ")


def list_of_items(match):
    """A section of call arguments as a sentence and a list."""
    whose, text = match.groups(default="")
    sentence, *items = ITEM.split(text)
    pairs = zip(items[::2], items[1::2], strict=True)
    return "\n".join(
        [
            f"**Call arguments**{whose}: {sentence.strip()}\n",
            *(f"- `{name}`: {meaning.strip()}" for name, meaning in pairs),
        ]
    )


def result_as_text(match):
    """What a function returns, as a paragraph and what belongs to it."""
    title, text = match.groups()
    return f"**{title}:** {textwrap.dedent(text)}"


def as_markdown(docstring):
    """Rewrites a docstring that is cleaned of its indentation."""
    docstring = RESULT.sub(result_as_text, docstring)
    docstring = CALL_ARGUMENTS.sub(list_of_items, docstring)
    return LIST_AFTER_COLON.sub(r":\n\n\1- ", docstring)


class DocstringSections(Extension):
    """Rewrites every docstring before it is parsed."""

    def on_object(self, *, obj, **_):
        """Called for each module, class, function and attribute."""
        if obj.docstring is not None:
            obj.docstring.value = as_markdown(obj.docstring.value)
