//! Plan-wide settings of telling people.

use super::{who, zone};
use crate::base::toml::Diagnostic;
use crate::plan::load::Places;
use crate::plan::load::basics::severity_of;
use crate::plan::load::document::Document;
use crate::plan::load::fields::Fields;
use crate::plan::load::reader::Reader;
use crate::plan::load::single;
use crate::plan::people::NotifySettings;
use jiff::civil::Time;

pub(in crate::plan::load) fn notify(
    document: &Document,
    reader: &Reader<'_>,
    places: &mut Places,
) -> NotifySettings {
    let fields = single(document, reader, "notify");
    if let Some(entry) = document.single("notify") {
        places.insert("notify".into(), entry.key_place);
        for key in ["drill_who", "drill_methods"].iter().filter(|key| fields.get(key).is_some()) {
            places.insert(format!("notify.{key}"), fields.place_of(key));
        }
    }
    let default = NotifySettings::default();
    NotifySettings {
        zone: if fields.get("zone").is_some() { zone(&fields, reader) } else { default.zone },
        quiet: quiet(&fields, reader),
        propose: fields.get("propose").and_then(|read| severity_of(read.text()?)),
        propose_after: fields.duration("propose_after").unwrap_or(default.propose_after),
        drill_who: who(&fields, "drill_who", reader),
        drill_methods: fields.names("drill_methods"),
    }
}

/// `22:00-07:00`.
fn quiet(fields: &Fields, reader: &Reader<'_>) -> Option<(Time, Time)> {
    let text = fields.get("quiet")?.text()?;
    let time = |text: &str| Time::strptime("%H:%M", text.trim()).ok();
    let span = text.split_once('-').and_then(|(from, until)| Some((time(from)?, time(until)?)));
    let span = span.filter(|(from, until)| from != until);
    if span.is_none() {
        let message = format!("`{}` is no span of a day", crate::base::text::clean(text, 60));
        let help = "write from when until when by the clock of `zone`, as in `22:00-07:00`";
        reader.report.add(Diagnostic::error("quiet", fields.place_of("quiet"), message).help(help));
    }
    span
}
