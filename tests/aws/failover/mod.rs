//! Whole nights: the region failovers of two shipped plans, by keys, against emulated AWS and real PostgreSQL. What
//! the world is in the end is read with AWS's own client.

mod arka;
mod clusters;
mod copy;
mod site;
mod sparc;

use crate::aws::{Emulator, Fault, FaultProxy, Match, Times};
use crate::home::Home;
use crate::operator::Operator;
use crate::postgres::{PATIENCE, Pair};
use clusters::Clusters;
use copy::Copy;
use lifeboat::core::words::confirmation::Confirmation;
use site::Site;
use std::time::Duration;

/// What must be nowhere in the journal.
const SECRETS: [&str; 2] = ["night-secret-key", "night-password"];

/// A shipped plan, its world, and an operator at 80x24.
struct Night {
    home: Home,
    operator: Operator,
    emulator: Emulator,
    /// What AWS named itself when the world was made.
    made: serde_json::Value,
    /// Before us-east-1 of AWS.
    east: FaultProxy,
    pair: Pair,
    site: Site,
    clusters: Clusters,
}

/// Kustomize as `kubectl` has it, under its own name.
fn kustomize(path: &std::path::Path) {
    use std::os::unix::fs::PermissionsExt;
    let found = std::process::Command::new("sh").args(["-c", "command -v kubectl"]).output().unwrap();
    let kubectl = String::from_utf8(found.stdout).unwrap();
    std::fs::write(path, format!("#!/bin/sh\nexec {} kustomize \"$2\"\n", kubectl.trim())).unwrap();
    std::fs::set_permissions(path, PermissionsExt::from_mode(0o755)).unwrap();
}

impl Night {
    /// `world` makes the AWS of the plan and gives what AWS names itself; `address` fills the plan in. `contexts` are those
    /// of the two clusters, east first.
    fn begin(
        plan: &'static str,
        world: &str,
        secrets: [&str; 2],
        (clusters, contexts): (Clusters, [&str; 2]),
        address: impl FnOnce(&mut Copy, &Site, &serde_json::Value),
    ) -> Self {
        let emulator = Emulator::start();
        let made = emulator.set_up(world);
        let east = FaultProxy::before(&emulator.endpoint());
        let (pair, site) = (Pair::start(), Site::start());
        let mut copy = Copy::of(plan);
        copy.aws(&emulator.endpoint(), &east.endpoint());
        address(&mut copy, &site, &made);
        let home = Home::new(plan);
        copy.write(&home.plan());
        let nowhere = home.folder.path().join("bin");
        std::fs::create_dir(&nowhere).unwrap();
        kustomize(&nowhere.join("kustomize"));
        let dsn = |server: &crate::postgres::Server| format!("{} password={}", server.dsn(), SECRETS[1]);
        let (primary, standby) = (dsn(&pair.primary), dsn(&pair.standby));
        let names = secrets.map(|name| format!("LIFEBOAT_SECRET_{}", name.to_uppercase().replace('-', "_")));
        let kubeconfig = home.folder.path().join("kubeconfig");
        clusters.write(&kubeconfig, contexts);
        let console = home.open(&[
            // There is kustomize, which a plan names; there is no kubectl, and none is needed.
            ("PATH", nowhere.to_str().unwrap()),
            ("KUBECONFIG", kubeconfig.to_str().unwrap()),
            ("NO_PROXY", "127.0.0.1"),
            ("AWS_ACCESS_KEY_ID", "testing"),
            ("AWS_SECRET_ACCESS_KEY", SECRETS[0]),
            ("AWS_CONFIG_FILE", "/dev/null"),
            ("AWS_SHARED_CREDENTIALS_FILE", "/dev/null"),
            ("AWS_EC2_METADATA_DISABLED", "true"),
            (&names[0], &primary),
            (&names[1], &standby),
        ]);
        let operator = Operator { console, patience: PATIENCE * 2 };
        Self { home, operator, emulator, made, east, pair, site, clusters }
    }

    /// us-east-1 is gone: its services, its database, its Kubernetes, and its AWS but for what Route 53 and CloudFront keep elsewhere.
    fn lose_east(&self, how: Fault) {
        self.site.east.refuse();
        self.site.public.refuse();
        self.clusters.lose_east();
        self.pair.primary.kill();
        for global in ["/2013-04-01/", "/2020-05-31/"] {
            self.east.fault(Match::operation(global), Fault::Latency(Duration::ZERO), Times::Always);
        }
        self.east.fault(Match::all(), how, Times::Always);
    }

    /// From the first alarm to the open runbook; `questions` all suggest yes.
    fn decide(&mut self, questions: &[&str]) {
        self.operator.declares();
        self.operator.press("2");
        for (place, question) in questions.iter().enumerate() {
            self.operator.sees(question);
            self.operator.sees("SUGGESTED \"yes\"");
            let next = questions.get(place + 1).copied().unwrap_or("POINT OF NO RETURN");
            // An answer that begins a runbook is asked once more.
            self.operator.press_until("y", |screen| screen.contains(next) || screen.contains("Begin it?"));
            self.operator.press_until("y", |screen| screen.contains(next));
        }
    }

    /// Selects a step, counted from 1.
    fn select(&mut self, step: usize, title: &str) {
        self.operator.strokes(&["g", "g"]);
        self.operator.strokes(&vec!["j"; step - 1]);
        self.operator.sees(&format!("{step} {title}"));
    }

