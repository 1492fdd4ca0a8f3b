//! What the tables about people come to.

use crate::registry::registry;
use crate::resolve::{good, plans};
use jiff::SignedDuration;
use lifeboat::base::ids::*;
use lifeboat::plan::*;

fn minutes(count: i64) -> SignedDuration {
    SignedDuration::from_mins(count)
}

#[test]
fn channels_have_their_kinds_keys_and_capabilities() {
    let plan = good();
    let voice = &plan.channels["voice"];
    assert_eq!((voice.title.as_str(), voice.address.as_deref()), ("Telephone", Some("phone")));
    assert_eq!(
        (voice.timeout, voice.give_up_after, voice.parallel),
        (SignedDuration::from_secs(20), minutes(3), 2)
    );
    assert_eq!(voice.params.text("from"), Some("+1 555 0100"));
    assert!(voice.capabilities.tracks && !voice.capabilities.threads);
    let status = &plan.channels["status"];
    assert_eq!((status.address.as_deref(), status.parallel), (None, 8));
    assert!(status.capabilities.threads, "as its components say");
    assert_eq!(plan.channels["mail"].params.text("host"), Some("mail.us-west-2.example.org"));
    assert_eq!(plan.contacts["bob"].methods, [ChannelId::from("voice"), "text".into()]);
}

#[test]
fn a_channel_can_choose_the_address_that_its_kind_leaves_to_it() {
    let text = std::fs::read_to_string(plans().join("good.toml")).unwrap();
    let channel = "[channels.own]\nkind = \"command\"\nargv = [\"page\"]\naddress = \"phone\"\n";
    let used = text.replace(
        "methods = [\"voice\", \"text\"]\nnext_after",
        "methods = [\"own\", \"text\", \"voice\"]\nnext_after",
    );
    let files = vec![("plan.toml".to_owned(), format!("{used}\n{channel}"))];
    let plan = load_texts(files, &registry()).unwrap_or_else(|problems| panic!("{problems}")).plan;
    assert_eq!(plan.channels["own"].address.as_deref(), Some("phone"));
}

#[test]
fn rotations_have_wall_clocks_and_overrides() {
    let plan = good();
    let rotation = &plan.rotations["oncall"];
    let Turns::Cycle { start, every, order } = &rotation.turns else { panic!("no cycle") };
    assert_eq!(start.to_string(), "2026-01-05T09:00:00");
    assert_eq!(*every, SignedDuration::from_hours(7 * 24));
    assert_eq!(*order, [ContactId::from("bob"), "carol".into()]);
    let shift = &rotation.overrides[0];
    assert_eq!(shift.from.to_string(), "2026-12-24T08:00:00Z", "09:00 in Berlin");
    assert_eq!(shift.contact.as_str(), "carol");
}

#[test]
fn policies_have_levels_with_defaults() {
    let plan = good();
    let urgent = &plan.policies["urgent"];
    assert_eq!(urgent.severities, [Severity::P0]);
    assert_eq!((urgent.repeat, urgent.repeats, urgent.repage), (Some(minutes(15)), 2, Some(minutes(30))));
    let [first, second] = &urgent.levels[..] else { panic!("{:?}", urgent.levels) };
    assert_eq!((first.title.as_str(), first.after), ("On-call engineer", SignedDuration::ZERO));
    assert_eq!(first.who, [Who::OnCall("oncall".into())]);
    assert_eq!((first.tries, first.next_after), (Fallbacks::InTurn, Some(minutes(2))));
    assert_eq!(
        (second.title.as_str(), second.tries, second.next_after),
        ("Management", Fallbacks::All, None)
    );
    let daytime = &plan.policies["daytime"];
    assert_eq!((daytime.repeats, daytime.repeat, daytime.quiet), (3, None, true));
    assert_eq!(daytime.levels[0].title, "On-call engineer, Bob Jones");
    assert_eq!(daytime.levels[0].who, [Who::OnCall("oncall".into()), Who::Contact("bob".into())]);
}

#[test]
fn messages_know_the_plan_and_wait_for_the_incident() {
    let plan = good();
    let message = &plan.messages["activation"];
    assert_eq!(message.on, [Occasion::Declared, Occasion::Switched]);
    assert_eq!((message.within, message.every), (minutes(15), Some(minutes(30))));
    assert_eq!(message.subject, "[{{ incident.severity }}] Demo: {{ incident.title }}");
    let scope =
        serde_json::json!({"incident": {"severity": "P0", "title": "Down", "doing": "Runs", "eta": "soon"}});
    assert_eq!(template::render_text(&message.subject, &scope).unwrap(), "[P0] Demo: Down");
    assert_eq!(template::render_text(&message.body, &scope).unwrap(), "Runs in us-east-1.\nETA: soon\n");
    assert_eq!(message.page_status, Some(PageStatus::Identified));
    assert_eq!(message.component_status, Some(ComponentStatus::MajorOutage));
    let planned = &plan.messages["planned"];
    assert!(planned.on.is_empty() && !planned.automatic && planned.within == minutes(15));
    let audience = &plan.audiences["customers"];
    assert!(audience.public && audience.who == [Who::Contact("carol".into())]);
}

#[test]
fn settings_have_their_defaults() {
    let settings = good().notify;
    assert_eq!(settings.zone.iana_name(), Some("Europe/Berlin"));
    let span = (jiff::civil::time(22, 0, 0, 0), jiff::civil::time(7, 0, 0, 0));
    assert_eq!((settings.quiet, settings.propose), (Some(span), Some(Severity::P0)));
    assert_eq!(settings.propose_after, minutes(1));
    assert_eq!(settings.drill_who, [Who::Contact("bob".into())]);
    let text = std::fs::read_to_string(plans().join("good.toml")).unwrap();
    let (head, _) = text.split_once("[notify]").unwrap();
    let files = vec![("plan.toml".to_owned(), head.replace("quiet = true\n", ""))];
    let loaded = load_texts(files, &registry()).unwrap_or_else(|problems| panic!("{problems}"));
    assert_eq!(loaded.plan.notify, NotifySettings::default());
}
