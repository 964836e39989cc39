//! People, from webhooks to what screens show.

use crate::world::{World, on_both};
use anyhow::{Context as _, Result, ensure};
use channel_proto::messaging::v1::{
    JoinAttendeesRequest, SplitAttendeeRequest, UpdateAttendeeRequest,
};
use channel_proto::query::v1::{
    GetAttendeeRequest, GetAttendeeResponse, ListAttendeesRequest, ListMessagesRequest,
};
use channel_proto::types::v1::change::Entity;
use channel_proto::types::v1::{Chat, NameSource};
use channel_tests::history::History;
use channel_tests::program::{Program, Setup};
use channel_tests::traffic::post;
use channel_tests::watcher::Watcher;
use serde_json::{Value, json};
use std::collections::BTreeMap;
use tonic::Code;

const ACCOUNT: &str = "acc";
const LID: &str = "930000000000003@lid";

on_both!(
    one_person_under_two_ids_is_joined_split_and_named_before_everybodys_eyes,
    a_name_stands_where_whatsapp_puts_an_id,
);

/// A message of a chat of two, as UniPile tells it.
fn told(message: &str, chat: &str, sender: &Value, text: &str) -> String {
    json!({
        "event": "message_received", "account_id": ACCOUNT, "account_type": "WHATSAPP",
        "account_info": { "type": "WHATSAPP", "phone_number": "+15550100001" },
        "webhook_name": "test", "chat_id": chat, "message_id": message, "message": text,
        "timestamp": "2026-02-01T10:05:12.000Z", "is_sender": false, "sender": sender,
        "attendees": [sender], "attachments": [], "provider_chat_id": LID,
        "provider_message_id": format!("3A{message}"), "is_group": false,
    })
    .to_string()
}

async fn deliver(program: &Program, webhook: String) -> Result<()> {
    let status = post(program, webhook).await?;
    ensure!(status.is_success(), "the webhook was answered {status}");
    Ok(())
}

async fn person(program: &Program, id: &str) -> Result<GetAttendeeResponse> {
    let request = GetAttendeeRequest { attendee_id: id.into(), ..GetAttendeeRequest::default() };
    Ok(program.query()?.get_attendee(request).await?.into_inner())
}

async fn persons(program: &Program) -> Result<Vec<String>> {
    let request = ListAttendeesRequest { distinct_persons: true, ..Default::default() };
    let page = program.query()?.list_attendees(request).await?.into_inner();
    Ok(page.attendees.into_iter().map(|person| person.attendee_id).collect())
}

/// Watches the account, which a message has made.
async fn watched(program: &Program) -> Result<Watcher> {
    let ana = json!({ "attendee_id": "ana", "attendee_name": "Ana",
        "attendee_provider_id": "15550100002@s.whatsapp.net" });
    deliver(program, told("m0", "c0", &ana, "Hi")).await?;
    let mut watcher = Watcher::start(program.query()?, BTreeMap::new());
    watcher.until("it watches", |history| !history.frames.is_empty()).await?;
    Ok(watcher)
}

/// The chats as the watcher knows them.
fn chats(history: &History) -> BTreeMap<String, Chat> {
    let seen = history.check().unwrap_or_default();
    let changes = seen.into_values().flat_map(|seen| seen.changes);
    let chats = changes.filter_map(|change| match change.entity {
        Some(Entity::Chat(chat)) => Some((chat.chat_id.clone(), chat)),
        _ => None,
    });
    chats.collect()
}

fn titled(title: &'static str) -> impl Fn(&History) -> bool {
    move |history| {
        let chats = chats(history);
        ["c1", "c2"].iter().all(|id| chats.get(*id).is_some_and(|chat| chat.title == title))
    }
}

