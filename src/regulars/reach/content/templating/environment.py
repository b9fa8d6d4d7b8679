"""The environment templates are read in: a few tags, a few filters, and limits on all they do."""

import time
from collections.abc import Callable, Generator
from contextlib import contextmanager
from io import StringIO
from typing import Any, TextIO

from liquid import BoundTemplate, Environment, RenderContext
from liquid.builtin import content, illegal, output
from liquid.builtin.tags import (
    assign_tag,
    capture_tag,
    case_tag,
    comment_tag,
    cycle_tag,
    for_tag,
    if_tag,
    inline_comment_tag,
    unless_tag,
)
from liquid.exceptions import (
    LoopIterationLimitError,
    OutputStreamLimitError,
    ResourceLimitError,
    UndefinedError,
)
from liquid.stringify import to_liquid_string
from liquid.undefined import FalsyStrictUndefined

from regulars.reach.content.templating.filters import FILTERS

MOST_OUTPUT = 1_048_576
MOST_LOCAL = 65_536
MOST_LOOPS = 10_000
MOST_STEPS = 50_000
MOST_SECONDS = 2.0
TAGS = (
    content.Literal,
    illegal.Illegal,
    if_tag.IfTag,
    unless_tag.UnlessTag,
    case_tag.CaseTag,
    for_tag.ForTag,
    for_tag.BreakTag,
    for_tag.ContinueTag,
    assign_tag.AssignTag,
    capture_tag.CaptureTag,
    cycle_tag.CycleTag,
    comment_tag.CommentTag,
    inline_comment_tag.InlineCommentTag,
)


class HoleError(UndefinedError):
    """An output that would leave nothing where a word should stand."""


class Missing(FalsyStrictUndefined):
    """What a value nobody knows is: false in a condition, replaced by `default`, else an error."""

    force_liquid_default = True


class Whole(output.OutputNode):
    """An output that is never empty, unless its author gave a default."""

    __slots__ = ("may_be_empty",)

    def __init__(self, token: Any, expression: Any) -> None:
        """Note whether the author said what to write when there is nothing."""
        super().__init__(token, expression)
        filters = getattr(expression, "filters", None) or []
        self.may_be_empty = any(one.name == "default" for one in filters)

    def render_to_output(self, context: RenderContext, buffer: TextIO) -> int:
        """Write the value; refuse to write nothing."""
        text = to_liquid_string(self.expression.evaluate(context), context.autoescape)
        if not self.may_be_empty and (not text or text.isspace()):
            raise HoleError(f"{self.expression} is empty", token=self.token)
        return buffer.write(text)


class WholeOutput(output.Output):
    """The tag that makes such outputs."""

    node_class = Whole


class Limited(StringIO):
    """Takes letters until there are too many, or it took too long."""

    def __init__(self, most: int, until: float) -> None:
        """Start empty."""
        super().__init__()
        self.most, self.until, self.letters = most, until, 0

    def write(self, text: str, /) -> int:
        """Take a piece of text."""
        self.letters += len(text)
        if self.letters > self.most:
            raise OutputStreamLimitError(f"more than {self.most} letters", token=None)
        return super().write(text)


class Bounded(RenderContext):
    """A context that counts loops and filters, each once per time it runs."""

    __slots__ = ("looped", "steps", "until")

    def __init__(self, *arguments: Any, **options: Any) -> None:
        """Start to count."""
        super().__init__(*arguments, **options)
        self.looped, self.steps = 0, 0
        self.until = time.monotonic() + MOST_SECONDS

    def raise_for_loop_limit(self, length: int = 1) -> None:
        """Count a loop that is about to run; the sum over all loops is limited, not the depth."""
        self.looped += length
        if self.looped > MOST_LOOPS:
            raise LoopIterationLimitError(f"more than {MOST_LOOPS} passes of loops", token=None)
        self._step()

    def filter(self, name: str, token: Any) -> Callable[..., object]:
        """Count a filter that is about to run."""
        self._step()
        return super().filter(name, token)

    def get_buffer(self, buf: TextIO | None = None) -> StringIO:
        """Give the buffer of a capture, which shares the limit of its page."""
        taken = buf.letters if isinstance(buf, Limited) else 0
        return Limited(MOST_OUTPUT - taken, self.until)

    @contextmanager
    def extend(self, *arguments: Any, **options: Any) -> Generator[RenderContext]:
        """Extend the context, counting the step."""
        self._step()
        with super().extend(*arguments, **options) as extended:
            yield extended

    def _step(self) -> None:
        self.steps += 1
        if self.steps > MOST_STEPS or time.monotonic() > self.until:
            raise ResourceLimitError("the template does too much", token=None)


class BoundedTemplate(BoundTemplate):
    """A template rendered in such a context."""

    context_class = Bounded


class ContentEnvironment(Environment):
    """Reads templates of content.

    Args:
        autoescape: True for HTML.
    """

    block_nesting_limit = 20
    context_depth_limit = 20
    local_namespace_limit = MOST_LOCAL
    output_stream_limit = MOST_OUTPUT
    template_class = BoundedTemplate

    def __init__(self, *, autoescape: bool) -> None:
        """Know the tags and filters that are allowed, and no others."""
        super().__init__(autoescape=autoescape, undefined=Missing)

    def setup_tags_and_filters(self, *, extra: bool = False) -> None:
        """Register what is allowed."""
        del extra
        for tag in (*TAGS, WholeOutput):
            self.add_tag(tag)
        for name, function in FILTERS.items():
            self.add_filter(name, function)
