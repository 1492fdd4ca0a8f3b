//! Programs of a step that outlived the engine that started them. They are found by the token in their environment:
//! an engine that was killed cannot have written down their process ids, and ids are used again.

/// The variable that names the attempt that a program belongs to.
pub const TOKEN: &str = "LIFEBOAT_TOKEN";

/// The programs of this user that were started as an attempt whose token begins with `token`, by process id. What they
/// started in turn does not count: it may be a service that is there to stay. Linux only: elsewhere none is found.
#[cfg(target_os = "linux")]
pub fn running(token: &str) -> Vec<u32> {
    let wanted = format!("{TOKEN}={token}");
    let Ok(processes) = std::fs::read_dir("/proc") else { return Vec::new() };
    let ids = processes.filter_map(|entry| entry.ok()?.file_name().to_str()?.parse().ok());
    // A process of another user, or one that just ended, cannot be read and is none of ours.
    let belongs = |id: &u32| {
        let environment = std::fs::read(format!("/proc/{id}/environ")).unwrap_or_default();
        environment.split(|byte| *byte == 0).any(|variable| variable.starts_with(wanted.as_bytes()))
    };
    let mut found: Vec<u32> = ids.filter(|id| belongs(id) && leads_its_group(*id)).collect();
    found.sort_unstable();
    found
}

/// A program is started as the leader of a group in the engine's session; what it starts joins the group, or makes a
/// session of its own. Fields as in proc_pid_stat(5).
#[cfg(target_os = "linux")]
fn leads_its_group(id: u32) -> bool {
    let stat = std::fs::read_to_string(format!("/proc/{id}/stat")).unwrap_or_default();
    let Some((_, fields)) = stat.rsplit_once(')') else { return false };
    let mut fields = fields.split_whitespace();
    let ended = fields.next().is_none_or(|state| state == "Z" || state == "X");
    let mut number = |skip| fields.nth(skip).and_then(|field| field.parse().ok());
    let (group, session): (Option<u32>, Option<u32>) = (number(1), number(0));
    !ended && group == Some(id) && session != Some(id)
}

/// Elsewhere a process's environment cannot be read.
#[cfg(not(target_os = "linux"))]
pub fn running(_token: &str) -> Vec<u32> {
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
        assert_eq!(running(&token), [program.id()]);
        assert!(running(&format!("{token}/2")).is_empty());
        drop(program.stdin.take());
        program.wait().unwrap();
        assert!(running(&token).is_empty(), "its children are left alone");
    }
}
