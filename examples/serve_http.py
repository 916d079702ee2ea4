"""Serves an exported summarizer over HTTP; requests are answered in batches.

    pip install keras-led litserve
    keras-led export led-tiny served --max-new-tokens 48
    python examples/serve_http.py served

and, from any client:

    curl http://localhost:8000/predict -H 'Content-Type: application/json' \\
        -d '{"text": "lmap evaluates a script for each element of a list."}'

answers `{"summary": "..."}`. The server loads TensorFlow and the export, not
keras_led. LitServe collects requests that arrive within `--batch-timeout` of
each other; a text that is longer than the model reads is cut.
"""

import argparse

import fastapi
import litserve


class Summarizer(litserve.LitAPI):
    """Texts to summaries, by the signature `summarize` of a SavedModel."""

    def __init__(self, directory, **options):
        super().__init__(**options)
        self.directory = directory

    def setup(self, device):
        # Here, in the process that answers: a loaded SavedModel cannot be
        # handed from one process to another.
        import tensorflow as tf
        import tensorflow_text  # noqa: F401, the operations of `summarize`

        self.served = tf.saved_model.load(self.directory)
        self.summarize = self.served.signatures["summarize"]
        self.as_texts = tf.constant

    def decode_request(self, request):
        text = request.get("text") if isinstance(request, dict) else None
        if not isinstance(text, str):
            raise fastapi.HTTPException(
                status_code=422,
                detail='The request must be {"text": STRING}. '
                f"Received: {str(request)[:80]!r}.",
            )
        return text

    def batch(self, texts):
        return texts

    def unbatch(self, summaries):
        return summaries

    def predict(self, texts):
        answer = self.summarize(text=self.as_texts(texts))
        return [summary.decode() for summary in answer["summary"].numpy()]

    def encode_response(self, summary):
        return {"summary": summary}


def parse():
    """Reads the command line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("directory", help="SavedModel, exported with text")
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, default=8000)
    parser.add_argument("--batch-size", type=int, default=8, help="at most")
    parser.add_argument(
        "--batch-timeout", type=float, default=0.02, help="seconds to collect"
    )
    return parser.parse_args()


if __name__ == "__main__":
    arguments = parse()
    summarizer = Summarizer(
        arguments.directory,
        max_batch_size=arguments.batch_size,
        batch_timeout=arguments.batch_timeout,
    )
    server = litserve.LitServer(summarizer, accelerator="cpu")
    server.run(
        host=arguments.host,
        port=arguments.port,
        generate_client_file=False,
    )
