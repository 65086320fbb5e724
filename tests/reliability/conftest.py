"""Small prepared data, once for each file of tests."""

from pathlib import Path

import pytest

from tests.digits import prepare_digits
from tests.reliability.together import Folders, prepare_both
from tests.tones import prepare_tones


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Text."""
    return prepare_digits(tmp_path_factory.mktemp("digits"))


@pytest.fixture(scope="module")
def tones(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Audio."""
    return prepare_tones(tmp_path_factory.mktemp("tones"))


@pytest.fixture(scope="module")
def folders(tmp_path_factory: pytest.TempPathFactory) -> Folders:
    """Both, by kind."""
    return prepare_both(tmp_path_factory.mktemp("data"))
