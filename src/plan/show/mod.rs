//! The resolved plan as text, for `lifeboat plan show`.

mod people;

use super::registry::Registry;
use super::types::*;
use super::units::format_duration;
use crate::base::ids::{ProbeId, QuestionId};
use crate::base::text::clean;
use crate::base::units::Unit;
use crate::plan::params::Param;
use std::collections::HashSet;

/// Longest text that is shown on a line.
const MAX_TEXT: usize = 200;

/// The whole plan.
pub fn show(plan: &Plan, registry: &Registry, unicode: bool) -> String {
    let mut show = Show { out: String::new(), plan, registry, lines: if unicode { UNICODE } else { ASCII } };
    show.system();
    show.services();
    show.probes();
    show.backups();
    show.severity();
    show.tree();
    for (id, runbook) in &plan.runbooks {
        show.runbook(id.as_str(), runbook);
    }
    show.contacts();
    show.channels();
    show.rotations();
    show.policies();
    show.audiences();
    show.messages();
    show.notify();
    show.drills();
    show.out
}

struct Lines {
    branch: &'static str,
    last: &'static str,
    bar: &'static str,
    rule: &'static str,
    arrow: &'static str,
}

const UNICODE: Lines = Lines { branch: "├─ ", last: "└─ ", bar: "│  ", rule: "─", arrow: "→" };
const ASCII: Lines = Lines { branch: "|- ", last: "`- ", bar: "|  ", rule: "-", arrow: "->" };

struct Show<'a> {
    out: String,
    plan: &'a Plan,
    registry: &'a Registry,
    lines: Lines,
}

