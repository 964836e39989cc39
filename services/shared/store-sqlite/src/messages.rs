//! Messages with all that belongs to them.

use crate::decode::{self, get};
use crate::sql::Rowwise;
use channel_domain::mentions;
use channel_domain::message::Message;
use channel_store::StoreError;
use channel_store::rows::Owned;
use sqlx::sqlite::{SqliteConnection, SqliteRow};

const FILES: Rowwise = Rowwise {
    head: "WITH wanted (k, m) AS (VALUES",
    columns: 2,
    tail: ") SELECT f.* FROM wanted w CROSS JOIN attachments f \
           ON f.account_key = w.k AND f.message_key = w.m ORDER BY f.position",
};

const REACTIONS: Rowwise = Rowwise {
    head: "WITH wanted (k, m) AS (VALUES",
    columns: 2,
    tail: ") SELECT r.*, a.id AS actor_id, a.is_self AS actor_is_self FROM wanted w CROSS JOIN reactions r \
           ON r.account_key = w.k AND r.message_key = w.m CROSS JOIN attendees a \
           ON a.account_key = r.account_key AND a.attendee_key = r.actor_key",
};

/// Decodes messages and adds their attachments and reactions, where they have any.
pub(crate) async fn complete(
    connection: &mut SqliteConnection,
    rows: &[SqliteRow],
) -> Result<Vec<Owned<Message>>, StoreError> {
    let mut messages = Vec::with_capacity(rows.len());
    let (mut with_files, mut with_reactions) = (Vec::new(), Vec::new());
    for row in rows {
        let (message, files, reactions) = decode::message(row)?;
        let account_key: i64 = get(row, "account_key")?;
        if files > 0 {
            with_files.push((account_key, message.key));
        }
        if reactions > 0 {
            with_reactions.push((account_key, message.key));
        }
        messages.push(Owned { account_key, row: message });
    }
    for row in FILES.fetch(connection, &with_files, |q, (k, m)| q.bind(k).bind(m)).await? {
        if let Some(message) = find(&mut messages, &row)? {
            message.content.attachments.push(decode::attachment(&row)?);
        }
    }
    for row in REACTIONS.fetch(connection, &with_reactions, |q, (k, m)| q.bind(k).bind(m)).await? {
        if let Some(message) = find(&mut messages, &row)? {
            message.reactions.push(decode::reaction(&row)?);
        }
    }
    name_the_mentioned(connection, &mut messages).await?;
    Ok(messages)
}

const MENTIONED: Rowwise = Rowwise {
    head: "WITH wanted (message, id, k, kind, value) AS (VALUES",
    columns: 5,
    tail: ") SELECT w.message, w.id AS mention, a.id, a.name, a.phone FROM wanted w CROSS JOIN attendees a \
           ON a.account_key = w.k AND a.attendee_key = (SELECT min(l.attendee_key) FROM person_links l \
             WHERE l.account_key = w.k AND l.kind = w.kind AND l.value = w.value)",
};

/// Adds what is known of those who are named in texts.
async fn name_the_mentioned(
    connection: &mut SqliteConnection,
    messages: &mut [Owned<Message>],
) -> Result<(), StoreError> {
    let mut wanted = Vec::new();
    for (at, owned) in (0_i64..).zip(messages.iter()) {
        for id in owned.row.mentioned_ids() {
            let named = mentions::identifier(id);
            wanted.extend(
                named.map(|(kind, value)| (at, id.to_owned(), owned.account_key, kind, value)),
            );
        }
    }
    let found = MENTIONED
        .fetch(connection, &wanted, |q, (at, id, account, kind, value)| {
            q.bind(at).bind(id).bind(account).bind(kind.as_str()).bind(value)
        })
        .await?;
    for row in found {
        let known = mentions::Known {
            id: get(&row, "mention")?,
            attendee: get::<String>(&row, "id")?.into(),
            name: get(&row, "name")?,
            phone: get(&row, "phone")?,
        };
        let at = usize::try_from(get::<i64>(&row, "message")?).ok();
        if let Some(owned) = at.and_then(|at| messages.get_mut(at)) {
            owned.row.mentioned.push(known);
        }
    }
    Ok(())
}

fn find<'m>(
    messages: &'m mut [Owned<Message>],
    row: &SqliteRow,
) -> Result<Option<&'m mut Message>, StoreError> {
    let (account, key): (i64, i64) = (get(row, "account_key")?, get(row, "message_key")?);
    let wanted = |owned: &&mut Owned<Message>| owned.account_key == account && owned.row.key == key;
    Ok(messages.iter_mut().find(wanted).map(|owned| &mut owned.row))
}
