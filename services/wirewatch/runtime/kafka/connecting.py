"""Waiting for Kafka to answer, and the sentence when it does not."""

import asyncio
from collections.abc import Awaitable, Callable

from aiokafka.errors import KafkaConnectionError

from wirewatch.runtime.errors import BrokerProblem
from wirewatch.runtime.settings import Settings


def broker_problem(settings: Settings, error: Exception) -> BrokerProblem:
    """Return the sentence for a Kafka that does not answer."""
    where = ",".join(settings.bootstrap)
    hint = (
        "check WIREWATCH_KAFKA and that the cluster is up"
        if settings.kafka
        else "start it with `make run`, or set WIREWATCH_KAFKA to a cluster's host:port"
    )
    waited = f"no connection within {settings.kafka_wait_s:g} s"
    reason = waited if isinstance(error, KafkaConnectionError) else str(error) or repr(error)
    return BrokerProblem(f"Kafka at {where} cannot be reached ({reason}): {hint}.")


async def start_with_patience(start: Callable[[], Awaitable[None]], settings: Settings) -> None:
    """Call `start` until Kafka answers, at most `kafka_wait_s`. Raises BrokerProblem."""
    deadline = asyncio.get_running_loop().time() + settings.kafka_wait_s
    while True:
        try:
            return await start()
        except (KafkaConnectionError, OSError) as error:
            if asyncio.get_running_loop().time() >= deadline:
                raise broker_problem(settings, error) from error
        await asyncio.sleep(0.5)
