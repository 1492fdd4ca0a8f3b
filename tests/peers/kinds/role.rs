use super::*;
use crate::postgres::Pair;
use lifeboat::core::words::reading::Verdict;

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
async fn what_is_wrong_with_a_login_is_unknown_and_not_a_server_that_is_down() {
    let pair = Pair::start();
    let stranger = probe(KIND, &[("dsn", &pair.primary.dsn_of("stranger"))]);
    let failure = stranger.run().await.unwrap_err();
    assert!(failure.why.contains("stranger"), "{failure:?}");

    // The limit is the role's own, or its database's: the server lets others in.
    pair.primary.sql("create role app login connection limit 0");
    let limited = probe(KIND, &[("dsn", &pair.primary.dsn_of("app"))]);
    let failure = limited.run().await.unwrap_err();
    assert!(failure.why.contains("too many connections for role"), "{failure:?}");
    pair.primary.sql("create role other login; alter database template1 connection limit 0");
    let dsn = pair.primary.dsn_of("other").replace("dbname=postgres", "dbname=template1");
    let failure = probe(KIND, &[("dsn", &dsn)]).run().await.unwrap_err();
    assert!(failure.why.contains("too many connections for database"), "{failure:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_without_room_for_anybody_is_down() {
    let pair = Pair::start();
    pair.primary.sql("create role app login");
    pair.primary.sql("alter system set superuser_reserved_connections = 99");
    pair.primary.stop();
    pair.primary.start();
    let app = probe(KIND, &[("dsn", &pair.primary.dsn_of("app"))]);
    // It keeps its session, which takes the one that is left.
    let keys = [("dsn", pair.standby.dsn()), ("primary", pair.primary.dsn_of("app"))];
    let keys = keys.each_ref().map(|(key, dsn)| (*key, dsn.as_str()));
    let held = probe("postgres-replication", &keys);
    let mut full = measure("postgres-replication", &*held).await;
    for _ in 0..5 {
        full = measure(KIND, &*app).await;
        if matches!(full.verdict, Verdict::Critical(_)) {
            break;
        }
    }
    assert!(matches!(full.verdict, Verdict::Critical(_)), "{full:?}");
}

/// The usual hardening of a monitoring role, in each of the ways in which it is done.
#[tokio::test(flavor = "multi_thread")]
async fn a_role_that_is_read_only_by_itself_does_not_make_its_server_a_fenced_one() {
    let pair = Pair::start();
    for (role, statement) in [
        ("by_role", "alter role by_role set default_transaction_read_only = on"),
        ("by_both", "alter role by_both in database postgres set default_transaction_read_only = on"),
        ("lets_write", "alter role lets_write set default_transaction_read_only = off"),
    ] {
        pair.primary.sql(&format!("create role {role} login in role pg_monitor"));
        pair.primary.sql(statement);
    }
    let plain = pair.primary.dsn();
    let by_options = format!("{plain} options='-c default_transaction_read_only=on'");
    let hidden = [
        pair.primary.dsn_of("by_role"),
        pair.primary.dsn_of("by_both"),
        pair.primary.dsn_of("lets_write"),
        by_options.clone(),
    ];
    let see = async |dsn: &str| measure(KIND, &*probe(KIND, &[("dsn", dsn)])).await;
    let is_untold = |seen: &Measurement| {
        assert_eq!((seen.verdict.clone(), seen.text("role")), (Verdict::Good, Some("primary")), "{seen:?}");
        assert!(
            !seen.fields.contains_key("read_only") && seen.text("read_only_hidden").is_some(),
            "{seen:?}"
        );
        assert!(seen.summary.contains("whether it takes writes is NOT KNOWN"), "{seen:?}");
    };
    for dsn in &hidden {
        is_untold(&see(dsn).await);
    }
    let lag = [("dsn", pair.standby.dsn()), ("primary", pair.primary.dsn_of("by_role"))];
    let lag = lag.each_ref().map(|(key, dsn)| (*key, dsn.as_str()));
    let measured = measure("postgres-replication", &*probe("postgres-replication", &lag)).await;
    assert!(!measured.fields.contains_key("primary_read_only"), "{measured:?}");
    // A wish for a server that takes writes is not refused because of the role.
    let wanted = format!("{} target_session_attrs=read-write", pair.primary.dsn_of("by_role"));
    is_untold(&see(&wanted).await);

    // The server's own value is told to those who do not hide it, and to nobody else.
    pair.primary.sql("alter system set default_transaction_read_only = on");
    pair.primary.sql("select pg_reload_conf()");
    pair.primary.wait_for("select current_setting('default_transaction_read_only') = 'on'");
    let fenced = see(&plain).await;
    assert!(matches!(&fenced.verdict, Verdict::Warn(why) if why.contains("takes no writes")), "{fenced:?}");
    for dsn in &hidden {
        is_untold(&see(dsn).await);
    }
    // Whoever hides it cannot prove a fence.
    let action = action("postgres-fence", &[("dsn", &by_options), ("method", "read-only")]);
    let target = action.describe().await.unwrap().target;
    let failure = action.verify(&target, &context()).await.unwrap_err();
    assert!(failure.why.contains("is not known") && failure.next.contains("reset"), "{failure:?}");
    let checks = action.preflight().await;
    let told = checks.iter().find(|check| check.what == "read-only").unwrap();
    assert!(matches!(told.result, lifeboat::core::words::preflight::Checked::Fail(_)), "{told:?}");

    // Set for all roles it is the server's.
    pair.primary.sql("alter system reset default_transaction_read_only");
    pair.primary.sql("select pg_reload_conf()");
    pair.primary.sql("begin read write; alter role all set default_transaction_read_only = on; commit");
    let fenced = see(&plain).await;
    assert!(matches!(&fenced.verdict, Verdict::Warn(why) if why.contains("takes no writes")), "{fenced:?}");
}

/// What a role finds first is not what the server has.
#[tokio::test(flavor = "multi_thread")]
async fn a_search_path_with_functions_of_the_same_names_changes_no_reading() {
    let pair = Pair::start();
    pair.primary.sql(
        "create schema odd; create function odd.pg_is_in_recovery() returns bool language sql as 'select true'; \
         create function odd.pg_current_wal_flush_lsn() returns pg_lsn language sql as $$select '0/1'::pg_lsn$$; \
         create view odd.pg_settings as select 'default_transaction_read_only'::text as name, 'on'::text as setting, \
         'default'::text as source; create view odd.pg_stat_wal_receiver as select 1 as pid; \
         create role odd login in role pg_monitor; grant usage on schema odd to odd; \
         grant select on all tables in schema odd to odd; alter role odd set search_path = odd, pg_catalog",
    );
    pair.wait_replayed();
    let seen = measure(KIND, &*probe(KIND, &[("dsn", &pair.primary.dsn_of("odd"))])).await;
    assert_eq!((seen.verdict.clone(), seen.text("role")), (Verdict::Good, Some("primary")), "{seen:?}");
    let keys = [("dsn", pair.standby.dsn_of("odd")), ("primary", pair.primary.dsn_of("odd"))];
    let keys = keys.each_ref().map(|(key, dsn)| (*key, dsn.as_str()));
    let lag = measure("postgres-replication", &*probe("postgres-replication", &keys)).await;
    assert_eq!((lag.verdict.clone(), lag.number("exposure_bytes")), (Verdict::Good, Some(0.0)), "{lag:?}");
}

/// The lag of the standby and the role of the primary, both through the primary's role `app`: they share its kept session.
fn lag_and_role_of_app(pair: &Pair) -> (Box<dyn Probe>, Box<dyn Probe>) {
    let clients = clients();
    let of = |kind: &str, keys: &[(&str, &str)]| {
        (lifeboat::providers::probe(kind).unwrap().build)(
            &spec_of(kind, params(keys), Default::default()),
            &clients,
        )
        .unwrap()
    };
    let app = pair.primary.dsn_of("app");
    let lag = of("postgres-replication", &[("dsn", &pair.standby.dsn()), ("primary", &app)]);
    (lag, of(KIND, &[("dsn", &app)]))
}

/// The one session that lifeboat keeps for its lag is the last that the server has room for.
#[tokio::test(flavor = "multi_thread")]
async fn a_server_whose_last_connection_lifeboat_itself_keeps_is_down_for_everybody_else_and_says_so() {
    let pair = Pair::start();
    pair.primary.sql("create role app login in role pg_monitor");
    pair.primary.sql("alter system set superuser_reserved_connections = 99");
    pair.primary.stop();
    pair.primary.start();
    pair.standby.wait_for("select exists (select from pg_stat_wal_receiver where status = 'streaming')");
    let (lag, role) = lag_and_role_of_app(&pair);
    let kept = measure("postgres-replication", &*lag).await;
    assert_eq!(
        kept.fields.get("primary_reachable"),
        Some(&lifeboat::core::words::reading::Field::Flag(true)),
        "{kept:?}"
    );
    let full = measure(KIND, &*role).await;
    assert!(matches!(full.verdict, Verdict::Critical(_)), "{full:?}");
    assert_eq!(full.fields.get("full"), Some(&lifeboat::core::words::reading::Field::Flag(true)), "{full:?}");
}

/// A role that may have one session is not kept out by the one that lifeboat keeps for its lag.
#[tokio::test(flavor = "multi_thread")]
async fn a_role_that_may_have_one_session_serves_both_probes() {
    let pair = Pair::start();
    pair.primary.sql("create role app login in role pg_monitor connection limit 1");
    let (lag, role) = lag_and_role_of_app(&pair);
    measure("postgres-replication", &*lag).await;
    let started = std::time::Instant::now();
    while role.run().await.is_err() {
        assert!(started.elapsed() < crate::postgres::PATIENCE, "it is kept out for good");
        tokio::time::sleep(std::time::Duration::from_millis(100)).await;
    }
}
