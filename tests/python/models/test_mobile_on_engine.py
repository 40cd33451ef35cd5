"""Mobile networks on this project's engine: depthwise and residual steps give the reference's bits."""

from __future__ import annotations

import pytest

from scenelet.compiler.options import Options
from scenelet.evaluation.parity import check
from scenelet.quantization.convert import quantize
from scenelet.targets import open_target

pytestmark = pytest.mark.train

LABELS = ("park", "tram", "bus")


@pytest.mark.parametrize("fusion", [True, False])
def test_every_tensor_is_the_references(fusion, networks, tmp_path):
    loaded = networks.mobile()
    path = tmp_path / "mobile.tflite"
    path.write_bytes(quantize(networks.randomised(loaded), networks.features(loaded, 16), loaded, LABELS))
    with open_target("host", path, Options(fusion=fusion)) as place:
        result = check(path, place, 20, 0)
    result.require(path)
    assert result.values > (20 * 3 if fusion else 20 * 2000)
