use super::*;
use proptest::prelude::*;
use std::collections::HashMap;

/// Names with given values; everything else is unknown.
#[derive(Default)]
struct Known(HashMap<String, Scalar>);

impl Known {
    fn with(mut self, name: &str, value: Scalar) -> Self {
        self.0.insert(name.to_owned(), value);
        self
    }
}

impl Names for Known {
    fn lookup(&self, reference: &Reference) -> Result<Scalar, String> {
        let name = reference.to_string();
        self.0.get(&name).cloned().ok_or_else(|| format!("{name} is unknown"))
    }
}

fn evaluate(source: &str, names: &Known) -> Truth {
    Condition::parse(source).unwrap_or_else(|error| panic!("{source}: {error}")).evaluate(names)
}

fn error(source: &str) -> (String, String) {
    let error = Condition::parse(source).expect_err(source);
    (error.message, source[error.range].to_owned())
}

#[test]
fn a_condition_that_nothing_measured_can_change_is_found() {
    let always = |source: &str| Condition::parse(source).unwrap().always();
    for source in [
        "true",
        "1 > 0",
        "!false",
        "signals.x.state == 'ok' || true",
        "count([signals.x.state == 'ok']) >= 0",
    ] {
        assert_eq!(always(source), Some("always holds"), "{source}");
    }
    for source in ["false", "1 > 2", "signals.x.state == 'ok' && false"] {
        assert_eq!(always(source), Some("never holds"), "{source}");
    }
    for source in ["signals.x.state == 'ok'", "!(signals.x.value > 1.0)", "incident.open", "signals.x.known"]
    {
        assert_eq!(always(source), None, "{source}");
    }
}

#[test]
fn references_are_found_in_every_way_of_writing_them() {
    let source = "signals['dr-lag'].value_s < 60.0 && signals.db.state == 'ok' \
                  || regions.primary.status in ['down'] && signals['x'].fields.receive_lag_bytes > 1 \
                  && incident.mode == 'live' && !console.blind && backups['b'].age_s < signals['dr-lag'].value_s";
    let condition = Condition::parse(source).unwrap();
    let names: Vec<String> = condition.references().iter().map(Reference::to_string).collect();
    assert_eq!(
        names,
        [
            "signals['dr-lag'].value_s",
            "signals['db'].state",
            "regions['primary'].status",
            "signals['x'].fields.receive_lag_bytes",
            "incident.mode",
            "console.blind",
            "backups['b'].age_s",
        ]
    );
    let json = serde_json::to_string(&condition).unwrap();
    assert_eq!(serde_json::from_str::<Condition>(&json).unwrap(), condition);
    assert!(serde_json::from_str::<Condition>("\"signals[x].state\"").is_err());
}

#[test]
fn comparisons_arithmetic_and_functions_work_on_known_values() {
    let names = Known::default()
        .with("signals['lag'].value_s", Scalar::Number(12.0))
        .with("signals['lag'].state", Scalar::Text("warn".into()))
        .with("signals['db'].state", Scalar::Text("ok".into()))
        .with("incident.open", Scalar::Flag(true));
    for (source, expected) in [
        ("signals.lag.value_s < 60", true),
        ("signals.lag.value_s < 60.0", true),
        ("signals.lag.value_s == 12", true),
        ("60 > signals.lag.value_s * 2 + 1", true),
        ("signals.lag.value_s / 8 == 1.5", true),
        ("signals.lag.state in ['critical', 'warn']", true),
        ("signals.lag.state.startsWith('wa') && signals.lag.state.matches('^w.*n$')", true),
        ("[signals.lag.state, signals.db.state].exists(s, s == 'critical')", false),
        ("[signals.lag.state, signals.db.state].all(s, s != 'critical')", true),
        ("incident.open ? signals.db.state == 'ok' : false", true),
        ("!incident.open", false),
        ("size(signals.lag.state) == 4", true),
        ("true", true),
    ] {
        let expected = if expected { Truth::True } else { Truth::False };
        assert_eq!(evaluate(source, &names), expected, "{source}");
    }
}

