//! What this host itself is short of: a call that fails for want of it says nothing about the other side.

/// Whether a call failed for want of something on this host: open files, memory, ports of its own. It says nothing
/// about the other side.
pub(crate) fn is_own_fault(error: &std::io::Error) -> bool {
    use rustix::io::Errno;
    let own = [Errno::MFILE, Errno::NFILE, Errno::NOMEM, Errno::NOBUFS, Errno::ADDRNOTAVAIL];
    error.raw_os_error().is_some_and(|number| own.iter().any(|errno| errno.raw_os_error() == number))
}

/// What this host lacks now, where a library does not say why something failed: without a file to open a resolver knows
/// no name, and there are no trusted roots.
pub(crate) fn own_shortage() -> Option<String> {
    let tried = std::net::UdpSocket::bind(("127.0.0.1", 0)).err().filter(is_own_fault);
    tried.map(|error| error.to_string())
}

/// What to do about it.
pub(crate) const OWN_FAULT: &str = "this host is short of open files, processes, memory or ports: look at `ulimit -a`, `free` and `ss -s` for the engine's user";