    /// Opens a step's confirmation, and gives what it shows.
    fn prepare(&mut self, step: usize, title: &str) -> String {
        self.select(step, title);
        self.operator.sees("p look at the call");
        self.operator.opens("CONFIRM:");
        self.operator.waits_for("the whole confirmation", |screen| screen.contains("nothing happens then"))
    }

    /// Confirms by the target's name. Enter confirms nothing.
    fn fire(&mut self, phrase: &str) {
        self.operator.types_phrase("CONFIRM:", phrase);
        self.operator.press("\r");
        self.operator.sees("CONFIRM:");
        self.operator.confirms("CONFIRM:", phrase, |screen| !screen.contains("CONFIRM:"));
    }

    /// A step that fails: somebody does it elsewhere, and the operator says what was done.
    fn by_hand(&mut self, step: usize, title: &str, phrase: Option<&str>, how: &str) {
        self.prepare(step, title);
        match phrase {
            Some(phrase) => self.fire(phrase),
            None => self.operator.press_until("y", |screen| !screen.contains("CONFIRM:")),
        }
        self.operator.sees("r retry · s skip · a by hand");
        self.attest(title, how);
    }

    /// Says that the selected step was done, and how it was checked.
    fn attest(&mut self, title: &str, how: &str) {
        // The list may just have changed under the key, which then asks for itself again.
        self.operator.presses_for("a", "What was done, and how it was checked");
        self.operator.types_into("What was done", how, how);
        self.operator.press("\r");
        self.operator.sees("done?");
        self.operator.console.gives_word("done");
        // After the last step the list begins at its top again.
        let done = |screen: &str| screen.contains("12 of 12 steps settled");
        let says = |line: &str| line.contains("attested") && line.contains(title);
        self.operator.waits_for(title, |screen| done(screen) || screen.lines().any(says));
    }

    /// Runs what `prepare` opened and one key confirms.
    fn run_it(&mut self, title: &str) {
        self.operator.press_until("y", |screen| !screen.contains("CONFIRM:"));
        self.settled("verified", title);
    }

    /// Waits until the list of steps says this of a step; the selection goes on to the next one.
    fn settled(&self, word: &str, title: &str) {
        let says = |line: &str| line.contains(word) && line.contains(title);
        self.operator.waits_for(&format!("{title}: {word}"), |screen| screen.lines().any(says));
    }

    /// Ends the engine without a word, as the kernel does when memory runs out.
    fn kill_engine(&self) {
        let engine = rustix::process::Pid::from_raw(self.home.engine().unwrap()).unwrap();
        rustix::process::kill_process(engine, rustix::process::Signal::KILL).unwrap();
    }

    /// Has the console start another engine.
    fn start_engine(&mut self) {
        self.operator.sees("start the engine again");
        self.operator.press_until("1", |screen| !screen.contains("start the engine again"));
    }

    /// Lets the engine look at the world, which proves the selected step that is unknown.
    fn recheck(&mut self, title: &str) {
        const AGAIN: &str = "read the world again";
        self.operator.press("r");
        self.operator.sees(AGAIN);
        self.operator.press("1");
        self.operator.sees("Read the world again?");
        self.operator.press_until("y", |screen| !screen.contains("Read the world again?"));
        self.settled("verified", title);
    }

    /// What RDS does to the server when it promotes the instance: the emulator has no server, the test has.
    fn rds_promotes(&self) {
        self.pair.standby.sql("select pg_promote(true, 60)");
    }

    /// Reads the world with AWS's own client; the script has `made`.
    fn read(&self, script: &str) -> serde_json::Value {
        let made = self.made.to_string();
        self.emulator.boto(&format!("import json\nmade = json.loads({made:?})\n{script}"))
    }

    /// The run is over within its objective, and us-west-2 serves.
    fn ends_in_the_west(&mut self) {
        self.operator.sees("12 of 12 steps settled");
        // The sentence names the service, and is broken where the line ends.
        let words = |screen: &str| screen.split_whitespace().collect::<Vec<_>>().join(" ");
        let met = |screen: &str| words(screen).contains("within the RTO of 15 min");
        self.operator.waits_for("that the RTO was met", met);
        self.operator.press("1");
        let screen = self.operator.sees("active us-west-2");
        assert!(screen.contains("Every step is settled"), "{screen}");
    }

    fn confirmation(&self, step: &str) -> Confirmation {
        let all = self.home.confirmations();
        all.into_iter().rfind(|one| one.step.as_str() == step).unwrap()
    }

    /// The end of every night: who acted is in the journal, no secret is, and the journal is whole.
    fn end(&self, acted: &[&str]) {
        for step in acted {
            let identity = self.confirmation(step).description.target.identity;
            let caller = identity.iter().find(|(name, _)| name == "caller");
            assert!(caller.is_some_and(|(_, arn)| arn.starts_with("arn:aws:")), "{step}: {identity:?}");
        }
        self.home.end();
        for entry in std::fs::read_dir(self.home.journal()).unwrap() {
            let text = String::from_utf8_lossy(&std::fs::read(entry.unwrap().path()).unwrap()).into_owned();
            assert!(SECRETS.iter().all(|secret| !text.contains(secret)), "a secret is in the journal");
        }
    }
}
