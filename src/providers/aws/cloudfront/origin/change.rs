//! What is changed in a distribution's configuration.

use crate::base::problem::Problem;
use crate::base::text::clean;
use crate::plan::kinds::BuildError;
use crate::plan::params::Params;
use aws_sdk_cloudfront::types::{DistributionConfig, Origin};
use std::fmt;

/// A change of where a distribution fetches from.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Change {
    /// An origin gets another domain.
    Domain {
        /// The origin's id, or its domain of now.
        origin: String,
        domain: String,
    },
    /// The default behaviour gets another origin or origin group.
    Default(String),
}

impl fmt::Display for Change {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Domain { origin, domain } => write!(f, "DomainName={domain} of origin {origin}"),
            Self::Default(origin) => write!(f, "DefaultCacheBehavior.TargetOriginId={origin}"),
        }
    }
}

impl Change {
    /// The change that the plan asks for.
    ///
    /// # Errors
    /// When it asks for none, or for both.
    pub fn of(params: &Params) -> Result<Self, BuildError> {
        let text = |key| params.text(key).map(|text| text.trim().to_owned()).filter(|text| !text.is_empty());
        let wrong = |key: &str, value: String, why: &str| {
            Err(BuildError::Value { key: key.into(), value, why: why.into() })
        };
        match (text("origin"), text("domain"), text("default_origin")) {
            (Some(origin), Some(domain), None) if is_domain(&domain) => Ok(Self::Domain { origin, domain }),
            (Some(_), Some(domain), None) => {
                wrong("domain", domain, "it is no domain name (no `https://`, no path: `api-dr.example.com`)")
            }
            (None, None, Some(origin)) => Ok(Self::Default(origin)),
            (_, domain, default) => wrong(
                "origin",
                domain.or(default).unwrap_or_default(),
                "it takes `origin` with `domain`, or `default_origin` alone",
            ),
        }
    }

    /// What it changes, from what to what; nothing where it is so already.
    ///
    /// # Errors
    /// When the distribution has no such origin.
    pub fn difference(&self, config: &DistributionConfig) -> Result<Option<(String, String)>, Problem> {
        match self {
            Self::Domain { domain, .. } => {
                let origin = self.origin(config).ok_or_else(|| self.absent(config))?;
                let from = origin.domain_name();
                let name = format!("origin {}", clean(origin.id(), 100));
                Ok((from != domain).then(|| (name, format!("{} -> {domain}", clean(from, 200)))))
            }
            Self::Default(wished) => {
                if !targets(config).any(|target| target == wished) {
                    return Err(self.absent(config));
                }
                let from = default_origin(config);
                let moved = format!("origin {} -> {wished}", clean(from, 100));
                Ok((from != wished).then(|| ("default behaviour".into(), moved)))
            }
        }
    }

    /// The origin that is changed: by id, by its domain of now, or already with the new domain.
    fn origin<'a>(&self, config: &'a DistributionConfig) -> Option<&'a Origin> {
        let Self::Domain { origin, domain } = self else { return None };
        let origins = config.origins()?.items();
        let found = |wished: &str| origins.iter().find(|origin| origin.domain_name() == wished);
        let by_id = origins.iter().find(|known| known.id() == origin);
        by_id.or_else(|| found(origin)).or_else(|| found(domain))
    }

    fn absent(&self, config: &DistributionConfig) -> Problem {
        let (Self::Domain { origin, .. } | Self::Default(origin)) = self;
        let known: Vec<String> = targets(config).map(|id| clean(id, 100)).collect();
        Problem::new(
            format!("the distribution has no origin {origin}"),
            format!("Correct the plan; its origins are: {}.", known.join(", ")),
        )
    }

    /// The configuration with the change in it.
    pub fn applied(&self, mut config: DistributionConfig) -> DistributionConfig {
        match self {
            Self::Domain { domain, .. } => {
                let id = self.origin(&config).map(|origin| origin.id().to_owned());
                let origins = config.origins.as_mut().map(|origins| &mut origins.items);
                for origin in origins.into_iter().flatten().filter(|origin| Some(&origin.id) == id.as_ref()) {
                    origin.domain_name.clone_from(domain);
                }
            }
            Self::Default(wished) => {
                if let Some(behaviour) = &mut config.default_cache_behavior {
                    behaviour.target_origin_id.clone_from(wished);
                }
            }
        }
        config
    }

    /// What it is now.
    pub fn state(&self, config: &DistributionConfig) -> Vec<(String, String)> {
        let origin = self.origin(config);
        let origin = origin
            .map(|origin| (format!("origin {}", clean(origin.id(), 100)), clean(origin.domain_name(), 200)));
        origin.into_iter().chain([("default origin".into(), clean(default_origin(config), 100))]).collect()
    }

    /// What else must be right for it to work.
    pub fn warnings(&self, config: &DistributionConfig) -> Vec<String> {
        let mut warnings = Vec::new();
        if let Some(origin) = self.origin(config) {
            if origin.s3_origin_config().is_some() {
                warnings.push(
                    "It is an S3 origin: the other bucket's policy must let this distribution read.".into(),
                );
            }
            let users = behaviours(config).filter(|target| *target == origin.id()).count();
            warnings.push(match users {
                1 => "1 cache behaviour uses this origin directly, and follows.".into(),
                _ => format!("{users} cache behaviours use this origin directly; all of them follow."),
            });
        }
        let is_group = |id: &str| groups(config).any(|group| group == id);
        if is_group(default_origin(config)) {
            warnings.push(
                "The default behaviour uses an origin group: it may have failed over by itself.".into(),
            );
        }
        warnings
    }
}

