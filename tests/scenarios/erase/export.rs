//! Everything of a contact or an account, handed out.

use super::Stage;
use crate::world::{World, on_both};
use anyhow::{Context as _, Result, ensure};
use channel_proto::query::v1::export_record::Record;
use channel_proto::query::v1::{
    ExportAccountRequest, ExportContactRequest, ExportContactResponse, ExportEnd,
};
use channel_tests::client;
use std::collections::BTreeSet;
use tonic::Code;

on_both!(an_export_has_everything_of_a_contact_and_nothing_of_others);

/// The records of a stream, up to its end.
async fn exported(mut stream: tonic::Streaming<ExportContactResponse>) -> Result<Vec<Record>> {
    let mut records = Vec::new();
    while let Some(next) = stream.message().await? {
        records.push(next.record.and_then(|it| it.record).context("a record")?);
    }
    Ok(records)
}

async fn an_export_has_everything_of_a_contact_and_nothing_of_others(world: World) -> Result<()> {
    let stage = Stage::new(&world, 199).await?;
    let (chat, other) = (stage.chats[0].clone(), stage.chats[1].clone());
    stage.picture(&chat, b"\x89PNG\r\n\x1a\n of one").await?;
    let person = stage.person(&chat).await?;
    let request = |attendee: &str| ExportContactRequest {
        account_id: stage.account.clone(),
        attendee_ids: vec![attendee.to_owned()],
    };
    let viewer = stage.program.query()?.export_contact(request(&person)).await;
    assert_eq!(viewer.err().context("a viewer may")?.code(), Code::PermissionDenied);
    let mut query = client::exporting(&stage.program.url())?;
    let nobody = query.export_contact(request("nobody")).await;
    assert_eq!(nobody.err().context("nobody is there")?.code(), Code::NotFound);
    let records = exported(query.export_contact(request(&person)).await?.into_inner()).await?;
    let messages = records.iter().filter_map(|record| match record {
        Record::Message(message) => Some(message),
        _ => None,
    });
    ensure!(messages.clone().all(|it| it.chat_id == chat), "another chat is told");
    let ids: BTreeSet<_> = messages.map(|it| &it.message_id).collect();
    assert_eq!(ids.len(), 201, "over several pages, each once");
    // Lists of chats name people by WhatsApp's id alone, which is another id of the same person.
    let people: Vec<_> = records
        .iter()
        .filter_map(|record| match record {
            Record::Attendee(it) => Some(it),
            _ => None,
        })
        .collect();
    assert_eq!(people.len(), 2);
    assert!(people.iter().all(|it| it.person_id == people[0].person_id));
    assert!(people.iter().any(|it| it.attendee_id == person));
    assert!(matches!(&records[2], Record::Chat(it) if it.chat_id == chat));
    let end = Record::End(ExportEnd { records: 204 });
    assert_eq!(records.last(), Some(&end));

    let request = ExportAccountRequest { account_id: stage.account.clone() };
    let mut all = query.export_account(request).await?.into_inner();
    let (mut chats, mut last) = (Vec::new(), None);
    while let Some(next) = all.message().await? {
        last = next.record.and_then(|it| it.record);
        if let Some(Record::Chat(chat)) = &last {
            chats.push(chat.chat_id.clone());
        }
    }
    chats.sort();
    let mut both = [chat, other];
    both.sort();
    assert_eq!(chats, both);
    ensure!(matches!(last, Some(Record::End(end)) if end.records > 400), "{last:?}");
    stage.program.stop().await.map(drop)
}