impl Show<'_> {
    fn line(&mut self, text: &str) {
        let indent = text.len() - text.trim_start().len();
        self.out.push_str(&text[..indent]);
        self.out.push_str(&clean(text[indent..].trim_end(), MAX_TEXT));
        self.out.push('\n');
    }

    fn heading(&mut self, text: &str) {
        self.out.push('\n');
        self.line(text);
    }

    fn system(&mut self) {
        let plan = self.plan;
        let strategy = kebab(&plan.strategy);
        self.line(&format!("{} ({strategy})", plan.name));
        self.line(&format!("plan sha256 {}", plan.digest));
        let policy = &plan.policy;
        self.line(&format!(
            "cooldown {}, confirmations expire after {}, watched for {}, unknown for at most {}",
            format_duration(policy.cooldown),
            format_duration(policy.confirmation_expiry),
            format_duration(policy.monitor),
            format_duration(policy.unknown_after)
        ));
        if !policy.reference.is_empty() {
            self.line(&format!("reference probes: {}", join(&policy.reference)));
        }
        self.heading("REGIONS");
        for (id, region) in &plan.regions {
            self.line(&format!("  {id}  {}  {}", region.name, kebab(&region.role)));
            self.line(&format!("      health: {}", join(&region.health)));
        }
    }

    fn services(&mut self) {
        self.heading("SERVICES");
        for (id, service) in &self.plan.services {
            let rpo = service.rpo.map_or("none".to_owned(), format_duration);
            let rto = format_duration(service.rto);
            self.line(&format!("  {id}  {}  tier {}  RTO {rto}  RPO {rpo}", service.title, service.tier));
            for (region, probes) in &service.health {
                self.line(&format!("      {region}: {}", join(probes)));
            }
        }
    }

    fn probes(&mut self) {
        self.heading("PROBES");
        for probe in self.plan.probes.values() {
            let region = probe.region.as_ref().map_or(String::new(), |region| format!(" in {region}"));
            self.line(&format!("  {}  {}{region}  {}", probe.id, probe.kind, probe.title));
            let bounds = bounds(probe);
            self.line(&format!(
                "      every {}, timeout {}, fails after {}, recovers after {}, stale after {}{bounds}",
                format_duration(probe.every),
                format_duration(probe.timeout),
                probe.fail_after,
                probe.recover_after,
                format_duration(probe.stale_after),
            ));
        }
    }

    fn backups(&mut self) {
        if !self.plan.backups.is_empty() {
            self.heading("BACKUPS");
        }
        for (id, backup) in &self.plan.backups {
            self.line(&format!("  {id}  {}: {} in {}", backup.title, backup.method, backup.location));
            let max_age = backup
                .max_age
                .map_or("any age".into(), |age| format!("at most {} old", format_duration(age)));
            let kept = backup
                .retention
                .map_or(String::new(), |time| format!(", kept for {}", format_duration(time)));
            let kept = if backup.kept.is_empty() { kept } else { format!("{kept}, kept {}", backup.kept) };
            let made = if backup.frequency.is_empty() { "" } else { ", made " };
            let tested = backup.last_restore_test.map_or("never".to_owned(), |date| date.to_string());
            let due = backup.test_every.map(|every| format!(", due every {}", format_duration(every)));
            self.line(&format!(
                "      seen by {}, {max_age}{made}{}{kept}, restore last proven: {tested}{}",
                backup.probe,
                backup.frequency,
                due.unwrap_or_default()
            ));
            if let Some(encryption) = &backup.encryption {
                self.line(&format!("      encrypted: {encryption}"));
            }
        }
    }

    fn severity(&mut self) {
        self.heading("SEVERITY (the first that holds)");
        for rule in &self.plan.severity {
            self.line(&format!("  {}  when {}", rule.level.as_str(), rule.when.source()));
            self.line(&format!("      {}", rule.why));
        }
    }

    fn tree(&mut self) {
        self.heading("DECISION TREE");
        let mut seen = HashSet::new();
        let root = self.plan.tree.root.clone();
        let mut open = vec![Drawing::Question { id: root, prefix: "  ".into() }];
        while let Some(next) = open.pop() {
            match next {
                Drawing::Question { id, prefix } => self.question(&id, &prefix, &mut seen, &mut open),
                Drawing::Answer { question, index, prefix } => {
                    self.answer(&question, index, &prefix, &seen, &mut open)
                }
            }
        }
    }

    fn question(
        &mut self,
        id: &QuestionId,
        prefix: &str,
        seen: &mut HashSet<QuestionId>,
        open: &mut Vec<Drawing>,
    ) {
        let Some(question) = self.plan.tree.questions.get(id) else { return };
        seen.insert(id.clone());
        self.line_after(prefix, &format!("[{id}] {}", question.ask));
        if !question.evidence.is_empty() {
            let text = format!("evidence: {}", join(&question.evidence));
            self.line_after(&format!("{prefix}{}", self.lines.bar), &text);
        }
        let answer = |index| Drawing::Answer { question: id.clone(), index, prefix: prefix.to_owned() };
        open.extend((0..question.answers.len()).rev().map(answer));
    }

    /// Draws an answer; the question that it leads to is drawn below it, once.
    fn answer(
        &mut self,
        id: &QuestionId,
        index: usize,
        prefix: &str,
        seen: &HashSet<QuestionId>,
        open: &mut Vec<Drawing>,
    ) {
        let Some(question) = self.plan.tree.questions.get(id) else { return };
        let Some((name, answer)) = question.answers.get_index(index) else { return };
        let last = index + 1 == question.answers.len();
        let branch = if last { self.lines.last } else { self.lines.branch };
        let below = format!("{prefix}{}", if last { "   " } else { self.lines.bar });
        let target = match &answer.goto {
            Goto::Question(id) if seen.contains(id) => format!("[{id}], above"),
            Goto::Question(id) => format!("[{id}]"),
            Goto::Runbook(id) => format!("runbook {id}"),
            Goto::Leaf(id) => match self.plan.tree.leaves.get(id) {
                Some(leaf) => format!("{} ({})", leaf.title, leaf.advice),
                None => id.to_string(),
            },
        };
        let arrow = self.lines.arrow;
        self.line_after(prefix, &format!("{branch}{name} {arrow} {target}"));
        if let Some(suggest) = &answer.suggest {
            self.line_after(&below, &format!("suggested when {}", suggest.source()));
        }
        if let Goto::Question(id) = &answer.goto
            && !seen.contains(id)
        {
            open.push(Drawing::Question { id: id.clone(), prefix: below });
        }
    }

    /// A line after the bars of a tree.
    fn line_after(&mut self, prefix: &str, text: &str) {
        self.out.push_str(prefix);
        self.out.push_str(&clean(text, MAX_TEXT));
        self.out.push('\n');
    }

    fn runbook(&mut self, id: &str, runbook: &Runbook) {
        self.heading(&format!("RUNBOOK {id}: {}", runbook.title));
        if !runbook.loss.is_empty() {
            self.line(&format!("  loss told by: {}", join(&runbook.loss)));
        }
        if !runbook.restores.is_empty() {
            let services: Vec<&str> = runbook.restores.iter().map(|service| service.as_str()).collect();
            self.line(&format!("  restores: {}", services.join(", ")));
        }
        let estimate = runbook
            .steps
            .values()
            .filter_map(|step| step.estimate)
            .fold(jiff::SignedDuration::ZERO, |sum, time| sum.saturating_add(time));
        if !estimate.is_zero() {
            self.line(&format!("  estimate: {} one after the other", format_duration(estimate)));
        }
        let mut passed = false;
        for (number, step) in runbook.steps.values().enumerate() {
            if step.irreversible && !passed {
                passed = true;
                let rule = self.lines.rule.repeat(6);
                self.line(&format!("  {rule} point of no return {rule}"));
            }
            self.step(number + 1, step);
        }
    }

    /// What the action itself is proven with, where the plan says so (`verify_argv`).
    fn proof(&mut self, step: &Step) {
        let with = self.registry.action(&step.action).and_then(|kind| kind.verifies_with);
        if let Some((key, value)) = with.and_then(|key| Some((key, step.params.get(key)?))) {
            self.line(&format!("      {key}: {}", written(value)));
        }
    }

    fn step(&mut self, number: usize, step: &Step) {
        let confirm = match step.confirm {
            ConfirmLevel::None => "runs by itself",
            ConfirmLevel::Yes => "confirm: yes",
            ConfirmLevel::Type => "confirm: type the target",
        };
        let mark = if step.irreversible { ", IRREVERSIBLE" } else { "" };
        self.line(&format!("  {number:>2}. {}  {}  ({confirm}{mark})", step.id, step.title));
        if let Some(kind) = self.registry.action(&step.action) {
            self.line(&format!("      {}: {}", step.action, (kind.call)(&step.params)));
        }
        if !step.needs.is_empty() {
            let needs: Vec<&str> = step.needs.iter().map(|need| need.as_str()).collect();
            self.line(&format!("      needs {}", needs.join(", ")));
        }
        for guard in &step.guard {
            self.line(&format!("      guard {}", guard.source()));
        }
        for (word, probes) in [("fences", &step.fences), ("lets write again", &step.unfences)] {
            if !probes.is_empty() {
                self.line(&format!("      {word} what these watch: {}", join(probes)));
            }
        }
        if let Some(verify) = &step.verify {
            let within = format_duration(step.verify_within);
            self.line(&format!("      verify {} within {within}", verify.source()));
        }
        self.proof(step);
        if step.switches {
            self.line("      switches: what the runbook activates serves from then on");
        }
        for (service, region) in &step.serves {
            self.line(&format!("      serves: {service} from {region} from then on"));
        }
        let estimate =
            step.estimate.map_or(String::new(), |time| format!("takes about {}, ", format_duration(time)));
        self.line(&format!("      {estimate}timeout {}", format_duration(step.timeout)));
        if let Some(manual) = &step.manual {
            self.line(&format!("      by hand: {manual}"));
        }
        if step.safe_to_drill {
            self.line("      safe to drill");
        }
        if let Some(undo) = &step.undo {
            self.line(&format!("      undo: {undo}"));
        }
        if !step.undoes.is_empty() {
            let undone: Vec<&str> = step.undoes.iter().map(|step| step.as_str()).collect();
            self.line(&format!("      takes back {}", undone.join(", ")));
        }
    }
}

