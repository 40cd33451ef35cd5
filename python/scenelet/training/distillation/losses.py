"""Losses of a student: from labels, from a teacher's scores, from relations between windows, and from an embedding.

All losses are means over the batch, so that they do not grow with its size.
"""

from __future__ import annotations

from typing import Any

from ...models.backend import keras, tf

# Squared distances below this share of the batch's mean square count as 0, where a square root has no gradient.
_TINY = 1e-12


def smoothed_cross_entropy(classes: Any, logits: Any, smoothing: float) -> Any:
    """Cross entropy with label smoothing, in nats; ``classes`` and ``logits`` are (batch, classes)."""
    losses = keras.losses.categorical_crossentropy(classes, logits, from_logits=True, label_smoothing=smoothing)
    return tf.reduce_mean(losses)


def response(teacher_logits: Any, student_logits: Any, temperature: float) -> Any:
    """KL divergence of the student's softened scores from the teacher's, times the temperature's square.

    Hinton, Vinyals and Dean 2015: softmax(logits / T) of both networks; the factor keeps the gradient's size.

    Parameters
    ----------
    teacher_logits, student_logits
        (batch, classes).
    temperature
        Over 0.
    """
    teacher = tf.nn.log_softmax(tf.stop_gradient(teacher_logits) / temperature)
    student = tf.nn.log_softmax(student_logits / temperature)
    return temperature**2 * tf.reduce_mean(tf.reduce_sum(tf.exp(teacher) * (teacher - student), axis=-1))


def huber(difference: Any) -> Any:
    """Huber loss of threshold 1: half the square up to 1, then the absolute value less a half; mean over elements."""
    size = tf.abs(difference)
    return tf.reduce_mean(tf.where(size <= 1.0, 0.5 * tf.square(difference), size - 0.5))


def _gram(vectors: Any) -> Any:
    """Inner products (batch, batch) of the vectors less their mean, divided by their mean square.

    Shift and factor change neither relative distances nor angles, and the sums keep more digits.
    """
    centred = vectors - tf.reduce_mean(vectors, axis=0, keepdims=True)
    products = tf.matmul(centred, centred, transpose_b=True)
    return products / (tf.reduce_mean(tf.linalg.diag_part(products)) + _TINY)


def _squares(gram: Any) -> Any:
    own = tf.linalg.diag_part(gram)
    return tf.maximum(own[:, None] + own[None, :] - 2.0 * gram, 0.0)


def _distances(gram: Any) -> Any:
    squares = _squares(gram)
    apart = squares > _TINY
    return tf.where(apart, tf.sqrt(tf.where(apart, squares, 1.0)), 0.0)


def _relative_distances(gram: Any) -> Any:
    distances = _distances(gram)
    positive = tf.cast(distances > 0.0, distances.dtype)
    mean = tf.reduce_sum(distances) / tf.maximum(tf.reduce_sum(positive), 1.0)
    return distances / tf.maximum(mean, _TINY)


def _cosines(gram: Any) -> Any:
    """Cosine of the angle at window j between windows i and k, (j, i, k); 0 where two of them coincide."""
    own = tf.linalg.diag_part(gram)
    # (x_i - x_j) . (x_k - x_j)
    inner = gram[None, :, :] - gram[:, :, None] - gram[:, None, :] + own[:, None, None]
    distances = _distances(gram)
    lengths = distances[:, :, None] * distances[:, None, :]
    apart = lengths > 0.0
    return tf.where(apart, inner / tf.where(apart, lengths, 1.0), 0.0)


def distance(teacher: Any, student: Any) -> Any:
    """Distance-wise potential (Park et al. 2019, eq. 4 to 6).

    Distances between all pairs of windows, divided by the mean of those that are not 0, for teacher and student; Huber
    loss of their difference.

    Parameters
    ----------
    teacher, student
        Embeddings, (batch, width), batch >= 2; the widths may differ.
    """
    return huber(_relative_distances(_gram(tf.stop_gradient(teacher))) - _relative_distances(_gram(student)))


def angle(teacher: Any, student: Any) -> Any:
    """Angle-wise potential (Park et al. 2019, eq. 7 to 9): cosines of all triples of windows, for teacher and student.

    Huber loss of their difference.

    Parameters
    ----------
    teacher, student
        Embeddings, (batch, width); the widths may differ.
    """
    return huber(_cosines(_gram(tf.stop_gradient(teacher))) - _cosines(_gram(student)))


def relational(teacher: Any, student: Any, distance_weight: float, angle_weight: float) -> Any:
    """Weighted sum of the distance-wise and the angle-wise potential; a weight of 0 leaves its potential out."""
    total = tf.zeros((), student.dtype)
    if distance_weight:
        total += distance_weight * distance(teacher, student)
    if angle_weight:
        total += angle_weight * angle(teacher, student)
    return total


def hint(teacher: Any, regressed: Any) -> Any:
    """FitNets hint (Romero et al. 2015, eq. 3): half the squared distance, mean over windows and units.

    Parameters
    ----------
    teacher
        Embedding, (batch, width).
    regressed
        The student's embedding after the regressor, (batch, width).
    """
    return 0.5 * tf.reduce_mean(tf.square(tf.stop_gradient(teacher) - regressed))
