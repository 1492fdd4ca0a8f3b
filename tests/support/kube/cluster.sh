#!/bin/sh
# One cluster of the tests' own: etcd, an API server, and the controllers that make pods of deployments. It runs until its
# standard input ends, so that nothing is left of it when the test's process is gone, however that ended.
#
#   cluster.sh PROGRAMS FOLDER ETCD_PORT PEER_PORT API_PORT
#
# FOLDER holds ca.pem, server.pem, server.key, server.pub, tokens.csv and controllers.kubeconfig.
set -eu

programs=$1 folder=$2 etcd_port=$3 peer_port=$4 port=$5
cd "$folder"
pids=
end() {
    # shellcheck disable=SC2086 # several of them
    kill -KILL $pids 2>/dev/null || true
}
trap end EXIT
trap 'exit 1' TERM INT HUP

etcd --name e --unsafe-no-fsync --log-outputs stderr --data-dir "$folder/etcd" \
    --listen-client-urls "http://127.0.0.1:$etcd_port" --advertise-client-urls "http://127.0.0.1:$etcd_port" \
    --listen-peer-urls "http://127.0.0.1:$peer_port" --initial-advertise-peer-urls "http://127.0.0.1:$peer_port" \
    --initial-cluster "e=http://127.0.0.1:$peer_port" </dev/null >etcd.log 2>&1 &
pids="$pids $!"
"$programs/kube-apiserver" --etcd-servers "http://127.0.0.1:$etcd_port" --bind-address 127.0.0.1 --secure-port "$port" \
    --tls-cert-file server.pem --tls-private-key-file server.key --client-ca-file ca.pem --token-auth-file tokens.csv \
    --authorization-mode RBAC --service-cluster-ip-range 10.0.0.0/24 --disable-admission-plugins ServiceAccount \
    --service-account-issuer https://kubernetes.default.svc --service-account-key-file server.pub \
    --service-account-signing-key-file server.key --profiling=false </dev/null >apiserver.log 2>&1 &
pids="$pids $!"
(
    # They give up where there is no API server yet.
    until kubectl --kubeconfig controllers.kubeconfig get namespace default >/dev/null 2>&1; do sleep 0.3; done
    exec "$programs/kube-controller-manager" --kubeconfig controllers.kubeconfig --leader-elect=false \
        --controllers 'clusterrole-aggregation,deployment,replicaset,statefulset,daemonset,job,cronjob,namespace,garbagecollector,resourcequota' \
        --port 0 --secure-port 0 --concurrent-deployment-syncs 2 --kube-api-qps 200 --kube-api-burst 400
) </dev/null >controllers.log 2>&1 &
pids="$pids $!"

# Nothing comes; its end is the sign.
cat >/dev/null
