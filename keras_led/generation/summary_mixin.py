"""The methods that a model inherits to summarize texts."""

from collections.abc import Iterable
from collections.abc import Iterator
from typing import TYPE_CHECKING
from typing import Any
from typing import Unpack

from keras_led.generation.inputs.arguments import read_request
from keras_led.generation.loop.run import stream_request
from keras_led.generation.options.keywords import SummarizeOptions
from keras_led.generation.summaries import Summarizer
from keras_led.generation.summaries import TokenizedDocuments
from keras_led.generation.summaries import check_positive
from keras_led.generation.summaries import summarize_texts
from keras_led.generation.summary_streams import check_errors
from keras_led.generation.summary_streams import stream_summaries
from keras_led.generation.warming_up import warm_up
from keras_led.typing import S

if TYPE_CHECKING:
    from keras_led.tokenizer.led_tokenizer import LEDTokenizer


class SummaryMixin:
    """Adds `summarize`, its streams, and `warm_up` to what has `generate`."""

    def stream(
        self,
        text: str,
        *,
        tokenizer: "LEDTokenizer",
        **arguments: Unpack[SummarizeOptions],
    ) -> Iterator[str]:
        """Writes a summary piece by piece.

        Args:
            text: str, the document.
            tokenizer: `LEDTokenizer`.
            **arguments: as in `generate`; one beam, one sequence.

        Yields:
            str, pieces of the summary, which joined are the whole.

        Raises:
            TypeError: If `text` is not a string or an argument is unknown.
            ValueError: If a value does not fit, for example `num_beams=2`.
        """
        limit = self.config.max_encoder_position_embeddings
        documents = TokenizedDocuments([text], tokenizer, limit)
        documents.warn_of_cuts(2)
        given = {"num_beams": 1, "num_return_sequences": 1}
        given |= {**documents.batch([0]), **arguments, "tokenizer": tokenizer}
        request = read_request(self.config, self.generation_config, given)
        return stream_request(self, request, tokenizer)  # pyright: ignore[reportArgumentType]

    def summarize(
        self,
        text: S,
        *,
        tokenizer: "LEDTokenizer",
        batch_size: int = 1,
        max_input_length: int | None = None,
        progress: bool = False,
        **options: Unpack[SummarizeOptions],
    ) -> S:
        """Summarizes one text, or many.

        Global attention is on `<s>`; the generation options are the
        checkpoint's own unless given. A text longer than the model reads is
        cut, with a warning that says how much.

        Args:
            text: str, or list of str.
            tokenizer: `LEDTokenizer`.
            batch_size: int, documents at once. Documents are sorted by
                length, so that a batch holds little padding.
            max_input_length: int, longest document in tokens; by default what
                the model's position table holds.
            progress: bool, show a progress bar over the documents.
            **options: arguments of `generate`.

        Returns:
            str, or list of str in the order of `text`.

        Raises:
            TypeError: If `text` is not a string, or an option is unknown.
            ValueError: If a value does not fit.
        """
        summarizer = Summarizer(
            self, tokenizer, batch_size, max_input_length, options
        )
        return summarize_texts(summarizer, text, progress)

    def summarize_stream(
        self,
        texts: Iterable[str],
        *,
        tokenizer: "LEDTokenizer",
        batch_size: int = 8,
        buffer: int | None = None,
        errors: str = "raise",
        max_input_length: int | None = None,
        **options: Unpack[SummarizeOptions],
    ) -> Iterator[tuple[int, Any]]:
        """Summarizes texts as they come, and holds only a buffer of them.

        Texts are sorted by length within a buffer, so that their summaries
        come in another order; a thread tokenizes the next buffer meanwhile.

        Args:
            texts: iterable of str, of any length.
            tokenizer: `LEDTokenizer`.
            batch_size: int, documents at once.
            buffer: int, texts read and sorted together; 32 batches by
                default.
            errors: "raise", or "keep" to go on where something is no text.
            max_input_length: int, longest document in tokens; by default what
                the model's position table holds.
            **options: arguments of `generate`.

        Returns:
            Iterator of pairs of the text's number, from 0, and its summary;
            with "keep", the `TypeError` instead of the summary of what is no
            text.

        Raises:
            TypeError: If something is no text, when it is read, or an option
                is unknown.
            ValueError: If a value does not fit.
        """
        check_errors(errors)
        check_positive("buffer", buffer)
        summarizer = Summarizer(
            self, tokenizer, batch_size, max_input_length, options
        )
        buffer = buffer or 32 * batch_size
        return stream_summaries(summarizer, texts, buffer, errors)

    def warm_up(
        self,
        lengths: Iterable[int],
        batch_sizes: Iterable[int] = (1,),
        **options: Unpack[SummarizeOptions],
    ) -> None:
        """Compiles `generate` before the first document comes.

        Lengths are rounded up to the buckets that `generate` pads to, 8 for
        each power of two; each bucket and batch size is run once.

        Args:
            lengths: ints, tokens of a document.
            batch_sizes: ints, documents at once.
            **options: arguments of `generate`, as they will be: what changes
                the loop, such as `num_beams` or `max_new_tokens`, is compiled
                for itself.

        Raises:
            TypeError: If an option is unknown.
            ValueError: If a number is out of range.
        """
        warm_up(self, lengths, batch_sizes, options)  # pyright: ignore[reportArgumentType]
