//! A connected WhatsApp number and the state of its connection.

use crate::attendee::Merged;
use crate::fact::{OwnerClaim, UpstreamStatus};
use crate::ids::{AccountId, TenantId};
use crate::jid;
use crate::time::{Micros, Stamp};
use serde::{Deserialize, Serialize};

/// How many status reports are remembered.
const HISTORY: usize = 32;

/// The state of the connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[repr(i16)]
pub enum Connection {
    /// Nothing was reported yet.
    Unknown = 0,
    /// Running.
    Ok = 1,
    /// Connecting, or catching up.
    Connecting = 2,
    /// Stopped by an error.
    Error = 3,
    /// Stopped.
    Stopped = 4,
    /// A new QR code is needed.
    Credentials = 5,
    /// Rights are missing.
    Permissions = 6,
    /// Removed upstream.
    Deleted = 7,
    /// Could not be added.
    CreationFailed = 8,
}

impl Connection {
    /// Reads the stored number.
    #[must_use]
    pub const fn from_number(number: i16) -> Option<Self> {
        Some(match number {
            0 => Self::Unknown,
            1 => Self::Ok,
            2 => Self::Connecting,
            3 => Self::Error,
            4 => Self::Stopped,
            5 => Self::Credentials,
            6 => Self::Permissions,
            7 => Self::Deleted,
            8 => Self::CreationFailed,
            _ => return None,
        })
    }

    /// Whether messages may be taken in for it: they leave at once, or once it has caught up. In every other state
    /// somebody has to do something first.
    #[must_use]
    pub const fn takes_messages(self) -> bool {
        matches!(self, Self::Unknown | Self::Ok | Self::Connecting)
    }

    /// The state that a report puts the account in; the end of the first synchronisation puts it in
    /// none.
    #[must_use]
    pub const fn after(status: UpstreamStatus) -> Option<Self> {
        Some(match status {
            UpstreamStatus::Ok | UpstreamStatus::Reconnected => Self::Ok,
            UpstreamStatus::Connecting | UpstreamStatus::CreationSuccess => Self::Connecting,
            UpstreamStatus::Error => Self::Error,
            UpstreamStatus::Stopped => Self::Stopped,
            UpstreamStatus::Credentials => Self::Credentials,
            UpstreamStatus::Permissions => Self::Permissions,
            UpstreamStatus::Deleted => Self::Deleted,
            UpstreamStatus::CreationFail => Self::CreationFailed,
            UpstreamStatus::SyncSuccess => return None,
        })
    }
}

/// One remembered report.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Report {
    /// When it was stored.
    pub stamp: Stamp,
    /// What it said.
    pub status: UpstreamStatus,
}

/// The stored state of an account.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Account {
    /// Our key; accounts are keyed over the whole database.
    pub key: i64,
    /// The public id.
    pub id: AccountId,
    /// Who owns it.
    pub tenant: TenantId,
    /// Its phone number and the earliest fact that said so.
    pub phone: Option<(String, Stamp)>,
    /// The latest reports, in the order in which they were stored.
    pub reports: Vec<Report>,
    /// Everything that UniPile had up to this time was read in.
    pub complete_up_to: Option<Micros>,
    /// When we first heard of it.
    pub created_at: Micros,
    /// The sequence number of the last event about it.
    pub rev: u64,
}

impl Account {
    /// An account just heard of.
    #[must_use]
    pub const fn new(key: i64, id: AccountId, tenant: TenantId, created_at: Micros) -> Self {
        Self {
            key,
            id,
            tenant,
            phone: None,
            reports: Vec::new(),
            complete_up_to: None,
            created_at,
            rev: 0,
        }
    }

    /// Takes in a status report. The latest reports are kept as a set ordered by when they were stored,
    /// so their order of arrival here does not matter.
    pub fn merge_status(&mut self, status: UpstreamStatus, stamp: Stamp) -> Merged {
        let before = self.clone();
        let at = self.reports.partition_point(|report| report.stamp < stamp);
        if self.reports.get(at).is_none_or(|report| report.stamp != stamp) {
            self.reports.insert(at, Report { stamp, status });
        }
        let surplus = self.reports.len().saturating_sub(HISTORY);
        self.reports.drain(..surplus);
        let shown =
            before.connection() != self.connection() || before.synced_at() != self.synced_at();
        Merged { stored: before.reports != self.reports, shown }
    }

    /// Everything up to a time was read in.
    pub fn merge_complete(&mut self, up_to: Micros) -> Merged {
        if self.complete_up_to.is_some_and(|known| known >= up_to) {
            return Merged::NOTHING;
        }
        self.complete_up_to = Some(up_to);
        Merged::SHOWN
    }

    /// Takes in what a payload says about the account; the earliest fact counts.
    pub fn merge_owner(&mut self, owner: &OwnerClaim, stamp: Stamp) -> Merged {
        let Some(phone) = owner.phone.as_deref().and_then(jid::phone_from_digits) else {
            return Merged::NOTHING;
        };
        if self.phone.as_ref().is_some_and(|(_, since)| *since <= stamp) {
            return Merged::NOTHING;
        }
        let shown = self.phone.as_ref().is_none_or(|(known, _)| *known != phone);
        self.phone = Some((phone, stamp));
        Merged { stored: true, shown }
    }

    /// The connection's state and since when it is in it.
    #[must_use]
    pub fn connection(&self) -> (Connection, Option<Micros>) {
        let mut states = self
            .reports
            .iter()
            .rev()
            .filter_map(|report| Some((Connection::after(report.status)?, report.stamp.at)));
        let Some((now, mut since)) = states.next() else {
            return (Connection::Unknown, None);
        };
        for (_, earlier) in states.take_while(|(state, _)| *state == now) {
            since = earlier;
        }
        (now, Some(since))
    }

    /// When the first synchronisation was last reported as ended.
    #[must_use]
    pub fn synced_at(&self) -> Option<Micros> {
        let done = |report: &&Report| report.status == UpstreamStatus::SyncSuccess;
        self.reports.iter().rev().find(done).map(|report| report.stamp.at)
    }

    /// What to call it.
    #[must_use]
    pub fn name(&self) -> String {
        match &self.phone {
            Some((phone, _)) => crate::names::format_phone(phone),
            None => self.id.to_string(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn account() -> Account {
        Account::new(1, "a".into(), "t".into(), Micros(0))
    }

    fn stamp(at: i64) -> Stamp {
        Stamp { at: Micros(at), inbox: at }
    }

    #[test]
    fn a_late_older_report_does_not_change_the_state() {
        let mut account = account();
        account.merge_status(UpstreamStatus::Credentials, stamp(9));
        assert!(!account.merge_status(UpstreamStatus::Ok, stamp(5)).shown);
        assert_eq!(account.connection(), (Connection::Credentials, Some(Micros(9))));
    }

    #[test]
    fn a_state_lasts_since_its_first_report() {
        let mut account = account();
        for at in [7, 3, 5] {
            account.merge_status(UpstreamStatus::Ok, stamp(at));
        }
        account.merge_status(UpstreamStatus::Error, stamp(1));
        account.merge_status(UpstreamStatus::SyncSuccess, stamp(6));
        assert_eq!(account.connection(), (Connection::Ok, Some(Micros(3))));
        assert_eq!(account.synced_at(), Some(Micros(6)));
    }
}
