"""Where the code of services runs: ours in the services worker, a partner's in a process of its own over the bus."""

from __future__ import annotations

import asyncio
import logging
import os
import signal
from collections.abc import Mapping, Sequence
from concurrent.futures import CancelledError, Future
from typing import Any

import msgspec

from servitwin.domain.error import Fault, NotFoundError, ServitwinError, UnavailableError
from servitwin.engines.bus.client import BusClient
from servitwin.sdk.discovery import Plugin, manifests, plugins
from servitwin.sdk.manifest import Manifest
from servitwin.sdk.service import EvaluatorPlugin, Parameters, ServiceBatch
from servitwin.usecases.service_ports import StepRequest, StepResult

log = logging.getLogger("servitwin.services")


class RemoteAnswer(msgspec.Struct, omit_defaults=True):
    """Answer of a plugin worker: a result, or why there is none."""

    result: StepResult | None = None
    faults: list[Fault] = []


def step_here(module: EvaluatorPlugin, request: StepRequest) -> StepResult:
    """One step in this process."""
    evaluator = module.open(request.view, request.parameters, request.snapshot)
    outcome = evaluator.step(ServiceBatch(request.observations), request.watermark)
    return StepResult(outcome, evaluator.snapshot())


class Services:
    """Fulfils ``usecases.run_service.ServiceHost``; called from a thread beside the event loop of the bus."""

    def __init__(self, bus: BusClient, loop: asyncio.AbstractEventLoop) -> None:
        self._bus, self._loop = bus, loop
        self._open: set[Future[bytes]] = set()  # questions to partners' processes
        self._closed = False
        self._plugins: dict[str, Plugin] = {}
        self._manifests: dict[str, Manifest] = {}
        known = manifests("service")
        for plugin in plugins("service"):
            if plugin.name in known and known[plugin.name].kind == "evaluator":
                self._plugins[plugin.name] = plugin
                self._manifests[plugin.name] = known[plugin.name]

    def manifests(self) -> Mapping[str, Manifest]:
        """Installed evaluators by name."""
        return self._manifests

    def lane(self, service: str) -> str:
        """Ours share this process and its processor (lane ``""``); each partner's service has its own process."""
        plugin = self._plugins.get(service)
        return "" if plugin is None or plugin.built_in else service

    def close(self) -> None:
        """Wait for no partner any longer: open questions end as not answered, new ones are not asked."""
        self._closed = True
        for question in list(self._open):
            question.cancel()

    def check(self, service: str, parameters: Parameters) -> Sequence[Fault]:
        """All faults of the parameters."""
        plugin = self._plugin(service)
        if plugin.built_in:
            return plugin.evaluator().check(parameters)
        return self._ask(service, "check", msgspec.json.encode(parameters)).faults

    def step(self, service: str, request: StepRequest) -> StepResult:
        """One step, here or in the plugin's own process."""
        plugin = self._plugin(service)
        if plugin.built_in:
            return step_here(plugin.evaluator(), request)
        answer = self._ask(service, "step", msgspec.json.encode(request))
        if answer.result is None:
            raise ServitwinError(answer.faults or Fault("service:failed", f"{service} gave no result", "See its log"))
        return answer.result

    def _plugin(self, service: str) -> Plugin:
        try:
            return self._plugins[service]
        except KeyError:
            raise NotFoundError(Fault("service:unknown", f"No service {service!r} is installed")) from None

    def _ask(self, service: str, verb: str, payload: bytes) -> RemoteAnswer:
        limit = self._manifests[service].limits.step_seconds
        if self._closed:
            raise UnavailableError(Fault("service:gone", "This node is being stopped", "It goes on at the next start"))
        asked = self._bus.request(f"plugin.service-{service}.{verb}", payload, limit)
        question = asyncio.run_coroutine_threadsafe(asked, self._loop)
        self._open.add(question)
        question.add_done_callback(self._open.discard)
        try:
            answer = question.result(limit + 5)
        except (UnavailableError, TimeoutError, CancelledError) as e:
            # Its own watchdog ends a process that works too long; the supervisor starts a fresh one.
            fault = Fault("service:too-slow", f"{service} gave no answer in {limit:g} s", "Its process starts again")
            raise UnavailableError(fault) from e
        return msgspec.json.decode(answer, type=RemoteAnswer)


class ServiceWorker:
    """The other end: answers for one service, and ends its own process if a step takes too long."""

    def __init__(self, module: EvaluatorPlugin, name: str, step_seconds: float) -> None:
        self._module, self._name, self._limit = module, name, step_seconds
        self._failed = ""
        # The alarm ends the process from the kernel's side, whatever the plugin is busy with.
        signal.signal(signal.SIGALRM, signal.SIG_DFL)

    async def serve(self, bus: BusClient, connection: str) -> None:
        """Answer on ``plugin.<connection>.step`` and ``.check``."""
        await bus.answer(f"plugin.{connection}.step", self._step)
        await bus.answer(f"plugin.{connection}.check", self._check)
        await bus.answer(f"plugin.{connection}.status", self._status)

    async def _step(self, payload: bytes) -> bytes:
        return self._within_limit(lambda: self._run(payload))

    async def _check(self, payload: bytes) -> bytes:
        return self._within_limit(
            lambda: RemoteAnswer(faults=list(self._module.check(msgspec.json.decode(payload, type=dict[str, Any]))))
        )

    async def _status(self, _: bytes) -> bytes:
        condition = "failing" if self._failed else "running"
        return msgspec.json.encode({"condition": condition, "detail": self._failed, "plugin": self._name})

    def _run(self, payload: bytes) -> RemoteAnswer:
        return RemoteAnswer(step_here(self._module, msgspec.json.decode(payload, type=StepRequest)))

    def _within_limit(self, work: Any) -> bytes:
        signal.setitimer(signal.ITIMER_REAL, self._limit)
        try:
            answer: RemoteAnswer = work()
            self._failed = ""
        except MemoryError:
            os._exit(12)  # nothing can be trusted any more; the supervisor starts a fresh process
        except Exception as e:  # noqa: BLE001 - foreign code: whatever it raises is told as its fault
            fault = Fault(
                "service:failed", f"{self._name}: {type(e).__name__}: {e}"[:500], "Tell its maker", self._name
            )
            self._failed = fault.message
            answer = RemoteAnswer(faults=[fault])
        finally:
            signal.setitimer(signal.ITIMER_REAL, 0)
        return msgspec.json.encode(answer)
