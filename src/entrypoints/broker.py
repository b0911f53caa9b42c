"""How Celery is to use RabbitMQ: one queue, and no task that is lost or done for ever."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import structlog
from amqp.exceptions import AccessRefused, NotAllowed
from celery import bootsteps
from kombu import Exchange, Queue

from ..adapters.settings import Settings

IN_PROCESS = "memory://localhost/"
QUEUE, DEAD = "ree", "ree.dead"
MOST_DELIVERIES = 10
"""After which a task that had no end each time is given up, by the task itself.

The broker counts workers that died and connections that were lost alike; of the latter, one that is
restarted or flaps makes several in a row.
"""
_DELIVERY_LIMIT = 20
"""After which the broker gives it up, if not even that can be done."""
_SOFT = 0.9
"""The share of the time limit at which a task is told to end."""
_FOR_EVER = None
_log = structlog.get_logger("ree.worker")


def celery_settings(settings: Settings) -> dict[str, Any]:
    """For an application's `conf`."""
    url = settings.celery_broker_url
    return {
        "broker_url": IN_PROCESS if url in (None, "memory://") else url,
        "broker_connection_retry_on_startup": True,
        "broker_connection_max_retries": _FOR_EVER,
        "broker_transport_options": {"confirm_publish": True},
        "task_queues": [_queue()],
        "task_default_queue": QUEUE,
        "task_default_queue_type": "quorum",
        "task_default_exchange": QUEUE,
        "task_default_exchange_type": "topic",
        "task_default_routing_key": QUEUE,
        "task_create_missing_queues": False,
        "task_acks_late": True,
        "task_reject_on_worker_lost": True,
        "task_time_limit": settings.celery_time_limit,
        "task_soft_time_limit": round(settings.celery_time_limit * _SOFT),
        "task_publish_retry_policy": {
            "max_retries": 10,
            "interval_start": 0.2,
            "interval_step": 0.5,
            "interval_max": 5,
        },
        "task_ignore_result": True,
        "result_backend": None,
        "result_expires": None,  # or beat would clean up a backend that is not there
        "task_serializer": "json",
        "accept_content": ["json"],
        "worker_consumer": f"{__package__}.messages:Consumer",
        "worker_concurrency": 2,
        # Whoever reaches the broker could stop workers, and two on one machine would clash.
        "worker_enable_remote_control": False,
        "worker_prefetch_multiplier": 1,
        "worker_cancel_long_running_tasks_on_connection_loss": True,
        "enable_utc": True,
        "timezone": settings.celery_timezone,
    }


def _queue() -> Queue:
    return Queue(
        QUEUE,
        Exchange(QUEUE, type="topic"),
        routing_key=QUEUE,
        queue_arguments={
            "x-queue-type": "quorum",
            "x-delivery-limit": _DELIVERY_LIMIT,
            "x-dead-letter-exchange": "",
            "x-dead-letter-routing-key": DEAD,
            "x-dead-letter-strategy": "at-least-once",
            "x-overflow": "reject-publish",
        },
    )


@contextmanager
def refusal_told() -> Iterator[None]:
    """A broker that does not let us in ends the process with 1; it will not by itself."""
    try:
        yield
    except (AccessRefused, NotAllowed):
        reason = (
            "The broker refuses the user, the password or the virtual host in "
            "REE_CELERY_BROKER_URL. Correct it and start again."
        )
        _log.error("broker_refused", reason=reason)
        raise SystemExit(1) from None


class DeadLetters(bootsteps.StartStopStep):
    """Makes the queue of tasks that were given up, which nobody consumes from."""

    requires = ("celery.worker.consumer.connection:Connection",)

    def start(self, parent: Any) -> None:
        """Each time the worker has a connection."""
        queue = Queue(DEAD, queue_arguments={"x-queue-type": "quorum"})
        queue.bind(parent.connection.default_channel).declare()
