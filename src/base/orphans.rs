//! Programs of a step that outlived the engine that started them. They are found by the token in their environment:
//! an engine that was killed cannot have written down their process ids, and ids are used again.

use std::io;

/// The variable that names the attempt that a program belongs to.
pub const TOKEN: &str = "LIFEBOAT_TOKEN";
/// The variable that names the probe that a program belongs to.
pub const PROBE: &str = "LIFEBOAT_PROBE";
/// How many process ids are named.
const SHOWN: usize = 5;

/// The programs of this user that were started as an attempt with such a token, by process id. What they started in turn
/// does not count: it may be a service that is there to stay. Linux only: elsewhere none is found.
///
/// # Errors
/// When it cannot be looked, as for want of open files.
#[cfg(target_os = "linux")]
pub fn running(of: impl Fn(&str) -> bool) -> io::Result<Vec<u32>> {
    let mut found = with_variable(TOKEN, of)?;
    found.retain(|id| stat(*id).is_some_and(|stat| stat.group == *id && stat.session != *id));
    Ok(found)
}

/// The processes of this user that live and whose environment has a variable with a value that begins so: what a
/// program started counts, in whatever session it is. None where it cannot be looked.
#[cfg(target_os = "linux")]
pub fn marked(name: &str, value: &str) -> Vec<u32> {
    with_variable(name, |found| found.starts_with(value)).unwrap_or_default()
}

#[cfg(target_os = "linux")]
fn with_variable(name: &str, is_wanted: impl Fn(&str) -> bool) -> io::Result<Vec<u32>> {
    let has = |variable: &[u8]| {
        let parts = std::str::from_utf8(variable).ok().and_then(|text| text.split_once('='));
        parts.is_some_and(|(found, value)| found == name && is_wanted(value))
    };
    let mut found = Vec::new();
    for id in processes()? {
        match std::fs::read(format!("/proc/{id}/environ")) {
            Ok(environment) if environment.split(|byte| *byte == 0).any(has) && stat(id).is_some() => {
                found.push(id);
            }
            Err(error) if is_out_of_files(&error) => return Err(error),
            // A process of another user, or one that just ended, cannot be read and is none of ours.
            _ => {}
        }
    }
    found.sort_unstable();
    Ok(found)
}

#[cfg(target_os = "linux")]
fn is_out_of_files(error: &io::Error) -> bool {
    use rustix::io::Errno;
    [Errno::MFILE, Errno::NFILE].iter().any(|none| error.raw_os_error() == Some(none.raw_os_error()))
}

/// The processes that live in a process group.
#[cfg(target_os = "linux")]
pub fn in_group(group: i32) -> Vec<u32> {
    let of_it = |id: &u32| stat(*id).is_some_and(|stat| i32::try_from(stat.group) == Ok(group));
    let mut found: Vec<u32> = processes().unwrap_or_default();
    found.retain(of_it);
    found.sort_unstable();
    found
}

#[cfg(target_os = "linux")]
fn processes() -> io::Result<Vec<u32>> {
    let entries = std::fs::read_dir("/proc")?;
    Ok(entries.filter_map(|entry| entry.ok()?.file_name().to_str()?.parse().ok()).collect())
}

/// Where a process stands. A program is started as the leader of a group in the engine's session; what it starts joins
/// the group, or makes a session of its own.
#[cfg(target_os = "linux")]
struct Stat {
    group: u32,
    session: u32,
}

/// None for a process that has ended. Fields as in proc_pid_stat(5).
#[cfg(target_os = "linux")]
fn stat(id: u32) -> Option<Stat> {
    let stat = std::fs::read_to_string(format!("/proc/{id}/stat")).ok()?;
    let mut fields = stat.rsplit_once(')')?.1.split_whitespace();
    if matches!(fields.next()?, "Z" | "X") {
        return None;
    }
    let mut number = |skip| fields.nth(skip)?.parse().ok();
    Some(Stat { group: number(1)?, session: number(0)? })
}

/// `3 processes that it started stay: 17, 18, 19`; the first ones where they are many.
pub fn words(ids: &[u32]) -> String {
    let shown: Vec<String> = ids.iter().take(SHOWN).map(ToString::to_string).collect();
    let more = if ids.len() > SHOWN { ", ..." } else { "" };
    match ids.len() {
        1 => format!("a process that it started stays: {}", shown.join(", ")),
        count => format!("{count} processes that it started stay: {}{more}", shown.join(", ")),
    }
}

/// Elsewhere a process's environment cannot be read.
#[cfg(not(target_os = "linux"))]
pub fn running(_of: impl Fn(&str) -> bool) -> io::Result<Vec<u32>> {
    Ok(Vec::new())
}

/// Elsewhere a process's environment cannot be read.
#[cfg(not(target_os = "linux"))]
pub fn marked(_name: &str, _value: &str) -> Vec<u32> {
    Vec::new()
}

/// Elsewhere there is no list of them.
#[cfg(not(target_os = "linux"))]
pub fn in_group(_group: i32) -> Vec<u32> {
    Vec::new()
}

#[cfg(all(test, target_os = "linux"))]
mod tests {
    use super::*;
    use std::os::unix::process::CommandExt;
    use std::process::Command;

    #[test]
    fn a_program_is_found_by_its_token_until_it_ends_and_what_it_started_is_not() {
        let token = format!("leftover-test-{}", std::process::id());
        let script = "setsid sleep 9 & sleep 9 & echo started; read line";
        let mut program = Command::new("/bin/sh")
            .args(["-c", script])
            .env(TOKEN, format!("{token}/1"))
            .stdin(std::process::Stdio::piped())
            .stdout(std::process::Stdio::piped())
            .process_group(0)
            .spawn()
            .unwrap();
        let mut line = String::new();
        let out = program.stdout.take().unwrap();
        std::io::BufRead::read_line(&mut std::io::BufReader::new(out), &mut line).unwrap();
        let of = |token: String| move |found: &str| found.starts_with(&token);
        assert_eq!(running(of(token.clone())).unwrap(), [program.id()]);
        assert!(running(of(format!("{token}/2"))).unwrap().is_empty());
        drop(program.stdin.take());
        program.wait().unwrap();
        assert!(running(of(token)).unwrap().is_empty(), "its children are left alone");
    }
}
