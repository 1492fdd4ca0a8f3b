//! The pure core: commands in, facts out, effects as data.
