//! What the name servers themselves say of a name that the system finds no address of. getaddrinfo keeps their
//! response code to itself, and takes a server that cannot read the question for one that knows no such name.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::time::Duration;

use tokio::net::UdpSocket;
use tokio::time::{Instant, timeout_at};

use super::message::{self, Kind, Said};
use crate::base::shortage::is_own_fault;

/// How long one server is waited for.
const PATIENCE: Duration = Duration::from_secs(1);

/// Where name servers listen.
const PORT: u16 = 53;

/// Servers that the system's resolver asks, at most (resolv.conf(5)).
const MAX_SERVERS: usize = 3;

/// Names that a short name stands for, at most.
const MAX_NAMES: usize = 7;

/// What the system's resolver is set up with.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) struct Setup {
    servers: Vec<SocketAddr>,
    /// What a name may be short of.
    search: Vec<String>,
}

impl Setup {
    /// From a file as resolv.conf(5) has it; one without servers means the one of this host.
    pub(super) fn of(file: &str) -> Self {
        let mut setup = Self { servers: Vec::new(), search: Vec::new() };
        for line in file.lines() {
            let mut words = line.split_whitespace();
            match words.next() {
                Some("nameserver") => {
                    let address = words.next().and_then(|word| word.parse::<IpAddr>().ok());
                    setup.servers.extend(address.map(|address| SocketAddr::new(address, PORT)));
                }
                // The last one counts.
                Some("search" | "domain") => setup.search = words.map(str::to_owned).collect(),
                _ => {}
            }
        }
        if setup.servers.is_empty() {
            setup.servers.push(SocketAddr::new(Ipv4Addr::LOCALHOST.into(), PORT));
        }
        setup.servers.truncate(MAX_SERVERS);
        setup
    }

    /// All that a name may stand for.
    fn names(&self, host: &str) -> Vec<String> {
        let own = host.trim_end_matches('.').to_owned();
        let search = self.search.iter().filter(|_| !host.ends_with('.'));
        let others = search.map(|domain| format!("{own}.{}", domain.trim_matches('.')));
        std::iter::once(own.clone()).chain(others).take(MAX_NAMES).collect()
    }

    /// Whether the servers deny that there is any address: no such name, or an authoritative answer without one.
    ///
    /// # Errors
    /// What they say instead, in words.
    pub(super) async fn denied(&self, host: &str) -> Result<(), String> {
        for name in self.names(host) {
            for kind in [Kind::A, Kind::Aaaa] {
                self.asked(&name, kind).await?;
            }
        }
        Ok(())
    }

    /// The servers are asked in their order; the next one counts where the system's resolver goes on to it.
    async fn asked(&self, name: &str, kind: Kind) -> Result<(), String> {
        let mut why = String::new();
        for server in &self.servers {
            let address = server.ip();
            match ask(*server, name, kind).await? {
                Some(Said::NoSuchName | Said::NoneOfIt) => return Ok(()),
                Some(said @ (Said::Failed | Said::Refused | Said::NotImplemented)) => {
                    why = format!("{address} answers {said}");
                }
                Some(said) => return Err(format!("{address} answers {said}")),
                None => why = format!("{address} does not answer"),
            }
        }
        Err(why)
    }
}

