//! Hosts that nothing can be connected to, by their spelling.

use std::net::IpAddr;

/// The longest part of a name between dots (RFC 1035, 2.3.4).
const MAX_LABEL_BYTES: usize = 63;

/// Why nothing can be connected to at a host, with what to write instead; none where that may be.
pub(crate) fn host_fault(host: &str) -> Option<String> {
    let bare = host.trim_matches(['[', ']']);
    let why = match bare.parse::<IpAddr>() {
        Ok(address) => of_address(address)?,
        // What a run fills in, and addresses with a zone.
        Err(_) if bare.contains("{{") || bare.contains(':') => return None,
        Err(_) => of_name(bare)?,
    };
    Some(format!("`{}` {why}", crate::base::text::clean(bare, 80)))
}

fn of_address(address: IpAddr) -> Option<&'static str> {
    match address {
        _ if address.is_unspecified() => Some(
            "stands for every address of a host that listens, and is none to connect to: write the host's name or address",
        ),
        IpAddr::V4(address) if address.is_broadcast() => {
            Some("is all hosts at once, and none to connect to: write the host's name or address")
        }
        _ if address.is_multicast() => {
            Some("is a group of hosts, and none to connect to: write the host's name or address")
        }
        _ => None,
    }
}

fn of_name(name: &str) -> Option<&'static str> {
    let labels: Vec<&str> = name.strip_suffix('.').unwrap_or(name).split('.').collect();
    let is_number = |label: &&str| !label.is_empty() && label.bytes().all(|byte| byte.is_ascii_digit());
    if labels.len() == 4 && labels.iter().all(is_number) {
        return Some("is no address: each of its four numbers goes up to 255");
    }
    if name.contains('.') && labels.iter().any(|label| label.is_empty()) {
        return Some("is no name of a host: nothing stands between two of its dots");
    }
    let is_long = labels.iter().any(|label| label.len() > MAX_LABEL_BYTES);
    is_long.then_some("is no name of a host: a part of it is longer than 63 characters")
}

#[cfg(test)]
mod tests {
    use super::host_fault;

    #[test]
    fn hosts_that_nothing_can_be_connected_to_are_told() {
        let long = "a".repeat(64) + ".example";
        for host in
            ["0.0.0.0", "::", "[::]", "255.255.255.255", "224.0.0.1", "ff02::1", "10.0.0.256", "a..b", &long]
        {
            assert!(host_fault(host).is_some(), "{host}");
        }
        for host in [
            "10.0.0.1",
            "::1",
            "[::1]",
            "fe80::1%eth0",
            "127.1",
            "db",
            "db_1.example.",
            "{{ x }}",
            "",
            "1.2.3",
        ] {
            assert_eq!(host_fault(host), None, "{host}");
        }
    }
}
