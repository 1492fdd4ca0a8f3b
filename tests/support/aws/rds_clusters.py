"""RDS clusters (Aurora): what moto answers differently from AWS. Each correction names the page that it follows."""

import datetime

from moto.core.utils import utcnow
from moto.rds.exceptions import DBClusterNotFoundError, InvalidDBClusterStateFault, RDSClientError
from moto.rds.models import DBCluster, RDSBackend

from rds import available, check_restore_time, restorable_window
from world import WORLD


def install():
    for correction in (
        creation_takes_a_while,
        restore_stays_inside_the_window,
        failover_swaps_writer_and_reader,
        unknown_clusters_are_not_found,
        cluster_snapshots_take_a_while,
    ):
        correction()


def found(backend, identifier):
    if identifier not in backend.clusters:
        raise DBClusterNotFoundError(identifier)
    return backend.clusters[identifier]


def refuse_unless_available(cluster):
    if cluster.status != "available":
        raise InvalidDBClusterStateFault(
            f"DbCluster {cluster.db_cluster_identifier} is in {cluster.status} state "
            "but expected it to be one of available."
        )


def creation_takes_a_while():
    """https://docs.aws.amazon.com/AmazonRDS/latest/AuroraUserGuide/accessing-monitoring.html (status `creating`)

    moto's cluster is available on the second look. Clusters that a test creates count as 30 days old.
    """
    create = RDSBackend.create_db_cluster

    def create_db_cluster(self, kwargs):
        restored = kwargs.pop("lifeboat_restored", False)
        cluster = create(self, kwargs)
        if not restored:
            cluster.created = cluster.cluster_create_time = utcnow() - datetime.timedelta(days=30)
        WORLD.later(1, lambda: available(cluster))
        return cluster

    def set_status(self, value):
        self._status = value

    DBCluster.status = property(lambda self: self._status, set_status)
    RDSBackend.create_db_cluster = create_db_cluster


def restore_stays_inside_the_window():
    """https://docs.aws.amazon.com/AmazonRDS/latest/APIReference/API_RestoreDBClusterToPointInTime.html"""
    restore = RDSBackend.restore_db_cluster_to_point_in_time
    from_snapshot = RDSBackend.restore_db_cluster_from_snapshot

    def restore_db_cluster_to_point_in_time(self, db_cluster_identifier, source_db_cluster_identifier, **wishes):
        source = found(self, source_db_cluster_identifier)
        refuse_taken_name(self, db_cluster_identifier)
        check_restore_time(source_db_cluster_identifier, restorable_window(source, source.created), wishes)
        return restore(
            self, db_cluster_identifier, source_db_cluster_identifier, lifeboat_restored=True, **wishes
        )

    def restore_db_cluster_from_snapshot(self, from_snapshot_id, overrides):
        refuse_taken_name(self, overrides["db_cluster_identifier"])
        overrides["lifeboat_restored"] = True
        return from_snapshot(self, from_snapshot_id, overrides)

    def bound(which):
        def read(self):
            window = restorable_window(self, self.created)
            return window and window[which]

        return property(read, lambda self, _: None)

    DBCluster.earliest_restorable_time = bound(0)
    DBCluster.latest_restorable_time = bound(1)
    RDSBackend.restore_db_cluster_to_point_in_time = restore_db_cluster_to_point_in_time
    RDSBackend.restore_db_cluster_from_snapshot = restore_db_cluster_from_snapshot


def refuse_taken_name(backend, identifier):
    if identifier in backend.clusters:
        raise RDSClientError("DBClusterAlreadyExistsFault", f"DBCluster {identifier} already exists.")


def failover_swaps_writer_and_reader():
    """https://docs.aws.amazon.com/AmazonRDS/latest/APIReference/API_FailoverDBCluster.html

    moto swaps at once, and answers 500 for a target of another cluster.
    """

    def failover_db_cluster(self, db_cluster_identifier, target_db_instance_identifier=None):
        cluster = found(self, db_cluster_identifier)
        refuse_unless_available(cluster)
        readers = [member for member in cluster._members if not member.is_cluster_writer]
        ready = [reader for reader in readers if reader.status == "available"]
        if not ready:
            raise InvalidDBClusterStateFault(
                f"Database cluster:{db_cluster_identifier} should have at least two database instances in valid "
                "states or a valid target instance for failover."
            )
        target = ready[0]
        if target_db_instance_identifier:
            named = [reader for reader in ready if reader.db_instance_identifier == target_db_instance_identifier]
            if not named:
                raise RDSClientError(
                    "InvalidDBInstanceState",
                    f"Instance {target_db_instance_identifier} is not an available reader of {db_cluster_identifier}.",
                )
            target = named[0]
        cluster.status = "failing-over"
        WORLD.later(0.6, lambda: cluster.failover(target))
        WORLD.later(1, lambda: available(cluster))
        return cluster

    RDSBackend.failover_db_cluster = failover_db_cluster


def unknown_clusters_are_not_found():
    """https://docs.aws.amazon.com/AmazonRDS/latest/APIReference/API_PromoteReadReplicaDBCluster.html and
    https://docs.aws.amazon.com/AmazonRDS/latest/APIReference/API_ModifyDBCluster.html; moto answers 500.
    """
    promote = RDSBackend.promote_read_replica_db_cluster
    modify = RDSBackend.modify_db_cluster

    def promote_read_replica_db_cluster(self, db_cluster_identifier):
        cluster = found(self, db_cluster_identifier)
        refuse_unless_available(cluster)
        if not cluster.replication_source_identifier:
            raise InvalidDBClusterStateFault(f"DbCluster {db_cluster_identifier} is not a read replica.")
        cluster.status = "promoting"

        def part():
            promote(self, db_cluster_identifier)
            available(cluster)

        WORLD.later(1, part)
        return cluster

    def modify_db_cluster(self, kwargs):
        cluster = found(self, kwargs["db_cluster_identifier"])
        refuse_unless_available(cluster)
        modify(self, kwargs)
        cluster.status = "modifying"
        WORLD.later(1, lambda: available(cluster))
        return cluster

    RDSBackend.promote_read_replica_db_cluster = promote_read_replica_db_cluster
    RDSBackend.modify_db_cluster = modify_db_cluster


def cluster_snapshots_take_a_while():
    """https://docs.aws.amazon.com/AmazonRDS/latest/APIReference/API_CreateDBClusterSnapshot.html"""
    create = RDSBackend.create_db_cluster_snapshot

    def create_db_cluster_snapshot(self, *positional, **named):
        snapshot = create(self, *positional, **named)
        if snapshot.snapshot_type == "manual":
            snapshot.status, snapshot.percent_progress = "creating", 0

            def done():
                snapshot.status, snapshot.percent_progress = "available", 100

            WORLD.later(1, done)
        return snapshot

    RDSBackend.create_db_cluster_snapshot = create_db_cluster_snapshot
