"""`keras-led train`: documents in, a checkpoint out."""

# The types of the flags are made by a function, which no checker follows.
# pyright: reportInvalidTypeForm=false

import json

import typer

from keras_led.cli import training_options as flags
from keras_led.cli.options import BackendOption
from keras_led.cli.options import DebugOption
from keras_led.cli.options import DocumentFieldOption
from keras_led.cli.options import SkipBadRowsOption
from keras_led.cli.options import SummaryFieldOption
from keras_led.cli.options import check_backend
from keras_led.cli.options import note
from keras_led.cli.options import one_line_errors
from keras_led.cli.training_callbacks import Stopped
from keras_led.cli.training_run import TrainingRun

# Exit code of a run that stopped on purpose and can go on: EX_TEMPFAIL of
# sysexits.h, "try again later".
STOPPED = 75


@one_line_errors
def train(
    files: flags.Files,
    output: flags.Output,
    validation: flags.Validation = None,
    model: flags.Model = None,
    config: flags.Config = None,
    settings: flags.Settings = None,
    tokenizer: flags.Tokenizer = None,
    vocab_size: flags.VocabSize = None,
    dtype: flags.Dtype = None,
    document: DocumentFieldOption = "document",
    summary: SummaryFieldOption = "summary",
    question: flags.Question = None,
    max_source_tokens: flags.MaxSourceTokens = 4096,
    max_target_tokens: flags.MaxTargetTokens = 256,
    strip_bos: flags.StripBos = False,
    bucket: flags.Bucket = None,
    batch_size: flags.BatchSize = 4,
    streaming: flags.Streaming = False,
    steps_per_epoch: flags.StepsPerEpoch = None,
    cache_dir: flags.CacheDir = None,
    skip_bad_rows: SkipBadRowsOption = False,
    epochs: flags.Epochs = 3,
    gradient_accumulation: flags.GradientAccumulation = 1,
    learning_rate: flags.LearningRate = 5e-5,
    warmup_steps: flags.WarmupSteps = 0,
    schedule: flags.Schedule = "cosine",
    weight_decay: flags.WeightDecay = 0.01,
    clip_norm: flags.ClipNorm = 1.0,
    label_smoothing: flags.LabelSmoothing = 0.0,
    gradient_checkpointing: flags.GradientCheckpointing = False,
    seed: flags.Seed = 0,
    lora_rank: flags.LoraRank = None,
    lora_alpha: flags.LoraAlpha = None,
    lora_targets: flags.LoraTargets = None,
    freeze: flags.Freeze = None,
    freeze_encoder_layers: flags.FreezeEncoderLayers = 0,
    freeze_decoder_layers: flags.FreezeDecoderLayers = 0,
    rouge_documents: flags.RougeDocuments = 0,
    log_dir: flags.LogDir = None,
    log_every: flags.LogEvery = 50,
    save_every: flags.SaveEvery = 100,
    stop_after: flags.StopAfter = None,
    resume: flags.Resume = False,
    force: flags.Force = False,
    as_json: flags.AsJson = False,
    backend: BackendOption = None,
    debug: DebugOption = False,
) -> None:
    """Train on documents and summaries; write a checkpoint to --output.

    Start from a checkpoint with --model, or from scratch with --config or
    --set, and --vocab-size for a tokenizer of the corpus's own. The state of
    the run is saved every --save-every steps: after a crash, or `kill -9`, or
    --stop-after, the same command with --resume goes on, and ends with the
    weights of a run that was never interrupted. SIGTERM saves and stops too.

    With --lora-rank the checkpoint holds the model with its adapters merged,
    and its folder `adapters` the adapters alone, as PEFT writes them.

    Examples:

        keras-led train train.jsonl -o runs/a -m allenai/led-base-16384

        keras-led train 'pages/*.gz' -o runs/b --vocab-size 999 --set d_model=64

        keras-led train train.jsonl -o runs/c -m DIR --lora-rank 8 --resume
    """
    options = dict(locals())
    check_backend(backend)
    run = TrainingRun(options)
    try:
        with run.folder.claimed():
            result = run.execute()
    except Stopped as stopped:
        note(f"{stopped} Go on with --resume.")
        raise typer.Exit(STOPPED) from None
    if as_json:
        typer.echo(json.dumps(result))
        return
    for name, value in result.items():
        if isinstance(value, float):
            value = f"{value:.4f}"
        typer.echo(f"{name:<14} {value}")
