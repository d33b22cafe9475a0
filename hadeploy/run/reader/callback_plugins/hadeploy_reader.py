"""Says of which host Ansible could not even say how to reach it, and why; prints nothing."""

from __future__ import annotations

import json
import os
from typing import Any

from ansible.plugins.callback import CallbackBase


class CallbackModule(CallbackBase):  # type: ignore[misc]
    """Appends to the same file as the action plugin."""

    CALLBACK_VERSION = 2.0
    CALLBACK_TYPE = "stdout"
    CALLBACK_NAME = "hadeploy_reader"

    def v2_runner_on_failed(self, result: Any, ignore_errors: bool = False) -> None:  # noqa: ARG002 (Ansible's)
        """A variable that has no value, a vault without its password, a plugin that is not there."""
        self._note(result)

    def v2_runner_on_unreachable(self, result: Any) -> None:
        """As the executor calls some of them."""
        self._note(result)

    def _note(self, result: Any) -> None:
        told = getattr(result, "result", None) or result._result
        host = getattr(result, "host", None) or result._host
        record = {"host": str(host.get_name()), "error": str(told.get("msg") or "no reason given")}
        with open(os.environ["HADEPLOY_READER"], "ab", buffering=0) as stream:  # noqa: PTH123 (one write, unbuffered)
            stream.write(json.dumps(record).encode() + b"\n")
