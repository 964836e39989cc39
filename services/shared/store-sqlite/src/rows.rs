//! The rows of one open transaction.

use crate::claims;
use crate::decode::{self, ACCOUNT, ATTENDEE, CHAT, MESSAGE, get};
use crate::erase;
use crate::error::sorted;
use crate::messages::complete;
use crate::outbox;
use crate::sql::Rowwise;
use crate::{sync, write};
use async_trait::async_trait;
use channel_domain::account::Account;
use channel_domain::attendee::{Attendee, ClaimKind, joining};
use channel_domain::chat::{Chat, UNREAD_CAP};
use channel_domain::ids::{AccountId, AttendeeId, ChatId, MessageId, UpstreamMessageId};
use channel_domain::message::Message;
use channel_domain::send::{Action, Job, Pacing};
use channel_domain::sync::{Sync, SyncChat};
use channel_domain::{Micros, SortKey};
use channel_store::StoreError;
use channel_store::intake::{Adoption, Digest};
use channel_store::log::Position;
use channel_store::media::{FetchRow, FileId};
use channel_store::rows::{
    Asked, ChatAlias, ChatsWanted, Desk, Held, JobsWanted, Known, OpenAccount, Owned, Parked, Rows,
    Shown, Unsettled, Writes,
};
use const_format::concatcp;
use sqlx::sqlite::{SqliteConnection, SqliteRow};
use uuid::Uuid;

/// An open transaction.
pub(crate) struct Tx<'c>(pub &'c mut SqliteConnection);

const OPEN: Rowwise = Rowwise {
    head: "WITH wanted (id) AS (VALUES",
    columns: 1,
    tail: concatcp!(
        ") SELECT ",
        ACCOUNT,
        ", h.head, h.head_tag, h.next_key, EXISTS (SELECT 1 FROM outbox o \
           WHERE o.account_key = a.account_key AND o.phase IN (2, 3, 5, 6)) AS has_sent, EXISTS (SELECT 1 FROM erasure_marks e \
           WHERE e.account_key = a.account_key) AS has_marks FROM wanted w CROSS JOIN accounts a ON a.id = w.id \
         CROSS JOIN account_head h ON h.account_key = a.account_key ORDER BY a.account_key"
    ),
};

const MESSAGES: Rowwise = Rowwise {
    head: "WITH wanted (k, id) AS (VALUES",
    columns: 2,
    tail: concatcp!(
        ") SELECT ",
        MESSAGE,
        " FROM wanted w CROSS JOIN messages m ON m.account_key = w.k AND m.upstream_id = w.id \
         CROSS JOIN chats c ON c.account_key = m.account_key AND c.chat_key = m.chat_key \
         LEFT JOIN attendees s ON s.account_key = m.account_key AND s.attendee_key = m.sender_key"
    ),
};

/// More messages than one may have been reacted to by a person; each comes once, as a person reacts once.
const REACTED_TO: Rowwise = Rowwise {
    head: "WITH wanted (k, person) AS (VALUES",
    columns: 2,
    tail: concatcp!(
        ") SELECT ",
        MESSAGE,
        " FROM wanted w CROSS JOIN reactions t ON t.account_key = w.k AND t.actor_key = w.person \
         CROSS JOIN messages m ON m.account_key = t.account_key AND m.message_key = t.message_key \
         CROSS JOIN chats c ON c.account_key = m.account_key AND c.chat_key = m.chat_key \
         LEFT JOIN attendees s ON s.account_key = m.account_key AND s.attendee_key = m.sender_key"
    ),
};

const PARKED: Rowwise = Rowwise {
    head: "WITH wanted (k, id) AS (VALUES",
    columns: 2,
    tail: ") SELECT p.account_key, p.upstream_id, p.at, p.inbox, p.fact FROM wanted w \
           CROSS JOIN parked_facts p ON p.account_key = w.k AND p.upstream_id = w.id",
};

