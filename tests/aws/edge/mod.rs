//! Node groups, distributions, topics and objects: each action from its confirmation to its proof, and what it does on
//! a bad day.

mod cloudfront;
mod eks;
mod s3;
mod sns;

use crate::acting::Quick;
use crate::aws::{Emulator, FaultProxy};
use jiff::SignedDuration;
use lifeboat::base::environment::Environment;
use lifeboat::core::words::action::{Acted, Description, Done, Failure, Proof};
use lifeboat::kinds::action::{Action, Context};
use lifeboat::plan::{AwsSettings, load_texts};
use lifeboat::providers::clients::Clients;
use std::path::Path;
use std::sync::{Arc, Mutex};
use std::time::Duration;

/// An emulator behind a proxy, and clients that go through it.
struct World {
    emulator: Emulator,
    proxy: FaultProxy,
    clients: Clients,
    runtime: tokio::runtime::Runtime,
}

impl World {
    fn new(set_up: &str) -> Self {
        let emulator = Emulator::start();
        emulator.set_up(set_up);
        let proxy = FaultProxy::before(&emulator.endpoint());
        let clients = clients(&proxy);
        Self { emulator, proxy, clients, runtime: tokio::runtime::Runtime::new().unwrap() }
    }

    /// The same world seen by a new process: nothing is remembered.
    fn after_a_crash(&mut self) {
        self.clients = clients(&self.proxy);
    }

    /// A step with these lines, such as `region = "us-west-2"`.
    fn step(&self, action: &str, with: &str) -> Step<'_> {
        let text = format!(
            "[plan]\nname = \"Test\"\nstrategy = \"warm-standby\"\n[regions.primary]\nname = \"us-east-1\"\n\
             role = \"primary\"\n[regions.dr]\nname = \"us-west-2\"\nrole = \"standby\"\n[tree]\nroot = \"down\"\n[tree.down]\nask = \"Is it?\"\nanswers.no = \"stay\"\n\
             [leaves.stay]\ntitle = \"Stay\"\nadvice = \"Watch.\"\n[runbooks.example]\ntitle = \"Example\"\n\
             [[runbooks.example.steps]]\nid = \"step\"\ntitle = \"Step\"\naction = \"{action}\"\nconfirm = \"type\"\n\
             [runbooks.example.steps.with]\n{with}\n"
        );
        let plan = load_texts(vec![("plan.toml".into(), text)], &lifeboat::providers::registry());
        let plan = plan.unwrap_or_else(|problems| panic!("{problems}")).plan;
        let params = &plan.runbooks["example"].steps[0].params;
        let action = (lifeboat::providers::action(action).unwrap().build)(params, &self.clients);
        Step { world: self, action: action.unwrap_or_else(|error| panic!("{error}")), lines: Arc::default() }
    }
}

fn clients(proxy: &FaultProxy) -> Clients {
    let settings = AwsSettings {
        endpoint: Some(proxy.endpoint()),
        regions: [("dr".to_owned(), "us-west-2".to_owned())].into_iter().collect(),
        deadline: SignedDuration::from_secs(30),
        ..AwsSettings::default()
    };
    Clients::new(Default::default(), Path::new("/nonexistent"), Environment::default())
        .with_aws(settings, "ana")
}

/// One step of a plan.
struct Step<'a> {
    world: &'a World,
    action: Box<dyn Action>,
    lines: Arc<Mutex<Vec<String>>>,
}

impl Step<'_> {
    fn context(&self) -> Context {
        let lines = self.lines.clone();
        Context {
            output: Arc::new(move |line| lines.lock().unwrap().push(line.to_owned())),
            conditions: Arc::new(Quick),
            timeout: SignedDuration::from_secs(600),
            token: "drill-7/step/1".into(),
            ran: false,
        }
    }

    fn describe(&self) -> Description {
        self.world.runtime.block_on(self.action.describe()).unwrap()
    }

    fn execute(&self, confirmed: &Description) -> Result<Done, Failure> {
        let context = self.context();
        let run = self.action.execute(&confirmed.target, &context);
        self.world
            .runtime
            .block_on(async { tokio::time::timeout(Duration::from_secs(60), run).await.unwrap() })
    }

    /// Reads the world back once.
    fn verify(&self, confirmed: &Description) -> Result<Proof, Failure> {
        let context = self.context();
        self.world.runtime.block_on(self.action.verify(&confirmed.target, &context))
    }

    /// Describes, executes and proves it.
    fn works(&self) -> (Description, Done, Proof) {
        let confirmed = self.describe();
        assert!(confirmed.target.reachable, "{confirmed:?}");
        self.verify(&confirmed).expect_err("nothing is proven before it ran");
        let done = self.execute(&confirmed).unwrap_or_else(|failure| panic!("{failure:?}"));
        let proof = self.verify(&confirmed).unwrap_or_else(|failure| panic!("{failure:?}"));
        (confirmed, done, proof)
    }

    /// Fails without having acted, because of `why`.
    fn refuses(&self, confirmed: &Description, why: &str) -> Failure {
        let failure = self.execute(confirmed).unwrap_err();
        assert_eq!(failure.acted, Acted::No, "{failure:?}");
        assert!(format!("{failure}").contains(why), "{why:?} is not in {failure:?}");
        assert!(!failure.next.is_empty());
        failure
    }
}

fn notes(description: &Description) -> String {
    let sets = description.sets.iter().map(|(name, value)| format!("{name}: {value}"));
    sets.chain(description.notes.iter().cloned()).collect::<Vec<_>>().join("\n")
}

fn identity<'a>(description: &'a Description, name: &str) -> &'a str {
    let found = description.target.identity.iter().find(|(known, _)| known == name);
    found.map_or("", |(_, value)| value)
}
