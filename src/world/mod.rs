//! The simulated world behind demo and rehearse.
