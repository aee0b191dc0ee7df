import pytest

from wirewatch.runtime.kafka import partition_of
from wirewatch.runtime.shard import Shard


def test_a_shard_is_written_as_a_part_of_a_number() -> None:
    assert Shard.read("2/8") == Shard(2, 8)
    assert (str(Shard.read("02/08")), Shard(2, 8).group, Shard(1, 1).group) == (
        "2/8", "match-2-of-8", "match",
    )  # fmt: skip


@pytest.mark.parametrize(
    "text", ["", "2", "2-8", "0/8", "9/8", "1/65", "-1/8", "1/8/8", " 1/8", "٢/٨", "1/0"]
)
def test_a_wrong_shard_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"shards? (is|are)"):
        Shard.read(text)


@pytest.mark.parametrize("of", [1, 2, 3, 8])
def test_each_subscription_is_of_one_shard(of: int) -> None:
    shards = [Shard(number, of) for number in range(1, of + 1)]
    for number in range(200):
        key = f"sub_{number}"
        assert sum(shard.holds(key, partition_of) for shard in shards) == 1


@pytest.mark.parametrize(("of", "count"), [(2, 8), (8, 8), (3, 8), (8, 4), (1, 5)])
def test_the_partitions_of_a_shard_have_all_its_subscriptions(of: int, count: int) -> None:
    for number in range(1, of + 1):
        shard = Shard(number, of)
        for key in (f"sub_{n}" for n in range(200)):
            if shard.holds(key, partition_of):
                assert partition_of(key, count) in shard.partitions(count)


def test_where_the_numbers_fit_a_shard_reads_no_partition_of_another() -> None:
    assert [Shard(number, 2).partitions(4) for number in (1, 2)] == [{0, 2}, {1, 3}]
