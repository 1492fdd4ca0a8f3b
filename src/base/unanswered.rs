//! Calls that are cut off from outside, where a peer lets no deadline of their own come to its turn.

use crate::base::pool::Pool;
use std::time::Duration;

/// What a call gets beyond its deadline, so that its own words on being late come before the cut.
const GRACE: Duration = Duration::from_secs(2);

/// Why a call did not come to its end.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Unanswered {
    /// It was cut off: what answers sends without end, or this host is too busy.
    Endless,
    /// A panic.
    Broken,
}

/// What is said of a peer that lets no deadline come to its turn.
pub const ENDLESS: &str = "what answers sends without end, or this host is too busy";

impl Pool {
    /// A call that reaches outside, and keeps its own deadline as long as its peer lets it.
    ///
    /// # Errors
    /// When it did not come to its end.
    pub async fn within<T: Send + 'static>(
        &self,
        deadline: Duration,
        call: impl Future<Output = T> + Send + 'static,
    ) -> Result<T, Unanswered> {
        match tokio::time::timeout(deadline + GRACE, self.call(call)).await {
            Ok(Some(answer)) => Ok(answer),
            Ok(None) => Err(Unanswered::Broken),
            Err(_) => Err(Unanswered::Endless),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::pool::Outside;

    #[tokio::test(start_paused = true)]
    async fn a_call_is_cut_off_after_its_deadline_and_what_breaks_is_told() {
        let pool = Outside::on(&tokio::runtime::Handle::current()).probes.clone();
        let deadline = Duration::from_secs(1);
        assert_eq!(pool.within(deadline, async { 1 }).await, Ok(1));
        assert_eq!(pool.within(deadline, std::future::pending::<()>()).await, Err(Unanswered::Endless));
        assert_eq!(
            pool.within(deadline, async { panic!("in a call") }).await,
            Err::<(), _>(Unanswered::Broken)
        );
    }
}
