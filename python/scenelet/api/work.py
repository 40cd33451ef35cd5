"""Features, training and export as functions."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..config import recipe as recipes
from ..config.frontend import FrontendConfig
from ..config.recipe import Recipe
from ..deploy import export as exporting
from ..deploy.export import Export
from ..frontend.available import open_frontend
from ..frontend.capture import capture
from ..frontend.tables import make_tables
from .model import Model, load


def features(samples: NDArray[Any], rate: int, frontend: FrontendConfig | Recipe | str | Path) -> NDArray[np.int8]:
    """Compute the device's features: INT8 log-mel, the same bits as the firmware's.

    Parameters
    ----------
    samples, rate
        As :meth:`.model.Model.classify` takes them.
    frontend
        Settings, a recipe, or a recipe's name or path.

    Returns
    -------
    int8, (windows, n_mels, frames)
        Quantised with the front end's own range, ``lo_db`` to ``hi_db``.

    Raises
    ------
    AudioError
        The samples cannot be used.
    RecipeError
        There is no such recipe.
    """
    if isinstance(frontend, str | Path):
        frontend = recipes.load(frontend)
    config = frontend.frontend if isinstance(frontend, Recipe) else frontend
    return open_frontend(make_tables(config)).recording(capture(samples, rate, config))


def train(
    recipe: Recipe | str | Path, data: str | Path, out: str | Path, *, subset: str | None = None, jobs: int = 1
) -> Model:
    """Train a recipe's network on a data set and convert it to INT8. Needs the extra ``train``.

    Parameters
    ----------
    recipe
        A recipe, or its name or path.
    data
        Folder of a data set (docs/DATA.md).
    out
        Run folder; an interrupted run goes on, a finished one is taken as it is.
    subset
        Part of the data set, such as "esc10".
    jobs
        Clips whose features are computed at a time; -1: as many as there are processors.

    Returns
    -------
    Model
        Of ``out``/model.tflite.

    Raises
    ------
    InputError, LimitExceeded
        As the commands ``train`` and ``quantize``.
    """
    from ..data.datasets.registry import open_dataset
    from ..quantization.convert import quantize_run
    from ..training.train import train as run

    chosen = recipe if isinstance(recipe, Recipe) else recipes.load(recipe)
    run(chosen, open_dataset(data, subset=subset), out, jobs=jobs)
    return load(quantize_run(out))


def export(model: str | Path | Model, to: str | Path, **options: Any) -> Export:
    """Write a model as C sources, or with ``bundle`` as a library; see :func:`scenelet.deploy.export.export`.

    Parameters
    ----------
    model
        Path of an INT8 .tflite, or a loaded model.
    to
        Folder for the sources.
    options
        Of that function: ``bundle``, ``options``, ``rule``, ``board`` ...
    """
    return exporting.export(model.path if isinstance(model, Model) else model, to, **options)