#[test]
fn nothing_is_told_from_what_is_not_known() {
    let names = Known::default()
        .with("signals['db'].state", Scalar::Text("ok".into()))
        .with("signals['nan'].value", Scalar::Number(f64::NAN));
    let unknown = |why: &str| Truth::Unknown(why.to_owned());
    for (source, expected) in [
        ("signals.lag.value_s < 60", unknown("signals['lag'].value_s is unknown")),
        ("!(signals.lag.value_s < 60)", unknown("signals['lag'].value_s is unknown")),
        ("signals.lag.state != 'ok'", unknown("signals['lag'].state is unknown")),
        ("signals.lag.state == signals.lag.state", unknown("signals['lag'].state is unknown")),
        ("signals.lag.value_s < 60 || true", Truth::True),
        ("true || signals.lag.value_s < 60", Truth::True),
        ("signals.lag.value_s < 60 && false", Truth::False),
        ("false && signals.lag.value_s < 60", Truth::False),
        ("signals.lag.open ? true : true", unknown("signals['lag'].open is unknown")),
        (
            "[signals.db.state, signals.lag.state].exists(s, s == 'ok')",
            unknown("signals['lag'].state is unknown"),
        ),
        ("(signals.lag.open || true) == true", unknown("signals['lag'].open is unknown")),
        ("signals.nan.value < 1.0", unknown("signals['nan'].value is not a number")),
        (
            "signals.a.open && signals.b.open",
            unknown("signals['a'].open is unknown; signals['b'].open is unknown"),
        ),
    ] {
        assert_eq!(evaluate(source, &names), expected, "{source}");
    }
}

#[test]
fn an_expression_that_fails_is_unknown() {
    let names = Known::default().with("signals['x'].value", Scalar::Text("text".into()));
    for source in ["signals.x.value < 3", "signals.x.value", "nonsense(signals.x.value)", "1 / 0 == 1"] {
        assert!(matches!(evaluate(source, &names), Truth::Unknown(_)), "{source}");
    }
}

#[test]
fn names_that_cannot_be_told_from_the_text_are_refused() {
    assert_eq!(error("signals[incident.mode].state == 'ok'").1, "signals");
    assert_eq!(error("['a', 'b'].all(x, signals[x].state == 'ok')").1, "signals");
    assert_eq!(error("signal['a'].state == 'ok'"), ("unknown name `signal`".into(), "signal".into()));
    assert_eq!(error("signals.dr-lag.state == 'ok'").1, "dr");
    assert_eq!(error("signals['a']").1, "a");
    assert_eq!(error("signals['a'].fields == 1").1, "fields");
    assert_eq!(error("signals['a'].state.length == 1").1, "length");
    assert_eq!(error("has(signals.a.state)").1, "has");
    assert_eq!(error("['a'].all(signals, signals == 'a')").1, "signals");
    assert!(error("[1].all(x, [2].all(y, x == y))").0.contains("macro"));
    assert!(error("[1].map(x, x).all(y, y == 1)").0.contains("macro"));
    assert!(error("").0.contains("empty"));
    assert!(error(&"x".repeat(2_000)).0.contains("limit"));
    assert!(error("signals.a.state == ").0.contains("not a CEL expression"));
    assert!(error(&format!("{}true{}", "(".repeat(40), ")".repeat(40))).0.contains("nested"));
}

#[test]
fn types_are_checked_before_anything_is_measured() {
    const STATES: &[&str] = &["ok", "warn", "critical"];
    let kind_of = |reference: &Reference| match &*reference.field {
        "state" => Some(Kind::Word(STATES)),
        "value_s" => Some(Kind::Number),
        "open" => Some(Kind::Flag),
        _ => None,
    };
    let check = |source: &str| Condition::parse(source).unwrap().check_types(&kind_of);
    for good in [
        "signals.a.state == 'ok'",
        "signals.a.state in ['ok', 'warn']",
        "signals.a.value_s < 5 && incident.open",
        "signals.a.fields.role == 'primary' && signals.a.fields.bytes > 10",
        "signals.a.fields.flag",
        "[signals.a.state].exists(s, s == 'ok')",
    ] {
        assert_eq!(check(good), Ok(()), "{good}");
    }
    for (bad, part) in [
        ("signals.a.state == 'okay'", "never 'okay'"),
        ("'okay' != signals.a.state", "never 'okay'"),
        ("signals.a.state in ['ok', 'broken']", "never 'broken'"),
        ("signals.a.state == 1", "compared with a number"),
        ("signals.a.value_s == '5'", "compared with text"),
        ("signals.a.value_s < 'a'", "cannot hold"),
        ("signals.a.value_s", "not true or false"),
        ("signals.a.state && incident.open", "not true or false"),
        ("frobnicate(signals.a.value_s)", "no function"),
    ] {
        let error = check(bad).expect_err(bad);
        assert!(error.message.contains(part), "{bad}: {}", error.message);
    }
    let unknown = check("signals.a.state == 'unknown'").unwrap_err();
    assert!(unknown.help.unwrap().contains("!signals['a'].known"));
}