async fn one_person_under_two_ids_is_joined_split_and_named_before_everybodys_eyes(
    world: World,
) -> Result<()> {
    let program = Setup::whole(&world.backend)?.start().await?;
    let mut watcher = watched(&program).await?;
    let by_phone = json!({ "attendee_id": "by-phone", "attendee_name": "",
        "attendee_provider_id": "15550100003@s.whatsapp.net" });
    let by_lid = json!({ "attendee_id": "by-lid", "attendee_name": "Ben",
        "attendee_provider_id": LID, "attendee_public_identifier": "ben.writes" });
    deliver(&program, told("m1", "c1", &by_phone, "by number")).await?;
    deliver(&program, told("m2", "c2", &by_lid, "by privacy id")).await?;
    assert_eq!(persons(&program).await?, ["ana", "by-phone", "by-lid"]);

    // UniPile tells of the one what makes them one.
    let mut both = by_lid.clone();
    both["attendee_specifics"] =
        json!({ "provider": "WHATSAPP", "phone_number": "+1 555 010 0003" });
    deliver(&program, told("m3", "c2", &both, "it is me")).await?;
    watcher.until("both chats are Ben's", titled("Ben")).await?;
    assert_eq!(persons(&program).await?, ["ana", "by-phone"]);
    let shown = person(&program, "by-lid").await?;
    let ben = shown.attendee.context("an attendee")?;
    assert_eq!((ben.person_id.as_str(), ben.username.as_str()), ("by-phone", "ben.writes"));
    assert_eq!((ben.phone_number.as_str(), ben.lid.as_str()), ("+15550100003", LID));
    let named: Vec<_> = shown.identifiers.iter().map(|it| it.value.as_str()).collect();
    assert_eq!(named, ["+15550100003", LID, "15550100003@s.whatsapp.net", LID, "ben.writes"]);

    the_team_decides(&program, &mut watcher, &both).await?;
    // It is in the database, not in a process.
    let program = program.kill().await?.start().await?;
    assert_eq!(persons(&program).await?, ["ana", "by-phone"]);
    watcher.stop().check()?;
    program.stop().await.map(drop)
}

/// Splits the two ids, joins them again and names the person.
async fn the_team_decides(program: &Program, watcher: &mut Watcher, both: &Value) -> Result<()> {
    let mut messaging = program.messaging()?;
    let (account_id, attendee_id) = (ACCOUNT.to_owned(), "by-lid".to_owned());
    messaging.split_attendee(SplitAttendeeRequest { account_id, attendee_id }).await?;
    watcher
        .until("only his own chat is Ben's", |history| {
            let chats = chats(history);
            let title = |id| chats.get(id).map(|chat: &Chat| chat.title.as_str());
            (title("c1"), title("c2")) == (Some("+1 555 010 0003"), Some("Ben"))
        })
        .await?;
    deliver(program, told("m4", "c2", both, "still me")).await?;
    let alone = persons(program).await?;
    assert_eq!(alone, ["ana", "by-phone", "by-lid"], "the team has the last word");

    let join = JoinAttendeesRequest {
        account_id: ACCOUNT.into(),
        attendee_id: "by-phone".into(),
        other_attendee_id: "by-lid".into(),
    };
    let joined = messaging.join_attendees(join.clone()).await?.into_inner();
    assert_eq!(joined.attendees.len(), 2);
    let nobody = JoinAttendeesRequest { other_attendee_id: "nobody".into(), ..join };
    let refused = messaging.join_attendees(nobody).await.err();
    assert_eq!(refused.map(|status| status.code()), Some(Code::NotFound));
    let name = UpdateAttendeeRequest {
        account_id: ACCOUNT.into(),
        attendee_id: "by-lid".into(),
        local_name: Some("Ben, harbour".into()),
    };
    let called = messaging.update_attendee(name).await?.into_inner().attendee.context("him")?;
    assert_eq!(called.name_source(), NameSource::Local);
    watcher.until("both chats have the team's name", titled("Ben, harbour")).await
}

async fn a_name_stands_where_whatsapp_puts_an_id(world: World) -> Result<()> {
    let program = Setup::whole(&world.backend)?.start().await?;
    let mut watcher = watched(&program).await?;
    let ben = json!({ "attendee_id": "ben", "attendee_name": "Ben", "attendee_provider_id": LID });
    let text = "Ask {{930000000000003@lid}} 👋, or {{999@lid}}";
    deliver(&program, told("m1", "c1", &ben, text)).await?;
    let shown = "Ask @Ben 👋, or @WhatsApp user";
    let is_last = |history: &History| {
        let chats = chats(history);
        let last = chats.get("c1").and_then(|chat| chat.last_message.as_ref());
        last.is_some_and(|last| last.preview == shown)
    };
    watcher.until("the list shows the name", is_last).await?;
    let request = ListMessagesRequest { chat_id: "c1".into(), ..ListMessagesRequest::default() };
    let messages = program.query()?.list_messages(request).await?.into_inner().messages;
    let message = messages.first().context("a message")?;
    assert_eq!(message.text, shown);
    let [ben, nobody] = message.mentions.as_slice() else { anyhow::bail!("two are named") };
    let range = ben.range.as_ref().context("a range")?;
    assert_eq!((ben.attendee_id.as_str(), range.start, range.end), ("ben", 4, 8));
    assert_eq!((nobody.attendee_id.as_str(), nobody.provider_id.as_str()), ("", "999@lid"));
    watcher.stop().check()?;
    program.stop().await.map(drop)
}