/// What one server says; none where it says nothing.
async fn ask(server: SocketAddr, name: &str, kind: Kind) -> Result<Option<Said>, String> {
    // The system's choice of a port is what an answer cannot guess; the number only tells two questions apart.
    let id = std::process::id() as u16;
    let question = message::question(id, name, kind)?;
    let until = Instant::now() + PATIENCE;
    let here = if server.is_ipv4() { "0.0.0.0:0" } else { "[::]:0" };
    let answer = async {
        let socket = UdpSocket::bind(here).await?;
        // Only what comes from there arrives.
        socket.connect(server).await?;
        socket.send(&question).await?;
        let mut buffer = [0; 4096];
        loop {
            let length = socket.recv(&mut buffer).await?;
            if let Some(said) = message::answer(&buffer[..length], &question) {
                return Ok::<_, std::io::Error>(said);
            }
        }
    };
    match timeout_at(until, answer).await {
        Ok(Ok(said)) => Ok(Some(said)),
        Ok(Err(error)) if is_own_fault(&error) => Err(format!("this host cannot ask: {error}")),
        Ok(Err(_)) | Err(_) => Ok(None),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A name server that answers every question with these flags (the lower 12 bits hold the response code), and with
    /// a start of authority where `soa`.
    async fn server(flags: u16, soa: bool) -> SocketAddr {
        let socket = UdpSocket::bind("127.0.0.1:0").await.unwrap();
        let address = socket.local_addr().unwrap();
        tokio::spawn(async move {
            let mut buffer = [0; 512];
            while let Ok((length, from)) = socket.recv_from(&mut buffer).await {
                let mut answer = buffer[..length].to_vec();
                answer[2..4].copy_from_slice(&(0x8180 | flags).to_be_bytes());
                if soa {
                    answer[9] = 1;
                    // The root, SOA, IN, a life of 60 s, and nothing in it.
                    answer.extend([0, 0, 6, 0, 1, 0, 0, 0, 60, 0, 0]);
                }
                // Somebody else's answer comes first.
                let mut other = answer.clone();
                other[0] ^= 0xff;
                other[3] = 3;
                socket.send_to(&other, from).await.unwrap();
                socket.send_to(&answer, from).await.unwrap();
            }
        });
        address
    }

    async fn denied(servers: &[SocketAddr]) -> Result<(), String> {
        let setup = Setup { servers: servers.to_vec(), search: Vec::new() };
        setup.denied("api.example.com").await
    }

    #[tokio::test]
    async fn only_nxdomain_and_an_authoritative_empty_answer_deny_a_name() {
        assert_eq!(denied(&[server(3, true).await]).await, Ok(()));
        assert_eq!(denied(&[server(3, false).await]).await, Ok(()), "the code alone says it");
        assert_eq!(denied(&[server(0, true).await]).await, Ok(()), "RFC 2308: it names the authority");
        assert_eq!(denied(&[server(0x400, false).await]).await, Ok(()), "it is the authority");
        let why = denied(&[server(0, false).await]).await.unwrap_err();
        assert!(why.contains("empty and not authoritative"), "{why}");
    }

    #[tokio::test]
    async fn every_other_response_code_says_nothing_of_the_name() {
        let names = [
            (1, "FORMERR"),
            (2, "SERVFAIL"),
            (4, "NOTIMP"),
            (5, "REFUSED"),
            (6, "YXDOMAIN"),
            (7, "YXRRSET"),
            (8, "NXRRSET"),
            (9, "NOTAUTH"),
            (10, "NOTZONE"),
        ];
        for (code, name) in names {
            let why = denied(&[server(code, true).await]).await.unwrap_err();
            assert!(why.starts_with("127.0.0.1 answers ") && why.contains(name), "{code}: {why}");
        }
        for code in 11..16 {
            let why = denied(&[server(code, true).await]).await.unwrap_err();
            assert!(why.contains(&format!("response code {code}")), "{why}");
        }
    }

    #[tokio::test]
    async fn the_next_server_counts_where_the_resolver_goes_on_to_it() {
        let (gone, failing, odd) = (server(3, true).await, server(2, false).await, server(1, false).await);
        let silent = UdpSocket::bind("127.0.0.1:0").await.unwrap();
        let silent = silent.local_addr().unwrap();
        assert_eq!(denied(&[failing, gone]).await, Ok(()));
        assert_eq!(denied(&[silent, gone]).await, Ok(()));
        assert!(denied(&[odd, gone]).await.unwrap_err().contains("FORMERR"));
        assert!(denied(&[silent]).await.unwrap_err().contains("does not answer"));
    }

    #[tokio::test]
    async fn a_cut_answer_and_one_with_an_address_deny_nothing() {
        assert!(denied(&[server(0x600, true).await]).await.unwrap_err().contains("cut"));
    }

    #[test]
    fn a_short_name_stands_for_those_of_the_search_list_too() {
        let file = "# of the host\nnameserver 10.0.0.2\nnameserver fe80::1%eth0\nnameserver ::1\nsearch a.example b.example.\noptions ndots:5\n";
        let setup = Setup::of(file);
        assert_eq!(setup.servers, ["10.0.0.2:53".parse().unwrap(), "[::1]:53".parse().unwrap()]);
        assert_eq!(setup.names("db"), ["db", "db.a.example", "db.b.example"]);
        assert_eq!(setup.names("db."), ["db"]);
        assert_eq!(Setup::of("").servers, ["127.0.0.1:53".parse().unwrap()]);
    }
}
