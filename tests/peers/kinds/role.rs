use super::*;
use crate::postgres::Pair;
use lifeboat::core::reading::Verdict;

const KIND: &str = "postgres";

#[tokio::test(flavor = "multi_thread")]
async fn role_version_and_life_are_told() {
    let pair = Pair::start();
    let primary = probe(KIND, &[("dsn", &pair.primary.dsn()), ("role", "primary")]);
    let standby = probe(KIND, &[("dsn", &pair.standby.dsn()), ("role", "primary")]);
    let measured = measure(KIND, &*primary).await;
    assert_eq!(measured.verdict, Verdict::Good);
    assert!(measured.value.is_some_and(|ms| ms < 3000.0));
    assert_eq!((measured.text("role"), measured.number("timeline")), (Some("primary"), Some(1.0)));
    assert!(pair.primary.sql("show server_version").starts_with(measured.text("version").unwrap()));
    let wrong = measure(KIND, &*standby).await;
    // Which role it should have depends on who serves now: the core judges it.
    assert_eq!((wrong.verdict.clone(), wrong.text("role")), (Verdict::Good, Some("standby")));

    // Promotion shows at once, although the control file is behind.
    pair.standby.sql("select pg_promote(true, 30)");
    let promoted = measure(KIND, &*standby).await;
    assert_eq!((promoted.verdict.clone(), promoted.number("timeline")), (Verdict::Good, Some(2.0)));

    pair.primary.kill();
    let dead = measure(KIND, &*primary).await;
    assert!(dead.verdict.why().unwrap().contains("refused"), "{dead:?}");
    assert_eq!(dead.value, None);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_wrong_login_is_unknown_and_full_is_down() {
    let pair = Pair::start();
    let stranger = probe(KIND, &[("dsn", &pair.primary.dsn_of("stranger"))]);
    let failure = stranger.run().await.unwrap_err();
    assert!(failure.why.contains("stranger"), "{failure:?}");

    pair.primary.sql("create role app login connection limit 0");
    let full = probe(KIND, &[("dsn", &pair.primary.dsn_of("app"))]);
    let measured = measure(KIND, &*full).await;
    assert!(matches!(measured.verdict, Verdict::Critical(_)), "{measured:?}");
}
