"""Sealed files: any changed bit is noticed, and no damage is anything but a DamagedFileError."""

from __future__ import annotations

import io
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from scenelet.core import sealed
from scenelet.errors import DamagedFileError, InputError

ARRAYS = {"told": np.array('{"a": 1}'), "weights/0000": np.arange(6, dtype=np.float32).reshape(2, 3)}
PACKED = sealed.pack(ARRAYS)
MANY = settings(max_examples=300, deadline=None)


def unsealed() -> bytes:
    content = io.BytesIO()
    np.savez(content, **{name.replace("/", "_"): value for name, value in ARRAYS.items()})
    return content.getvalue()


UNSEALED = unsealed()


def flipped(content: bytes, bit: int) -> bytes:
    changed = bytearray(content)
    changed[bit // 8] ^= 1 << bit % 8
    return bytes(changed)


def complaint(read: Callable[[], object]) -> str:
    """What is said of a damaged file; any other error passes through. Empty where it is read."""
    try:
        read()
    except DamagedFileError as error:
        return str(error)
    return ""


def refused(content: bytes) -> bool:
    said = complaint(lambda: sealed.unpack(content, "a.npz", "make it again"))
    assert not said or (said.startswith("a.npz: ") and said.endswith("; make it again"))
    return bool(said)


def test_arrays_come_back_and_other_programs_read_them() -> None:
    found = sealed.unpack(PACKED, "a.npz", "")
    assert list(found) == list(ARRAYS)
    assert all(np.array_equal(found[name], ARRAYS[name]) for name in ARRAYS)
    with np.load(io.BytesIO(PACKED), allow_pickle=False) as file:
        assert np.array_equal(file["weights/0000"], ARRAYS["weights/0000"])


def test_every_single_bit_counts() -> None:
    assert all(refused(flipped(PACKED, bit)) for bit in range(8 * len(PACKED)))


@MANY
@given(st.data())
def test_every_cut_and_every_rest_is_noticed(data: st.DataObject) -> None:
    assert refused(PACKED[: data.draw(st.integers(0, len(PACKED) - 1))])
    assert refused(PACKED + data.draw(st.binary(min_size=1, max_size=100)))


@MANY
@given(st.data())
def test_damage_to_a_file_without_a_seal_is_no_other_error(data: st.DataObject) -> None:
    changed = bytearray(UNSEALED)
    for _ in range(data.draw(st.integers(1, 4))):
        changed[data.draw(st.integers(0, len(changed) - 1))] = data.draw(st.integers(0, 255))
    refused(bytes(changed[: data.draw(st.integers(0, len(changed)))]))
    refused(bytes(changed))


def test_files_of_the_first_version_have_no_seal_and_are_read_where_none_is_required() -> None:
    assert set(sealed.unpack(UNSEALED, "a.npz", "")) == {"told", "weights_0000"}
    with pytest.raises(DamagedFileError, match="has no hash of its content"):
        sealed.unpack(UNSEALED, "a.npz", "", seal=True)


def test_pickled_objects_are_never_loaded() -> None:
    content = io.BytesIO()
    np.savez(content, a=np.array([{}], object))
    assert refused(content.getvalue())


def array_file(array: Any, **options: Any) -> bytes:
    content = io.BytesIO()
    np.save(content, array, **options)
    return content.getvalue()


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"", "is empty"),
        (b"PK\3\4", "is a zip"),
        (b"PK\5\6" + bytes(18), "is a zip"),
        (b"\x93NUMPY", "header is damaged"),
        (b"\x93NUMPY\7\0" + bytes(100), "header is damaged"),
        (b"\x93NUMPY\2\0\xff\xff\xff\xff{", "header is damaged"),
        (b"\x93NUMPY\1\0\xff\xff" + b"(" * 65535, "header is damaged"),
        (array_file(np.array([{}], object)), "holds Python objects"),
        (array_file(np.zeros((2, 3), np.int8))[:-1], "is cut short"),
        (array_file(np.zeros(3, np.int8)).replace(b"(3,), ", b"(9**9)"), "header is damaged"),
        (array_file(np.zeros(3, np.int8)).replace(b"(3,), ", b"(-3,),"), "is cut short|header is damaged"),
    ],
)
def test_what_is_no_array_is_said(content: bytes, said: str) -> None:
    with pytest.raises(DamagedFileError, match=said):
        sealed.parse_array(content, "a.npy", "save it again")


def test_a_shape_larger_than_the_file_allocates_nothing() -> None:
    header = io.BytesIO()
    np.lib.format.write_array_header_1_0(header, {"descr": "|i1", "fortran_order": False, "shape": (1 << 50,)})
    with pytest.raises(DamagedFileError, match="is cut short: 5 bytes for int8 values of shape"):
        sealed.parse_array(header.getvalue() + bytes(5), "a.npy", "save it again")


@pytest.mark.parametrize("order", ["C", "F"])
def test_both_orders_are_read(order: Any) -> None:
    wanted = np.asarray(np.arange(24, dtype=np.int16).reshape(2, 3, 4), order=order)
    found, rest = sealed.parse_array(array_file(wanted) + b"rest", "a.npy", "")
    assert np.array_equal(found, wanted)
    assert rest == b"rest"


@MANY
@given(st.data())
def test_no_array_file_ends_in_another_error(data: st.DataObject) -> None:
    changed = bytearray(array_file(np.arange(6, dtype=np.int8).reshape(2, 3)))
    for _ in range(data.draw(st.integers(1, 3))):
        changed[data.draw(st.integers(0, len(changed) - 1))] = data.draw(st.integers(0, 255))
    said = complaint(lambda: sealed.parse_array(bytes(changed), "a.npy", "save it again"))
    assert not said or (said.startswith("a.npy: ") and said.endswith("; save it again"))


def test_every_bit_of_a_written_array_counts(tmp_path: Path) -> None:
    path = tmp_path / "a.npy"
    values = np.arange(24, dtype=np.int8).reshape(2, 3, 4)
    sealed.write_array(path, values)
    content = path.read_bytes()
    assert np.array_equal(sealed.read_array(path, "make it again"), values)
    assert np.array_equal(np.load(path), values)
    for bit in range(8 * len(content)):
        path.write_bytes(flipped(content, bit))
        with pytest.raises(DamagedFileError, match=r"a\.npy: .*make it again"):
            sealed.read_array(path, "make it again")
    path.write_bytes(array_file(values))  # of the first version
    assert np.array_equal(sealed.read_array(path, ""), values)


def test_every_bit_of_a_file_that_is_read_in_blocks_counts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sealed, "_READ_BYTES", 7)
    path = tmp_path / "a.npy"
    path.write_bytes(array_file(np.arange(5)))
    assert not sealed.is_sealed(path)
    sealed.append_seal(path)
    content = path.read_bytes()
    assert sealed.is_sealed(path)
    for bit in range(8 * len(content)):
        path.write_bytes(flipped(content, bit))
        assert not sealed.is_sealed(path)
    path.write_bytes(content[: sealed.SEAL_BYTES - 1])
    assert not sealed.is_sealed(path)


def test_what_the_system_refuses_is_no_damage(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"cannot be read: Is a directory") as caught:
        sealed.read_array(tmp_path, "delete the folder")
    assert not isinstance(caught.value, DamagedFileError)
    assert "delete" not in str(caught.value)
