//! The order of steps inside a transaction.

use super::book::Book;
use super::forgotten::{self, ACCOUNT_ERASED, ERASED};
use super::load;
use crate::error::StoreError;
use crate::intake::{Adoption, Delivery, Digest, Mode, Outcome, Reading, Taken, Verdict};
use crate::log::Moved;
use crate::rows::{Asked, InboxRow, InboxUpdate, Rows, WorkKind, Writes};
use bytes::Bytes;
use channel_domain::fact::{Fact, Statement};
use channel_domain::ids::AccountId;
use channel_domain::time::{Micros, Stamp};
use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};

/// One payload on its way through a transaction.
#[derive(Debug)]
pub struct Unit {
    /// What the parser made of it.
    pub reading: Reading,
    /// Where it comes from.
    pub source: UnitSource,
    /// W3C trace context of its request.
    pub trace: Option<String>,
}

impl Unit {
    const fn is_fresh(&self) -> bool {
        matches!(self.source, UnitSource::Fresh(_))
    }

    /// The account that it states something of.
    pub(super) fn account(&self) -> Option<&AccountId> {
        match &self.reading {
            Reading::Statement { statement, .. } => Some(&statement.account),
            _ => None,
        }
    }

    /// What it states of an account that is open.
    fn statement(&self, keys: &HashMap<AccountId, i64>) -> Option<(i64, &Statement)> {
        let Reading::Statement { statement, .. } = &self.reading else { return None };
        Some((*keys.get(&statement.account)?, statement))
    }
}

/// Where a payload comes from.
#[derive(Debug)]
pub enum UnitSource {
    /// Just received: its row is written.
    Fresh(Delivery),
    /// Stored before: its row is updated.
    Stored(Stamp, Mode),
}

impl From<Delivery> for Unit {
    fn from(mut delivery: Delivery) -> Self {
        let (trace, reading) = (delivery.trace.take(), delivery.reading.clone());
        Self { reading, source: UnitSource::Fresh(delivery), trace }
    }
}

/// The judgement of one payload, before it is written.
#[derive(Debug, Clone)]
struct Judged {
    stamp: Stamp,
    outcome: Outcome,
    reason: Option<&'static str>,
    account_key: Option<i64>,
}

/// Projects payloads: opens their accounts, applies them in order, and writes everything. The caller
/// commits.
///
/// # Errors
///
/// When a row could not be read or written; the caller must roll back.
pub async fn project<R: Rows + ?Sized>(
    rows: &mut R,
    units: Vec<Unit>,
    adoption: &Adoption,
    now: Micros,
) -> Result<(Taken, Writes), StoreError> {
    let mut books = open(rows, &units, adoption, now).await?;
    let erased = forgotten::erased_accounts(rows, &units, &books).await?;
    let keys: HashMap<AccountId, i64> =
        books.values().map(|book| (book.account.row.id.clone(), book.key())).collect();
    let stated = units.iter().filter_map(|unit| unit.statement(&keys));
    let mut asked = load::asked(stated.map(|(key, statement)| (key, &statement.fact)));
    asked.digests = digests(&units, &keys);
    asked.inbox_ids = units.iter().filter(|unit| unit.is_fresh()).count();
    let known = rows.look_up(&asked, now).await?;
    let stamps = stamps(&units, &known.inbox_ids);
    let repeated = asked.digests.into_iter().zip(&known.fresh);
    let repeated = repeated.filter(|(_, fresh)| !**fresh).map(|(digest, _)| digest).collect();
    let facts: Vec<_> = units
        .iter()
        .zip(&stamps)
        .filter_map(|(unit, stamp)| {
            let (key, statement) = unit.statement(&keys)?;
            Some((key, &statement.fact, *stamp))
        })
        .collect();
    load::load(rows, &mut books, &facts, known).await?;
    // Of an account just heard of nobody has told the state, nor perhaps the number.
    for book in books.values_mut().filter(|book| book.account.row.rev == 0) {
        let id = book.account.row.id.to_string();
        book.want(WorkKind::RefreshAccount, id);
    }
    let mut writes = Writes::default();
    let mut seen = HashSet::new();
    let mut verdicts = Vec::with_capacity(units.len());
    for (unit, stamp) in units.into_iter().zip(stamps) {
        let mut judged =
            judge(&unit, stamp, &keys, &mut books, &repeated, &mut seen, &mut writes, now);
        if judged.outcome == Outcome::Held && unit.account().is_some_and(|it| erased.contains(it)) {
            (judged.outcome, judged.reason) = (Outcome::NoOp, Some(ACCOUNT_ERASED));
        }
        verdicts.push(record(unit, &judged, &mut writes));
    }
    let moved = close(books, &mut writes, false);
    rows.write(&writes).await?;
    Ok((Taken { verdicts, moved }, writes))
}

