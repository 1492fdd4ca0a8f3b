"""RDS instances: what moto answers differently from AWS. Each correction names the page that it follows."""

import copy
import datetime
import uuid

from moto.core.utils import utcnow
from moto.rds.exceptions import DBInstanceNotFoundError, InvalidParameterCombination, RDSClientError
from moto.rds.models import DBInstance, RDSBackend, rds_backends
from moto.rds.utils import split_arn

from world import WORLD, steps

# https://docs.aws.amazon.com/AmazonRDS/latest/APIReference/API_ModifyDBInstance.html: without ApplyImmediately these
# wait for the maintenance window.
DEFERRED = {
    "db_instance_class": "DBInstanceClass",
    "allocated_storage": "AllocatedStorage",
    "multi_az": "MultiAZ",
    "engine_version": "EngineVersion",
    "iops": "Iops",
    "storage_type": "StorageType",
    "backup_retention_period": "BackupRetentionPeriod",
}


def install():
    for correction in (
        creation_takes_a_while,
        a_replica_is_its_own_instance,
        a_replica_elsewhere_can_be_deleted,
        promotion_ends_replication,
        modification_waits_for_its_window,
        restore_stays_inside_the_window,
        snapshots_take_a_while,
    ):
        correction()
    WORLD.agers["arn:"] = make_older


def make_older(name, age):
    """ARN of a snapshot of an instance or a cluster: it was taken that long ago."""
    region, account, kind, identifier = split_arn(name)
    backend = rds_backends[account][region]
    snapshots = backend.cluster_snapshots if kind == "cluster-snapshot" else backend.database_snapshots
    taken = utcnow() - age
    for field in ("created", "original_snapshot_create_time", "snapshot_create_time"):
        if field in snapshots[identifier].__dict__:
            setattr(snapshots[identifier], field, taken)


def available(resource):
    """Ends a change, unless something else happened to the resource in the meantime."""
    if not getattr(resource, "lost", False):
        resource.status = "available"


def not_found_if_absent(backend, identifier):
    instance = backend.databases.get(identifier)
    if instance is None:
        raise DBInstanceNotFoundError(identifier)
    return instance


def refuse_unless_available(instance):
    if instance.status != "available":
        raise RDSClientError(
            "InvalidDBInstanceState",
            f"Database instance is not in available state. (Instance {instance.db_instance_identifier} "
            f"is {instance.status}.)",
        )


def creation_takes_a_while():
    """https://docs.aws.amazon.com/AmazonRDS/latest/UserGuide/accessing-monitoring.html (status `creating`).

    Instances that a test creates count as 30 days old, so that there is something to restore; restored ones as new.
    moto gives all instances one DbiResourceId; AWS gives each its own, also to a new one of an old name.
    """
    create = RDSBackend.create_db_instance

    def create_db_instance(self, db_kwargs):
        instance = create(self, db_kwargs)
        instance.dbi_resource_id = f"db-{uuid.uuid4().hex[:26].upper()}"
        instance.pending_modified_values = {}
        if db_kwargs.get("lifeboat_restored"):
            instance.source_db_instance_identifier = None
        else:
            instance.created = instance.instance_create_time = utcnow() - datetime.timedelta(days=30)
        instance.status = "creating"
        WORLD.later(1, lambda: available(instance))
        return instance

    RDSBackend.create_db_instance = create_db_instance


def a_replica_is_its_own_instance():
    """https://docs.aws.amazon.com/AmazonRDS/latest/APIReference/API_CreateDBInstanceReadReplica.html

    moto copies the source, with its zone and its tags; on AWS backups of a replica are off until it is promoted.
    """
    create = RDSBackend.create_db_instance_read_replica

    def create_db_instance_read_replica(self, db_kwargs):
        source = self.find_db_from_id(db_kwargs["source_db_instance_identifier"])
        replica = create(self, db_kwargs)
        replica.dbi_resource_id = f"db-{uuid.uuid4().hex[:26].upper()}"
        replica.created = replica.instance_create_time = utcnow()
        replica.pending_modified_values = {}
        replica.tags = db_kwargs.get("tags") or []
        replica.replicas = []
        replica.backup_retention_period = 0
        if replica.region != source.region:
            replica.availability_zone = db_kwargs.get("availability_zone") or f"{replica.region}a"
        replica.status = "creating"
        replica.status_infos = []

        def replicate():
            available(replica)
            replica.status_infos = [{"StatusType": "read replication", "Normal": True, "Status": "replicating"}]

        WORLD.later(1, replicate)
        return replica

    RDSBackend.create_db_instance_read_replica = create_db_instance_read_replica


