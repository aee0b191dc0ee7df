"""Kafka, as the services use it. The only rooms that import aiokafka.

The guarantee (design "nothing lost, nothing doubled without its name"): `Producer`
returns only when every in-sync replica has a record, and `GroupReader` commits
an offset only when its caller says that all that followed from it is done.
"""

from aiokafka.errors import UnknownTopicOrPartitionError

from wirewatch.runtime.kafka.batches import MAX_BATCH_BYTES, TOO_LARGE, message_of, partition_of
from wirewatch.runtime.kafka.connecting import broker_problem, start_with_patience
from wirewatch.runtime.kafka.producer import Producer
from wirewatch.runtime.kafka.readers import POLL_RECORDS, GroupReader, LogReader, read_all
from wirewatch.runtime.kafka.received import Position, Received
from wirewatch.runtime.kafka.unreadable import OnUnreadable, bury_unreadable

__all__ = [
    "MAX_BATCH_BYTES",
    "POLL_RECORDS",
    "TOO_LARGE",
    "GroupReader",
    "LogReader",
    "OnUnreadable",
    "Position",
    "Producer",
    "Received",
    "UnknownTopicOrPartitionError",
    "broker_problem",
    "bury_unreadable",
    "message_of",
    "partition_of",
    "read_all",
    "start_with_patience",
]