async fn open<R: Rows + ?Sized>(
    rows: &mut R,
    units: &[Unit],
    adoption: &Adoption,
    now: Micros,
) -> Result<BTreeMap<i64, Book>, StoreError> {
    let ids: BTreeSet<AccountId> =
        units.iter().filter_map(|unit| unit.account().cloned()).collect();
    let ids: Vec<AccountId> = ids.into_iter().collect();
    let open = if ids.is_empty() { vec![] } else { rows.open(&ids, adoption, now).await? };
    Ok(open.into_iter().map(|open| (open.account.key, Book::new(open))).collect())
}

/// The digests of a batch, each once.
fn digests(units: &[Unit], keys: &HashMap<AccountId, i64>) -> Vec<(i64, Digest)> {
    let digests: BTreeSet<(i64, Digest)> = units
        .iter()
        .filter(|unit| !matches!(unit.source, UnitSource::Stored(_, Mode::DryRun)))
        .filter_map(|unit| match &unit.reading {
            Reading::Statement { statement, digest } => {
                Some((*keys.get(&statement.account)?, *digest))
            }
            _ => None,
        })
        .collect();
    digests.into_iter().collect()
}

fn stamps(units: &[Unit], inbox_ids: &[i64]) -> Vec<Stamp> {
    let mut ids = inbox_ids.iter().copied();
    let stamp = |unit: &Unit| match &unit.source {
        UnitSource::Fresh(delivery) => {
            Stamp { at: delivery.received_at, inbox: ids.next().unwrap_or_default() }
        }
        UnitSource::Stored(stamp, _) => *stamp,
    };
    units.iter().map(stamp).collect()
}

#[expect(clippy::too_many_arguments, reason = "one step of `project`, split off for its length")]
fn judge(
    unit: &Unit,
    stamp: Stamp,
    keys: &HashMap<AccountId, i64>,
    books: &mut BTreeMap<i64, Book>,
    known: &HashSet<(i64, Digest)>,
    seen: &mut HashSet<(i64, Digest)>,
    writes: &mut Writes,
    now: Micros,
) -> Judged {
    let verdict = |outcome, reason| Judged { stamp, outcome, reason, account_key: None };
    let (statement, digest) = match &unit.reading {
        Reading::Statement { statement, digest } => (statement, digest),
        Reading::Ignored { reason, .. } => return verdict(Outcome::NoOp, Some(*reason)),
        Reading::Rejected { reason, .. } => return verdict(Outcome::Quarantined, Some(*reason)),
    };
    let key = keys.get(&statement.account).copied();
    let Some((key, book)) = key.and_then(|key| Some((key, books.get_mut(&key)?))) else {
        return verdict(Outcome::Held, Some("ACCOUNT_UNKNOWN"));
    };
    book.heard_at = book.heard_at.max(stamp.at);
    let repeated = !seen.insert((key, *digest)) || known.contains(&(key, *digest));
    let judged = |outcome, reason| Judged { stamp, outcome, reason, account_key: Some(key) };
    // What is stored is applied: only a fresh copy may be dropped, or the order of applying would
    // decide which of two copies counts.
    if repeated && unit.is_fresh() {
        if statement.fact.is_monotone() {
            return judged(Outcome::Duplicate, Some("DUPLICATE"));
        }
        refresh(book, &statement.fact);
    }
    book.apply(&statement.fact, stamp);
    let emitted = book.end_unit(&mut writes.log, now, unit.trace.as_deref());
    let remembered = std::mem::take(&mut book.remembered);
    if std::mem::take(&mut book.forgotten.is_met) {
        return judged(Outcome::NoOp, Some(ERASED));
    }
    let waits = book.waiting.last().is_some_and(|parked| parked.stamp == stamp);
    match (emitted > 0 || remembered, waits) {
        (_, true) => judged(Outcome::Applied, Some("WAITS_FOR_MESSAGE")),
        (true, false) => judged(Outcome::Applied, None),
        (false, false) => judged(Outcome::NoOp, Some("NOTHING_NEW")),
    }
}

