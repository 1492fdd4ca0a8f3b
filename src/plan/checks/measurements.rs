//! Probes, regions, services, backups, severity rules.

use crate::base::toml::{Diagnostic, Report};
use crate::plan::load::Draft;
use crate::plan::types::{ProbeSpec, RegionRole};
use crate::plan::units::format_duration;
use jiff::SignedDuration;

pub(super) fn check(draft: &Draft, report: &Report) {
    for probe in draft.plan.probes.values() {
        probe_times(probe, draft, report);
        thresholds(probe, draft, report);
    }
    regions(draft, report);
    services(draft, report);
    backups(draft, report);
    severity(draft, report);
}

fn probe_times(probe: &ProbeSpec, draft: &Draft, report: &Report) {
    let id = &probe.id;
    let place = |key: &str| draft.places.of(&format!("probes.{id}.{key}"));
    let (every, timeout) = (format_duration(probe.every), format_duration(probe.timeout));
    if probe.every < SignedDuration::from_secs(1) {
        let problem =
            Diagnostic::error("out-of-range", place("every"), format!("probe `{id}` runs every {every}"));
        report.add(problem.help("`every` is at least 1s"));
    }
    if probe.timeout.is_zero() || probe.timeout >= probe.every.saturating_mul(6) {
        let message = format!("probe `{id}` has a deadline of {timeout} and runs every {every}");
        let problem = Diagnostic::error("out-of-range", place("timeout"), message);
        report.add(problem.help("`timeout` is more than 0 and less than six times `every`"));
    } else if probe.timeout > probe.every {
        let message =
            format!("probe `{id}` may take longer ({timeout}) than the time between two runs ({every})");
        let problem = Diagnostic::warning("slow-probe", place("timeout"), message);
        report.add(
            problem.help("runs are skipped while one is under way: shorten `timeout`, or lengthen `every`"),
        );
    }
    if probe.stale_after <= probe.every {
        let message = format!("the signal of probe `{id}` is stale before its next reading");
        let least = format_duration(probe.every.saturating_mul(3).saturating_add(probe.timeout));
        let problem = Diagnostic::error("out-of-range", place("stale_after"), message);
        report.add(problem.help(format!("`stale_after` is more than `every` ({every}); {least} would do")));
    }
}

fn thresholds(probe: &ProbeSpec, draft: &Draft, report: &Report) {
    let (Some(warn), Some(critical)) = (probe.thresholds.warn, probe.thresholds.critical) else { return };
    let below = probe.thresholds.below;
    if if below { warn > critical } else { warn < critical } {
        return;
    }
    let suffix = if below { "_below" } else { "" };
    let place = |key: &str| draft.places.of(&format!("probes.{}.{key}{suffix}", probe.id));
    let order = if below { "above" } else { "below" };
    let message = format!("`warn{suffix}` of probe `{}` must be {order} `critical{suffix}`", probe.id);
    report.add(
        Diagnostic::error("thresholds", place("warn"), message)
            .also(place("critical"), "reached no later")
            .help("where lower values are worse, use `warn_below` and `critical_below`"),
    );
}

fn regions(draft: &Draft, report: &Report) {
    let with_role = |role| draft.plan.regions.iter().filter(move |(_, region)| region.role == role);
    let primaries: Vec<_> = with_role(RegionRole::Primary).map(|(id, _)| id).collect();
    let place = |id| draft.places.of(&format!("regions.{id}.role"));
    match &primaries[..] {
        [_] => {}
        [] if draft.complete => {
            let problem =
                Diagnostic::error("primary", draft.places.of("plan"), "no region has `role = \"primary\"`");
            report.add(
                problem
                    .help("exactly one region serves in normal times: `[regions.<id>] role = \"primary\"`"),
            );
        }
        [] => {}
        [first, others @ ..] => {
            for other in others {
                report.add(
                    Diagnostic::error(
                        "primary",
                        place(other),
                        format!("`{first}` and `{other}` are both primary"),
                    )
                    .also(place(first), "the first")
                    .help("exactly one region is primary; others are `standby` or `other`"),
                );
            }
        }
    }
    for (id, region) in draft.plan.regions.iter().filter(|_| draft.complete) {
        if region.health.is_empty() && region.role != RegionRole::Other {
            let message = format!("nothing tells the status of region `{id}`");
            let problem =
                Diagnostic::warning("no-health", draft.places.of(&format!("regions.{id}")), message);
            report
                .add(problem.help("give `health`, or a `tcp`, `http` or `postgres` probe with this region"));
        }
    }
}

fn services(draft: &Draft, report: &Report) {
    for (id, service) in &draft.plan.services {
        let place = |key: &str| draft.places.of(&format!("services.{id}.{key}"));
        for (key, value) in [("rto", Some(service.rto)), ("rpo", service.rpo)] {
            if key == "rto" && value == Some(SignedDuration::ZERO) {
                let problem =
                    Diagnostic::error("objectives", place(key), format!("`{key}` of service `{id}` is zero"));
                report.add(problem.help("no recovery takes no time: give the time that is promised"));
            }
        }
        let Some(rpo) = service.rpo else { continue };
        if rpo > service.rto {
            let message = format!(
                "service `{id}` may lose more ({}) than it may be down ({})",
                format_duration(rpo),
                format_duration(service.rto)
            );
            let problem = Diagnostic::warning("objectives", place("rpo"), message)
                .also(place("rto"), "shorter than the rpo");
            report.add(problem.help("this is unusual: are `rto` and `rpo` exchanged?"));
        }
        for probe in service.health.values().flatten().filter_map(|probe| draft.plan.probes.get(probe)) {
            if probe.every > rpo && !rpo.is_zero() {
                let message = format!(
                    "probe `{}` runs every {}, service `{id}` may lose {}",
                    probe.id,
                    format_duration(probe.every),
                    format_duration(rpo)
                );
                let problem = Diagnostic::warning(
                    "objectives",
                    draft.places.of(&format!("probes.{}.every", probe.id)),
                    message,
                );
                report
                    .add(problem.also(place("rpo"), "the rpo").help("measure more often than the objective"));
            }
        }
    }
}

fn backups(draft: &Draft, report: &Report) {
    for (id, backup) in &draft.plan.backups {
        if let (Some(max_age), Some(retention)) = (backup.max_age, backup.retention)
            && retention < max_age
        {
            let place = draft.places.of(&format!("backups.{id}.max_age"));
            let message = format!("backup `{id}` is kept for less time than the oldest may be");
            report.add(
                Diagnostic::warning("objectives", place, message)
                    .help("are `max_age` and `retention` exchanged?"),
            );
        }
    }
}

fn severity(draft: &Draft, report: &Report) {
    let rules = &draft.plan.severity;
    for (index, pair) in rules.windows(2).enumerate() {
        if pair[0].level > pair[1].level {
            let place = |index: usize| draft.places.of(&format!("severity.{index}"));
            let message = format!(
                "the rule for {} stands after one for {}",
                pair[1].level.as_str(),
                pair[0].level.as_str()
            );
            report.add(
                Diagnostic::error("severity-order", place(index + 1), message)
                    .also(place(index), "less severe")
                    .help("the first rule that holds decides: write the worst first"),
            );
        }
    }
    if rules.is_empty() && draft.complete {
        let problem =
            Diagnostic::warning("no-severity", draft.places.of("plan"), "the plan has no severity rules");
        report.add(problem.help("write at least one `[[severity]]` rule with `level`, `when` and `why`"));
    }
}
