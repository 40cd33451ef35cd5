"""KerasTuner, imported in one place: Keras's settings come first."""

from ...core.extras import missing
from ...models.backend import without_unused_packages

try:
    with without_unused_packages():
        import keras_tuner
except ImportError:
    raise missing("keras-tuner", "train") from None

__all__ = ["keras_tuner"]
