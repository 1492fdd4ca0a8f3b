//! What holds for every kind of this build.

mod actions;
mod channels;
mod probes;

#[test]
fn kinds_of_aws_and_kubernetes_are_known_by_their_names() {
    let probes = super::probes().map(|kind| (kind.name, kind.permissions));
    let actions = super::actions().map(|kind| (kind.name, kind.permissions));
    for (name, permissions) in probes.chain(actions) {
        let is_known = crate::plan::is_aws(name) || crate::plan::is_kube(name);
        assert_eq!(is_known, !permissions.is_empty(), "{name}");
    }
}
