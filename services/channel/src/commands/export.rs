//! `channel export`: everything that is stored of an account or a contact, one JSON object a line.

use std::fs::File;
use std::io::{BufWriter, Write as _};
use std::path::{Path, PathBuf};

use anyhow::{Context as _, bail};
use channel_proto::query::v1::export_record::Record;
use channel_proto::query::v1::{
    ExportAccountRequest, ExportContactRequest, ExportRecord, GetAttachmentRequest,
};
use channel_proto::types::v1::{FetchState, Message};
use futures::{Stream, StreamExt as _};
use tonic::Status;

use super::{attachment, place};
use crate::client::{Client, ClientArgs, json};
use crate::output::Output;
use crate::{process, tokens};

#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// The account; without one the only account there is
    #[arg(long, value_name = "ID", default_value = "", hide_default_value = true)]
    account: String,
    /// Only this contact; may be repeated for all ids under which the account knows them
    #[arg(long = "contact", value_name = "ATTENDEE")]
    contacts: Vec<String>,
    /// Write into this file instead of the terminal
    #[arg(long, value_name = "FILE")]
    out: Option<PathBuf>,
    /// Also write the attachments into this folder
    #[arg(long, value_name = "FOLDER")]
    files: Option<PathBuf>,
    #[command(flatten)]
    client: ClientArgs,
}

pub(crate) fn run(args: &Args, out: Output) -> anyhow::Result<()> {
    process::ask(&args.client, export(args, out))
}

async fn export(args: &Args, out: Output) -> anyhow::Result<()> {
    let client = args.client.client(tokens::ADMIN)?;
    let account_id = place::account(&client, &args.account).await?;
    let to = Destination::open(args.out.as_deref(), out)?;
    if args.contacts.is_empty() {
        let records = client.query().export_account(ExportAccountRequest { account_id }).await?;
        let records = records.into_inner().map(|it| it.map(|it| it.record));
        return write(records, to, &client, args.files.as_deref()).await;
    }
    let request = ExportContactRequest { account_id, attendee_ids: args.contacts.clone() };
    let records = client.query().export_contact(request).await?.into_inner();
    write(records.map(|it| it.map(|it| it.record)), to, &client, args.files.as_deref()).await
}

/// Where lines go.
enum Destination {
    Terminal(Output),
    File(BufWriter<File>),
}

impl Destination {
    fn open(file: Option<&Path>, out: Output) -> anyhow::Result<Self> {
        let Some(path) = file else { return Ok(Self::Terminal(out)) };
        let file = File::create_new(path);
        let file = file.with_context(|| format!("cannot make {}", path.display()))?;
        Ok(Self::File(BufWriter::new(file)))
    }

    fn line(&mut self, line: &str) -> anyhow::Result<()> {
        match self {
            Self::Terminal(out) => Ok(out.line(line)?),
            Self::File(file) => Ok(writeln!(file, "{line}")?),
        }
    }

    fn finish(self) -> anyhow::Result<()> {
        if let Self::File(file) = self {
            file.into_inner().map_err(std::io::IntoInnerError::into_error)?.sync_all()?;
        }
        Ok(())
    }
}

/// Writes every record. Fails when the last one is not the end.
async fn write(
    records: impl Stream<Item = Result<Option<ExportRecord>, Status>>,
    mut to: Destination,
    client: &Client,
    files: Option<&Path>,
) -> anyhow::Result<()> {
    let mut records = std::pin::pin!(records);
    let mut is_whole = false;
    while let Some(record) = records.next().await {
        let Some(record) = record? else { continue };
        to.line(&json::line("channel.query.v1.ExportRecord", &record)?)?;
        match record.record {
            Some(Record::Message(message)) => {
                if let Some(folder) = files {
                    save(client, &message, folder).await?;
                }
            }
            Some(Record::End(_)) => is_whole = true,
            _ => {}
        }
    }
    to.finish()?;
    if !is_whole {
        bail!("the export broke off: it is not whole");
    }
    Ok(())
}

/// Writes the files of a message whose bytes are there.
async fn save(client: &Client, message: &Message, folder: &Path) -> anyhow::Result<()> {
    let stored = |state| state == FetchState::Stored;
    let files = message.attachments.iter().enumerate();
    for (number, file) in files.filter(|(_, file)| stored(file.fetch_state())) {
        let request = GetAttachmentRequest {
            account_id: message.account_id.clone(),
            message_id: message.message_id.clone(),
            attachment_id: file.attachment_id.clone(),
            ..GetAttachmentRequest::default()
        };
        let (header, parts) = attachment::open(client, request).await?;
        std::fs::create_dir_all(folder)?;
        let name = file_name(&message.message_id, number, &header.safe_file_name);
        let mut to = BufWriter::new(File::create(folder.join(name))?);
        attachment::copy(&header, parts, &mut to).await?;
    }
    Ok(())
}

/// Of the message, so that none is written over another; nothing in it leads out of the folder.
fn file_name(message: &str, number: usize, name: &str) -> String {
    let tame = |c: char| if c.is_alphanumeric() || matches!(c, '.' | '-' | '_') { c } else { '_' };
    format!("{message}-{number}-{name}").chars().map(tame).collect()
}

#[cfg(test)]
mod tests {
    use channel_proto::query::v1::ExportEnd;
    use futures::stream;

    use super::*;
    use crate::output::Paper;

    async fn written(records: Vec<Record>) -> (String, anyhow::Result<()>) {
        let paper = Paper::default();
        let records = records.into_iter().map(|it| Ok(Some(ExportRecord { record: Some(it) })));
        let to = Destination::Terminal(Output::plain(paper.clone()));
        let done = write(stream::iter(records), to, &Client::to_nowhere(), None).await;
        (paper.text(), done)
    }

    #[tokio::test]
    async fn an_export_without_its_end_is_a_failure() {
        let message = || Record::Message(Message::default());
        let (text, done) = written(vec![message(), Record::End(ExportEnd { records: 1 })]).await;
        done.unwrap();
        assert_eq!(text, "{\"message\":{}}\n{\"end\":{\"records\":\"1\"}}\n");
        assert!(written(vec![message()]).await.1.unwrap_err().to_string().contains("not whole"));
    }

    #[test]
    fn a_file_stays_in_its_folder() {
        assert_eq!(file_name("m1", 0, "../a b/c.png"), "m1-0-.._a_b_c.png");
    }
}
