//! What serves is measured: a real pair whose primary is moved without lifeboat, and comes back.

use crate::failover::Night;
use crate::postgres::wait_until;
use lifeboat::core::ask::contradiction::Kind;
use lifeboat::core::words::fact::Fact;

fn happened(night: &Night, is_it: impl Fn(&Fact) -> bool) -> bool {
    night.home.facts().iter().any(is_it)
}

/// The name of the open split brain, as the journal has it.
fn split_brain(night: &Night) -> Option<String> {
    night.home.facts().into_iter().rev().find_map(|fact| match fact {
        Fact::ContradictionFound { contradiction } if contradiction.kind == Kind::TwoPrimaries => {
            Some(contradiction.id)
        }
        _ => None,
    })
}

#[test]
fn a_failover_by_hand_is_recorded_and_the_old_primary_that_comes_back_is_a_split_brain_until_it_is_fenced() {
    let mut night = Night::begin();
    night.pair.wait_received();
    night.pair.primary.stop();
    night.pair.standby.sql("select pg_promote()");
    let measured = |fact: &Fact| matches!(fact, Fact::PrimaryMeasured { serves: Some(region), .. } if region.as_str() == "dr");
    wait_until("the move is measured", || happened(&night, measured));
    night.operator.waits_for("the move is said", |screen| screen.contains("not by lifeboat"));
    // The plan's rule for P0 asks for the old primary only, and still holds.
    night.sees("services answer; what is wrong: WHY");
    let recorded = night.home.run("serves", &["--record", "dr", "--reason", "promoted by hand"]);
    assert!(recorded.status.success(), "{}", String::from_utf8_lossy(&recorded.stderr));
    assert!(happened(&night, |fact| matches!(fact, Fact::ServingRecorded { .. })));

    night.pair.primary.start();
    wait_until("the split brain is found", || split_brain(&night).is_some());
    night.sees("SPLIT BRAIN");
    night.operator.declares();
    night.operator.press_until("C", |screen| screen.contains("Or E answers it"));
    assert!(!happened(&night, |fact| matches!(fact, Fact::IncidentClosed { .. })));

    let name = split_brain(&night).unwrap();
    let reason = "the old one is being fenced";
    let answered = night.home.run("serves", &["--answer", &name, "--reason", reason]);
    assert!(answered.status.success(), "{}", String::from_utf8_lossy(&answered.stderr));
    night.pair.primary.sql("alter system set default_transaction_read_only = on");
    night.pair.primary.sql("select pg_reload_conf()");
    wait_until("one of them accepts none", || {
        happened(&night, |fact| matches!(fact, Fact::ContradictionEnded { id, .. } if *id == name))
    });
    night.home.end();
}
