use super::*;
use crate::providers::net::around::Around;
use rcgen::{CertificateParams, CertifiedIssuer, DnType, IsCa, Issuer, KeyPair, date_time_ymd};
use rustls::pki_types::ServerName;

type Day = (i32, u8, u8);

/// A certificate authority, which can be signed again by another one.
struct Authority {
    issuer: CertifiedIssuer<'static, KeyPair>,
    key: Vec<u8>,
    name: &'static str,
}

impl Authority {
    fn root(name: &'static str, until: Day) -> Self {
        let key = KeyPair::generate().unwrap();
        Self::root_with(name, until, key.serialize_der())
    }

    fn root_with(name: &'static str, until: Day, key: Vec<u8>) -> Self {
        let issuer = CertifiedIssuer::self_signed(params(name, until, true), key_of(&key)).unwrap();
        Self { issuer, key, name }
    }

    fn below(name: &'static str, until: Day, by: &Self) -> Self {
        let key = KeyPair::generate().unwrap().serialize_der();
        Self::again(name, until, key, by)
    }

    fn again(name: &'static str, until: Day, key: Vec<u8>, by: &Self) -> Self {
        let above: &Issuer<'_, KeyPair> = &by.issuer;
        let issuer = CertifiedIssuer::signed_by(params(name, until, true), key_of(&key), above).unwrap();
        Self { issuer, key, name }
    }

    /// The same name and key, signed by another one until another day.
    fn cross_signed(&self, until: Day, by: &Self) -> Self {
        Self::again(self.name, until, self.key.clone(), by)
    }

    fn der(&self) -> CertificateDer<'static> {
        self.issuer.der().clone()
    }

    fn server(&self, until: Day) -> CertificateDer<'static> {
        let key = KeyPair::generate().unwrap();
        let above: &Issuer<'_, KeyPair> = &self.issuer;
        params("server", until, false).signed_by(&key, above).unwrap().der().clone()
    }
}

fn key_of(der: &[u8]) -> KeyPair {
    KeyPair::try_from(der).unwrap()
}

fn params(name: &str, (year, month, day): Day, is_authority: bool) -> CertificateParams {
    let mut params = CertificateParams::new(vec!["localhost".to_owned()]).unwrap();
    if is_authority {
        params.subject_alt_names.clear();
        params.is_ca = IsCa::Ca(rcgen::BasicConstraints::Unconstrained);
    }
    params.distinguished_name.push(DnType::CommonName, name);
    params.not_before = date_time_ymd(2020, 1, 1);
    params.not_after = date_time_ymd(year, month, day);
    params
}

/// What ends first, as seen on 29 November 2026: which part, whose, and on which day.
fn end(roots: &[&Authority], server: &CertificateDer<'_>, between: &[&Authority]) -> (Part, String, String) {
    let roots: Vec<_> = roots.iter().map(|root| root.der()).collect();
    let ends = PathEnds::default();
    let inner = verifier_of(roots.clone()).unwrap();
    let foreseeing = Around(Foreseeing { inner, roots, ends: ends.clone() });
    let now: Timestamp = "2026-11-29T00:00:00Z".parse().unwrap();
    let now = UnixTime::since_unix_epoch(Duration::from_secs(seconds(now)));
    let between: Vec<_> = between.iter().map(|between| between.der()).collect();
    let name = ServerName::try_from("localhost").unwrap();
    foreseeing.verify_server_cert(server, &between, &name, &[], now).unwrap();
    let end = ends.of(server).expect("a verified path ends");
    (end.part, end.subject, end.at.strftime("%F").to_string())
}

fn ends(part: Part, name: &str, day: &str) -> (Part, String, String) {
    (part, format!("CN={name}"), day.to_owned())
}

#[test]
fn an_intermediate_that_ends_before_the_server_is_what_ends() {
    let root = Authority::root("root", (2036, 1, 1));
    let between = Authority::below("between", (2026, 12, 1), &root);
    let server = between.server((2027, 9, 1));
    assert_eq!(end(&[&root], &server, &[&between]), ends(Part::Intermediate, "between", "2026-12-01"));
    let lasting = Authority::below("lasting", (2030, 1, 1), &root);
    let server = lasting.server((2027, 9, 1));
    assert_eq!(end(&[&root], &server, &[&lasting]), ends(Part::Server, "server", "2027-09-01"));
}

