//! Clients that reach nobody.

use crate::base::environment::Environment;
use crate::plan::AwsSettings;
use crate::providers::clients::Clients;
use std::path::Path;

/// What stands for every secret.
pub const SECRET: &str = "hunter22-never-shown";

/// Clients whose every secret is [`SECRET`], from the environment.
pub fn clients(secrets: &[&str]) -> Clients {
    let environment: Environment = secrets
        .iter()
        .map(|name| (format!("LIFEBOAT_SECRET_{}", name.to_uppercase().replace('-', "_")), SECRET))
        .chain([("PATH".to_owned(), "/usr/bin:/bin")])
        .collect();
    let regions = [("primary", "us-east-1"), ("dr", "us-west-2")].map(|(id, name)| (id.into(), name.into()));
    // A profile that nobody has, and an address where nothing listens: no test reaches the account of who runs it.
    let settings = AwsSettings {
        profile: Some("of-no-test".into()),
        endpoint: Some("http://127.0.0.1:1".into()),
        regions: regions.into_iter().collect(),
        ..AwsSettings::default()
    };
    Clients::new(Default::default(), Path::new("/nonexistent"), environment).with_aws(settings, "ana")
}