const ATTENDEES: Rowwise = Rowwise {
    head: "WITH wanted (k, id) AS (VALUES",
    columns: 2,
    tail: concatcp!(
        ") SELECT ",
        ATTENDEE,
        " FROM wanted w CROSS JOIN attendees a ON a.account_key = w.k AND a.id = w.id"
    ),
};

/// Of each identifier a few: what many have names nobody.
const NAMED: Rowwise = Rowwise {
    head: "WITH wanted (k, kind, value) AS (VALUES",
    columns: 3,
    tail: concatcp!(
        ") SELECT DISTINCT ",
        ATTENDEE,
        " FROM wanted w CROSS JOIN attendees a ON a.account_key = w.k AND a.attendee_key IN \
           (SELECT l.attendee_key FROM person_links l WHERE l.account_key = w.k AND l.kind = w.kind \
            AND l.value = w.value ORDER BY l.attendee_key LIMIT ",
        joining::MOST + 1,
        ")"
    ),
};

const PRESENT: &str = "SELECT attendee_key FROM chat_attendees \
    WHERE account_key = ? AND chat_key = ? AND left_at IS NULL";

/// Places that stay unbound are nobody's.
const UNSETTLED: Rowwise = Rowwise {
    head: "WITH u (account_key, chat_key, attendee_key, since_at, since_inbox) AS (VALUES",
    columns: 5,
    tail: ") SELECT u.account_key, u.chat_key, u.attendee_key, k.since_at, k.since_inbox, k.left_at \
           FROM u LEFT JOIN chat_attendees k ON k.account_key = u.account_key \
             AND k.chat_key = u.chat_key AND k.attendee_key = u.attendee_key \
           WHERE u.account_key IS NOT NULL AND (k.account_key IS NULL OR k.left_at IS NOT NULL \
             OR (k.since_at, k.since_inbox) > (u.since_at, u.since_inbox))",
};

const ALIASES: Rowwise = Rowwise {
    head: "WITH wanted (k, id) AS (VALUES",
    columns: 2,
    tail: ") SELECT a.account_key, a.id, a.chat_key FROM wanted w \
           CROSS JOIN chat_aliases a ON a.account_key = w.k AND a.id = w.id",
};

const CHATS_FROM: &str = " LEFT JOIN attendees p \
    ON p.account_key = c.account_key AND p.attendee_key = c.counterparty_key";

const CHATS_BY_ID: Rowwise = Rowwise {
    head: "WITH wanted (k, id) AS (VALUES",
    columns: 2,
    tail: concatcp!(
        ") SELECT ",
        CHAT,
        " FROM wanted w CROSS JOIN chats c ON c.account_key = w.k AND c.id = w.id",
        CHATS_FROM
    ),
};

const CHATS_BY_KEY: Rowwise = Rowwise {
    head: "WITH wanted (k, chat) AS (VALUES",
    columns: 2,
    tail: concatcp!(
        ") SELECT ",
        CHAT,
        " FROM wanted w CROSS JOIN chats c ON c.account_key = w.k AND c.chat_key = w.chat",
        CHATS_FROM
    ),
};

const CHATS_BY_PERSON: Rowwise = Rowwise {
    head: "WITH wanted (k, person) AS (VALUES",
    columns: 2,
    tail: concatcp!(
        ") SELECT ",
        CHAT,
        " FROM wanted w CROSS JOIN chats c ON c.account_key = w.k AND c.counterparty_key = w.person",
        CHATS_FROM
    ),
};

const NOTE_DIGEST: Rowwise = Rowwise {
    head: "INSERT INTO webhook_dedupe (account_key, digest, first_at) VALUES",
    columns: 3,
    tail: "ON CONFLICT DO NOTHING RETURNING account_key, digest",
};

