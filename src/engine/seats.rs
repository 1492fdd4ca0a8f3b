//! How many clients an engine serves at the same time. Who only watches makes room for who comes: nobody keeps others out
//! by connecting, and nobody is locked out by connections that were left open.

use crate::base::folder::name_of;
use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};
use tokio::sync::oneshot;

/// The most connections of one user.
const OF_ONE_USER: usize = 32;
/// The most connections of all users; the engine's own and root find a place beyond that.
const OF_ALL: usize = 64;

/// How soon a connection says what it is, when it means to.
const SPEAKS_WITHIN: Duration = Duration::from_secs(1);

/// Why a connection ends, and what to do.
pub type Goodbye = (String, String);

/// The places that are taken.
#[derive(Clone, Default)]
pub struct Seats(Arc<Mutex<Taken>>);

#[derive(Default)]
struct Taken {
    last: u64,
    places: HashMap<u64, Place>,
}

struct Place {
    uid: u32,
    claim: Claim,
    end: oneshot::Sender<Goodbye>,
}

/// What speaks for leaving a connection its place, since when.
#[derive(Clone, Copy)]
enum Claim {
    /// It has not said yet what it is.
    Silent(Instant),
    /// It reads and never asked for anything.
    Reads(Instant),
    /// It asked for something, at that time last.
    Asked(Instant),
}

impl Claim {
    /// The weakest is the least. Who has just come is about to speak.
    fn strength(self, now: Instant) -> (u8, Instant) {
        match self {
            Self::Silent(since) if now.duration_since(since) >= SPEAKS_WITHIN => (0, since),
            Self::Silent(since) | Self::Reads(since) => (1, since),
            Self::Asked(at) => (2, at),
        }
    }
}

/// The place of one connection, until it is dropped.
pub struct Seat {
    seats: Seats,
    number: u64,
}

impl Seats {
    /// A place for a connection of this user, and what it hears when it has to give that up. Where all are taken, the one
    /// with the weakest claim is given up: of this user, or of the one who has the most.
    pub fn take(&self, uid: u32) -> (Seat, oneshot::Receiver<Goodbye>) {
        let mut taken = self.lock();
        let own = uid == 0 || uid == rustix::process::getuid().as_raw();
        if taken.of(uid) >= OF_ONE_USER {
            taken.give_up(uid);
        } else if taken.places.len() >= OF_ALL && !own {
            let most = taken.places.values().map(|place| place.uid).max_by_key(|uid| taken.of(*uid));
            taken.give_up(most.unwrap_or(uid));
        }
        taken.last += 1;
        let number = taken.last;
        let (end, given_up) = oneshot::channel();
        taken.places.insert(number, Place { uid, claim: Claim::Silent(Instant::now()), end });
        (Seat { seats: self.clone(), number }, given_up)
    }

    fn lock(&self) -> MutexGuard<'_, Taken> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Taken {
    fn of(&self, uid: u32) -> usize {
        self.places.values().filter(|place| place.uid == uid).count()
    }

    fn give_up(&mut self, uid: u32) {
        let now = Instant::now();
        let of_user = self.places.iter().filter(|(_, place)| place.uid == uid);
        let weakest = of_user.min_by_key(|(_, place)| place.claim.strength(now)).map(|(number, _)| *number);
        let count = self.of(uid);
        if let Some(place) = weakest.and_then(|number| self.places.remove(&number)) {
            let why = format!(
                "{} has {count} connections to this engine, and another one came: this one was the longest idle",
                name_of(uid)
            );
            let next =
                "Close consoles and programs that nobody looks at, then attach again with `lifeboat open`.";
            // An error means that it is leaving by itself.
            let _ = place.end.send((why, next.into()));
        }
    }
}

impl Seat {
    /// It said what it is, and reads.
    pub fn reads(&self) {
        self.claim(Claim::Reads(Instant::now()));
    }

    /// It asked for something.
    pub fn asks(&self) {
        self.claim(Claim::Asked(Instant::now()));
    }

    fn claim(&self, claim: Claim) {
        if let Some(place) = self.seats.lock().places.get_mut(&self.number) {
            place.claim = claim;
        }
    }
}

impl Drop for Seat {
    fn drop(&mut self) {
        self.seats.lock().places.remove(&self.number);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    type Sitting = (Seat, oneshot::Receiver<Goodbye>);

    fn ended((_, given_up): &mut Sitting) -> Option<Goodbye> {
        given_up.try_recv().ok()
    }

    #[test]
    fn a_user_whose_places_are_all_taken_gets_in_and_the_longest_idle_gives_way() {
        let seats = Seats::default();
        let mut sitting: Vec<Sitting> = (0..OF_ONE_USER).map(|_| seats.take(54_321)).collect();
        sitting.iter().for_each(|(seat, _)| seat.reads());
        sitting[0].0.asks();
        let silent = 20;
        sitting[silent].0.claim(Claim::Silent(Instant::now() - SPEAKS_WITHIN));
        let mut more: Vec<Sitting> = (0..3).map(|_| seats.take(54_321)).collect();
        more.iter().for_each(|(seat, _)| seat.reads());
        let gone: Vec<usize> =
            (0..OF_ONE_USER).filter(|place| ended(&mut sitting[*place]).is_some()).collect();
        assert_eq!(gone, [1, 2, silent], "the silent one, then the oldest that never asked for anything");
        assert!(more.iter_mut().all(|seat| ended(seat).is_none()));
        assert_eq!(seats.lock().of(54_321), OF_ONE_USER);
    }

    #[test]
    fn no_user_takes_the_places_of_the_others_and_none_those_of_the_engines_own() {
        let seats = Seats::default();
        let sit = |uid, count| (0..count).map(|_| seats.take(uid)).collect::<Vec<Sitting>>();
        let (mut few, mut many) = (sit(54_321, OF_ALL - OF_ONE_USER), sit(54_322, OF_ONE_USER));
        let mut own = sit(rustix::process::getuid().as_raw(), OF_ONE_USER);
        assert!(few.iter_mut().chain(&mut many).all(|seat| ended(seat).is_none()), "own ones find place");
        drop(few.split_off(10));
        let mut third = sit(54_323, 20);
        let gone: Vec<Goodbye> = many.iter_mut().chain(&mut own).filter_map(ended).collect();
        assert!(gone[0].0.contains("longest idle") && gone[0].1.contains("lifeboat open"), "{:?}", gone[0]);
        assert!(few.iter_mut().chain(&mut third).all(|seat| ended(seat).is_none()), "who has few keeps them");
        drop((few, many, own, third));
        assert!(seats.lock().places.is_empty());
    }
}
