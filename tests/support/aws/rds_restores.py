"""Restores and classes of RDS: what moto answers differently from AWS. Each correction names the page that it follows."""

from moto.core.responses import PaginatedResult
from moto.rds.models import RDSBackend
from moto.rds.responses import RDSResponse

from world import WORLD

# A few of the classes that AWS offers for PostgreSQL and Aurora PostgreSQL.
CLASSES = ["db.r6g.large", "db.r6g.xlarge", "db.r6g.2xlarge", "db.t4g.medium"]


def install():
    restores_can_fail_half_way()
    classes_are_offered()


def restores_can_fail_half_way():
    """https://docs.aws.amazon.com/AmazonRDS/latest/UserGuide/accessing-monitoring.html (`incompatible-restore`,
    `incompatible-network`): the call is accepted, and what it makes never becomes available.
    """
    for name in (
        "restore_db_instance_to_point_in_time",
        "restore_db_instance_from_db_snapshot",
        "restore_db_cluster_to_point_in_time",
        "restore_db_cluster_from_snapshot",
    ):
        setattr(RDSBackend, name, failing(getattr(RDSBackend, name)))


def failing(restore):
    def restore_or_fail(self, *positional, **named):
        made = restore(self, *positional, **named)
        end, WORLD.fail_next_restore = WORLD.fail_next_restore, None
        if end:
            made.lost = True
            WORLD.later(0.7, lambda: setattr(made, "status", end))
        return made

    return restore_or_fail


def classes_are_offered():
    """https://docs.aws.amazon.com/AmazonRDS/latest/APIReference/API_DescribeOrderableDBInstanceOptions.html

    moto knows two engines and ignores the class that is asked for.
    """

    def describe_orderable_db_instance_options(self):
        wanted = self.params.get("DBInstanceClass")
        options = [
            {
                "Engine": self.params.get("Engine"),
                "EngineVersion": self.params.get("EngineVersion"),
                "DBInstanceClass": name,
                "AvailabilityZones": [{"Name": f"{self.region}{zone}"} for zone in "ab"],
                "Vpc": True,
            }
            for name in CLASSES
            if wanted in (None, name)
        ]
        return PaginatedResult({"OrderableDBInstanceOptions": options})

    RDSResponse.describe_orderable_db_instance_options = describe_orderable_db_instance_options
