//! Deleting what is old.

use super::{messages, sql};
use crate::erase::{Deeds, Ended, Shelf, Statement, Thin, mark};
use crate::error::StoreError;
use crate::intake::Adoption;
use crate::log::Moved;
use crate::projection::book::Book;
use crate::projection::engine::close;
use crate::projection::load;
use crate::rows::{ChatsWanted, Rows, Writes};
use channel_domain::attendee::Merged;
use std::collections::BTreeMap;

type Done = Result<(Deeds, Vec<Moved>), StoreError>;

pub(super) async fn prune<R: Shelf + ?Sized>(
    rows: &mut R,
    ended: Ended,
    account: i64,
    keys: Vec<i64>,
) -> Done {
    let run = |sql| Statement::of(account, sql).keys(keys.clone());
    let gone = match ended {
        Ended::Jobs => rows.run(run(sql::NO_JOBS)).await?,
        Ended::Actions => rows.run(run(sql::NO_ACTIONS)).await?,
        Ended::Syncs => {
            let chats = rows.run(run(sql::NO_SYNC_CHATS)).await?;
            chats + rows.run(run(sql::NO_SYNCS)).await?
        }
    };
    Ok((Deeds::Gone(gone), vec![]))
}

/// Old messages go, and history does not bring them back. Whoever shows the chat reads it again.
pub(super) async fn thin<R: Rows + ?Sized>(rows: &mut R, thin: Thin) -> Done {
    let opened =
        rows.open(std::slice::from_ref(&thin.account), &Adoption::Nobody, thin.now).await?;
    let Some(open) = opened.into_iter().next() else { return Ok((Deeds::Gone(0), vec![])) };
    let key = open.account.key;
    let mut books = BTreeMap::from([(key, Book::new(open))]);
    let wanted = ChatsWanted { keys: vec![(key, thin.chat)], ..ChatsWanted::default() };
    let Some(chat) = rows.chats(&wanted).await?.pop().map(|chat| chat.row) else {
        return Ok((Deeds::Gone(0), vec![]));
    };
    messages::gone(rows, key, &thin.messages).await?;
    let gone = rows.run(Statement::of(key, sql::MESSAGES).keys(thin.messages.clone())).await?;
    let mark = Statement::of(key, sql::MARK).texts([mark(&thin.account, chat.id.as_str())]);
    rows.run(mark.between(thin.before.0 - 1, 0)).await?;
    load::put_unread(rows, &mut books, &[(key, thin.chat, chat.read_up_to)]).await?;
    let mut writes = Writes::default();
    if let Some(book) = books.get_mut(&key) {
        book.touched.thinned.push(chat.id.to_string());
        book.put_chat(chat);
        book.without_old_last(&thin);
        book.set_unread(thin.chat);
        book.end_unit(&mut writes.log, thin.now, None);
    }
    let moved = close(books, &mut writes, true);
    rows.write(&writes).await?;
    Ok((Deeds::Gone(gone), moved))
}

impl Book {
    /// A chat without messages keeps its place in the list.
    fn without_old_last(&mut self, thin: &Thin) {
        let Some(entry) = self.chats.get_mut(&thin.chat) else { return };
        if entry.row.last.as_ref().is_some_and(|last| last.sent_at < thin.before) {
            entry.row.last = None;
            entry.note(Merged::SHOWN);
            self.touched.chats.push(thin.chat);
        }
    }
}
