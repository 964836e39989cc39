//! From our answers to the contract's responses.

use crate::page::Page;
use crate::read::{Conversation, Excerpt, Hit, InAccount};
use channel_domain::time::Micros;
use channel_proto::query::v1 as pb;
use channel_proto::types::v1 as types;
use channel_store::reads::{AccountRow, AttendeeRow};
use channel_store::record::ChatRecord;
use channel_wire as wire;

pub(super) fn freshness(account: &AccountRow) -> types::Freshness {
    wire::freshness(&account.record, account.heard_at, account.head.seq)
}

pub(super) fn account(account: &AccountRow) -> types::Account {
    wire::account(&account.record, freshness(account))
}

fn all_fresh(accounts: &[AccountRow]) -> Vec<types::Freshness> {
    accounts.iter().map(freshness).collect()
}

pub(super) fn accounts(page: Page<AccountRow>) -> pb::ListAccountsResponse {
    pb::ListAccountsResponse {
        accounts: page.rows.iter().map(account).collect(),
        next_page_token: page.next,
        freshness: all_fresh(&page.accounts),
    }
}

pub(super) fn chats(page: Page<InAccount<ChatRecord>>, now: Micros) -> pb::ListChatsResponse {
    let chat = |it: &InAccount<ChatRecord>| wire::chat(&it.account, &it.row, now);
    pb::ListChatsResponse {
        chats: page.rows.iter().map(chat).collect(),
        next_page_token: page.next,
        freshness: all_fresh(&page.accounts),
    }
}

pub(super) fn attendees(
    page: Page<InAccount<AttendeeRow>>,
    chat_id: &str,
) -> pb::ListAttendeesResponse {
    let membership = |it: &InAccount<AttendeeRow>| {
        let (since, left) = it.row.member?;
        Some(types::ChatAttendee {
            account_id: it.account.clone(),
            chat_id: chat_id.to_owned(),
            attendee_id: it.row.record.id.clone(),
            joined_at: Some(wire::timestamp(since)),
            left_at: left.map(wire::timestamp),
            ..types::ChatAttendee::default()
        })
    };
    let person = |it: &InAccount<AttendeeRow>| wire::attendee(&it.account, &it.row.record);
    pb::ListAttendeesResponse {
        attendees: page.rows.iter().map(person).collect(),
        memberships: page.rows.iter().filter_map(membership).collect(),
        next_page_token: page.next,
        freshness: all_fresh(&page.accounts),
    }
}

pub(super) fn messages(page: &Conversation) -> pb::ListMessagesResponse {
    let id = &page.account.record.id;
    pb::ListMessagesResponse {
        messages: page.messages.iter().map(|it| wire::message(id, it)).collect(),
        next_page_token: page.next.clone(),
        previous_page_token: page.previous.clone(),
        freshness: Some(freshness(&page.account)),
    }
}

pub(super) fn hits(page: Page<InAccount<Hit>>) -> pb::SearchMessagesResponse {
    pb::SearchMessagesResponse {
        freshness: all_fresh(&page.accounts),
        hits: page.rows.into_iter().map(hit).collect(),
        next_page_token: page.next,
    }
}

fn hit(hit: InAccount<Hit>) -> pb::SearchHit {
    pb::SearchHit {
        message: Some(wire::message(&hit.account, &hit.row.message)),
        snippet: Some(snippet(hit.row.excerpt)),
        chat_title: hit.row.chat_title,
    }
}

fn snippet(excerpt: Excerpt) -> pb::Snippet {
    let range = |(start, end)| types::TextRange { start, end };
    pb::Snippet {
        text: excerpt.text,
        highlights: excerpt.highlights.into_iter().map(range).collect(),
        cut_before: excerpt.cut_before,
        cut_after: excerpt.cut_after,
    }
}