/// `e1` and so on: 1 for a primary, 0 for a standby, none for a server that is silent.
fn servers(values: &[Option<f64>]) -> Known {
    values.iter().enumerate().fold(Known::default(), |names, (place, value)| match value {
        Some(value) => names.with(&format!("signals['e{}'].value", place + 1), Scalar::Number(*value)),
        None => names,
    })
}

/// `[signals['e1'].value == 1.0, …]`.
fn primaries(count: usize) -> String {
    let each = (1..=count).map(|place| format!("signals['e{place}'].value == 1.0"));
    format!("[{}]", each.collect::<Vec<_>>().join(", "))
}

#[test]
fn a_split_brain_of_six_servers_is_counted_while_others_are_silent() {
    let list = primaries(6);
    let (yes, no, dark) = (Some(1.0), Some(0.0), None);
    let cases = [
        ([yes, yes, dark, dark, dark, dark], Some(true)),
        ([yes, dark, no, no, no, no], None),
        ([dark, dark, no, no, no, no], None),
        ([yes, no, no, no, no, no], Some(false)),
        ([dark, no, no, no, no, no], Some(false)),
        ([no, no, yes, no, dark, yes], Some(true)),
        ([dark; 6], None),
    ];
    for (values, expected) in cases {
        let names = servers(&values);
        for source in [
            format!("at_least(2, {list})"),
            format!("count({list}) > 1"),
            format!("count({list}) >= 2"),
            format!("1 < count({list})"),
            format!("!(count({list}) <= 1)"),
            format!("count({list}) * 3 > 3"),
            format!("at_least(2, {list}) || all({list})"),
        ] {
            let holds = match evaluate(&source, &names) {
                Truth::True => Some(true),
                Truth::False => Some(false),
                Truth::Unknown(why) => {
                    assert!(why.contains("is unknown"), "{why}");
                    None
                }
            };
            assert_eq!(holds, expected, "{source} {values:?}");
        }
    }
}

#[test]
fn any_and_all_are_known_as_soon_as_one_decides() {
    let (yes, no, dark) = (Some(1.0), Some(0.0), None);
    let of = |name: &str, values: &[Option<f64>]| {
        evaluate(&format!("{name}({})", primaries(values.len())), &servers(values))
    };
    assert_eq!(of("any", &[yes, dark]), Truth::True);
    assert_eq!(of("any", &[no, no]), Truth::False);
    assert!(matches!(of("any", &[no, dark]), Truth::Unknown(_)));
    assert_eq!(of("all", &[no, dark]), Truth::False);
    assert_eq!(of("all", &[yes, yes]), Truth::True);
    assert!(matches!(of("all", &[yes, dark]), Truth::Unknown(_)));
}

#[test]
fn a_count_is_compared_with_whatever_it_may_be() {
    let (yes, no, dark) = (Some(1.0), Some(0.0), None);
    let names = servers(&[yes, dark, no]);
    for (source, expected) in [
        ("count([signals.e1.value == 1, signals.e2.value == 1, signals.e3.value == 1]) == 0", Some(false)),
        ("count([signals.e1.value == 1, signals.e2.value == 1, signals.e3.value == 1]) == 1", None),
        (
            "count([signals.e1.value == 1, signals.e2.value == 1, signals.e3.value == 1]) in [1, 2]",
            Some(true),
        ),
        (
            "count([signals.e1.value == 1, signals.e2.value == 1]) > count([signals.e3.value == 1])",
            Some(true),
        ),
        ("count([signals.e2.value == 1]) > signals.e1.value", Some(false)),
        ("count([signals.e1.value == 1]) > signals.e2.value", None),
        ("count([signals.e1.value == 1 || signals.e2.value == 1]) == 1", Some(true)),
        ("at_least(1, [at_least(2, [signals.e1.value == 1, signals.e2.value == 1]), true])", Some(true)),
        (
            "count([any([signals.e1.value == 1, signals.e2.value == 1]), true]) == 2 ? true : false",
            Some(true),
        ),
    ] {
        let holds = match evaluate(source, &names) {
            Truth::True => Some(true),
            Truth::False => Some(false),
            Truth::Unknown(_) => None,
        };
        assert_eq!(holds, expected, "{source}");
    }
}

