//! What an action gets while a test runs it.

use crate::kinds::action::{Conditions, Context};
use crate::plan::condition::{Condition, Truth};
use futures::future::BoxFuture;
use jiff::SignedDuration;
use std::sync::{Arc, Mutex};

struct Nothing;

impl Conditions for Nothing {
    fn evaluate(&self, _: &Condition) -> Truth {
        Truth::Unknown("nothing is measured".into())
    }
    fn changed(&self) -> BoxFuture<'_, ()> {
        Box::pin(std::future::pending())
    }
    fn sleep(&self, duration: SignedDuration) -> BoxFuture<'_, ()> {
        Box::pin(tokio::time::sleep(duration.unsigned_abs()))
    }
}

/// The context of an attempt where nothing is measured, and the lines that it puts out.
pub fn context(timeout_ms: i64) -> (Context, Arc<Mutex<Vec<String>>>) {
    let lines: Arc<Mutex<Vec<String>>> = Arc::default();
    let heard = lines.clone();
    let context = Context {
        output: Arc::new(move |line| heard.lock().unwrap().push(line.to_owned())),
        conditions: Arc::new(Nothing),
        timeout: SignedDuration::from_millis(timeout_ms),
        token: "token-1".into(),
        ran: false,
    };
    (context, lines)
}
