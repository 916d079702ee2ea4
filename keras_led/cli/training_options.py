"""The flags of `keras-led train`, in the groups in which `--help` shows them.

A name that belongs to the Python API means what it means there.
"""

# The types of the flags are made by a function, which no checker follows.
# pyright: reportInvalidTypeForm=false

import dataclasses
import functools
import inspect
from pathlib import Path
from typing import Annotated

import typer

from keras_led.cli.shared_options import BackendOption
from keras_led.cli.shared_options import DebugOption
from keras_led.cli.shared_options import DocumentFieldOption
from keras_led.cli.shared_options import SkipBadRowsOption
from keras_led.cli.shared_options import SummaryFieldOption
from keras_led.cli.shared_options import show_parameters


def _flag(kind, help, *names, group=None, **more):
    metavars = {int: "N", int | None: "N", float: "X", float | None: "X"}
    more.setdefault("metavar", metavars.get(kind))
    option = typer.Option(*names, help=help, rich_help_panel=group, **more)
    return Annotated[kind, option]


_start = functools.partial(_flag, group="Model to start from")
_data = functools.partial(_flag, group="Data")
_step = functools.partial(_flag, group="Optimization")
_part = functools.partial(_flag, group="What trains")
_run = functools.partial(_flag, group="The run")

Files = Annotated[
    list[str],
    typer.Argument(
        metavar="FILE",
        help=".jsonl or .csv with documents and summaries; also .gz; patterns.",
    ),
]
Output = _flag(
    Path, "Folder of the checkpoint.", "--output", "-o", metavar="DIR"
)
Validation = _flag(
    list[str] | None, "Files to validate with; repeat.", metavar="FILE"
)

# ---- the model to start from ----------------------------------------------

Model = _start(
    str | None,
    "Directory, or hub id, to start from; else a fresh model.",
    *("--model", "-m"),
    metavar="DIR",
)
Config = _start(
    Path | None, "config.json of a fresh model.", metavar="FILE", exists=True
)
Settings = _start(
    list[str] | None,
    "A value of the config, such as d_model=256 or dropout=0.1; repeat.",
    "--set",
    metavar="KEY=VALUE",
)
Tokenizer = _start(
    str | None, "Tokenizer, instead of the model's.", metavar="DIR"
)
VocabSize = _start(
    int | None, "Learn a tokenizer of N tokens from FILE.", min=261
)
Dtype = _start(str | None, "Such as mixed_bfloat16.", metavar="POLICY")

# ---- data -----------------------------------------------------------------

Question = _data(
    str | None, "Field of a question that attends globally.", metavar="KEY"
)
MaxSourceTokens = _data(int, "Longest document; the rest is cut.", min=8)
MaxTargetTokens = _data(int, "Longest summary; the rest is cut.", min=3)
StripBos = _data(
    bool, "Leave out the <s> in front of labels (led-large).", "--strip-bos"
)
Bucket = _data(
    list[int] | None,
    "A padded length; repeat. Default: 128, 256, 512 ...",
    metavar="TOKENS",
)
BatchSize = _data(int, "Rows per step.", min=1)
Streaming = _data(
    bool, "Read FILE while training; keep none of it.", "--streaming"
)
StepsPerEpoch = _data(int | None, "Steps of an epoch, with --streaming.", min=1)
CacheDir = _data(
    Path | None, "Keep tokens there for the next run.", metavar="DIR"
)

# ---- optimization ---------------------------------------------------------

Epochs = _step(int, "Epochs to train.", min=1)
GradientAccumulation = _step(int, "Steps whose gradients are added up.", min=1)
LearningRate = _step(float, "Peak learning rate.", min=0)
WarmupSteps = _step(int, "Warm-up steps to the peak learning rate.", min=0)
Schedule = _step(str, "cosine, linear or constant after the warm-up.")
WeightDecay = _step(
    float, "Weight decay of AdamW; not for biases and norms.", min=0
)
ClipNorm = _step(float, "Largest norm of all gradients; 0 for any.", min=0)
LabelSmoothing = _step(
    float, "Share of each target spread over all tokens.", min=0, max=1
)
GradientCheckpointing = _step(
    bool,
    "Recompute layers: less memory, more time.",
    "--gradient-checkpointing",
)
Seed = _step(int, "Seed of weights, order and dropout.", min=0)

