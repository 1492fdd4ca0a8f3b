//! Audiences and the messages for them.

use super::who;
use crate::base::ids::{AudienceId, MessageId};
use crate::plan::load::Places;
use crate::plan::load::basics::{severities, things};
use crate::plan::load::document::Document;
use crate::plan::load::fields::Fields;
use crate::plan::load::reader::Reader;
use crate::plan::people::{Audience, ComponentStatus, MessageTemplate, Occasion, PageStatus};
use indexmap::IndexMap;

pub(in crate::plan::load) fn audiences(
    document: &Document,
    reader: &Reader<'_>,
    places: &mut Places,
) -> IndexMap<AudienceId, Audience> {
    let mut audiences = IndexMap::new();
    things(document, reader, "audiences", |id, fields| {
        for key in ["who", "methods"].iter().filter(|key| fields.get(key).is_some()) {
            places.insert(format!("audiences.{id}.{key}"), fields.place_of(key));
        }
        let audience = Audience {
            title: fields.text_or("title", id),
            who: who(fields, "who", reader),
            methods: fields.names("methods"),
            public: fields.flag("public"),
        };
        audiences.insert(AudienceId::from(id), audience);
    });
    audiences
}

pub(in crate::plan::load) fn messages(
    document: &Document,
    reader: &Reader<'_>,
    places: &mut Places,
) -> IndexMap<MessageId, MessageTemplate> {
    let mut messages = IndexMap::new();
    things(document, reader, "messages", |id, fields| {
        let keys = ["on", "severities", "runbooks", "within", "every", "automatic", "subject", "body"];
        for key in keys.iter().filter(|key| fields.get(key).is_some()) {
            places.insert(format!("messages.{id}.{key}"), fields.place_of(key));
        }
        messages.insert(MessageId::from(id), message(id, fields));
    });
    messages
}

fn message(id: &str, fields: &Fields) -> MessageTemplate {
    MessageTemplate {
        title: fields.text_or("title", id),
        audience: AudienceId::from(&*fields.text("audience")),
        on: fields.names::<String>("on").iter().filter_map(|word| occasion(word)).collect(),
        severities: severities(fields, "severities"),
        runbooks: fields.names("runbooks"),
        within: fields.duration("within").unwrap_or_default(),
        every: fields.duration("every"),
        automatic: fields.flag("automatic"),
        subject: fields.text("subject"),
        body: fields.text("body"),
        page_status: page_status(&fields.text("page_status")),
        component_status: component_status(&fields.text("component_status")),
    }
}

fn occasion(word: &str) -> Option<Occasion> {
    Some(match word {
        "declared" => Occasion::Declared,
        "severity" => Occasion::Severity,
        "run" => Occasion::Run,
        "switched" => Occasion::Switched,
        "resolved" => Occasion::Resolved,
        "closed" => Occasion::Closed,
        _ => return None,
    })
}

fn page_status(word: &str) -> Option<PageStatus> {
    Some(match word {
        "investigating" => PageStatus::Investigating,
        "identified" => PageStatus::Identified,
        "monitoring" => PageStatus::Monitoring,
        "resolved" => PageStatus::Resolved,
        _ => return None,
    })
}

fn component_status(word: &str) -> Option<ComponentStatus> {
    Some(match word {
        "operational" => ComponentStatus::Operational,
        "degraded_performance" => ComponentStatus::DegradedPerformance,
        "partial_outage" => ComponentStatus::PartialOutage,
        "major_outage" => ComponentStatus::MajorOutage,
        "under_maintenance" => ComponentStatus::UnderMaintenance,
        _ => return None,
    })
}
