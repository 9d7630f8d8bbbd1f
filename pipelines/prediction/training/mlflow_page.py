"""`attrition mlflow`: MLflow's page on this workspace's models, for whoever has its address, until somebody ends it."""

from __future__ import annotations

import secrets
import signal
from collections.abc import Callable
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import uvicorn

from features.errors import SettingsError
from models.tracking.page import application
from pipelines.foundation.loopback.guard import TOKEN, Guard, json_alone
from pipelines.foundation.loopback.port import HOST, port_to_use
from pipelines.foundation.settings.tracking import Tracking
from pipelines.prediction.training.publish import registry_of

_ENDS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
_PATIENCE_SECONDS = 3  # for requests that are under way at the end


class _Server(uvicorn.Server):
    """Says when it answers."""

    def __init__(self, config: uvicorn.Config, *, started: Callable[[], None]) -> None:
        super().__init__(config)
        self.told = started

    async def startup(self, sockets: Any = None) -> None:
        await super().startup(sockets)
        if self.started:
            self.told()


def serve(plan: Tracking, root: Path, *, port: int, started: Callable[[str], None]) -> None:
    """Answer on 127.0.0.1 until a signal comes. started: told the address, with the token, when the page answers.

    Raises: SettingsError where models are kept on a server, or the port is taken.
    """
    registry = registry_of(plan, root)
    if registry.artifacts is None:
        raise SettingsError(f"models of this workspace are kept at {plan.uri} (tracking.uri); open that in a browser")
    page, free, token = registry.page(), port_to_use(port), secrets.token_urlsafe(32)
    app = application(registry.uri, folder=registry.artifacts.name)
    guard = Guard(app, token=token, port=free, command="attrition mlflow", methods=json_alone)
    # Nothing is logged: what MLflow says of an error may hold what it was sent.
    config = uvicorn.Config(guard, HOST, free, log_config=None, timeout_graceful_shutdown=_PATIENCE_SECONDS)
    server = _Server(config, started=lambda: started(f"http://{HOST}:{free}/?{urlencode({TOKEN: token})}{page}"))
    # What uvicorn is ended by, it raises once more when it has ended.
    before = {number: signal.signal(number, server.handle_exit) for number in _ENDS}
    try:
        server.run()
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
