//! Loading a plan of 20,000 probes against only parsing its TOML. Prints times and their ratio, asserts nothing.
//!
//! `cargo bench --bench plan`.

use lifeboat::plan::load_texts;
use std::fmt::Write;
use std::time::{Duration, Instant};

const PROBES: usize = 20_000;
const ROUNDS: usize = 5;

const BASE: &str = "[plan]\nname = \"Large\"\n[vars]\ndomain = \"example.org\"\n[regions.primary]\nrole = \"primary\"\n\
    [tree]\nroot = \"q\"\n[tree.q]\nask = \"Down?\"\nevidence = [\"p0\"]\nanswers.yes = \"wait\"\nanswers.no = \"wait\"\n\
    suggest.yes = \"signals.p0.state == 'critical'\"\n[leaves.wait]\ntitle = \"Wait\"\nadvice = \"Wait.\"\n";

fn main() {
    let mut text = BASE.to_owned();
    for n in 0..PROBES {
        let probe = format_args!(
            "[probes.p{n}]\nkind = \"tcp\"\nregion = \"primary\"\naddress = \"h{n}.{{{{ vars.domain }}}}:5432\"\nwarn = \"200ms\"\ncritical = \"1s\"\n"
        );
        // Writing to a string does not fail.
        let _ = text.write_fmt(probe);
    }
    let parse = best(|| drop(toml::de::DeTable::parse(&text)));
    let load = best(|| {
        let files = vec![("plan.toml".to_owned(), text.clone())];
        if let Err(problems) = load_texts(files, &lifeboat::providers::registry()) {
            println!("the plan does not load: {problems}");
        }
    });
    let megabytes = text.len() as f64 / 1e6;
    println!("{PROBES} probes, {megabytes:.1} MB: load {load:.0?}, TOML alone {parse:.0?}");
    println!("ratio {:.2}", load.as_secs_f64() / parse.as_secs_f64());
}

fn best(mut run: impl FnMut()) -> Duration {
    let one = |_| {
        let start = Instant::now();
        run();
        start.elapsed()
    };
    (0..ROUNDS).map(one).min().unwrap_or_default()
}