#[test]
fn counting_that_cannot_be_meant_is_refused() {
    for (source, part) in [
        ("at_least(3, [true, false])", "3 of 2 conditions never hold"),
        ("at_least(0, [true])", "0 of 1 conditions always hold"),
        ("at_least([true], 1)", "a whole number and a list"),
        ("at_least(incident.number, [true])", "a whole number and a list"),
        ("any(true)", "takes a list"),
        ("any([])", "takes a list"),
        ("all([true], [true])", "takes a list"),
        ("count(true) > 1", "takes a list"),
        ("any([true]) == true", "cannot stand within a comparison"),
        ("[1].exists(x, count([true]) == x)", "within a macro"),
        ("count([true]) + count([true]) > count([true])", "2 counts"),
    ] {
        let message = error(source).0;
        assert!(message.contains(part), "{source}: {message}");
    }
    let kind_of = |_: &Reference| Some(Kind::Number);
    for bad in ["any([signals.a.value])", "count([signals.a.value]) > 1", "count([true])"] {
        let error = Condition::parse(bad).unwrap().check_types(&kind_of).expect_err(bad);
        assert!(error.message.contains("not true or false"), "{bad}: {}", error.message);
    }
    for good in ["count([signals.a.value > 1, true]) >= 2", "at_least(2, [signals.a.value > 1, true])"] {
        assert_eq!(Condition::parse(good).unwrap().check_types(&kind_of), Ok(()), "{good}");
    }
}

#[test]
fn sums_and_lists_that_go_silent_with_one_signal_are_found() {
    let of = |source: &str| Condition::parse(source).unwrap().silence();
    let sum = "(signals.a.value == 1 ? 1 : 0) + (signals.b.value == 1 ? 1 : 0) > 1";
    assert_eq!(of(sum), Some(Silence::Sum));
    assert_eq!(of(&format!("!({sum}) && incident.open")), Some(Silence::Sum));
    for list in [
        "[signals.a.value, signals.b.value].filter(r, r == 1.0).size() > 1",
        "size([signals.a.value, signals.b.value].filter(r, r == 1.0)) > 1",
        "[signals.a.state, signals.b.state].exists(s, s == 'ok')",
        "'ok' in [signals.a.state, signals.b.state]",
        "any([[signals.a.state, signals.b.state].all(s, s == 'ok')])",
    ] {
        assert_eq!(of(list), Some(Silence::List), "{list}");
    }
    for told in [
        "at_least(2, [signals.a.value == 1, signals.b.value == 1])",
        "count([signals.a.value == 1, signals.b.value == 1]) > 1",
        "signals.a.state in ['ok', 'warn'] && signals.b.state in ['ok']",
        "signals.a.value + signals.b.value > 10",
        "(signals.a.known ? 1 : 0) + 1 > 1",
    ] {
        assert_eq!(of(told), None, "{told}");
    }
}

/// A formula over atoms that are true, false or unknown.
#[derive(Clone, Debug)]
enum Logic {
    Atom(Option<bool>),
    Not(Box<Logic>),
    And(Box<Logic>, Box<Logic>),
    Or(Box<Logic>, Box<Logic>),
    If(Box<Logic>, Box<Logic>, Box<Logic>),
    AtLeast(usize, Vec<Logic>),
    CountIs(usize, Vec<Logic>),
}

impl Logic {
    fn source(&self) -> String {
        match self {
            Self::Atom(Some(true)) => "signals.yes.known".into(),
            Self::Atom(Some(false)) => "signals.no.known".into(),
            Self::Atom(None) => "signals.dark.known".into(),
            Self::Not(a) => format!("!({})", a.source()),
            Self::And(a, b) => format!("({} && {})", a.source(), b.source()),
            Self::Or(a, b) => format!("({} || {})", a.source(), b.source()),
            Self::If(a, b, c) => format!("({} ? {} : {})", a.source(), b.source(), c.source()),
            Self::AtLeast(least, all) => format!("at_least({least}, {})", Self::list(all)),
            Self::CountIs(count, all) => format!("(count({}) == {count})", Self::list(all)),
        }
    }

