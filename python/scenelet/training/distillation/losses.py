"""What a student is told: by the labels, by a teacher's scores, by relations between windows, by an embedding.

All losses are means over the batch, so a batch of another size weighs the same.
"""

from __future__ import annotations

from typing import Any

from ...models.backend import keras, tf

# Squared distances below this share of the batch's mean square are taken as it: a root has no slope at zero.
_TINY = 1e-12


def smoothed_cross_entropy(classes: Any, logits: Any, smoothing: float) -> Any:
    """Cross entropy with label smoothing, in nats; ``classes`` and ``logits`` are (batch, classes)."""
    losses = keras.losses.categorical_crossentropy(classes, logits, from_logits=True, label_smoothing=smoothing)
    return tf.reduce_mean(losses)


def response(teacher_logits: Any, student_logits: Any, temperature: float) -> Any:
    """KL divergence of the student's softened scores from the teacher's, times the temperature's square.

    Hinton, Vinyals and Dean 2015: softmax(logits / T) once on either side; the factor keeps the gradient's size.
    """
    told = tf.nn.log_softmax(tf.stop_gradient(teacher_logits) / temperature)
    said = tf.nn.log_softmax(student_logits / temperature)
    return temperature**2 * tf.reduce_mean(tf.reduce_sum(tf.exp(told) * (told - said), axis=-1))


def huber(difference: Any) -> Any:
    """Half the square up to 1, then the absolute value less a half; mean over all elements."""
    size = tf.abs(difference)
    return tf.reduce_mean(tf.where(size <= 1.0, 0.5 * tf.square(difference), size - 0.5))


def _gram(vectors: Any) -> Any:
    """Inner products (batch, batch) of the vectors less their mean, in units of their mean square.

    Neither distances over their mean nor angles change by the shift and the factor; the sums keep more digits.
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

    Distances between all pairs of windows, over the mean of those that are not 0, on either side; Huber loss between.

    Parameters
    ----------
    teacher, student
        (batch, width), of two windows or more; the widths may differ.
    """
    return huber(_relative_distances(_gram(tf.stop_gradient(teacher))) - _relative_distances(_gram(student)))


def angle(teacher: Any, student: Any) -> Any:
    """Angle-wise potential (Park et al. 2019, eq. 7 to 9): cosines of all triples of windows; Huber loss between.

    Parameters
    ----------
    teacher, student
        (batch, width); the widths may differ.
    """
    return huber(_cosines(_gram(tf.stop_gradient(teacher))) - _cosines(_gram(student)))


def relational(teacher: Any, student: Any, distance_weight: float, angle_weight: float) -> Any:
    """Weighted sum of the distance-wise and the angle-wise potential; a weight of 0 leaves its part out."""
    total = tf.zeros((), student.dtype)
    if distance_weight:
        total += distance_weight * distance(teacher, student)
    if angle_weight:
        total += angle_weight * angle(teacher, student)
    return total


def hint(teacher: Any, guessed: Any) -> Any:
    """FitNets hint (Romero et al. 2015, eq. 3): half the squared distance, mean over windows and units.

    Parameters
    ----------
    teacher
        Embedding, (batch, width).
    guessed
        The regressor's guess at it from the student's, (batch, width).
    """
    return 0.5 * tf.reduce_mean(tf.square(tf.stop_gradient(teacher) - guessed))
