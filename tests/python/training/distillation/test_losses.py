"""Every loss against its formula written out pair by pair in float64, and its gradient against differences."""

from __future__ import annotations

import itertools
import math

import numpy as np
import pytest

from scenelet.models.backend import tf
from scenelet.training.distillation import losses

pytestmark = pytest.mark.train

TEACHER = np.random.default_rng(0).normal(0, 2, (6, 5))
STUDENT = np.random.default_rng(1).normal(1, 1, (6, 3))
LOGITS = np.random.default_rng(2).normal(0, 2, (6, 4))
SAID = np.random.default_rng(3).normal(0, 2, (6, 4))


def slow_huber(values):
    return np.mean([0.5 * v * v if abs(v) <= 1 else abs(v) - 0.5 for v in values])


def slow_distance(teacher, student):
    def relative(points):
        lengths = [math.dist(a, b) for a, b in itertools.product(points, repeat=2)]
        return np.array(lengths) / np.mean([length for length in lengths if length > 0])

    return slow_huber(relative(teacher) - relative(student))


def slow_angle(teacher, student):
    def cosines(points):
        found = []
        for j, i, k in itertools.product(range(len(points)), repeat=3):
            first, second = points[i] - points[j], points[k] - points[j]
            size = np.linalg.norm(first) * np.linalg.norm(second)
            found.append(first @ second / size if size else 0.0)
        return np.array(found)

    return slow_huber(cosines(teacher) - cosines(student))


def slow_response(teacher, student, temperature):
    total = 0.0
    for told, said in zip(teacher, student, strict=True):
        p, q = (np.exp(z / temperature) / np.exp(z / temperature).sum() for z in (told, said))
        total += sum(a * math.log(a / b) for a, b in zip(p, q, strict=True))
    return temperature**2 * total / len(teacher)


def slow_cross_entropy(classes, logits, smoothing):
    total = 0.0
    for row, z in zip(classes, logits, strict=True):
        p = np.exp(z) / np.exp(z).sum()
        wanted = row * (1 - smoothing) + smoothing / len(row)
        total -= sum(w * math.log(a) for w, a in zip(wanted, p, strict=True))
    return total / len(logits)


def slow_hint(teacher, guessed):
    return np.mean([0.5 * (a - b) ** 2 for a, b in zip(teacher.ravel(), guessed.ravel(), strict=True)])


CASES = {
    "distance": (losses.distance, slow_distance, TEACHER, STUDENT),
    "angle": (losses.angle, slow_angle, TEACHER, STUDENT),
    "response at 3": (lambda t, s: losses.response(t, s, 3.0), lambda t, s: slow_response(t, s, 3.0), LOGITS, SAID),
    "response at 1": (lambda t, s: losses.response(t, s, 1.0), lambda t, s: slow_response(t, s, 1.0), LOGITS, SAID),
    "hint": (losses.hint, slow_hint, LOGITS, SAID),
    "cross entropy": (
        lambda t, s: losses.smoothed_cross_entropy(t, s, 0.1),
        lambda t, s: slow_cross_entropy(t, s, 0.1),
        np.eye(4)[[0, 1, 2, 3, 1, 0]],
        SAID,
    ),
}


@pytest.mark.parametrize("name", CASES)
def test_a_loss_is_its_formula(name):
    fast, slow, teacher, student = CASES[name]
    assert float(fast(tf.constant(teacher), tf.constant(student))) == pytest.approx(slow(teacher, student), rel=1e-9)
    single = fast(tf.constant(teacher, tf.float32), tf.constant(student, tf.float32))
    assert float(single) == pytest.approx(slow(teacher, student), rel=2e-5)


@pytest.mark.parametrize("name", CASES)
def test_a_gradient_is_the_slope_of_its_formula(name):
    fast, slow, teacher, student = CASES[name]
    variable = tf.Variable(student)
    with tf.GradientTape() as tape:
        loss = fast(tf.constant(teacher), variable)
    found = tape.gradient(loss, variable).numpy()
    step, slope = 1e-6, np.zeros_like(student)
    for place in np.ndindex(student.shape):
        up, down = student.copy(), student.copy()
        up[place] += step
        down[place] -= step
        slope[place] = (slow(teacher, up) - slow(teacher, down)) / (2 * step)
    np.testing.assert_allclose(found, slope, atol=1e-7)
    assert np.abs(slope).max() > 1e-3


@pytest.mark.parametrize("name", ["distance", "angle", "response at 3", "hint"])
def test_a_teacher_learns_nothing(name):
    fast, _, teacher, student = CASES[name]
    variable = tf.Variable(teacher)
    with tf.GradientTape() as tape:
        loss = fast(variable, tf.constant(student))
    assert tape.gradient(loss, variable) is None


@pytest.mark.parametrize("loss", [losses.distance, losses.angle])
def test_relations_know_neither_place_nor_size_nor_rotation(loss):
    turn = np.linalg.qr(np.random.default_rng(4).normal(0, 1, (3, 3)))[0]
    assert float(loss(tf.constant(STUDENT), tf.constant(7 * STUDENT @ turn - 3))) == pytest.approx(0, abs=1e-12)
    assert float(loss(tf.constant(STUDENT), tf.constant(STUDENT * [1.0, 5.0, 0.2]))) > 1e-3


@pytest.mark.parametrize("loss", [losses.distance, losses.angle])
@pytest.mark.parametrize("student", [np.zeros((6, 3)), STUDENT[[0, 0, 1, 1, 2, 3]]], ids=["all one", "pairs"])
def test_windows_that_coincide_have_finite_gradients(loss, student):
    variable = tf.Variable(student, dtype=tf.float32)
    with tf.GradientTape() as tape:
        value = loss(tf.constant(TEACHER, tf.float32), variable)
    assert np.isfinite(float(value))
    assert np.isfinite(tape.gradient(value, variable).numpy()).all()


def test_huber_is_square_near_zero_and_straight_beyond():
    assert float(losses.huber(tf.constant([0.5, -0.5]))) == pytest.approx(0.125)
    assert float(losses.huber(tf.constant([3.0, -3.0]))) == pytest.approx(2.5)


def test_relational_weighs_its_two_parts():
    teacher, student = tf.constant(TEACHER), tf.constant(STUDENT)
    parts = [float(losses.relational(teacher, student, *weights)) for weights in ((1, 0), (0, 1), (2, 3))]
    assert parts[0] == pytest.approx(slow_distance(TEACHER, STUDENT))
    assert parts[1] == pytest.approx(slow_angle(TEACHER, STUDENT))
    assert parts[2] == pytest.approx(2 * parts[0] + 3 * parts[1])
