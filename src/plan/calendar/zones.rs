//! Time zones as calendars name them: by IANA, by Windows, or by a VTIMEZONE of their own.

use super::{observance, windows};
use icalendar::parser::Component;
use jiff::Timestamp;
use jiff::tz::TimeZone;
use std::collections::HashMap;

/// The zones that one calendar may name.
pub(super) struct Zones {
    /// What counts for times that name none.
    pub(super) floating: TimeZone,
    /// What its own definitions come to, or why they cannot be read.
    own: HashMap<String, Result<TimeZone, String>>,
}

impl Zones {
    pub(super) fn new(floating: &TimeZone, definitions: &[Component<'_>], now: Timestamp) -> Self {
        let own = definitions.iter().filter_map(|definition| {
            let id = definition.find_prop("TZID")?.val.as_str().trim().trim_matches('"').to_owned();
            Some((id, observance::zone(definition, now)))
        });
        Self { floating: floating.clone(), own: own.collect() }
    }

    /// A zone by its name. The names of IANA and Windows know past and future better than a definition does.
    pub(super) fn named(&self, name: &str) -> Result<TimeZone, String> {
        let name = name.trim().trim_matches('"');
        let known = iana(name).or_else(|| windows::iana_name(name).and_then(iana));
        match (known, self.own.get(name)) {
            (Some(zone), _) => Ok(zone),
            (None, Some(own)) => own.clone().map_err(|why| {
                format!("the VTIMEZONE of `{}` cannot be read: {why}", crate::base::text::clean(name, 60))
            }),
            (None, None) => Err(format!(
                "the time zone `{}` has no IANA name such as Europe/Berlin, and no VTIMEZONE",
                crate::base::text::clean(name, 60)
            )),
        }
    }
}

/// Some programs write a path before the name.
fn iana(name: &str) -> Option<TimeZone> {
    let parts: Vec<&str> = name.split('/').filter(|part| !part.is_empty()).collect();
    let mut tails = (0..parts.len().min(8)).map(|from| parts[from..].join("/"));
    tails.find_map(|tail| TimeZone::get(&tail).ok())
}
