//! Who is told what, on which way, after which time.

use super::{Show, kebab};
use crate::base::ids::ChannelId;
use crate::plan::people::*;
use crate::plan::types::Severity;
use crate::plan::units::format_duration;
use jiff::Timestamp;
use jiff::tz::TimeZone;

/// Most shifts of a rotation that are listed.
const MAX_SHIFTS: usize = 20;

impl Show<'_> {
    pub(super) fn contacts(&mut self) {
        self.heading("CONTACTS");
        for (id, contact) in &self.plan.contacts {
            let addresses: Vec<String> =
                contact.addresses.iter().map(|(kind, address)| format!("{kind} {address}")).collect();
            self.line(&format!("  {id}  {} ({})  {}", contact.name, contact.role, addresses.join(", ")));
            if !contact.methods.is_empty() {
                self.line(&format!("      reached by {}", channels(&contact.methods, " then ")));
            }
        }
    }

    pub(super) fn channels(&mut self) {
        if !self.plan.channels.is_empty() {
            self.heading("CHANNELS");
        }
        for (id, channel) in &self.plan.channels {
            let to = channel
                .address
                .as_deref()
                .map_or("its own destination".into(), |to| format!("a contact's {to}"));
            self.line(&format!("  {id}  {}  {}, to {to}", channel.kind, channel.title));
            self.line(&format!(
                "      timeout {}, gives up after {}, {} at once",
                format_duration(channel.timeout),
                format_duration(channel.give_up_after),
                channel.parallel
            ));
        }
    }

    pub(super) fn rotations(&mut self) {
        if !self.plan.rotations.is_empty() {
            self.heading("ROTATIONS");
        }
        for (id, rotation) in &self.plan.rotations {
            let zone = rotation.zone.iana_name().unwrap_or("UTC");
            self.line(&format!("  {id}  {} ({zone})", rotation.title));
            match &rotation.turns {
                Turns::Cycle { start, every, order } => {
                    let names: Vec<&str> = order.iter().map(|contact| contact.as_str()).collect();
                    let start = start.strftime("%Y-%m-%d %H:%M");
                    let every = format_duration(*every);
                    self.line(&format!("      {} in turn, {every} each, from {start} on", names.join(", ")));
                }
                Turns::Calendar { file, shifts, trouble } => {
                    self.line(&format!("      as {file} says, {} shifts:", shifts.len()));
                    self.shifts(shifts, &rotation.zone);
                    match trouble {
                        None => {}
                        Some(CalendarTrouble::Unread(why)) => {
                            self.line(&format!("      CANNOT BE READ: {why}"))
                        }
                        Some(CalendarTrouble::LeftOut(events)) => {
                            events.iter().for_each(|event| self.line(&format!("      left out: {event}")));
                        }
                    }
                }
            }
            if !rotation.overrides.is_empty() {
                self.line("      instead:");
                self.shifts(&rotation.overrides, &rotation.zone);
            }
        }
    }

    fn shifts(&mut self, shifts: &[Shift], zone: &TimeZone) {
        let at = |at: Timestamp| zone.to_datetime(at).strftime("%Y-%m-%d %H:%M").to_string();
        for shift in shifts.iter().take(MAX_SHIFTS) {
            self.line(&format!("        {} to {}  {}", at(shift.from), at(shift.until), shift.contact));
        }
        if let Some(more) = shifts.len().checked_sub(MAX_SHIFTS).filter(|more| *more > 0) {
            self.line(&format!("        and {more} more"));
        }
    }

    pub(super) fn policies(&mut self) {
        for (id, policy) in &self.plan.policies {
            self.heading(&format!("POLICY {id}: {} ({})", policy.title, severities(&policy.severities)));
            for (number, level) in policy.levels.iter().enumerate() {
                let after = format_duration(level.after);
                self.line(&format!("  {:>2}. after {after}: {}", number + 1, level.title));
                self.line(&format!("      {}", told(&level.who, &level.methods, level.tries)));
                if let Some(next) = level.next_after {
                    self.line(&format!(
                        "      the next way when nobody answers for {}",
                        format_duration(next)
                    ));
                }
            }
            if let Some(repeat) = policy.repeat {
                let repeat = format_duration(repeat);
                self.line(&format!(
                    "  again {repeat} after the last level, {} times at most",
                    policy.repeats
                ));
            }
            if let Some(repage) = policy.repage {
                let repage = format_duration(repage);
                self.line(&format!("  anew when whoever acknowledged gives no sign of life for {repage}"));
            }
            if policy.quiet {
                self.line("  waits in the quiet hours");
            }
        }
    }

    pub(super) fn audiences(&mut self) {
        if !self.plan.audiences.is_empty() {
            self.heading("AUDIENCES");
        }
        for (id, audience) in &self.plan.audiences {
            let public = if audience.public { ", outside of the company" } else { "" };
            self.line(&format!("  {id}  {}{public}", audience.title));
            self.line(&format!("      {}", told(&audience.who, &audience.methods, Fallbacks::All)));
        }
    }

    pub(super) fn messages(&mut self) {
        for (id, message) in &self.plan.messages {
            self.heading(&format!("MESSAGE {id}: {}", message.title));
            let within = format_duration(message.within);
            let every = message
                .every
                .map_or(String::new(), |every| format!(", again every {}", format_duration(every)));
            let by = if message.automatic { ", sent without a person" } else { "" };
            self.line(&format!("  for {}, within {within}{every}{by}", message.audience));
            let occasions: Vec<String> = message.on.iter().map(kebab).collect();
            let on = if occasions.is_empty() {
                "sent by hand".into()
            } else {
                format!("due on {}", occasions.join(", "))
            };
            let only = if message.severities.is_empty() {
                String::new()
            } else {
                format!(", for {}", severities(&message.severities))
            };
            let runbooks: Vec<&str> = message.runbooks.iter().map(|runbook| runbook.as_str()).collect();
            let of =
                if runbooks.is_empty() { String::new() } else { format!(", of {}", runbooks.join(", ")) };
            self.line(&format!("  {on}{only}{of}"));
            let status = |name: &str, value: String| format!("  {name}: {value}");
            if let Some(page) = &message.page_status {
                self.line(&status("status page", kebab(page)));
            }
            if let Some(component) = &message.component_status {
                self.line(&status("components", kebab(component)));
            }
            self.line(&format!("  subject: {}", message.subject));
            for line in message.body.lines() {
                self.line(&format!("    {line}"));
            }
        }
    }

    pub(super) fn notify(&mut self) {
        let settings = &self.plan.notify;
        if *settings == NotifySettings::default() {
            return;
        }
        self.heading("TELLING PEOPLE");
        if let Some((from, until)) = settings.quiet {
            let zone = settings.zone.iana_name().unwrap_or("UTC");
            let (from, until) = (from.strftime("%H:%M"), until.strftime("%H:%M"));
            self.line(&format!("  quiet from {from} to {until} ({zone})"));
        }
        if let Some(propose) = settings.propose {
            let after = format_duration(settings.propose_after);
            self.line(&format!("  an incident is proposed from {} on, after {after}", propose.as_str()));
        }
        if !settings.drill_who.is_empty() || !settings.drill_methods.is_empty() {
            let drills = told(&settings.drill_who, &settings.drill_methods, Fallbacks::All);
            self.line(&format!("  in drills: {drills}"));
        }
    }

    pub(super) fn drills(&mut self) {
        if !self.plan.drills.is_empty() {
            self.heading("DRILLS");
        }
        for (id, drill) in &self.plan.drills {
            let last = drill.last.map_or("never".to_owned(), |date| date.to_string());
            let runbook = drill.runbook.as_ref().map_or(String::new(), |runbook| format!(" of {runbook}"));
            let every = format_duration(drill.every);
            self.line(&format!("  {id}  {}{runbook}, every {every}, last done: {last}", drill.title));
        }
    }
}

/// Who is told on which ways, in words.
fn told(who: &[Who], methods: &[ChannelId], tries: Fallbacks) -> String {
    let name = |who: &Who| match who {
        Who::Contact(id) => id.to_string(),
        Who::OnCall(id) => format!("whoever is on call in {id}"),
    };
    let names: Vec<String> = who.iter().map(name).collect();
    let between = if tries == Fallbacks::All { " and " } else { " then " };
    match (names.is_empty(), methods.is_empty()) {
        (true, _) => channels(methods, between),
        (false, true) => format!("{} as each wants", names.join(", ")),
        (false, false) => format!("{} by {}", names.join(", "), channels(methods, between)),
    }
}

fn channels(methods: &[ChannelId], between: &str) -> String {
    methods.iter().map(ChannelId::as_str).collect::<Vec<_>>().join(between)
}

fn severities(severities: &[Severity]) -> String {
    severities.iter().map(|severity| severity.as_str()).collect::<Vec<_>>().join(", ")
}