def a_replica_elsewhere_can_be_deleted():
    """https://docs.aws.amazon.com/AmazonRDS/latest/APIReference/API_DeleteDBInstance.html; moto answers 500 for a replica
    in another region than its source, which knows it by its ARN.
    """

    def remove_replica(self, replica):
        for name in (replica.db_instance_identifier, replica.db_instance_arn):
            if name in self.replicas:
                self.replicas.remove(name)

    DBInstance.remove_replica = remove_replica


def promotion_ends_replication():
    """https://docs.aws.amazon.com/AmazonRDS/latest/APIReference/API_PromoteReadReplica.html and
    https://docs.aws.amazon.com/AmazonRDS/latest/UserGuide/USER_ReadRepl.Promote.html

    For a moment the status is still `available`; then it is `modifying`, `rebooting` and `available` again, and only
    then has the instance no source any more. The second call is refused.
    """

    def promote_read_replica(self, db_kwargs):
        replica = not_found_if_absent(self, db_kwargs["db_instance_identifier"])
        if not replica.is_replica or getattr(replica, "promoting", False):
            raise RDSClientError("InvalidDBInstanceState", "DB Instance is not a read replica.")
        refuse_unless_available(replica)
        replica.promoting = True
        end, WORLD.fail_next_promotion = WORLD.fail_next_promotion, None
        answer = copy.copy(replica)
        steps(lambda status: setattr(replica, "status", status), (0.2, "modifying"), (0.7, end or "rebooting"))
        if not end:
            WORLD.later(1, lambda: part_from_source(self, replica, db_kwargs))
        return answer

    RDSBackend.promote_read_replica = promote_read_replica


def part_from_source(backend, replica, wishes):
    source = backend.find_db_from_id(replica.source_db_instance_identifier)
    for name in (replica.db_instance_identifier, replica.db_instance_arn):
        if name in source.replicas:
            source.replicas.remove(name)
    replica.is_replica = False
    replica.promoting = False
    replica.source_db_instance_identifier = None
    replica.status_infos = []
    retention = wishes.get("backup_retention_period")
    replica.backup_retention_period = 1 if retention is None else retention
    if wishes.get("preferred_backup_window"):
        replica.preferred_backup_window = wishes["preferred_backup_window"]
    available(replica)


def modification_waits_for_its_window():
    """https://docs.aws.amazon.com/AmazonRDS/latest/APIReference/API_ModifyDBInstance.html (ApplyImmediately) and
    https://docs.aws.amazon.com/AmazonRDS/latest/APIReference/API_PendingModifiedValues.html
    """
    modify = RDSBackend.modify_db_instance

    def modify_db_instance(self, db_instance_identifier, db_kwargs):
        instance = not_found_if_absent(self, db_instance_identifier)
        refuse_unless_available(instance)
        wishes = {
            name: db_kwargs[name]
            for name in DEFERRED
            if db_kwargs.get(name) is not None and db_kwargs[name] != getattr(instance, name)
        }
        instance.pending_modified_values.update({DEFERRED[name]: value for name, value in wishes.items()})
        modify(self, db_instance_identifier, {k: v for k, v in db_kwargs.items() if k not in DEFERRED})
        if db_kwargs.get("apply_immediately") and instance.pending_modified_values:
            WORLD.later(0.2, lambda: setattr(instance, "status", "modifying"))
            WORLD.later(1, lambda: apply_pending(instance))
        return instance

    RDSBackend.modify_db_instance = modify_db_instance


def apply_pending(instance):
    for plain, wire in DEFERRED.items():
        if wire in instance.pending_modified_values:
            setattr(instance, plain, instance.pending_modified_values.pop(wire))
    available(instance)


