"""EKS and MSK: what moto answers differently from AWS. Each correction names the page that it follows."""

import datetime
import uuid

import moto.eks.urls as eks_urls
from moto.core.responses import ActionResult
from moto.eks.exceptions import InvalidParameterException, ResourceInUseException, ResourceNotFoundException
from moto.eks.models import EKSBackend
from moto.eks.responses import EKSResponse
from moto.kafka.exceptions import NotFoundException
from moto.kafka.models import FakeKafkaCluster, KafkaBackend

from world import WORLD


def install():
    scaling_a_nodegroup_takes_a_while()
    msk_clusters_become_active()


def scaling_a_nodegroup_takes_a_while():
    """https://docs.aws.amazon.com/eks/latest/APIReference/API_UpdateNodegroupConfig.html and
    https://docs.aws.amazon.com/eks/latest/APIReference/API_DescribeUpdate.html

    moto changes at once, checks no limits and has no DescribeUpdate.
    """
    change = EKSBackend.update_nodegroup_config
    updates = {}

    def update_nodegroup_config(self, cluster_name, nodegroup_name, scaling_config=None, **rest):
        group = self.describe_nodegroup(cluster_name, nodegroup_name)
        names = {"clusterName": cluster_name, "nodegroupName": nodegroup_name}
        if group.status != "ACTIVE":
            raise ResourceInUseException(
                message=f"Nodegroup cannot be updated as it is currently not in Active State: {group.status}", **names
            )
        wished = {**group.scaling_config, **(scaling_config or {})}
        if not wished["minSize"] <= wished["desiredSize"] <= wished["maxSize"]:
            raise InvalidParameterException(
                message=f"desiredSize {wished['desiredSize']} is not between minSize {wished['minSize']} "
                f"and maxSize {wished['maxSize']}",
                **names,
            )
        update = change(self, cluster_name, nodegroup_name, scaling_config=None, **rest)
        kinds = {"minSize": "MinSize", "maxSize": "MaxSize", "desiredSize": "DesiredSize"}
        update["params"] += [{"type": kinds[k], "value": str(v)} for k, v in (scaling_config or {}).items()]
        update["status"] = "InProgress"
        updates[update["id"]] = update
        answer = dict(update)
        group.status = "UPDATING"

        def done():
            group.scaling_config = wished
            group.status = "ACTIVE"
            update["status"] = "Successful"

        WORLD.later(1, done)
        return answer

    def describe_update(self):
        name = self._get_param("updateId")
        if name not in updates:
            raise ResourceNotFoundException(message=f"No update found for ID: {name}")
        return ActionResult({"update": dict(updates[name])})

    EKSBackend.update_nodegroup_config = update_nodegroup_config
    EKSResponse.describe_update = describe_update
    eks_urls.url_paths["{0}/clusters/(?P<name>[^/]+)/updates/(?P<updateId>[^/]+)$"] = eks_urls.response.dispatch


def msk_clusters_become_active():
    """https://docs.aws.amazon.com/MSK/2.0/APIReference/v2-clusters-clusterarn.html

    moto's clusters stay in CREATING, carry an operation that is not there, and an unknown one is a 500.
    """
    create = FakeKafkaCluster.__init__
    describe = KafkaBackend.describe_cluster_v2

    def init(self, *positional, **named):
        create(self, *positional, **named)
        self.creation_time = datetime.datetime.now(datetime.timezone.utc).isoformat()
        WORLD.later(1, lambda: setattr(self, "state", "ACTIVE"))

    def arn(self):
        kind = "cluster" if self.cluster_type == "PROVISIONED" else "serverless-cluster"
        return f"arn:aws:kafka:{self.region_name}:{self.account_id}:{kind}/{self.cluster_name}/{uuid.uuid4()}-1"

    def describe_cluster_v2(self, cluster_arn):
        if cluster_arn not in self.clusters:
            error = NotFoundException("The requested resource doesn't exist.")
            error.code = 404
            raise error
        info = describe(self, cluster_arn)
        del info["activeOperationArn"], info["stateInfo"]
        return info

    FakeKafkaCluster.__init__ = init
    FakeKafkaCluster._generate_arn = arn
    KafkaBackend.describe_cluster_v2 = describe_cluster_v2
