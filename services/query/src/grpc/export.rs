//! Exports: a stream of records.

use super::{answers, fields};
use crate::error::QueryError;
use crate::read::{Export, Exported, Queries};
use channel_domain::{AccountId, AttendeeId, Micros};
use channel_proto::query::v1 as pb;
use channel_proto::query::v1::export_record::Record;
use channel_runtime::fault::{FieldErrors, to_status};
use channel_runtime::identity::Identity;
use channel_runtime::supervise::Tasks;
use channel_wire as wire;
use futures::stream::{self, BoxStream, StreamExt as _};
use tokio::sync::mpsc;
use tonic::Status;

/// Records that wait for a slow reader.
const WAITING: usize = 16;
/// Most ids of one person.
const MOST_IDS: usize = 100;

/// What a call answers with.
pub(super) type Records<R> = BoxStream<'static, Result<R, Status>>;

pub(super) async fn account(
    queries: Queries,
    caller: Identity,
    tasks: Tasks,
    it: pb::ExportAccountRequest,
) -> Result<Records<pb::ExportAccountResponse>, QueryError> {
    let mut bad = FieldErrors::default();
    let id = fields::id::<AccountId>(&mut bad, "account_id", it.account_id);
    let id = id.filter(|_| bad.is_empty()).ok_or(bad)?;
    let export = queries.export(&caller, &id, None).await?;
    let wrap = |record| pb::ExportAccountResponse { record: Some(record) };
    Ok(records(export, id, queries.now(), &tasks, wrap))
}

pub(super) async fn contact(
    queries: Queries,
    caller: Identity,
    tasks: Tasks,
    it: pb::ExportContactRequest,
) -> Result<Records<pb::ExportContactResponse>, QueryError> {
    let mut bad = FieldErrors::default();
    let id = fields::id::<AccountId>(&mut bad, "account_id", it.account_id);
    let number = it.attendee_ids.len();
    bad.ensure("attendee_ids", (1..=MOST_IDS).contains(&number), "must be 1 to 100 ids");
    let ids = it.attendee_ids.into_iter();
    let people: Vec<AttendeeId> =
        ids.filter_map(|id| fields::id(&mut bad, "attendee_ids", id)).collect();
    let id = id.filter(|_| bad.is_empty()).ok_or(bad)?;
    let export = queries.export(&caller, &id, Some(people)).await?;
    let wrap = |record| pb::ExportContactResponse { record: Some(record) };
    Ok(records(export, id, queries.now(), &tasks, wrap))
}

/// The reading goes on in a task of its own, as fast as its reader takes it.
fn records<R: Send + 'static>(
    export: Export,
    account: AccountId,
    now: Micros,
    tasks: &Tasks,
    wrap: impl Fn(pb::ExportRecord) -> R + Send + 'static,
) -> Records<R> {
    let (out, found) = mpsc::channel(WAITING);
    // How it ended is told by what it sent.
    drop(tasks.spawn_owned(export.to(out)));
    let start = Some((found, 0_u64));
    let told = stream::unfold(start, move |state| {
        let account = account.clone();
        async move {
            let (mut found, count) = state?;
            let record = match found.recv().await {
                Some(Ok(record)) => shown(&account, record, now, count),
                Some(Err(error)) => return Some((Err(to_status(&error)), None)),
                // Whoever was reading is gone without a word.
                None => return Some((Err(Status::internal("internal error")), None)),
            };
            let is_last = matches!(record, Record::End(_));
            let next = (!is_last).then_some((found, count + 1));
            Some((Ok(pb::ExportRecord { record: Some(record) }), next))
        }
    });
    told.map(move |record| record.map(&wrap)).boxed()
}

fn shown(account: &AccountId, record: Exported, now: Micros, before: u64) -> Record {
    let account = account.as_str();
    match record {
        Exported::Account(row) => Record::Account(answers::account(&row)),
        Exported::Attendee(person) => Record::Attendee(wire::attendee(account, &person)),
        Exported::Chat(chat) => Record::Chat(wire::chat(account, &chat, now)),
        Exported::Message(message) => Record::Message(wire::message(account, &message)),
        Exported::End => Record::End(pb::ExportEnd { records: before }),
    }
}