def restorable_window(resource, created):
    """Earliest and latest time, or None: https://docs.aws.amazon.com/AmazonRDS/latest/UserGuide/USER_PIT.html"""
    if not resource.backup_retention_period:
        return None
    now = utcnow()
    earliest = max(created, now - datetime.timedelta(days=resource.backup_retention_period))
    latest = now - datetime.timedelta(seconds=60)
    return (earliest, latest) if earliest <= latest else None


def check_restore_time(name, window, wishes):
    """AWS documents the limits, not the code for a time outside of them; InvalidRestoreFault is in the list of both
    operations' errors.
    """
    time = wishes.get("restore_time") or wishes.get("restore_to_time")
    if (time is None) == (not wishes.get("use_latest_restorable_time")):
        raise InvalidParameterCombination("Specify either a time to restore to or UseLatestRestorableTime")
    if window is None:
        raise RDSClientError("PointInTimeRestoreNotEnabled", f"Point in time restore is not enabled for {name}")
    if time is not None:
        time = time.replace(tzinfo=None) - (time.utcoffset() or datetime.timedelta())
        earliest, latest = (bound.replace(tzinfo=None) for bound in window)
        if not earliest <= time <= latest:
            raise RDSClientError(
                "InvalidRestoreFault",
                f"The specified time {time:%Y-%m-%dT%H:%M:%SZ} is not between the earliest ({earliest:%Y-%m-%dT%H:%M:%SZ}) "
                f"and the latest ({latest:%Y-%m-%dT%H:%M:%SZ}) restorable time of {name}",
            )


def restore_stays_inside_the_window():
    """https://docs.aws.amazon.com/AmazonRDS/latest/APIReference/API_RestoreDBInstanceToPointInTime.html"""
    restore = RDSBackend.restore_db_instance_to_point_in_time
    from_snapshot = RDSBackend.restore_db_instance_from_db_snapshot
    backups = RDSBackend.describe_db_instance_automated_backups

    def restore_db_instance_to_point_in_time(self, source_db_identifier, target_db_identifier, overrides):
        source = not_found_if_absent(self, source_db_identifier)
        check_restore_time(source_db_identifier, restorable_window(source, source.created), overrides)
        overrides["lifeboat_restored"] = True
        return restore(self, source_db_identifier, target_db_identifier, overrides)

    def restore_db_instance_from_db_snapshot(self, from_snapshot_id, overrides):
        overrides["lifeboat_restored"] = True
        return from_snapshot(self, from_snapshot_id, overrides)

    def describe_db_instance_automated_backups(self, db_instance_identifier=None, **rest):
        found = backups(self, db_instance_identifier, **rest)
        for backup in found:
            instance = self.databases.get(backup.db_instance_identifier)
            if instance and (window := restorable_window(instance, instance.created)):
                backup.restore_window = {"EarliestTime": window[0], "LatestTime": window[1]}
                backup.backup_retention_period = instance.backup_retention_period
                backup.db_instance_arn = instance.db_instance_arn
                backup.dbi_resource_id = instance.dbi_resource_id
                backup.region = instance.region
        return found

    def latest_restorable_time(self):
        window = restorable_window(self, self.created)
        return window and window[1]

    DBInstance.latest_restorable_time = property(latest_restorable_time)
    RDSBackend.restore_db_instance_to_point_in_time = restore_db_instance_to_point_in_time
    RDSBackend.restore_db_instance_from_db_snapshot = restore_db_instance_from_db_snapshot
    RDSBackend.describe_db_instance_automated_backups = describe_db_instance_automated_backups


def snapshots_take_a_while():
    """https://docs.aws.amazon.com/AmazonRDS/latest/APIReference/API_CreateDBSnapshot.html (status `creating`)"""
    create = RDSBackend.create_db_snapshot

    def create_db_snapshot(self, *positional, **named):
        snapshot = create(self, *positional, **named)
        if snapshot.snapshot_type == "manual":
            snapshot.status, snapshot.percent_progress = "creating", 0

            def done():
                snapshot.status, snapshot.percent_progress = "available", 100

            WORLD.later(1, done)
        return snapshot

    RDSBackend.create_db_snapshot = create_db_snapshot
