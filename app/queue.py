"""Wake-ups for workers: a doorbell that is rung after a commit that made runs available.

The database is the only truth. A message carries nothing, may be lost or doubled, and expires; a worker that hears none
looks by itself every few seconds. So with no broker nothing is sent at all, and one that is away costs nobody anything:
a ring is handed to a thread, which sends it or drops it and says so in the log.
"""

import logging
import threading
from typing import TYPE_CHECKING, Any, Protocol

from app.competitions import DeviceClass
from app.settings import Settings
from app.status import Lane

if TYPE_CHECKING:
    from celery import Celery
    from redis import Redis

LOG = logging.getLogger(__name__)
WAKE = "lethe.wake"
DEVICES: tuple[DeviceClass, ...] = ("cpu", "cuda")
EXPIRES_SECONDS = 60.0
"""By then every worker has looked by itself."""
MOST_WAITING = 100
"""Messages of a queue. More wake nobody more; and where no worker of a class listens, they would fill the broker."""


def queue_name(device: DeviceClass, lane: Lane = Lane.NORMAL) -> str:
    """Return the queue that workers of a class listen to.

    >>> queue_name("cpu"), queue_name("cuda", Lane.LOW)
    ('lethe.cpu', 'lethe.cuda.low')
    """
    return f"lethe.{device}" + (".low" if lane is Lane.LOW else "")


class Doorbell(Protocol):
    """How workers are woken."""

    def ring(self, device: str = "any", lane: Lane = Lane.NORMAL) -> None:
        """Wake one idle worker of a class of devices, or one of each; returns at once and never raises."""


class Silent:
    """No broker: workers poll the database."""

    def ring(self, device: str = "any", lane: Lane = Lane.NORMAL) -> None:
        """Do nothing."""


class CeleryBell:
    """Sends one Celery message for each ring; rings for one queue that wait to be sent are one."""

    def __init__(self, celery: "Celery") -> None:
        self._celery = celery
        self._waiting: dict[str, None] = {}  # in the order of arrival
        self._rung = threading.Condition()
        self._sender: threading.Thread | None = None
        self._client: Redis | None = None

    def ring(self, device: str = "any", lane: Lane = Lane.NORMAL) -> None:
        """See Doorbell."""
        with self._rung:
            self._waiting |= {queue_name(one, lane): None for one in DEVICES if device in {"any", one}}
            if self._sender is None:  # not before: it would not survive a fork
                self._sender = threading.Thread(target=self._send_for_ever, name="doorbell", daemon=True)
                self._sender.start()
            self._rung.notify()

    def _send_for_ever(self) -> None:
        while True:
            with self._rung:
                self._rung.wait_for(lambda: self._waiting)
                queues, self._waiting = list(self._waiting), {}
            for queue in queues:
                self._send(queue)

    def _send(self, queue: str) -> None:
        try:
            if self._waiting_in(queue) >= MOST_WAITING:
                return
            self._celery.send_task(
                WAKE, queue=queue, expires=EXPIRES_SECONDS, ignore_result=True, retry=False
            )
        except Exception as error:  # noqa: BLE001 - whatever a broker does, the work is in the database
            LOG.warning("nobody could be woken by %s, workers look by themselves: %s", queue, error)

    def _waiting_in(self, queue: str) -> int:
        """Ask over a connection of our own: Celery's may be in the middle of something."""
        if self._client is None:
            from redis import Redis  # noqa: PLC0415 - as Celery

            self._client = Redis.from_url(
                self._celery.conf.broker_url, socket_timeout=5, socket_connect_timeout=5
            )
        return self._client.llen(queue)


def doorbell(settings: Settings) -> Doorbell:
    """Return what the settings ask for."""
    return CeleryBell(celery_app(settings)) if settings.broker_url else Silent()


def celery_app(settings: Settings) -> "Celery":
    """Make the Celery application, for those who send and for workers alike. It has no tasks yet."""
    from celery import Celery  # noqa: PLC0415 - costs 200 ms that nobody without a broker needs
    from kombu import Queue  # noqa: PLC0415

    app = Celery("lethe", broker=settings.broker_url, set_as_current=False)
    names = [queue_name(device, lane) for lane in Lane for device in DEVICES]
    app.conf.update(CONFIGURATION, task_queues=[Queue(name, routing_key=name) for name in names])
    return app


CONFIGURATION: dict[str, Any] = {
    # early: an unacknowledged message would be delivered again after the visibility timeout, in the middle of a run
    "task_acks_late": False,
    "worker_prefetch_multiplier": 1,
    # a worker that is busy leaves messages to those that are not (Celery does this for Redis)
    "worker_disable_prefetch": True,
    "task_ignore_result": True,
    "result_backend": None,
    "task_serializer": "json",
    "accept_content": ["json"],
    "task_default_queue": queue_name("cpu"),
    "task_create_missing_queues": False,
    "broker_connection_retry_on_startup": True,
    "broker_connection_max_retries": None,  # for ever
    "broker_channel_error_retry": True,  # a Redis that answers with an error, as at a failover
    "worker_cancel_long_running_tasks_on_connection_loss": False,
    "broker_transport_options": {
        "queue_order_strategy": "priority",  # in the order in which a worker names its queues
        "socket_connect_timeout": 5,
        "socket_keepalive": True,
    },
    # tools such as Flower watch by these
    "worker_send_task_events": True,
    "task_send_sent_event": True,
    "worker_hijack_root_logger": False,
    "worker_redirect_stdouts": False,
    "enable_utc": True,
}