#[async_trait]
impl Rows for Tx<'_> {
    async fn open(
        &mut self,
        ids: &[AccountId],
        adoption: &Adoption,
        now: Micros,
    ) -> Result<Vec<OpenAccount>, StoreError> {
        let mut found = self.find(ids).await?;
        if found.len() < ids.len() {
            for id in ids {
                if !found.iter().any(|open| open.account.id == *id) {
                    self.adopt(id, adoption, now).await?;
                }
            }
            found = self.find(ids).await?;
        }
        Ok(found)
    }

    async fn look_up(&mut self, asked: &Asked, now: Micros) -> Result<Known, StoreError> {
        Ok(Known {
            fresh: self.note_digests(&asked.digests, now).await?,
            inbox_ids: self.inbox_ids(asked.inbox_ids).await?,
            messages: self.messages(&asked.messages).await?,
            parked: self.parked(&asked.parked).await?,
            attendees: self.attendees(&asked.attendees).await?,
        })
    }

    async fn attendees(
        &mut self,
        wanted: &[(i64, AttendeeId)],
    ) -> Result<Vec<Owned<Attendee>>, StoreError> {
        let rows =
            ATTENDEES.fetch(self.0, wanted, |q, (k, id)| q.bind(k).bind(id.as_str())).await?;
        rows.iter().map(|row| owned(row, decode::attendee(row)?)).collect()
    }

    async fn named(
        &mut self,
        wanted: &[(i64, ClaimKind, String)],
    ) -> Result<Vec<Owned<Attendee>>, StoreError> {
        let rows = NAMED
            .fetch(self.0, wanted, |q, (k, kind, value)| q.bind(k).bind(kind.as_str()).bind(value))
            .await?;
        rows.iter().map(|row| owned(row, decode::attendee(row)?)).collect()
    }

    async fn members(&mut self, account: i64, chat: i64) -> Result<Vec<i64>, StoreError> {
        let query = sqlx::query_scalar(PRESENT).bind(account).bind(chat);
        query.fetch_all(&mut *self.0).await.map_err(sorted)
    }

    async fn unsettled(
        &mut self,
        shown: &[Owned<Shown>],
    ) -> Result<Vec<Owned<Unsettled>>, StoreError> {
        let rows = UNSETTLED
            .fetch(self.0, shown, |q, Owned { account_key, row }| {
                let q = q.bind(account_key).bind(row.chat_key).bind(row.attendee_key);
                q.bind(row.since.at.0).bind(row.since.inbox)
            })
            .await?;
        rows.iter().map(|row| owned(row, decode::unsettled(row)?)).collect()
    }

    async fn aliases(
        &mut self,
        wanted: &[(i64, ChatId)],
    ) -> Result<Vec<Owned<ChatAlias>>, StoreError> {
        let rows = ALIASES.fetch(self.0, wanted, |q, (k, id)| q.bind(k).bind(id.as_str())).await?;
        let alias = |row| {
            let id = get::<String>(row, "id")?.into();
            owned(row, ChatAlias { id, chat_key: get(row, "chat_key")? })
        };
        rows.iter().map(alias).collect()
    }

    async fn reacted_to(
        &mut self,
        people: &[(i64, i64)],
    ) -> Result<Vec<Owned<Message>>, StoreError> {
        let rows =
            REACTED_TO.fetch(self.0, people, |q, (k, person)| q.bind(k).bind(person)).await?;
        complete(self.0, &rows).await
    }

    async fn messages_by_id(
        &mut self,
        wanted: &[(i64, MessageId)],
    ) -> Result<Vec<Owned<Message>>, StoreError> {
        outbox::messages(self.0, wanted).await
    }

    async fn jobs(&mut self, wanted: &JobsWanted) -> Result<Vec<Owned<Job>>, StoreError> {
        outbox::jobs(self.0, wanted).await
    }

    async fn actions(&mut self, wanted: &[(i64, Uuid)]) -> Result<Vec<Owned<Action>>, StoreError> {
        outbox::actions(self.0, wanted).await
    }

    async fn held(&mut self, account: i64, message: i64) -> Result<Vec<Held>, StoreError> {
        outbox::held(self.0, account, message).await
    }

    async fn fetch_row(
        &mut self,
        account: i64,
        file: &FileId,
    ) -> Result<Option<FetchRow>, StoreError> {
        crate::media::row(self.0, account, file).await
    }

    async fn picture_row(
        &mut self,
        account: i64,
        subject: i64,
    ) -> Result<Option<FetchRow>, StoreError> {
        crate::pictures::row(self.0, account, subject).await
    }

    async fn pacing(&mut self, account: i64) -> Result<Pacing, StoreError> {
        outbox::pacing(self.0, account).await
    }

    async fn desk(&mut self, account: i64) -> Result<Desk, StoreError> {
        let waiting = outbox::waiting(self.0, account).await?;
        let pacing = outbox::pacing(self.0, account).await?;
        let owner: Vec<_> = outbox::owner(self.0, account).await?.into_iter().collect();
        let owner: Vec<_> = owner.into_iter().map(|id| (account, id)).collect();
        let owner = self.attendees(&owner).await?.into_iter().next();
        Ok(Desk { owner: owner.map(|owner| owner.row), waiting, pacing })
    }

    async fn chats(&mut self, wanted: &ChatsWanted) -> Result<Vec<Owned<Chat>>, StoreError> {
        let mut rows = CHATS_BY_ID
            .fetch(self.0, &wanted.ids, |q, (k, id)| q.bind(k).bind(id.as_str()))
            .await?;
        rows.extend(CHATS_BY_KEY.fetch(self.0, &wanted.keys, |q, (k, c)| q.bind(k).bind(c)).await?);
        let people = &wanted.counterparties;
        rows.extend(CHATS_BY_PERSON.fetch(self.0, people, |q, (k, p)| q.bind(k).bind(p)).await?);
        rows.iter().map(|row| owned(row, decode::chat(row)?)).collect()
    }

    async fn unread(
        &mut self,
        wanted: &[(i64, i64, Micros)],
    ) -> Result<Vec<(i64, i64, Micros)>, StoreError> {
        let mut found = Vec::new();
        for (account, chat, up_to) in wanted {
            let first = SortKey::first_at(Micros(up_to.0.saturating_add(1)));
            let times: Vec<i64> = sqlx::query_scalar(
                "SELECT sent_at FROM messages INDEXED BY messages_in_order \
                 WHERE account_key = ? AND chat_key = ? AND place >= ? AND counts \
                 ORDER BY place DESC LIMIT ?",
            )
            .bind(account)
            .bind(chat)
            .bind(&first.as_bytes()[..])
            .bind(UNREAD_CAP + 1)
            .fetch_all(&mut *self.0)
            .await
            .map_err(sorted)?;
            found.extend(times.into_iter().map(|at| (*account, *chat, Micros(at))));
        }
        Ok(found)
    }

    async fn syncs(&mut self, account: i64, id: Option<Uuid>) -> Result<Vec<Sync>, StoreError> {
        sync::syncs(self.0, account, id).await
    }

    async fn sync_chats(
        &mut self,
        account: i64,
        sync: i64,
        chats: &[i64],
    ) -> Result<Vec<SyncChat>, StoreError> {
        sync::chats(self.0, account, sync, chats).await
    }

    async fn write(&mut self, writes: &Writes) -> Result<(), StoreError> {
        write::all(self.0, writes).await
    }
}

