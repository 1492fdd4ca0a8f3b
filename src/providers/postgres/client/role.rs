//! `target_session_attrs`: what kind of server a session may be on.

use super::read_only::ReadOnly;
use tokio_postgres::Client;

/// What is asked of a server.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Wanted {
    Any,
    ReadWrite,
    ReadOnly,
    Primary,
    Standby,
    /// A standby, or any where there is none.
    PreferStandby,
}

impl Wanted {
    pub(super) const CHOICES: &str =
        "target_session_attrs must be any, read-write, read-only, primary, standby or prefer-standby";

    /// From the word of libpq.
    pub(super) fn of(word: &str) -> Option<Self> {
        Some(match word {
            "any" => Self::Any,
            "read-write" => Self::ReadWrite,
            "read-only" => Self::ReadOnly,
            "primary" => Self::Primary,
            "standby" => Self::Standby,
            "prefer-standby" => Self::PreferStandby,
            _ => return None,
        })
    }

    pub(super) fn word(self) -> &'static str {
        match self {
            Self::Any => "any",
            Self::ReadWrite => "read-write",
            Self::ReadOnly => "read-only",
            Self::Primary => "primary",
            Self::Standby => "standby",
            Self::PreferStandby => "prefer-standby",
        }
    }

    /// What is asked for in turn until one is found.
    pub(super) fn rounds(self) -> &'static [Self] {
        match self {
            Self::Any => &[Self::Any],
            Self::ReadWrite => &[Self::ReadWrite],
            Self::ReadOnly => &[Self::ReadOnly],
            Self::Primary => &[Self::Primary],
            Self::Standby => &[Self::Standby],
            Self::PreferStandby => &[Self::Standby, Self::Any],
        }
    }

    /// Whether the server of a session is such a one. `prefer-standby` takes what it has until it ends.
    pub(super) async fn is_met(self, client: &Client) -> Result<bool, tokio_postgres::Error> {
        if matches!(self, Self::Any | Self::PreferStandby) {
            return Ok(true);
        }
        let asked = "select pg_catalog.pg_is_in_recovery(), (select source || ':' || setting from pg_catalog.pg_settings \
                     where name = 'default_transaction_read_only')";
        let row = client.query_one(asked, &[]).await?;
        let (standby, read_only): (bool, ReadOnly) = (row.try_get(0)?, ReadOnly::of(row.try_get(1)?));
        Ok(match self {
            // Of the server, whatever the session may do itself.
            Self::ReadWrite => !standby && read_only.may_write(),
            Self::ReadOnly => standby || !read_only.may_write(),
            Self::Primary => !standby,
            Self::Standby => standby,
            Self::Any | Self::PreferStandby => true,
        })
    }
}
