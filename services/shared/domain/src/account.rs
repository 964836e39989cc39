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

/// Who told a state.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[repr(i16)]
pub enum Source {
    /// A webhook.
    #[default]
    Webhook = 1,
    /// UniPile's answer when it was asked.
    Api = 2,
}

/// One remembered report.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Report {
    /// As of when it tells: for a webhook when it was stored, for an answer when it was asked for.
    pub stamp: Stamp,
    /// What it said.
    pub status: UpstreamStatus,
    /// Who told it.
    #[serde(default)]
    pub source: Source,
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
    /// What people call it here.
    pub own_name: Option<String>,
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
            own_name: None,
            phone: None,
            reports: Vec::new(),
            complete_up_to: None,
            created_at,
            rev: 0,
        }
    }

    /// Takes in a status report. The latest reports are kept as a set ordered by their stamps, so their order of
    /// arrival here does not matter, and one that is older than what is known changes no state.
    pub fn merge_status(&mut self, status: UpstreamStatus, stamp: Stamp, source: Source) -> Merged {
        let before = self.clone();
        let at = self.reports.partition_point(|report| report.stamp < stamp);
        if self.reports.get(at).is_none_or(|report| report.stamp != stamp) {
            self.reports.insert(at, Report { stamp, status, source });
        }
        let surplus = self.reports.len().saturating_sub(HISTORY);
        self.reports.drain(..surplus);
        let shown = before.told().map(state) != self.told().map(state)
            || before.synced_at() != self.synced_at();
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
        match self.told().map(state) {
            Some((now, since, _)) => (now, Some(since)),
            None => (Connection::Unknown, None),
        }
    }

    /// The report that first told the present state; later ones only confirmed it. A removal stays: UniPile gives no
    /// id twice, and what it reports of a removed account is late.
    #[must_use]
    pub fn told(&self) -> Option<&Report> {
        let removed = |report: &&Report| report.status == UpstreamStatus::Deleted;
        if let Some(removed) = self.reports.iter().find(removed) {
            return Some(removed);
        }
        let mut states = self
            .reports
            .iter()
            .rev()
            .filter_map(|report| Some((Connection::after(report.status)?, report)));
        let (now, mut first) = states.next()?;
        for (_, earlier) in states.take_while(|(state, _)| *state == now) {
            first = earlier;
        }
        Some(first)
    }

    /// When the first synchronisation was last reported as ended.
    #[must_use]
    pub fn synced_at(&self) -> Option<Micros> {
        let done = |report: &&Report| report.status == UpstreamStatus::SyncSuccess;
        self.reports.iter().rev().find(done).map(|report| report.stamp.at)
    }

    /// Gives a name to one that has none, if it was first heard of since then.
    pub fn call_new(&mut self, name: String, since: Micros) -> Merged {
        let is_new = self.own_name.is_none() && self.created_at >= since;
        if is_new {
            self.own_name = Some(name);
        }
        Merged { stored: is_new, shown: is_new }
    }

    /// What to call it.
    #[must_use]
    pub fn name(&self) -> String {
        match (&self.own_name, &self.phone) {
            (Some(name), _) => name.clone(),
            (None, Some((phone, _))) => crate::names::format_phone(phone),
            (None, None) => self.id.to_string(),
        }
    }
}

/// What a report that tells a state shows.
fn state(told: &Report) -> (Connection, Micros, Source) {
    let connection = Connection::after(told.status).unwrap_or(Connection::Unknown);
    (connection, told.stamp.at, told.source)
}

#[cfg(test)]
mod tests;