impl Tx<'_> {
    async fn note_digests(
        &mut self,
        digests: &[(i64, Digest)],
        now: Micros,
    ) -> Result<Vec<bool>, StoreError> {
        let fresh = NOTE_DIGEST
            .execute_returning(self.0, digests, |query, (key, digest)| {
                query.bind(key).bind(&digest[..]).bind(now.0)
            })
            .await?;
        let fresh: Result<std::collections::HashSet<(i64, Vec<u8>)>, StoreError> =
            fresh.iter().map(|row| Ok((get(row, "account_key")?, get(row, "digest")?))).collect();
        let fresh = fresh?;
        Ok(digests.iter().map(|(key, digest)| fresh.contains(&(*key, digest.to_vec()))).collect())
    }

    async fn inbox_ids(&mut self, count: usize) -> Result<Vec<i64>, StoreError> {
        if count == 0 {
            return Ok(Vec::new());
        }
        let count = i64::try_from(count).unwrap_or(i64::MAX);
        let last: i64 = sqlx::query_scalar(
            "UPDATE meta SET value = value + ? WHERE name = 'inbox_id' RETURNING value",
        )
        .bind(count)
        .fetch_one(&mut *self.0)
        .await
        .map_err(sorted)?;
        Ok((last - count + 1..=last).collect())
    }

    async fn messages(
        &mut self,
        wanted: &[(i64, UpstreamMessageId)],
    ) -> Result<Vec<Owned<Message>>, StoreError> {
        let rows = MESSAGES.fetch(self.0, wanted, |q, (k, id)| q.bind(k).bind(id.as_str())).await?;
        complete(self.0, &rows).await
    }

    async fn parked(
        &mut self,
        wanted: &[(i64, UpstreamMessageId)],
    ) -> Result<Vec<Parked>, StoreError> {
        let rows = PARKED.fetch(self.0, wanted, |q, (k, id)| q.bind(k).bind(id.as_str())).await?;
        rows.iter().map(parked).collect()
    }

    /// Makes an account for whoever claims it, else for the adopting tenant, if there is one.
    async fn adopt(
        &mut self,
        id: &AccountId,
        adoption: &Adoption,
        now: Micros,
    ) -> Result<(), StoreError> {
        let claim = claims::of(self.0, id).await?;
        let (tenant, name) = match (&claim, adoption) {
            (Some(claim), _) => (&claim.tenant, claim.name.as_deref()),
            (None, Adoption::By(_)) if erase::is_erased(self.0, id).await? => return Ok(()),
            (None, Adoption::By(tenant)) => (tenant, None),
            (None, Adoption::Nobody) => return Ok(()),
        };
        write::new_account(self.0, id, tenant, name, now).await
    }

    async fn find(&mut self, ids: &[AccountId]) -> Result<Vec<OpenAccount>, StoreError> {
        let rows = OPEN.fetch(self.0, ids, |query, id| query.bind(id.as_str())).await?;
        let mut found: Vec<OpenAccount> =
            rows.iter().map(open_account).collect::<Result<_, _>>()?;
        found.sort_by_key(|open| open.account.key);
        Ok(found)
    }
}

fn open_account(row: &SqliteRow) -> Result<OpenAccount, StoreError> {
    let account: Account = decode::account(row)?;
    let head =
        Position { seq: decode::seq(get(row, "head")?), tag: decode::tag(get(row, "head_tag")?) };
    let (next_key, has_sent) = (get(row, "next_key")?, get(row, "has_sent")?);
    let has_marks = get(row, "has_marks")?;
    Ok(OpenAccount { account, head, next_key, has_sent, has_marks })
}

fn parked(row: &SqliteRow) -> Result<Parked, StoreError> {
    let inbox: i64 = get(row, "inbox")?;
    let fact: &str = get(row, "fact")?;
    let bad = |_| crate::error::nonsense("parked_facts", inbox, "the fact cannot be read");
    Ok(Parked {
        account_key: get(row, "account_key")?,
        message: get::<String>(row, "upstream_id")?.into(),
        stamp: channel_domain::Stamp { at: Micros(get(row, "at")?), inbox },
        fact: serde_json::from_str(fact).map_err(bad)?,
    })
}

pub(crate) fn owned<T>(row: &SqliteRow, value: T) -> Result<Owned<T>, StoreError> {
    Ok(Owned { account_key: get(row, "account_key")?, row: value })
}
