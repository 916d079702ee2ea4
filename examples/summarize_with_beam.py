"""Summarizes any number of documents with Apache Beam.

    pip install keras-led apache-beam
    keras-led export led-tiny served --max-new-tokens 48
    python examples/summarize_with_beam.py served rows.jsonl summaries

`rows.jsonl` has `{"key": ..., "document": ...}` on each line.
`summaries-00000-of-0000N.jsonl` get a `summary` in place of the document, and
`summaries-failed-*.jsonl` the lines without a summary, each with the reason.
With `--done 'summaries-0*.jsonl'` keys that an earlier run has written are
left out.

What begins with `--` beside the options below goes to Beam: `--runner
DataflowRunner`, `FlinkRunner` or `SparkRunner`, their settings, and
`--save_main_session`, which hands the classes of this file to other machines.
"""

import argparse
import json
import zlib
from collections.abc import Iterable
from typing import Any

import apache_beam as beam
from apache_beam.ml.inference.base import KeyedModelHandler
from apache_beam.ml.inference.base import ModelHandler
from apache_beam.ml.inference.base import PredictionResult
from apache_beam.ml.inference.base import RunInference
from apache_beam.options.pipeline_options import PipelineOptions


class SummarizerHandler(ModelHandler[str, PredictionResult, Any]):
    """Texts to summaries, by the signature `summarize` of a SavedModel.

    Beam's own handler of TensorFlow models calls the object that
    `tf.saved_model.load` returns, and loads it without the operations of
    tensorflow-text: it cannot read an export that takes text.

    Args:
        directory: str, the export; any path that TensorFlow reads.
        batch_size: int, texts at once, at most.
    """

    def __init__(self, directory: str, batch_size: int = 8):
        super().__init__(min_batch_size=batch_size, max_batch_size=batch_size)
        self._directory = directory

    def load_model(self) -> Any:
        import tensorflow as tf
        import tensorflow_text  # noqa: F401, the operations of `summarize`

        return tf.saved_model.load(self._directory)

    def run_inference(
        self, batch: list[str], model: Any, inference_args: Any = None
    ) -> Iterable[PredictionResult]:
        import tensorflow as tf

        answer = model.signatures["summarize"](text=tf.constant(batch))
        for text, summary in zip(batch, answer["summary"].numpy(), strict=True):
            yield PredictionResult(text, summary.decode())


class ReadRow(beam.DoFn):
    """A line of JSON to `(key, document)`; other lines go to `FAILED`."""

    FAILED = "failed"

    def process(self, line):
        try:
            row = json.loads(line)
            key, document = row["key"], row["document"]
            if not isinstance(document, str) or not document.strip():
                raise ValueError("`document` must be a text that is not empty")
            yield json.dumps(key), document
        except (KeyError, TypeError, ValueError) as error:
            reason = f"{type(error).__name__}: {error}"
            failed = {"line": line, "reason": reason}
            yield beam.pvalue.TaggedOutput(self.FAILED, failed)


def drop_done(documents, pattern):
    """Leaves out the keys that files of an earlier run hold."""
    done = (
        documents.pipeline
        | "read earlier" >> beam.io.ReadFromText(pattern)
        | "their keys"
        >> beam.Map(lambda line: (json.dumps(json.loads(line)["key"]), None))
    )
    return (
        {"documents": documents, "done": done}
        | "beside earlier" >> beam.CoGroupByKey()
        | "not yet done"
        >> beam.FlatMapTuple(
            lambda key, found: (
                []
                if list(found["done"])
                else [(key, text) for text in found["documents"]]
            )
        )
    )


def group_by_length(documents, shards):
    """Lets texts of like length follow each other, and so share batches.

    A batch costs as much as its longest text. Beam's `batch_length_fn` would
    need timers, which its local runner has not.
    """

    def place(row):
        key, text = row
        return len(text).bit_length(), zlib.crc32(key.encode()) % shards

    return (
        documents
        | "length" >> beam.Map(lambda row: (place(row), row))
        | "like lengths" >> beam.GroupByKey()
        | "rows again" >> beam.FlatMapTuple(lambda place, rows: rows)
    )


def failures_of_batch(failure):
    """Makes a row for each text of a batch that raised an error."""
    batch, (_, reason, _) = failure
    for key, document in batch:
        row = {"key": json.loads(key), "document": document}
        yield {"line": json.dumps(row), "reason": reason}


def write(rows, prefix, title):
    """Writes dicts as lines of JSON."""
    lines = rows | f"{title} as JSON" >> beam.Map(json.dumps)
    return lines | f"write {title}" >> beam.io.WriteToText(prefix, ".jsonl")


def summarize_files(arguments, options=None):
    """Builds the pipeline and runs it to its end.

    Args:
        arguments: namespace, as `parse` returns it.
        options: `PipelineOptions` of Beam, or `None`.
    """
    with beam.Pipeline(options=options) as pipeline:
        rows = (
            pipeline
            | "read" >> beam.io.ReadFromText(arguments.rows)
            | "rows"
            >> beam.ParDo(ReadRow()).with_outputs(
                ReadRow.FAILED, main="documents"
            )
        )
        documents = rows.documents
        if arguments.done:
            documents = drop_done(documents, arguments.done)
        handler = SummarizerHandler(arguments.directory, arguments.batch_size)
        run = RunInference(KeyedModelHandler(handler))
        summaries, failed = (
            group_by_length(documents, arguments.shards)
            | "summarize" >> run.with_exception_handling()
        )
        made = summaries | beam.MapTuple(
            lambda key, result: {
                "key": json.loads(key),
                "summary": result.inference,
            }
        )
        write(made, arguments.output, "summaries")
        write(
            (
                rows[ReadRow.FAILED],
                failed.failed_inferences | beam.FlatMap(failures_of_batch),
            )
            | beam.Flatten(),
            f"{arguments.output}-failed",
            "failures",
        )


def parse():
    """Reads the command line: our options, and those of Beam."""
    parser = argparse.ArgumentParser(
        description=__doc__.splitlines()[0], allow_abbrev=False
    )
    parser.add_argument("directory", help="SavedModel, exported with text")
    parser.add_argument("rows", help="files of JSON lines, a pattern")
    parser.add_argument("output", help="beginning of the names of the files")
    parser.add_argument("--batch-size", type=int, default=8)
    parser.add_argument(
        "--shards",
        type=int,
        default=1,
        help="groups of each length, at least as many as workers",
    )
    parser.add_argument("--done", help="pattern of an earlier run's files")
    return parser.parse_known_args()


if __name__ == "__main__":
    own, beams = parse()
    summarize_files(own, PipelineOptions(beams))
