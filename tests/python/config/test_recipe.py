from pathlib import Path

import pytest

from scenelet.config import recipe
from scenelet.errors import InputError, RecipeError

MINIMAL = """
name = "tiny"
[model]
kind = "cnn"
[[model.blocks]]
filters = 2
kernel = [3, 3]
"""
MOBILE = """
name = "tiny"
[model]
kind = "mobile"
[[model.stem]]
filters = 2
[[model.blocks]]
filters = 2
expanded = 4
"""


def write(folder: Path, text: str) -> Path:
    path = folder / "r.toml"
    path.write_text(text)
    return path


def test_every_shipped_recipe_loads_under_its_own_name() -> None:
    names = recipe.shipped()
    assert {"baseline", "sm1", "sm2", "sm3", "sm3_pruned", "teacher"} <= set(names)
    for name in names:
        assert recipe.load(name).name == name


def test_sm1_hears_what_the_paper_hears() -> None:
    sm1 = recipe.load("sm1")
    assert sm1.input_shape == (140, 8, 1)
    assert sm1.frontend.clip_samples == 8000
    assert sm1.frontend.top_frequency == 4000


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (MINIMAL + "[training]\nepoch = 3\n", "unknown key 'training.epoch'"),
        (MINIMAL + "strides = [2, 2]\n", "unknown key 'model.blocks.0.strides'"),
        (MINIMAL.replace("filters = 2", "filters = 0"), "key 'model.blocks.0.filters'"),
        (MINIMAL.replace('"cnn"', '"rnn"'), "key 'model.kind': must be one of 'cnn', 'mobile'"),
        (MINIMAL + "[frontend]\nn_fft = 1000\n", "key 'frontend.n_fft'"),
        (MINIMAL + "[frontend]\nn_fft = 256\nhop_length = 512\n", "hop_length 512 is over n_fft 256"),
        (MINIMAL + "[frontend]\nlo_db = 30.0\n", "lo_db must be below hi_db"),
        (MINIMAL + "[frontend]\nlo_db = [1.0, 2.0]\n", "lo_db has 2 values for 140 bands"),
        (MINIMAL + "[frontend\n", "not TOML"),
        (MINIMAL + "[training]\nepochs = 3\nwarmup_epochs = 3\n", "warmup_epochs 3 leaves nothing of 3 epochs"),
        (MOBILE.replace("expanded", "expansion"), "unknown key 'model.blocks.0.expansion'"),
        (MINIMAL.replace("kernel", "kernal"), "unknown key 'model.blocks.0.kernal'"),
        (MINIMAL.replace("kernel = [3, 3]", ""), "key 'model.blocks.0.kernel' is missing; add it"),
        (MINIMAL.replace('kind = "cnn"', ""), "key 'model.kind' is missing; add it"),
        ("", "key 'name' is missing; add it"),
        (MINIMAL + "[training]\nepochs = true\n", "key 'training.epochs': must be a whole number; correct"),
        (MINIMAL + '[training]\nepochs = "2"\n', "key 'training.epochs': must be a whole number"),
        (MINIMAL + "[training]\nepochs = 2.5\n", "key 'training.epochs': must be a whole number"),
        (MINIMAL + "[training]\nlearning_rate = true\n", "key 'training.learning_rate': must be a number"),
        (MINIMAL + "[training]\nlearning_rate = inf\n", "key 'training.learning_rate': must be a finite number"),
        (MINIMAL + "[training]\nlearning_rate = 0\n", "key 'training.learning_rate': must be more than 0"),
        (MINIMAL + "[training]\nlearning_rate = 2026-01-01\n", "key 'training.learning_rate': must be a number"),
        (MINIMAL + "[training]\nseed = 99999999999\n", "key 'training.seed': must be less than 2147483648"),
        (MINIMAL + "[training]\nsplit_seed = 4294967295\n", "key 'training.split_seed': must be less than 2147483648"),
        (MINIMAL + "[augmentation]\nseed = 99999999999\n", "key 'augmentation.seed': must be less than"),
        (MINIMAL + "[augmentation]\nmixup = inf\n", "key 'augmentation.mixup': must be a finite number"),
        (MINIMAL + "[augmentation]\nshift = 1\n", "key 'augmentation.shift': must be true or false"),
        (MINIMAL + '[augmentation]\nbalance = ["place"]\n', "key 'augmentation.balance.0': must be one of 'class' or"),
        (MINIMAL + "[frontend]\nlo_db = nan\n", "key 'frontend.lo_db': must be a finite number"),
        (MINIMAL + "[frontend]\nlo_db = [1.0, inf]\n", "key 'frontend.lo_db.1': must be a finite number"),
        (MINIMAL + '[frontend]\nlo_db = "low"\n', "key 'frontend.lo_db': must be a number"),
        (MINIMAL + "[frontend]\ngrid = 3\n", "key 'frontend.grid': must be one of 'clip' or 'continuous'"),
        ("training = 3\n" + MINIMAL, "key 'training': must be a table"),
        (MINIMAL.replace("[3, 3]", "[3, 3, 3]"), "key 'model.blocks.0.kernel': must have 2 or fewer entries"),
        (MINIMAL.replace("[3, 3]", "3"), "key 'model.blocks.0.kernel': must be a list"),
        (MINIMAL + "pool = [200, 1]\n", "key 'model.blocks.0.pool': [200, 1] is larger than its map of 140 x 8"),
        (MOBILE + "strides = [2, 1]\n", "key 'model.blocks.0.strides'"),
        (MOBILE + "strides = [2, 1]\n", "strides [2, 1] differ"),
    ],
)
def test_a_wrong_recipe_is_one_line_that_names_the_key(tmp_path: Path, text: str, said: str) -> None:
    path = write(tmp_path, text)
    with pytest.raises(RecipeError) as caught:
        recipe.load(path)
    message = str(caught.value)
    assert said in message
    assert str(path) in message
    assert "\n" not in message
    for foreign in ("Input should", "Value error", "discriminator", "Field"):
        assert foreign not in message


