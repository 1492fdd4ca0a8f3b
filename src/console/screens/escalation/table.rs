//! The table of messages, newest first.

use crate::console::glyphs::Glyph;
use crate::console::screens::View;
use crate::console::screens::list::Filter;
use crate::console::screens::paint::{cleaned, rule};
use crate::console::screens::words::clock_time;
use crate::console::theme::Role;
use crate::console::widgets::{Column, Width, row_line};
use crate::core::model::Model;
use crate::core::words::notification::{DeliveryStatus, Intent, Notification};
use ratatui::text::{Line, Span};

/// From this width on, there is room for the attempts.
const WIDE: u16 = 110;

/// The messages that the filter lets through, newest first.
pub fn rows<'m>(model: &'m Model, filter: &str) -> Vec<&'m Notification> {
    let filter = Filter::new(filter);
    let all = model.durable.notifications.values().rev();
    all.filter(|known| {
        let way = way(model, known);
        filter.lets(&[&known.queued.name, way, what(known), known.status.as_str(), &why(known)])
    })
    .collect()
}

/// How many rows there are.
pub fn count(model: &Model, filter: &str) -> usize {
    rows(model, filter).len()
}

/// `TOLD 5 messages, 1 FAILED, 1 UNKNOWN`.
pub fn title(view: &View<'_>, rows: &[&Notification], width: u16) -> Line<'static> {
    let all = &view.model.durable.notifications;
    let count = |status| all.values().filter(|known| known.status == status).count();
    let mut words = vec![match all.len() {
        1 => "1 message".to_owned(),
        count => format!("{count} messages"),
    }];
    for status in [DeliveryStatus::Failed, DeliveryStatus::Unknown] {
        if count(status) > 0 {
            words.push(format!("{} {}", count(status), status.as_str().to_uppercase()));
        }
    }
    if !view.ui.filter.is_empty() {
        words.push(format!("filter \"{}\" hides {}", view.ui.filter, all.len() - rows.len()));
    }
    rule(&view.styles, "TOLD", cleaned(&words.join(", ")), width)
}

fn columns(width: u16) -> Vec<Column> {
    let fixed = |width| Column { width: Width::Fixed(width), right: false };
    let share = |share| Column { width: Width::Share(share), right: false };
    let mut columns = vec![fixed(1), fixed(9), fixed(14), fixed(7), share(4), share(3), share(5)];
    if width >= WIDE {
        columns.push(fixed(5));
    }
    columns
}

/// The line above the rows.
pub fn heads(view: &View<'_>, width: u16) -> Line<'static> {
    let names = ["", "TIME", "STATUS", "WHAT", "WHO", "WAY", "ANSWER", "TRIES"];
    let cells: Vec<Span<'static>> = names.iter().map(|name| view.styles.span(Role::Title, *name)).collect();
    row_line(&view.styles, &columns(width), &cells, width)
}

/// The row of a notification.
pub fn line(view: &View<'_>, known: &Notification, selected: bool, width: u16) -> Line<'static> {
    let styles = &view.styles;
    let (glyph, role, word) = status(known.status);
    let cells = [
        styles.span(Role::Accent, if selected { styles.glyph(Glyph::Selected) } else { " " }),
        styles.span(Role::Muted, clock_time(known.queued_at)),
        styles.span(role, format!("{} {word}", styles.glyph(glyph))),
        styles.span(Role::Text, what(known)),
        styles.span(Role::Text, cleaned(&known.queued.name)),
        styles.span(Role::Text, cleaned(way(view.model, known))),
        styles.span(if role == Role::Ok { Role::Muted } else { role }, cleaned(&why(known))),
        styles.span(Role::Muted, known.attempt.to_string()),
    ];
    row_line(styles, &columns(width), &cells, width)
}

/// Glyph, colour and word of where a message is; what is bad is written large.
pub fn status(status: DeliveryStatus) -> (Glyph, Role, &'static str) {
    match status {
        DeliveryStatus::Queued => (Glyph::Pending, Role::Muted, "queued"),
        DeliveryStatus::Sent => (Glyph::Running, Role::Running, "sent"),
        DeliveryStatus::Accepted => (Glyph::Ready, Role::Accent, "accepted"),
        DeliveryStatus::Delivered => (Glyph::Ok, Role::Ok, "delivered"),
        DeliveryStatus::Acknowledged => (Glyph::Attested, Role::Ok, "acknowledged"),
        DeliveryStatus::Failed => (Glyph::Failed, Role::Critical, "FAILED"),
        DeliveryStatus::Unknown => (Glyph::Unknown, Role::Unknown, "UNKNOWN"),
    }
}

/// What a message wants, in few letters.
pub fn what(known: &Notification) -> &'static str {
    match known.intent {
        Intent::Page => "page",
        Intent::Inform => "inform",
        Intent::Acknowledge => "ack",
        Intent::Resolve => "resolve",
    }
}

/// What people call the channel.
pub fn way<'m>(model: &'m Model, known: &'m Notification) -> &'m str {
    let id = &known.queued.way.channel;
    model.plan.channels.get(id).map_or(id.as_str(), |channel| &channel.title)
}

/// What was learnt last: who acknowledged, the provider's answer, why it failed.
pub fn why(known: &Notification) -> String {
    let answer = || known.receipt.as_ref().map(|receipt| receipt.answer.clone());
    let failure = || known.failure.as_ref().map(|failure| failure.why.clone());
    let heard = known.heard.clone();
    match known.status {
        DeliveryStatus::Acknowledged => heard.map(|who| format!("by {who}")).or_else(answer),
        DeliveryStatus::Failed => heard.or_else(failure),
        DeliveryStatus::Queued | DeliveryStatus::Sent | DeliveryStatus::Unknown => failure(),
        DeliveryStatus::Accepted | DeliveryStatus::Delivered => heard.or_else(answer),
    }
    .unwrap_or_default()
}
