import inspect

from scenelet import errors


def test_a_message_is_one_line_with_subject_problem_and_remedy() -> None:
    error = errors.AudioError("a.wav", "ends\nearly", "copy it again")
    assert str(error) == "a.wav: ends early; copy it again"
    assert error.exit_status == 2


def test_values_of_a_damaged_file_neither_end_the_line_nor_fill_pages() -> None:
    said = str(errors.InputError("a\nb.json", f"key '{'k' * 10_000}\r' is unknown", "remove it"))
    assert len(said) < 1000
    assert "\n" not in said
    assert "\r" not in said
    assert said.startswith("a\\nb.json: key 'kkk")
    assert said.endswith("kkk\\r' is unknown; remove it")


def test_every_error_hangs_in_the_tree_and_has_the_status_of_its_branch() -> None:
    classes = [value for _, value in inspect.getmembers(errors, inspect.isclass)]
    assert len(classes) > 10
    for kind in classes:
        assert issubclass(kind, errors.SceneletError)
        assert kind.exit_status == (1 if issubclass(kind, errors.CheckFailed) else 2)
        assert kind.__name__ in (errors.__doc__ or "")