#[test]
fn a_cross_signed_certificate_that_no_client_needs_is_no_end_ended_or_not() {
    let old = Authority::root("old root", (2021, 9, 30));
    let new = Authority::root("new root", (2035, 6, 4));
    let between = Authority::below("between", (2029, 1, 1), &new);
    let server = between.server((2027, 2, 1));
    for until in [(2021, 9, 30), (2026, 12, 24)] {
        let crossed = new.cross_signed(until, &old);
        for presented in [[&between, &crossed], [&crossed, &between]] {
            let found = end(&[&new], &server, &presented);
            assert_eq!(found, ends(Part::Server, "server", "2027-02-01"), "{until:?}");
        }
    }
}

#[test]
fn a_cross_signed_certificate_that_is_the_only_way_is_what_ends() {
    let old = Authority::root("old root", (2036, 1, 1));
    let new = Authority::root("new root", (2035, 6, 4));
    let crossed = new.cross_signed((2026, 12, 24), &old);
    let server = new.server((2027, 2, 1));
    assert_eq!(end(&[&old], &server, &[&crossed]), ends(Part::Intermediate, "new root", "2026-12-24"));
    // A client that trusts both needs it no more.
    assert_eq!(end(&[&old, &new], &server, &[&crossed]), ends(Part::Server, "server", "2027-02-01"));
}

#[test]
fn of_an_intermediate_and_its_renewal_the_renewal_counts() {
    let root = Authority::root("root", (2036, 1, 1));
    let first = Authority::below("between", (2026, 12, 1), &root);
    let renewed = first.cross_signed((2029, 1, 1), &root);
    let server = first.server((2027, 9, 1));
    assert_eq!(end(&[&root], &server, &[&first, &renewed]), ends(Part::Server, "server", "2027-09-01"));
}

#[test]
fn a_trusted_root_that_ends_is_what_ends_also_when_it_ended_already() {
    let other = Authority::root("another root", (2026, 12, 5));
    let ended = Authority::root("ended root", (2024, 1, 1));
    for (day, told) in [((2026, 12, 10), "2026-12-10"), ((2026, 11, 1), "2026-11-01")] {
        let root = Authority::root("root", day);
        let between = Authority::below("between", (2030, 1, 1), &root);
        let server = between.server((2027, 9, 1));
        let found = end(&[&other, &root, &ended], &server, &[&between]);
        assert_eq!(found, ends(Part::Root, "root", told));
        let renewed = Authority::root_with("root", (2040, 1, 1), root.key.clone());
        let found = end(&[&other, &root, &renewed], &server, &[&between]);
        assert_eq!(found, ends(Part::Server, "server", "2027-09-01"));
    }
}

#[test]
fn a_certificate_that_is_trusted_by_itself_ends_itself() {
    let own = Authority::root_with("own", (2027, 3, 1), KeyPair::generate().unwrap().serialize_der());
    let mut named = params("own", (2027, 3, 1), true);
    named.subject_alt_names = CertificateParams::new(vec!["localhost".to_owned()]).unwrap().subject_alt_names;
    let own = Authority { issuer: CertifiedIssuer::self_signed(named, key_of(&own.key)).unwrap(), ..own };
    let (_, subject, day) = end(&[&own], &own.der(), &[]);
    assert_eq!((subject.as_str(), day.as_str()), ("CN=own", "2027-03-01"));
}

#[test]
fn what_does_not_verify_has_no_end() {
    let (root, other) = (Authority::root("root", (2036, 1, 1)), Authority::root("other", (2036, 1, 1)));
    let (server, ends) = (other.server((2027, 1, 1)), PathEnds::default());
    let roots = vec![root.der()];
    let inner = verifier_of(roots.clone()).unwrap();
    let foreseeing = Around(Foreseeing { inner, roots, ends: ends.clone() });
    let now = UnixTime::since_unix_epoch(Duration::from_secs(1_795_000_000));
    let name = ServerName::try_from("localhost").unwrap();
    foreseeing.verify_server_cert(&server, &[], &name, &[], now).unwrap_err();
    assert_eq!(ends.of(&server), None);
}