    fn list(all: &[Self]) -> String {
        format!("[{}]", all.iter().map(Self::source).collect::<Vec<_>>().join(", "))
    }

    /// The reference: truth tables, false = 0, unknown = 1, true = 2.
    fn value(&self) -> u8 {
        match self {
            Self::Atom(Some(true)) => 2,
            Self::Atom(Some(false)) => 0,
            Self::Atom(None) => 1,
            Self::Not(a) => 2 - a.value(),
            Self::And(a, b) => a.value().min(b.value()),
            Self::Or(a, b) => a.value().max(b.value()),
            Self::If(a, b, c) => [c.value(), 1, b.value()][usize::from(a.value())],
            Self::AtLeast(least, all) => {
                let mut values: Vec<u8> = all.iter().map(Self::value).collect();
                values.sort_unstable();
                values[values.len() - least]
            }
            Self::CountIs(count, all) => {
                let with = |least: u8| all.iter().filter(|part| part.value() >= least).count();
                match (with(2), with(1)) {
                    (low, high) if low == high => {
                        if low == *count {
                            2
                        } else {
                            0
                        }
                    }
                    (low, high) => u8::from((low..=high).contains(count)),
                }
            }
        }
    }
}

fn logic() -> impl Strategy<Value = Logic> {
    let atom = prop_oneof![Just(Some(true)), Just(Some(false)), Just(None)].prop_map(Logic::Atom);
    atom.prop_recursive(4, 24, 3, |inner| {
        prop_oneof![
            inner.clone().prop_map(|a| Logic::Not(a.into())),
            (inner.clone(), inner.clone()).prop_map(|(a, b)| Logic::And(a.into(), b.into())),
            (inner.clone(), inner.clone()).prop_map(|(a, b)| Logic::Or(a.into(), b.into())),
            (inner.clone(), inner.clone(), inner.clone()).prop_map(|(a, b, c)| Logic::If(
                a.into(),
                b.into(),
                c.into()
            )),
            (proptest::collection::vec(inner.clone(), 1..4), 0..3_usize)
                .prop_map(|(all, less)| Logic::AtLeast(1 + less % all.len(), all)),
            (proptest::collection::vec(inner, 1..4), 0..4_usize)
                .prop_map(|(all, count)| Logic::CountIs(count, all)),
        ]
    })
}

proptest! {
    #[test]
    fn formulas_agree_with_kleenes_tables(formula in logic()) {
        let source = formula.source();
        prop_assume!(source.len() <= 1_000);
        let names = Known::default()
            .with("signals['yes'].known", Scalar::Flag(true))
            .with("signals['no'].known", Scalar::Flag(false));
        let value = match evaluate(&source, &names) {
            Truth::False => 0,
            Truth::Unknown(_) => 1,
            Truth::True => 2,
        };
        prop_assert_eq!(value, formula.value(), "{}", source);
    }

    #[test]
    fn any_text_is_parsed_or_refused_with_a_place_in_it(text in "[a-z\\[\\](){}'\".?:!<>=&|+*/ 0-9é-]{0,80}") {
        if let Err(error) = Condition::parse(&text) {
            prop_assert!(text.get(error.range.clone()).is_some(), "{:?} {:?}", text, error);
        }
    }
}

#[test]
fn long_chains_and_deep_nesting_neither_overflow_nor_hang() {
    let terms = vec!["1"; 490].join("+");
    assert!(Condition::parse(&format!("{terms} == 490")).is_err());
    let sum = format!("{} == 100.0", vec!["signals.a.value"; 16].join("+"));
    let names = Known::default().with("signals['a'].value", Scalar::Number(1.0));
    assert_eq!(evaluate(&sum, &names), Truth::False);
    let ands = vec!["signals.a.known"; 50].join(" && ");
    assert!(Condition::parse(&ands).is_ok());
    assert!(Condition::parse(&format!("{}true{}", "(".repeat(20), ")".repeat(20))).is_ok());
    for nest in ["(", "[", "!", "-", "!(", "[[", "{1:", "true?", "signals["] {
        let _ = Condition::parse(&nest.repeat(900 / nest.len()));
        let _ = Condition::parse(&nest.repeat(20));
    }
}
