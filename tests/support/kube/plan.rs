//! What a plan names, made by the loader and over real connections.

use futures::future::BoxFuture;
use jiff::SignedDuration;
use lifeboat::base::environment::Environment;
use lifeboat::base::problem::Problem;
use lifeboat::core::words::action::{Description, Done, Failure, Proof, Target};
use lifeboat::core::words::reading::Measurement;
use lifeboat::kinds::action::{Action, Conditions, Context};
use lifeboat::kinds::probe::Probe;
use lifeboat::plan::condition::{Condition, Truth};
use lifeboat::plan::{Plan, load_texts};
use lifeboat::providers::clients::Clients;
use lifeboat::providers::{self, registry};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

/// Clients of a plan.
pub struct Kit {
    pub clients: Clients,
    plan: Plan,
}

/// Waits are short, and nothing is measured.
struct Quick;

impl Conditions for Quick {
    fn evaluate(&self, _: &Condition) -> Truth {
        Truth::Unknown("nothing is measured".into())
    }
    fn changed(&self) -> BoxFuture<'_, ()> {
        Box::pin(std::future::pending())
    }
    fn sleep(&self, duration: SignedDuration) -> BoxFuture<'_, ()> {
        Box::pin(tokio::time::sleep(duration.unsigned_abs().min(Duration::from_millis(100))))
    }
}

impl Kit {
    /// A plan with these probes and steps, whose regions `a` and `b` have the contexts `east` and `west`.
    pub fn new(kubeconfig: &[PathBuf], probes: &str, steps: &str) -> Self {
        Self::with(kubeconfig, "", probes, steps)
    }

    /// The same with more in `[kube]`.
    pub fn with(kubeconfig: &[PathBuf], more: &str, probes: &str, steps: &str) -> Self {
        let files: Vec<String> =
            kubeconfig.iter().map(|path| format!("{:?}", path.display().to_string())).collect();
        let text = format!(
            "[plan]\nname = \"Test\"\n[regions]\na = {{ role = \"primary\", kube_context = \"east\" }}\n\
             b = {{ role = \"standby\", kube_context = \"west\" }}\n[kube]\nkubeconfig = [{}]\n{more}\n\
             [probes]\nport = {{ kind = \"tcp\", region = \"a\", address = \"127.0.0.1:1\" }}\n{probes}\n\
             [tree]\nroot = \"down\"\n[tree.down]\nask = \"Is it down?\"\nanswers = {{ yes = \"act\" }}\n\
             [runbooks.act]\ntitle = \"Act\"\n[[runbooks.act.steps]]\nid = \"note\"\ntitle = \"Note\"\n\
             action = \"note\"\nwith.text = \"x\"\n{steps}\n",
            files.join(", ")
        );
        let loaded = load_texts(vec![("plan.toml".into(), text.clone())], &registry());
        let plan = loaded.unwrap_or_else(|problems| panic!("{problems}\n{text}")).plan;
        let _ = rustls::crypto::aws_lc_rs::default_provider().install_default();
        let clients =
            Clients::new(Default::default(), Path::new("/nonexistent"), Environment::of_this_process());
        Self { clients: clients.with_kube(plan.kube.clone()), plan }
    }

    /// The same in a process with these variables.
    pub fn knowing(self, variables: &[(&str, &str)]) -> Self {
        let more = variables.iter().map(|(name, value)| (name.into(), value.into()));
        let environment: Environment = std::env::vars_os().chain(more).collect();
        let clients = Clients::new(Default::default(), Path::new("/nonexistent"), environment);
        Self { clients: clients.with_kube(self.plan.kube.clone()), ..self }
    }

    /// The probe of that name.
    pub fn probe(&self, name: &str) -> Box<dyn Probe> {
        let spec = &self.plan.probes[name];
        (providers::probe(&spec.kind).unwrap().build)(spec, &self.clients).unwrap()
    }

    /// What the probe measures.
    pub async fn measure(&self, name: &str) -> Result<Measurement, Problem> {
        self.probe(name).run().await
    }

    /// The action of the step of that name.
    pub fn action(&self, step: &str) -> Box<dyn Action> {
        let step = &self.plan.runbooks["act"].steps[step];
        (providers::action(&step.action).unwrap().build)(&step.params, &self.clients).unwrap()
    }

    /// What an action gets.
    pub fn context(&self) -> Context {
        Context {
            output: Arc::new(|_| {}),
            conditions: Arc::new(Quick),
            timeout: SignedDuration::from_secs(30),
            token: "incident/1/act/step/1".into(),
            ran: true,
        }
    }

    /// The same with time for a cluster that shares two cores with many.
    pub fn patient(&self) -> Context {
        Context { timeout: SignedDuration::from_mins(10), ..self.context() }
    }

    /// Describes a step and executes what was described.
    pub async fn run(&self, step: &str) -> Result<(Description, Done, Proof), Failure> {
        let action = self.action(step);
        let described = action.describe().await?;
        let done = action.execute(&described.target, &self.patient()).await?;
        let proof = action.verify(&described.target, &self.patient()).await?;
        Ok((described, done, proof))
    }

    pub async fn execute(&self, step: &str, target: &Target) -> Result<Done, Failure> {
        self.action(step).execute(target, &self.patient()).await
    }
}
