"""The loop: seeded, resumable to the bit, stopping early with the best weights."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest

from scenelet.core.metrics import measure
from scenelet.errors import DamagedFileError, RecipeError
from scenelet.models.backend import keras, tf
from scenelet.models.keras_model import build
from scenelet.training.augmentation.batches import Augmentation
from scenelet.training.checkpoint import State
from scenelet.training.loop import Trainer, cross_entropy, fit, learning_rate
from scenelet.training.windows import Windows

pytestmark = pytest.mark.train


def _data(count, seed):
    generator = np.random.default_rng(seed)
    classes = generator.integers(0, 3, count)
    patterns = np.random.default_rng(99).normal(0, 60, (3, 16, 8))
    features = np.clip(patterns[classes] + generator.normal(0, 60, (count, 16, 8)), -128, 127)
    return Windows(features.astype(np.int8), classes, np.arange(count))


def _trainer(recipe, **changes):
    keras.utils.set_random_seed(recipe.training.seed)
    settings = {"objective": cross_entropy(recipe.training.label_smoothing), **changes}
    return Trainer(build(recipe), _data(45, 1), _data(30, 2), recipe.training, **settings)


def _equal(first: State, second: State) -> bool:
    lists = ("weights", "optimizer", "best_weights")
    pairs = [pair for name in lists for pair in zip(getattr(first, name), getattr(second, name), strict=True)]
    return all(np.array_equal(a, b) for a, b in pairs) and first.history == second.history


def test_interrupted_and_resumed_ends_like_undisturbed(tiny_recipe, tmp_path):
    whole = fit(_trainer(tiny_recipe(epochs=6)), tmp_path / "whole.npz")
    for epochs in (1, 3):  # two interruptions
        fit(_trainer(tiny_recipe(epochs=epochs)), tmp_path / "parts.npz")
    parts = fit(_trainer(tiny_recipe(epochs=6)), tmp_path / "parts.npz")
    assert _equal(whole, parts)
    assert len(whole.history) == 6


def test_another_seed_ends_elsewhere(tiny_recipe, tmp_path):
    first = fit(_trainer(tiny_recipe(epochs=1)), tmp_path / "0.npz")
    second = fit(_trainer(tiny_recipe(epochs=1, seed=1)), tmp_path / "1.npz")
    assert not _equal(first, second)


def test_it_learns(tiny_recipe, tmp_path):
    state = fit(_trainer(tiny_recipe(epochs=30)), tmp_path / "state.npz")
    assert max(row.validation_accuracy for row in state.history) > 0.8
    assert state.history[-1].loss < state.history[0].loss


def test_it_stops_after_patience_with_the_best_weights(tiny_recipe, tmp_path):
    losses = iter([3.0, 1.0, 2.0, 1.0, 1.5, 0.5])
    trainer = _trainer(tiny_recipe(epochs=6, patience=3))
    wrong = np.eye(3)[(trainer.validation.classes + 1) % 3]
    right = np.eye(3)[trainer.validation.classes]

    def predict(_):
        chance = math.exp(-next(losses))
        return right * chance + wrong * (1 - chance)

    kept = []
    trainer.predict = predict
    state = fit(trainer, tmp_path / "state.npz", lambda *_: kept.append(trainer.model.get_weights()))
    assert [row.epoch for row in state.history] == [1, 2, 3, 4, 5]  # an equal loss is no better one
    assert (state.best_epoch, state.best_loss) == (2, pytest.approx(1.0))
    for found, best, last in zip(trainer.model.get_weights(), kept[1], kept[-1], strict=True):
        np.testing.assert_array_equal(found, best)
        assert found.ndim == 1 or not np.array_equal(found, last)


def test_it_keeps_the_last_epoch_where_asked_to(tiny_recipe, tmp_path):
    losses = iter([1.0, 2.0, 3.0, 4.0, 5.0])
    trainer = _trainer(tiny_recipe(epochs=5, patience=1, keep="last"))
    worst, right = np.eye(3)[(trainer.validation.classes + 1) % 3], np.eye(3)[trainer.validation.classes]

    def predict(_):
        chance = math.exp(-next(losses))
        return right * chance + worst * (1 - chance)

    trainer.predict = predict
    kept = []
    state = fit(trainer, tmp_path / "state.npz", lambda *_: kept.append(trainer.model.get_weights()))
    assert (len(state.history), state.best_epoch, state.best_loss) == (5, 5, pytest.approx(5.0))
    for found, last in zip(trainer.model.get_weights(), kept[-1], strict=True):
        np.testing.assert_array_equal(found, last)


def test_early_stopping_counts_on_across_an_interruption(tiny_recipe, tmp_path):
    trainer = _trainer(tiny_recipe(epochs=2, patience=3))
    worst = np.eye(3)[(trainer.validation.classes + 1) % 3]
    trainer.predict = lambda _: worst
    fit(trainer, tmp_path / "state.npz")
    again = _trainer(tiny_recipe(epochs=9, patience=3))
    again.predict = lambda _: worst
    assert len(fit(again, tmp_path / "state.npz").history) == 4  # best is 1, then three in vain


def test_the_rate_climbs_then_falls_by_a_cosine(tiny_recipe):
    config = tiny_recipe(epochs=6, schedule="cosine", warmup_epochs=2, learning_rate=0.3).training
    expected = [0.1, 0.2, 0.3, 0.3 * (1 + math.sqrt(0.5)) / 2, 0.15, 0.3 * (1 - math.sqrt(0.5)) / 2]
    assert [learning_rate(config, epoch) for epoch in range(1, 7)] == pytest.approx(expected)
    plain = tiny_recipe(learning_rate=0.3).training
    assert {learning_rate(plain, epoch) for epoch in range(1, 7)} == {0.3}


def test_a_schedule_is_followed_and_resumes_to_the_bit(tiny_recipe, tmp_path):
    changing = {"schedule": "cosine", "warmup_epochs": 1}
    rates = []
    trainer = _trainer(tiny_recipe(epochs=4, **changing))
    watch = lambda *_: rates.append(float(trainer.optimizer.learning_rate))  # noqa: E731
    whole = fit(trainer, tmp_path / "whole.npz", watch)
    assert rates == pytest.approx([0.01, 0.02, 0.015, 0.005])

    def stop(epoch, _most):
        if epoch.epoch == 2:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        fit(_trainer(tiny_recipe(epochs=4, **changing)), tmp_path / "parts.npz", stop)
    assert _equal(whole, fit(_trainer(tiny_recipe(epochs=4, **changing)), tmp_path / "parts.npz"))
    assert not _equal(whole, fit(_trainer(tiny_recipe(epochs=4)), tmp_path / "plain.npz"))


def test_label_smoothing_by_hand():
    def model(probabilities, training):
        assert training
        return probabilities

    given, classes = np.array([[0.7, 0.2, 0.1]], np.float32), np.array([[1.0, 0, 0]], np.float32)
    wanted = [0.9 + 0.1 / 3, 0.1 / 3, 0.1 / 3]
    expected = -sum(w * math.log(p) for w, p in zip(wanted, (0.7, 0.2, 0.1), strict=True))
    assert float(cross_entropy(0.1)(model, tf.constant(given), tf.constant(classes), None)) == pytest.approx(expected)
    assert float(cross_entropy(0.0)(model, tf.constant(given), tf.constant(classes), None)) == pytest.approx(
        -math.log(0.7)
    )


def test_every_window_once_an_epoch_in_even_batches(tiny_recipe):
    trainer = _trainer(tiny_recipe())
    first, second = (list(trainer._batches(epoch)) for epoch in (1, 2))
    assert sorted(np.concatenate(first)) == list(range(45))
    assert {len(batch) for batch in first} == {7, 8}
    assert not np.array_equal(np.concatenate(first), np.concatenate(second))
    assert np.array_equal(np.concatenate(first), np.concatenate(list(trainer._batches(1))))


@pytest.mark.parametrize("online", [False, True])
def test_the_objective_gets_the_teachers_outputs_for_the_windows_it_processes(online, tiny_recipe, tmp_path):
    data = _data(45, 1)

    class Teacher:
        widths = (1,)

        def __init__(self):
            self.online = online

        def __call__(self, index, inputs):
            seen = data.batch(index)
            np.testing.assert_array_equal(inputs, seen[::-1] if online else seen)
            return (inputs[:, 0, 0, :] * 64,)

    def reverse(_generator, inputs, targets):
        return inputs[::-1], tuple(target[::-1] for target in targets)

    def objective(model, inputs, classes, outputs):
        (said,) = outputs
        tf.debugging.assert_equal(inputs[:, 0, 0, :] * 64, said)
        return cross_entropy(0.0)(model, inputs, classes, ())

    trainer = _trainer(tiny_recipe(epochs=1), objective=objective, teacher=Teacher(), augment=Augmentation(reverse))
    assert len(fit(trainer, tmp_path / "state.npz").history) == 1


def test_companions_are_trained_and_resumed_with_the_network(tiny_recipe, tmp_path):
    def made(epochs):
        trainer = _trainer(tiny_recipe(epochs=epochs))
        companion = keras.layers.Dense(3)
        companion.build((None, 3))
        companion.set_weights([np.eye(3), np.zeros(3)])

        def objective(model, inputs, classes, _outputs):
            return tf.reduce_mean(tf.square(companion(model(inputs, training=True)) - classes))

        return companion, Trainer(
            trainer.model, trainer.train, trainer.validation, trainer.config, objective, companions=(companion,)
        )

    companion, trainer = made(4)
    whole = fit(trainer, tmp_path / "whole.npz")
    assert not np.allclose(companion.get_weights()[0], np.eye(3))
    fit(made(2)[1], tmp_path / "parts.npz")
    assert _equal(whole, fit(made(4)[1], tmp_path / "parts.npz"))


def test_augmentation_is_used_and_resumes_to_the_bit(tiny_recipe, tmp_path):
    def noise(generator, inputs, targets):
        return inputs + generator.normal(0, 0.3, inputs.shape).astype(np.float32), targets

    plain = fit(_trainer(tiny_recipe(epochs=2)), tmp_path / "plain.npz")
    whole = fit(_trainer(tiny_recipe(epochs=2), augment=Augmentation(noise)), tmp_path / "whole.npz")
    fit(_trainer(tiny_recipe(epochs=1), augment=Augmentation(noise)), tmp_path / "parts.npz")
    parts = fit(_trainer(tiny_recipe(epochs=2), augment=Augmentation(noise)), tmp_path / "parts.npz")
    assert _equal(whole, parts)
    assert not _equal(whole, plain)


def test_silent_windows_are_neither_learned_from_nor_validated_on(tiny_recipe, tmp_path):
    trainer = _trainer(tiny_recipe(epochs=2))
    silent = np.arange(45) % 3 == 0
    trainer.train = replace(trainer.train, silent=silent)
    trainer.validation = replace(trainer.validation, silent=np.arange(30) < 10)
    assert sorted(np.concatenate(list(trainer._batches(1)))) == np.flatnonzero(~silent).tolist()
    expected = measure(trainer.predict(trainer.validation)[10:], trainer.validation.classes[10:])
    assert trainer.validate() == expected
    state = fit(trainer, tmp_path / "silent.npz")
    without = _trainer(tiny_recipe(epochs=2))
    without.train, without.validation = trainer.train.some(~silent), trainer.validation.some(slice(10, None))
    assert _equal(state, fit(without, tmp_path / "without.npz"))


def test_inputs_may_be_drawn(tiny_recipe):
    def draw(_generator, data, index):
        return data.batch(index) + 1

    def unchanged(_generator, inputs, targets):
        return inputs, targets

    trainer = _trainer(tiny_recipe(), augment=Augmentation(unchanged, draw))
    index = np.arange(5)
    inputs, (classes,) = trainer._batch(index, np.random.default_rng(0))
    np.testing.assert_array_equal(inputs, trainer.train.batch(index) + 1)
    np.testing.assert_array_equal(classes.argmax(axis=1), trainer.train.classes[index])


def test_divergence_names_the_key_to_change(tiny_recipe, tmp_path):
    def objective(model, inputs, classes, outputs):
        return cross_entropy(0.0)(model, inputs, classes, outputs) * float("nan")

    with pytest.raises(RecipeError, match=r"tiny: the loss of epoch 1 is nan; lower .*training\.learning_rate"):
        fit(_trainer(tiny_recipe(), objective=objective), tmp_path / "state.npz")
    assert not (tmp_path / "state.npz").exists()


@pytest.mark.parametrize("length", [0, 1, 100, 5000])
def test_a_damaged_checkpoint_is_not_trusted(length, tiny_recipe, tmp_path):
    path = tmp_path / "state.npz"
    fit(_trainer(tiny_recipe(epochs=1)), path)
    path.write_bytes(path.read_bytes()[:length])
    with pytest.raises(DamagedFileError, match=r"state\.npz: is damaged; delete it and give the same command again"):
        State.load(path)
