use super::*;
use crate::testing::{clients, try_step};

fn built(keys: &str) -> Result<Box<dyn crate::kinds::action::Action>, String> {
    let text = format!(
        "[[runbooks.example.steps]]\nid = \"x\"\ntitle = \"X\"\naction = \"rds-restore-pitr\"\nconfirm = \"type\"\n\
         with.region = \"us-east-1\"\n{keys}"
    );
    let step = try_step(&text).map_err(|problems| problems.to_string())?;
    build(&step.params, &clients(&[])).map_err(|error| error.to_string())
}

#[test]
fn keys_that_do_not_fit_together_are_refused_with_the_way_out() {
    let cluster = "with.source_cluster = \"c\"\nwith.target = \"t\"\nwith.time = \"latest\"\n";
    let instance = cluster.replace("source_cluster", "source_instance");
    assert!(built(cluster).is_ok() && built(&instance).is_ok());
    for (keys, why) in [
        (format!("{cluster}with.source_instance = \"i\""), "one of them"),
        (cluster.replace("with.source_cluster", "with.subnet_group"), "one of them"),
        (format!("{cluster}with.class = \"db.r6g.large\""), "`instance_class` is"),
        (format!("{instance}with.instance_class = \"db.r6g.large\""), "`class` is"),
        (format!("{instance}with.restore_type = \"full-copy\""), "clusters only"),
        (cluster.replace("latest", "yesterday"), "with its zone"),
        (
            cluster.replace("latest", "2026-03-01T12:00:00Z") + "with.restore_type = \"copy-on-write\"",
            "a clone is always of now",
        ),
    ] {
        let said = built(&keys).err().unwrap_or_default();
        assert!(said.contains(why), "{keys}\n{said}");
    }
}

#[test]
fn a_card_for_a_cluster_has_the_commands_of_the_seed_in_order() {
    let card = built(
        "with.source_cluster = \"market-scanning-prod\"\nwith.target = \"market-scanning-pitr\"\n\
         with.time = \"2026-01-01T12:00:00.000Z\"\nwith.instance_class = \"db.r6g.large\"",
    )
    .unwrap()
    .manual();
    assert_eq!(
        card.instructions,
        [
            "aws rds restore-db-cluster-to-point-in-time --source-db-cluster-identifier market-scanning-prod \
             --db-cluster-identifier market-scanning-pitr --restore-to-time 2026-01-01T12:00:00Z --region us-east-1",
            "aws rds wait db-cluster-available --db-cluster-identifier market-scanning-pitr --region us-east-1",
            "aws rds create-db-instance --db-instance-identifier market-scanning-pitr-1 --db-cluster-identifier \
             market-scanning-pitr --db-instance-class db.r6g.large --engine ENGINE --region us-east-1",
            "aws rds wait db-instance-available --db-instance-identifier market-scanning-pitr-1 --region us-east-1",
        ]
    );
    assert!(card.check.contains("describe-db-clusters --db-cluster-identifier market-scanning-pitr"));
}
