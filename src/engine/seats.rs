//! How many clients an engine serves at the same time: none can keep the others, or the engine's own user, out.

use crate::folder::name_of;
use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

/// The most connections of one user.
const OF_ONE_USER: usize = 32;
/// The most connections of all users; the engine's own and root find a place beyond that.
const OF_ALL: usize = 64;

/// The connections by user.
#[derive(Clone, Default)]
pub struct Seats(Arc<Mutex<HashMap<u32, usize>>>);

/// The place of one connection, until it is dropped.
pub struct Seat {
    seats: Seats,
    uid: u32,
}

impl Seats {
    /// A place for a connection of this user.
    ///
    /// # Errors
    /// When there is none, with why and what to do.
    pub fn take(&self, uid: u32) -> Result<Seat, (String, String)> {
        let mut taken = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let all: usize = taken.values().sum();
        let of_user = taken.entry(uid).or_default();
        if *of_user >= OF_ONE_USER {
            let why = format!("{} has {of_user} connections to this engine already", name_of(uid));
            return Err((why, "Close a console or a program that watches it, and try again.".into()));
        }
        let own = uid == 0 || uid == rustix::process::getuid().as_raw();
        if all >= OF_ALL && !own {
            let why = format!("{all} clients are connected to this engine already");
            let next = "Have a colleague close a console, or ask the user that runs the engine.";
            return Err((why, next.into()));
        }
        *of_user += 1;
        Ok(Seat { seats: self.clone(), uid })
    }
}

impl Drop for Seat {
    fn drop(&mut self) {
        let mut taken = self.seats.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(of_user) = taken.get_mut(&self.uid) {
            *of_user -= 1;
            if *of_user == 0 {
                taken.remove(&self.uid);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_user_takes_the_places_of_the_others_and_none_those_of_the_engines_own() {
        let seats = Seats::default();
        let one = |uid| seats.take(uid).unwrap_or_else(|(why, _)| panic!("{why}"));
        let sit = |uid| (0..OF_ONE_USER).map(|_| one(uid)).collect::<Vec<Seat>>();
        let first = sit(54_321);
        let (why, next) = seats.take(54_321).err().unwrap();
        assert!(why.contains("32 connections") && next.contains("Close"), "{why}. {next}");
        let second = sit(54_322);
        let (why, _) = seats.take(54_323).err().unwrap();
        assert!(why.contains("64 clients"), "{why}");
        drop(one(rustix::process::getuid().as_raw()));
        drop(first);
        assert!(seats.take(54_323).is_ok());
        drop(second);
        assert!(seats.0.lock().unwrap().is_empty());
    }
}
