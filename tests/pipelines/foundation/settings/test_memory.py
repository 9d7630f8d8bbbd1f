"""How much memory a command may take."""

from __future__ import annotations

from pathlib import Path

from pipelines.foundation.settings.memory import GIB, allowed


def test_the_setting_is_what_may_be_taken() -> None:
    assert allowed(3.5) == 3.5 * GIB


def test_without_it_half_of_the_machine_or_of_its_container(tmp_path: Path) -> None:
    machine = allowed(None, bounds=(tmp_path / "not there",))
    assert machine > 0
    unbounded, beyond, container = (tmp_path / name for name in ("unbounded", "beyond", "container"))
    unbounded.write_text("max\n")
    beyond.write_text("9223372036854771712\n")
    container.write_text(f"{GIB}\n")
    assert allowed(None, bounds=(unbounded, beyond)) == machine
    assert allowed(None, bounds=(unbounded, container, beyond)) == GIB // 2
