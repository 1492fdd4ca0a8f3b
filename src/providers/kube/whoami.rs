//! As whom a cluster knows the asker: a version is told to everybody, also to whom it does not know.
//! <https://kubernetes.io/docs/reference/access-authn-authz/authentication/#self-subject-review>

use super::client::{Call, Cluster, KubeError, KubeErrorKind, Method, Sent};
use crate::core::words::preflight::Check;
use serde_json::{Value, json};

/// Whom it takes for nobody.
const ANONYMOUS: &str = "system:anonymous";

/// The name of the asker; none of a cluster that does not tell (before Kubernetes 1.28).
///
/// # Errors
/// When it cannot be asked.
pub async fn of(cluster: &Cluster) -> Result<Option<String>, KubeError> {
    let call = Call::new("create selfsubjectreviews.authentication.k8s.io", "");
    let body = json!({"apiVersion": "authentication.k8s.io/v1", "kind": "SelfSubjectReview"});
    let path = "/apis/authentication.k8s.io/v1/selfsubjectreviews".to_owned();
    let sent = Sent { method: Method::Post, path, query: Vec::new(), body: Some(&body) };
    match cluster.send(&call, sent, cluster.deadline()).await {
        Ok(answer) => Ok(name(&answer)),
        Err(error) if error.kind == KubeErrorKind::NoSuchKind => Ok(None),
        Err(error) => Err(error),
    }
}

fn name(answer: &Value) -> Option<String> {
    answer["status"]["userInfo"]["username"].as_str().map(str::to_owned)
}

/// Whether somebody is signed in, as whom, to a server of that version.
pub fn check(cluster: &Cluster, version: &str, who: Result<Option<String>, KubeError>) -> Check {
    let answers = format!("the API server answers, {version}");
    match who {
        Ok(Some(name)) if name == ANONYMOUS => {
            let why = format!(
                "{answers}, and does not know who asks: the credentials of the kubeconfig do not count"
            );
            let next =
                format!("Sign in anew, or mend the user of context {} in the kubeconfig.", cluster.context);
            Check::fail("sign-in", why, next)
        }
        Ok(Some(name)) => Check::pass("sign-in", format!("{answers}, as {}", cluster.shown(&name, 120))),
        // It does not tell, or does not let everybody ask: what RBAC says of each verb tells enough.
        Ok(None) | Err(_) => Check::pass("sign-in", answers),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::providers::kube::testing::cluster;

    #[test]
    fn who_is_nobody_is_not_signed_in() {
        let answer = |name: &str| json!({"status": {"userInfo": {"username": name, "groups": []}}});
        let of = |who: Option<String>| check(&cluster(), "v1.33.1", Ok(who)).result;
        let known = of(name(&answer("arn:aws:iam::1:user/ana\u{1b}[2J")));
        assert_eq!(known.seen(), "the API server answers, v1.33.1, as arn:aws:iam::1:user/ana\u{fffd}[2J");
        let nobody = of(name(&answer("system:anonymous")));
        assert_eq!((nobody.word(), nobody.seen().contains("does not know who asks")), ("fail", true));
        assert_eq!(
            of(name(&json!({}))).seen(),
            "the API server answers, v1.33.1",
            "an older one does not tell"
        );
    }
}