fn is_domain(text: &str) -> bool {
    let allowed = |c: char| c.is_ascii_alphanumeric() || "-._".contains(c);
    text.contains('.') && text.len() <= 253 && text.chars().all(allowed)
}

fn default_origin(config: &DistributionConfig) -> &str {
    config.default_cache_behavior().map_or("", |behaviour| behaviour.target_origin_id())
}

fn groups(config: &DistributionConfig) -> impl Iterator<Item = &str> {
    config.origin_groups().map(|groups| groups.items()).unwrap_or_default().iter().map(|group| group.id())
}

/// What a behaviour can use: origins and origin groups.
fn targets(config: &DistributionConfig) -> impl Iterator<Item = &str> {
    let origins = config.origins().map(|origins| origins.items()).unwrap_or_default();
    origins.iter().map(|origin| origin.id()).chain(groups(config))
}

fn behaviours(config: &DistributionConfig) -> impl Iterator<Item = &str> {
    let others = config.cache_behaviors().map(|behaviours| behaviours.items()).unwrap_or_default();
    others.iter().map(|behaviour| behaviour.target_origin_id()).chain([default_origin(config)])
}

#[cfg(test)]
mod tests {
    use super::*;
    use aws_sdk_cloudfront::types::{DefaultCacheBehavior, Origins, ViewerProtocolPolicy};

    fn config() -> DistributionConfig {
        let origin =
            |id: &str| Origin::builder().id(id).domain_name(format!("{id}.example.com")).build().unwrap();
        let origins =
            Origins::builder().quantity(2).items(origin("api")).items(origin("api-dr")).build().unwrap();
        let behaviour = DefaultCacheBehavior::builder()
            .target_origin_id("api")
            .viewer_protocol_policy(ViewerProtocolPolicy::HttpsOnly)
            .build();
        DistributionConfig::builder()
            .caller_reference("x")
            .comment("")
            .enabled(true)
            .origins(origins)
            .default_cache_behavior(behaviour.unwrap())
            .build()
            .unwrap()
    }

    fn domain(origin: &str, domain: &str) -> Change {
        Change::Domain { origin: origin.into(), domain: domain.into() }
    }

    fn pair(name: &str, value: &str) -> Option<(String, String)> {
        Some((name.into(), value.into()))
    }

    #[test]
    fn an_origin_is_found_by_id_or_domain_and_only_it_is_changed() {
        for name in ["api", "api.example.com"] {
            let change = domain(name, "west.example.com");
            let difference = change.difference(&config()).unwrap();
            assert_eq!(difference, pair("origin api", "api.example.com -> west.example.com"));
            let after = change.applied(config());
            let domains: Vec<_> =
                after.origins().unwrap().items().iter().map(|origin| origin.domain_name()).collect();
            assert_eq!(domains, ["west.example.com", "api-dr.example.com"]);
            assert_eq!(change.difference(&after).unwrap(), None, "{name}");
        }
    }

    #[test]
    fn the_default_behaviour_moves_only_to_an_origin_that_is_there() {
        let change = Change::Default("api-dr".into());
        let difference = change.difference(&config()).unwrap();
        assert_eq!(difference, pair("default behaviour", "origin api -> api-dr"));
        let after = change.applied(config());
        assert_eq!(default_origin(&after), "api-dr");
        assert_eq!(change.difference(&after).unwrap(), None);
        let Problem { why, next } = Change::Default("west".into()).difference(&config()).unwrap_err();
        assert!(why.contains("no origin west") && next.contains("api, api-dr"), "{why} {next}");
    }

    #[test]
    fn a_domain_is_a_name_without_scheme_or_path() {
        assert!(is_domain("api-dr.example.com") && is_domain("bucket_1.s3.us-west-2.amazonaws.com"));
        for text in ["https://api.example.com", "api.example.com/x", "api", ""] {
            assert!(!is_domain(text), "{text}");
        }
    }
}
