"""From files of documents to batches for `fit`."""

# First: it says what to install where Keras lacks its backend.
from keras_led import backend
from keras_led.data.dataset import ClassificationDataset
from keras_led.data.dataset import QuestionAnsweringDataset
from keras_led.data.dataset import Seq2SeqDataset
from keras_led.data.sources import read_rows
from keras_led.data.streaming import StreamingSeq2SeqDataset