/// The same words again may mean a true repetition or a retry: reading the object again settles it.
fn refresh(book: &mut Book, fact: &Fact) {
    if let Some(message) = fact.message() {
        book.want(WorkKind::RefreshMessage, message.as_str());
    } else {
        let id = book.account.row.id.to_string();
        book.want(WorkKind::RefreshAccount, id);
    }
}

fn record(unit: Unit, judged: &Judged, writes: &mut Writes) -> Verdict {
    let Judged { stamp, outcome, reason, account_key } = *judged;
    let verdict = |inbox| Verdict { outcome, inbox, reason };
    let (account, detail) = match &unit.reading {
        Reading::Statement { statement, .. } => (Some(statement.account.clone()), None),
        Reading::Ignored { account, .. } => (account.clone(), None),
        Reading::Rejected { detail, .. } => (None, Some(detail.clone())),
    };
    match unit.source {
        UnitSource::Fresh(_) if outcome == Outcome::Duplicate => verdict(None),
        UnitSource::Fresh(delivery) => {
            let Delivery { headers, mut body, .. } = delivery;
            if matches!(reason, Some(ERASED | ACCOUNT_ERASED)) {
                body = Bytes::new();
            }
            let trace = unit.trace;
            let next_at = None;
            writes.inbox.push(InboxRow {
                stamp,
                account_key,
                account,
                headers,
                body,
                outcome,
                reason,
                detail,
                next_at,
                trace,
            });
            verdict(Some(stamp.inbox))
        }
        UnitSource::Stored(..) => {
            let inbox = stamp.inbox;
            writes.inbox_updates.push(InboxUpdate { inbox, outcome, reason, detail, account_key });
            verdict(Some(inbox))
        }
    }
}

pub(super) fn close(books: BTreeMap<i64, Book>, writes: &mut Writes, can_wait: bool) -> Vec<Moved> {
    // The units of several accounts interleave; the log is written account by account.
    writes.log.sort_by_key(|row| (row.account_key, row.seq));
    let mut moved = Vec::new();
    for (account_key, book) in books {
        if writes.log.iter().any(|row| row.account_key == account_key) {
            moved.push(Moved { account_key, head: book.head.seq, can_wait });
        }
        book.close(writes);
    }
    moved
}

/// Stores payloads without looking into them; each is due at once.
///
/// # Errors
///
/// When a row could not be written; the caller must roll back.
pub async fn keep<R: Rows + ?Sized>(
    rows: &mut R,
    batch: Vec<Delivery>,
) -> Result<Taken, StoreError> {
    let asked = Asked { inbox_ids: batch.len(), ..Asked::default() };
    let now = batch.iter().map(|delivery| delivery.received_at).max().unwrap_or_default();
    let ids = rows.look_up(&asked, now).await?.inbox_ids;
    let mut writes = Writes::default();
    let mut taken = Taken::default();
    for (delivery, inbox) in batch.into_iter().zip(ids) {
        let (outcome, reason) = (Outcome::Pending, Some("BATCH_FAILED"));
        taken.verdicts.push(Verdict { outcome, inbox: Some(inbox), reason });
        let account = match &delivery.reading {
            Reading::Statement { statement, .. } => Some(statement.account.clone()),
            Reading::Ignored { account, .. } => account.clone(),
            Reading::Rejected { .. } => None,
        };
        writes.inbox.push(InboxRow {
            stamp: Stamp { at: delivery.received_at, inbox },
            account_key: None,
            account,
            headers: delivery.headers,
            body: delivery.body,
            outcome,
            reason,
            detail: None,
            next_at: Some(delivery.received_at),
            trace: delivery.trace,
        });
    }
    rows.write(&writes).await?;
    Ok(taken)
}
