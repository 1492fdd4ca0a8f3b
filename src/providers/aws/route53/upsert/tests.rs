use super::*;
use crate::plan::Diagnostics;
use crate::testing::{clients, try_step};

fn params(keys: &str) -> Params {
    read(keys).unwrap_or_else(|problems| panic!("{keys}: {problems}"))
}

fn read(keys: &str) -> Result<Params, Diagnostics> {
    let text = format!(
        "[[runbooks.example.steps]]\nid = 'x'\ntitle = 'X'\naction = 'route53-upsert'\nconfirm = 'yes'\n\
         [runbooks.example.steps.with]\nzone = 'Z1D633PJN98FT9'\n{keys}"
    );
    Ok(try_step(&text)?.params)
}

/// Why the loader does not take it.
fn why(keys: &str) -> String {
    match read(keys) {
        Ok(_) => panic!("{keys} is taken"),
        Err(problems) => problems.to_string(),
    }
}

fn built(keys: &str) -> Vec<Record> {
    build(&params(keys), &clients(&[])).unwrap_or_else(|error| panic!("{keys}: {error}"));
    tables(&params(keys)).iter().map(|table| record(table).unwrap()).collect()
}

#[test]
fn an_empty_set_of_values_is_refused() {
    assert!(why("name = 'a.sparc.com'").contains("takes the name off the net"));
    assert!(why("name = 'a.sparc.com'\nvalues = []").contains("takes the name off the net"));
    assert!(why("name = 'a.sparc.com'\nvalues = ['192.0.2.1', ' ']").contains("takes the name off the net"));
    assert!(
        why("name = 'a.sparc.com'\nalias = '.'\nalias_zone = 'Z1'").contains("takes the name off the net")
    );
    assert!(why("").contains("the batch is empty"));
    assert!(why("records = []").contains("the batch is empty"));
}

#[test]
fn a_record_is_one_thing() {
    assert!(why("name = 'a.x'\nvalues = ['1.1.1.1']\nalias = 'b.x'\nalias_zone = 'Z'").contains("not both"));
    assert!(why("name = 'a.x'\nalias = 'b.x'").contains("hosted zone of its target"));
    assert!(why("name = 'a.x'\nvalues = ['1.1.1.1']\nweight = 1").contains("it is needed"));
    assert!(why("name = 'a.x'\nvalues = ['1.1.1.1']\nset_identifier = 'dr'").contains("it goes with"));
    assert!(
        why("name = 'a.x'\nvalues = ['1.1.1.1']\nset_identifier = 'a'\nweight = 1\nfailover = 'PRIMARY'")
            .contains("one of")
    );
    let twice = "records = [{ name = 'a.x', values = ['1.1.1.1'] }, { name = 'A.x.', values = ['1.1.1.2'] }]";
    assert!(why(twice).contains("twice"));
}

#[test]
fn one_record_by_its_keys_and_several_by_rows_with_their_defaults() {
    let records = built(
        "name = 'a.sparc.com'\nvalues = ['192.0.2.1']\nttl = '30s'\n\
         records = [{ name = 't.sparc.com', type = 'TXT', values = ['say \"hi\"'] }, \
         { name = 'b.sparc.com', alias = 'alb.aws.com', alias_zone = 'ZALB', set_identifier = 'dr', weight = 10 }]",
    );
    assert_eq!(records.len(), 3);
    assert_eq!((records[0].ttl_s, &*records[0].kind), (Some(30), "A"));
    assert_eq!((records[1].ttl_s, &*records[1].values[0]), (Some(60), r#""say \"hi\"""#));
    assert_eq!((records[2].ttl_s, &records[2].routing), (None, &Routing::Weighted(10)));
    assert!(records[2].alias.as_ref().unwrap().evaluate_target_health);
}

#[test]
fn a_row_is_checked_by_the_loader() {
    let text = "[[runbooks.example.steps]]\nid = 'x'\ntitle = 'X'\naction = 'route53-upsert'\nconfirm = 'yes'\n\
                with.zone = 'Z1'\nwith.records = [{ nam = 'a.x', values = 'b' }]";
    let said = try_step(text).unwrap_err().to_string();
    assert!(said.contains("unknown key `nam`") && said.contains("takes a list"), "{said}");
}