/// A value as somebody reads it.
fn written(param: &Param) -> String {
    match param {
        Param::List(list) => list.iter().filter_map(Param::as_text).collect::<Vec<_>>().join(" "),
        other => other.as_text().unwrap_or_default().to_owned(),
    }
}

/// A part of the tree that is still to be drawn.
enum Drawing {
    Question { id: QuestionId, prefix: String },
    Answer { question: QuestionId, index: usize, prefix: String },
}

fn bounds(probe: &ProbeSpec) -> String {
    let Thresholds { warn, critical, below } = probe.thresholds;
    let suffix = if below { " or less" } else { "" };
    let bound = |name: &str, value: Option<f64>| {
        value.map(|value| format!(", {name} from {}{suffix}", measure(value, probe.unit)))
    };
    [bound("warns", warn), bound("critical", critical)].into_iter().flatten().collect()
}

/// A measured value with its unit.
fn measure(value: f64, unit: Unit) -> String {
    match unit {
        Unit::Seconds => format_duration(jiff::SignedDuration::from_millis((value * 1000.0) as i64)),
        Unit::Milliseconds => format_duration(jiff::SignedDuration::from_millis(value as i64)),
        Unit::Bytes if value >= 1e9 => format!("{} GB", value / 1e9),
        Unit::Bytes if value >= 1e6 => format!("{} MB", value / 1e6),
        Unit::Bytes if value >= 1e3 => format!("{} kB", value / 1e3),
        Unit::Bytes => format!("{value} B"),
        Unit::Number => value.to_string(),
    }
}

fn join(probes: &[ProbeId]) -> String {
    let names: Vec<&str> = probes.iter().map(ProbeId::as_str).collect();
    if names.is_empty() { "none".into() } else { names.join(", ") }
}

/// The name of an enum's variant as it is written in a plan.
fn kebab(value: &impl serde::Serialize) -> String {
    match serde_json::to_value(value) {
        Ok(serde_json::Value::String(name)) => name,
        _ => String::new(),
    }
}