# ---- what trains ----------------------------------------------------------

LoraRank = _part(
    int | None, "Train adapters of this rank, and nothing else.", min=1
)
LoraAlpha = _part(
    float | None, "alpha / rank multiplies the adapters; by default 1."
)
LoraTargets = _part(
    list[str] | None,
    "Layers with adapters, such as fc1; repeat. Default: query, value.",
    metavar="NAME",
)
Freeze = _part(
    list[str] | None,
    "Freeze embeddings, encoder or decoder; repeat.",
    metavar="PART",
)
FreezeEncoderLayers = _part(int, "Freeze the first N encoder layers.", min=0)
FreezeDecoderLayers = _part(int, "Freeze the first N decoder layers.", min=0)

# ---- the run --------------------------------------------------------------

RougeDocuments = _run(
    int, "Summarize N validation rows an epoch, for ROUGE.", min=0
)
LogDir = _run(Path | None, "Write logs for TensorBoard there.", metavar="DIR")
LogEvery = _run(int, "Steps between log entries.", min=1)
SaveEvery = _run(int, "Steps between backups.", min=1)
StopAfter = _run(
    float | None,
    "Save and stop after MINUTES, with exit code 75.",
    metavar="MINUTES",
    min=0,
)
Resume = _run(
    bool, "Go on where an interrupted run was last saved.", "--resume"
)
Force = _run(bool, "Start anew in a DIR that has a run.", "--force")
AsJson = _run(bool, "Write one JSON object.", "--json")


@dataclasses.dataclass(frozen=True)
class TrainOptions:
    """What `keras-led train` was asked for; a flag a field, in their order."""

    files: Files
    output: Output
    validation: Validation = None
    model: Model = None
    config: Config = None
    settings: Settings = None
    tokenizer: Tokenizer = None
    vocab_size: VocabSize = None
    dtype: Dtype = None
    document: DocumentFieldOption = "document"
    summary: SummaryFieldOption = "summary"
    question: Question = None
    max_source_tokens: MaxSourceTokens = 4096
    max_target_tokens: MaxTargetTokens = 256
    strip_bos: StripBos = False
    bucket: Bucket = None
    batch_size: BatchSize = 4
    streaming: Streaming = False
    steps_per_epoch: StepsPerEpoch = None
    cache_dir: CacheDir = None
    skip_bad_rows: SkipBadRowsOption = False
    epochs: Epochs = 3
    gradient_accumulation: GradientAccumulation = 1
    learning_rate: LearningRate = 5e-5
    warmup_steps: WarmupSteps = 0
    schedule: Schedule = "cosine"
    weight_decay: WeightDecay = 0.01
    clip_norm: ClipNorm = 1.0
    label_smoothing: LabelSmoothing = 0.0
    gradient_checkpointing: GradientCheckpointing = False
    seed: Seed = 0
    lora_rank: LoraRank = None
    lora_alpha: LoraAlpha = None
    lora_targets: LoraTargets = None
    freeze: Freeze = None
    freeze_encoder_layers: FreezeEncoderLayers = 0
    freeze_decoder_layers: FreezeDecoderLayers = 0
    rouge_documents: RougeDocuments = 0
    log_dir: LogDir = None
    log_every: LogEvery = 50
    save_every: SaveEvery = 100
    stop_after: StopAfter = None
    resume: Resume = False
    force: Force = False
    as_json: AsJson = False
    backend: BackendOption = None
    debug: DebugOption = False


def flags_of(options_class):
    """Makes a decorator that turns the fields of a dataclass into flags.

    Args:
        options_class: dataclass whose fields are annotated for typer.

    Returns:
        Callable from a function of one `options_class` to the function that
        typer reads.
    """
    parameters = [*inspect.signature(options_class).parameters.values()]

    def decorate(command):
        @functools.wraps(command)
        def with_options(**values):
            return command(options_class(**values))

        show_parameters(with_options, parameters)
        return with_options

    return decorate
