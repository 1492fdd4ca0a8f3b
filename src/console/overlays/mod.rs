//! What lies over a screen: forms, confirmations, messages that are written, the palette, the keys. Each holds what was typed
//! and says what it asks; the app opens, draws and closes them.

pub mod against;
pub mod body;
pub mod compose;
pub mod confirm;
pub mod declare;
pub mod diagnosis;
pub mod field;
pub mod form;
pub mod help;
pub mod left;
pub mod palette;
pub mod people;
