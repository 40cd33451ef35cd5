import json
from collections.abc import Callable
from pathlib import Path

import pytest
from commands import Done

Run = Callable[..., Done]

# The paper's table; TensorFlow from 2.13 on writes 8 bytes less: no constant for a RESHAPE that does nothing.
PAPER = {
    "sm1": (52_852 - 8, 62_720, 25_475_456),
    "sm2": (68_996 - 8, 53_760, 29_304_736),
    "sm3": (86_116 - 8, 62_720, 37_019_856),
    "sm3_pruned": (65_192 - 8, 49_280, 26_711_936),
    "baseline": (46_512, 65_280, 29_234_920),
}


@pytest.mark.parametrize("name", PAPER)
def test_a_recipe_costs_what_the_paper_says(scenelet: Run, name: str) -> None:
    done = scenelet("budget", name, "--json")
    result = json.loads(done.out)
    assert (result["params_bytes"], result["peak_activation_bytes"], result["macs_nessi"]) == PAPER[name]
    assert sum(layer["macs"] for layer in result["layers"]) == result["macs"]
    assert result["ok"] is (name != "sm3")
    assert done.status == (1 if name == "sm3" else 0)


def test_the_tools_own_figure_stands_beside_the_products(scenelet: Run) -> None:
    text = scenelet("budget", "baseline").out
    assert "29,238,120   of   30,000,000" in text
    assert "MACs by NeSsi       29,234,920" in text
    assert "NeSsi" not in scenelet("budget", "sm1").out


def test_sm3_is_told_which_limit_and_which_layers(scenelet: Run) -> None:
    done = scenelet("budget", "sm3")
    assert done.status == 1
    assert "MACs 37,019,856: over the limit of 30,000,000" in done.complaint
    assert "1:conv2 (13,171,200), 5:conv3" in done.complaint


def test_a_wrong_subject_lists_what_there_is(scenelet: Run) -> None:
    done = scenelet("budget", "sm9")
    assert done.status == 2
    assert "one of: baseline, baseline_augmented" in done.complaint


def test_a_missing_model_is_named(scenelet: Run, tmp_path: Path) -> None:
    done = scenelet("budget", tmp_path / "gone.tflite")
    assert done.status == 2
    assert "gone.tflite" in done.complaint


def test_an_unknown_board_lists_the_boards(scenelet: Run) -> None:
    done = scenelet("budget", "sm1", "--board", "arduino")
    assert done.status == 2
    assert "feather_f405" in done.complaint


def test_a_mistyped_command_is_one_line(scenelet: Run) -> None:
    done = scenelet("budgt")
    assert done.status == 2
    assert "Did you mean 'budget'" in done.complaint


def test_no_command_is_one_line(scenelet: Run) -> None:
    assert scenelet().status == 2