def test_a_whole_number_is_a_number_and_a_seed_leaves_room_for_the_next(tmp_path: Path) -> None:
    text = MINIMAL + "[training]\nlearning_rate = 1\nseed = 2147483647\n[frontend]\nlo_db = -60\n"
    read = recipe.load(write(tmp_path, text))
    assert (read.training.learning_rate, read.frontend.lo_db) == (1.0, -60.0)
    assert isinstance(read.training.learning_rate, float)
    assert read.training.seed + 1 + 1000 < 2**32


def test_a_missing_recipe_lists_the_shipped_ones(tmp_path: Path) -> None:
    with pytest.raises(RecipeError, match=r"one of: .*sm1"):
        recipe.load(tmp_path / "nowhere.toml")


def test_a_recipe_that_cannot_be_read_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "r.toml"
    path.write_bytes(MINIMAL.encode("utf-16"))
    with pytest.raises(RecipeError, match=r"r\.toml: is UTF-16, not UTF-8 text; save it as UTF-8"):
        recipe.load(path)
    with pytest.raises(InputError, match="cannot be read: File name too long"):
        recipe.load(tmp_path / f"{'r' * 300}.toml")

    def refuse(*_: object) -> str:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(Path, "read_bytes", refuse)
    with pytest.raises(InputError, match=r"r\.toml: cannot be read: Permission denied; check"):
        recipe.load(path)


@pytest.mark.parametrize("name", recipe.shipped())
def test_what_is_changed_is_validated_and_the_rest_stays(name: str) -> None:
    whole = recipe.load(name)
    assert recipe.changed(whole, "training", epochs=whole.training.epochs) == whole
    longer = recipe.changed(whole, "training", epochs=333)
    assert longer.training.epochs == 333
    assert longer.model_copy(update={"training": whole.training}) == whole
    with pytest.raises(RecipeError, match=rf"recipe {name} with training.epochs = 0: key 'training.epochs'"):
        recipe.changed(whole, "training", epochs=0)


def test_the_front_end_hash_follows_every_setting() -> None:
    config = recipe.FrontendConfig()
    hashes = {config.sha256, config.model_copy(update={"hi_db": 21.0}).sha256}
    hashes.add(config.model_copy(update={"sample_bits": 16}).sha256)
    assert len(hashes) == 3
    assert recipe.FrontendConfig().sha256 == config.sha256


def test_what_recipes_learned_later_changes_no_earlier_hash(tmp_path: Path) -> None:
    plain = recipe.load(write(tmp_path, MINIMAL))
    same = recipe.load(write(tmp_path, MINIMAL + '[training]\nschedule = "constant"\nwarmup_epochs = 0\n'))
    other = recipe.load(write(tmp_path, MINIMAL + '[training]\nschedule = "cosine"\n'))
    assert plain.sha256 == same.sha256 != other.sha256
    assert "schedule" not in plain.model_dump(mode="json")["training"]
    # As it was when the first model was shipped with it.
    assert recipe.load("sm1").sha256 == "3bc983eb2d48922b4feb1fc76101ea8cfb78b9a0036be81d0e88c8b977af11d2"


def test_frames_of_both_grids() -> None:
    assert recipe.FrontendConfig().frames == 8
    assert recipe.FrontendConfig(grid="continuous").frames == 1 + (8000 - 2048) // 1024
    baseline = recipe.load("baseline").frontend
    assert (baseline.n_mels, baseline.frames) == (40, 51)


SM1 = (Path(recipe.__file__).parents[1] / "recipes" / "sm1.toml").read_text("utf-8")


@pytest.mark.parametrize("content", [b"\xef\xbb\xbf" + SM1.encode(), SM1.replace("\n", "\r\n").encode()])
def test_what_editors_add_to_utf_8_changes_nothing(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "a.toml").write_bytes(content)
    assert recipe.load(tmp_path / "a.toml") == recipe.load("sm1")


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (SM1.encode("utf-16"), "is UTF-16, not UTF-8 text; save it as UTF-8"),
        (SM1.encode("utf-16-be"), "is binary or UTF-16, not UTF-8 text; save it as UTF-8"),
        (SM1.encode("utf-32"), "is UTF-32, not UTF-8 text; save it as UTF-8"),
        ("name = 'a'\ndescription = 'é'".encode("latin-1"), "not UTF-8 text at byte 26, line 2; save it as UTF-8"),
        (b"a = " + b"[" * 100_000, "nested too deeply"),
        (b"a = " + b"1" * 5000, "not TOML: Exceeds the limit"),
    ],
)
def test_what_is_no_text_of_toml_is_told_in_one_line(tmp_path: Path, content: bytes, said: str) -> None:
    (tmp_path / "a.toml").write_bytes(content)
    with pytest.raises(RecipeError, match=rf"a\.toml: {said}"):
        recipe.load(tmp_path / "a.toml")


def test_a_folder_in_a_recipes_place_is_no_missing_recipe(tmp_path: Path) -> None:
    (tmp_path / "a.toml").mkdir()
    with pytest.raises(InputError, match=r"a\.toml: cannot be read: Is a directory"):
        recipe.load(tmp_path / "a.toml")
