import numpy as np
import pytest

from scenelet.core import metrics


def test_probabilities_are_positive_and_sum_to_one() -> None:
    values = np.array([[-128, 127], [0, 0], [-128, -128]], dtype=np.int8)
    probability = metrics.probabilities(values)
    assert probability.min() > 0
    np.testing.assert_allclose(probability.sum(axis=1), 1)
    np.testing.assert_allclose(probability[1], 0.5)


def test_measure_against_a_count_by_hand() -> None:
    probability = np.array([[0.9, 0.1], [0.4, 0.6], [0.8, 0.2], [0.5, 0.5]])
    result = metrics.measure(probability, np.array([0, 1, 1, 0]))
    assert result.count == 4
    assert result.accuracy == 0.75
    assert result.log_loss == pytest.approx(-np.log([0.9, 0.6, 0.2, 0.5]).mean())


def test_macro_weighs_classes_alike() -> None:
    probability = np.array([[1.0, 0.0]] * 9 + [[1.0, 0.0]])
    truth = np.array([0] * 9 + [1])
    groups = metrics.by_group(probability, truth, ["a"] * 9 + ["b"], ["a", "b", "never"])
    assert set(groups) == {"a", "b"}
    assert metrics.macro(groups)[0] == 0.5


def test_a_clip_is_the_mean_of_its_windows() -> None:
    probability = np.array([[0.6, 0.4], [0.0, 1.0], [0.7, 0.3]])
    merged = metrics.merge(probability, np.array([0, 0, 1]), 2)
    np.testing.assert_allclose(merged, [[0.3, 0.7], [0.7, 0.3]])


def test_the_area_under_the_roc_curve_is_scikit_learns() -> None:
    from sklearn.metrics import roc_auc_score

    chance = np.random.default_rng(0)
    truth = chance.integers(0, 4, 60)
    for digits in (1, 6):  # ties, and none
        scores = chance.random((60, 4)) + 0.4 * np.eye(4)[truth]
        scores = np.round(scores, digits)
        scores /= scores.sum(axis=1, keepdims=True)
        assert metrics.roc_auc(scores, truth) == pytest.approx(roc_auc_score(truth, scores, multi_class="ovr"))
    assert metrics.roc_auc(np.eye(3)[[0, 1, 1]], np.array([0, 1, 1])) == 1.0  # no member of class 2
    assert np.isnan(metrics.roc_auc(np.ones((2, 1)), np.zeros(2, np.int64)))
