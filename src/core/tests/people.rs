//! People for the fixture's plan: two who take turns, a manager, the customers.

use super::fixture::{self, seconds};
use crate::plan::*;
use indexmap::indexmap;
use jiff::civil::date;
use std::sync::Arc;

fn contact(name: &str, role: &str, phone: &str, email: &str) -> Contact {
    Contact {
        name: name.into(),
        role: role.into(),
        addresses: indexmap! { "email".into() => email.into(), "phone".into() => phone.into() },
        methods: Vec::new(),
    }
}

fn channel(id: &str, title: &str, kind: &str, address: Option<&str>, capabilities: Capabilities) -> Channel {
    Channel {
        id: id.into(),
        title: title.into(),
        kind: kind.into(),
        address: address.map(str::to_owned),
        capabilities,
        give_up_after: seconds(180),
        timeout: seconds(10),
        parallel: 4,
        params: Default::default(),
    }
}

fn level(title: &str, after: i64, who: Who, methods: &[&str]) -> EscalationLevel {
    EscalationLevel {
        title: title.into(),
        after: seconds(after),
        who: vec![who],
        methods: methods.iter().map(|id| (*id).into()).collect(),
        tries: Fallbacks::All,
        next_after: None,
    }
}

/// The fixture's plan, with people: P0 and P1 page whoever is on call by phone and mail, and after 15 minutes the
/// manager; customers are told on a status page within 15 minutes of the declaration.
pub fn plan() -> Arc<Plan> {
    let mut plan = (*fixture::plan()).clone();
    plan.contacts = indexmap! {
        "ana".into() => contact("Ana Alba", "SRE lead", "+49 30 1001", "ana@example.com"),
        "bob".into() => contact("Bob Berg", "Database engineer", "+49 30 1002", "bob@example.com"),
        "carol".into() => contact("Carol Cruz", "Engineering manager", "+49 30 1003", "carol@example.com"),
        "dora".into() => contact("Dora Diaz", "Support lead", "+49 30 1004", "dora@example.com"),
    };
    let tracks = Capabilities { tracks: true, ..Capabilities::default() };
    plan.channels = indexmap! {
        "phone".into() => channel("phone", "phone", "voice", Some("phone"), tracks),
        "mail".into() => channel("mail", "mail", "smtp", Some("email"), Capabilities::default()),
        "page".into() => channel("page", "the status page", "statuspage", None, Capabilities { threads: true, ..Capabilities::default() }),
    };
    plan.rotations = indexmap! {
        "primary".into() => Rotation {
            title: "Primary".into(),
            zone: jiff::tz::TimeZone::get("Europe/Berlin").unwrap(),
            turns: Turns::Cycle {
                start: date(2026, 2, 2).at(9, 0, 0, 0),
                every: seconds(7 * 86_400),
                order: vec!["ana".into(), "bob".into()],
            },
            overrides: Vec::new(),
        },
    };
    plan.policies = indexmap! {
        "outage".into() => EscalationPolicy {
            title: "Outage".into(),
            severities: vec![Severity::P0, Severity::P1],
            levels: vec![
                level("On call", 0, Who::OnCall("primary".into()), &["phone", "mail"]),
                level("Management", 900, Who::Contact("carol".into()), &[]),
            ],
            repeat: Some(seconds(600)),
            repeats: 2,
            repage: Some(seconds(1800)),
            quiet: false,
        },
    };
    plan.audiences = indexmap! {
        "customers".into() => Audience {
            title: "Customers".into(),
            who: Vec::new(),
            methods: vec!["page".into()],
            public: true,
        },
    };
    plan.messages = indexmap! {
        "activation".into() => MessageTemplate {
            title: "First word to customers".into(),
            audience: "customers".into(),
            on: vec![Occasion::Declared],
            severities: Vec::new(),
            runbooks: Vec::new(),
            within: seconds(900),
            every: None,
            automatic: false,
            subject: "We are looking into it".into(),
            body: "{{ incident.services_down }} does not work. Next word within 30 minutes.".into(),
            page_status: Some(PageStatus::Investigating),
            component_status: None,
        },
    };
    plan.notify.propose = Some(Severity::P1);
    Arc::new(plan)
}

/// The machine, its plan with people in it.
pub fn with_people(mut machine: fixture::Machine) -> fixture::Machine {
    machine.model.plan = plan();
    machine
}
