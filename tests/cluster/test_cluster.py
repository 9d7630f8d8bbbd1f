"""A workspace scored on a cluster is scored as on one machine, also where a worker is lost in the middle."""

from __future__ import annotations

import time
from collections.abc import Mapping
from pathlib import Path

import pytest

from benchmarks.cluster import by_worker, differences, newest, on, start
from benchmarks.servers import Cluster, object_store, sail

# Three hundred customers: to compile a query into Java, or to split it, takes longer than to run it.
SMALL = {
    "spark.sql.codegen.wholeStage": "false",
    "spark.sql.adaptive.enabled": "false",
    "spark.sql.shuffle.partitions": "2",
}


def test_a_cluster_scores_as_one_machine_does(finished_workspace: Path, tmp_path: Path, cluster: Cluster) -> None:
    root = on(finished_workspace, tmp_path, remote=cluster.remote, shared=str(tmp_path), options=SMALL)
    score(root)
    assert len(newest(root)) > 100
    assert differences(finished_workspace, root) == []
    assert left_in(tmp_path / "attrition-parts") == []
    assert min(by_worker(cluster)) > max(by_worker(cluster)) / 4  # both of the workers had a share


def test_a_worker_lost_in_the_middle_changes_nothing(
    finished_workspace: Path, tmp_path: Path, cluster: Cluster
) -> None:
    root = on(finished_workspace, tmp_path, remote=cluster.remote, shared=str(tmp_path), options=SMALL)
    running = start(root)
    while not list(tmp_path.glob("attrition-parts/*/*/_SUCCESS")):
        assert running.poll() is None, running.communicate()
        time.sleep(0.02)
    cluster.kill_worker()
    _, said = running.communicate(timeout=900)
    assert running.returncode == 0, said
    assert differences(finished_workspace, root) == []


def test_a_process_that_drives_a_cluster_itself_scores_the_same(
    finished_workspace: Path, tmp_path: Path, cluster: Cluster
) -> None:
    cluster.end_driver()  # it has the worker that is left
    here = dict.fromkeys(("spark.driver.host", "spark.driver.bindAddress"), "127.0.0.1")
    root = on(finished_workspace, tmp_path, master=cluster.master, shared=str(tmp_path), options=SMALL | here)
    score(root)
    assert differences(finished_workspace, root) == []


def test_sail_over_a_store_of_objects_scores_the_same_and_leaves_there_what_is_landed(
    finished_company: Path, tmp_path: Path
) -> None:
    with object_store(tmp_path, "lake") as found, sail(tmp_path, found) as remote:
        root = on(finished_company, tmp_path, remote=remote, shared="s3://lake/attrition", options={})
        score(root, found)
        assert differences(finished_company, root) == []
        there = listed(found, "lake/attrition")
        assert there == {f"attrition-landed/{sha256}.parquet" for sha256 in landed(root)}
        # Whoever is erased is erased there, too.
        erased = newest(root)["customer_id"].iloc[0]
        attrition(root, "erase", erased, environment=found)
        left = listed(found, "lake/attrition")
        assert left < there
        assert left <= {f"attrition-landed/{sha256}.parquet" for sha256 in landed(root)}


def test_who_cannot_be_reached_is_named_with_the_remedy(finished_workspace: Path, tmp_path: Path) -> None:
    root = on(finished_workspace, tmp_path, remote="sc://127.0.0.1:9", shared=str(tmp_path), options={})
    running = start(root)
    _, said = running.communicate(timeout=300)
    assert running.returncode == 2
    assert 'is there a Spark Connect server at remote = "sc://127.0.0.1:9"' in " ".join(said.split())
    assert "Traceback" not in said


def score(root: Path, environment: Mapping[str, str] | None = None) -> None:
    attrition(root, "score", environment=environment or {})


def attrition(root: Path, *words: str, environment: Mapping[str, str]) -> None:
    running = start(root, *words, environment=environment)
    said = running.communicate(timeout=900)
    assert running.returncode == 0, said


def landed(root: Path) -> set[str]:
    import sqlite3

    with sqlite3.connect(root / "attrition.sqlite") as ledger:
        return {sha256 for (sha256,) in ledger.execute("SELECT sha256 FROM files WHERE kind = 'landed'")}


def left_in(folder: Path) -> list[Path]:
    return list(folder.iterdir()) if folder.exists() else []


def listed(environment: Mapping[str, str], place: str) -> set[str]:
    """Files of the store below a place."""
    with pytest.MonkeyPatch.context() as patch:
        for name, value in environment.items():
            patch.setenv(name, value)
        from pyarrow import fs

        store = fs.S3FileSystem(endpoint_override=environment["AWS_ENDPOINT_URL"])
        found = store.get_file_info(fs.FileSelector(place, recursive=True))
    return {each.path.removeprefix(f"{place}/") for each in found if each.type == fs.FileType.File}
