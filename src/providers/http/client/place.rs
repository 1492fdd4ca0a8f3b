//! A host and a port to connect to.

use std::fmt;
use std::net::Ipv6Addr;

/// A host, by its name or address, and a port.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Place {
    host: String,
    port: u16,
}

impl Place {
    /// Reads `host:port`; an IPv6 address stands in brackets (`[::1]:8443`).
    pub fn parse(text: &str) -> Option<Self> {
        let (host, port) = text.rsplit_once(':')?;
        let port = port.parse().ok().filter(|port| *port > 0)?;
        if let Some(address) = host.strip_prefix('[').and_then(|host| host.strip_suffix(']')) {
            return Some(Self { host: address.parse::<Ipv6Addr>().ok()?.to_string(), port });
        }
        let is_name = !host.is_empty()
            && host.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '.' | '-' | '_'));
        is_name.then(|| Self { host: host.to_owned(), port })
    }

    /// The host without brackets.
    pub fn host(&self) -> &str {
        &self.host
    }

    /// The port.
    pub fn port(&self) -> u16 {
        self.port
    }
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.host.contains(':') {
            return write!(f, "[{}]:{}", self.host, self.port);
        }
        write!(f, "{}:{}", self.host, self.port)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_place_is_a_host_and_a_port() {
        for good in ["127.0.0.1:9444", "lb.dr.example.com:443", "[::1]:8443", "db_1:80"] {
            assert_eq!(Place::parse(good).unwrap().to_string(), good);
        }
        for bad in [
            "lb",
            "lb:",
            ":443",
            "lb:0",
            "lb:70000",
            "::1:443",
            "[lb]:443",
            "https://lb:443",
            "a b:1",
            "lb:443/x",
        ] {
            assert_eq!(Place::parse(bad), None, "{bad}");
        }
    }
}
