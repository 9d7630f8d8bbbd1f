from __future__ import annotations

from collections.abc import Iterator

import pytest

from benchmarks.servers import Cluster, spark_cluster


@pytest.fixture(scope="session")
def cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cluster]:
    with spark_cluster(tmp_path_factory.mktemp("spark") / "cluster", short=True) as running:
        yield running
